"""`python -m roster_pipelines` is `roster`."""

from roster_pipelines.cli.main import main

main()
