"""`roster validate`: what a delivery would give, before it is sent. No database, no configuration."""

import sys
import tempfile
from pathlib import Path
from typing import Annotated, cast, get_args

import typer
from rich.markdown import Markdown

from roster_pipelines.cli import output
from roster_pipelines.cli.district import AsJson
from roster_pipelines.oneroster.shape import Registration
from roster_pipelines.reports.delivery import markdown


def validate(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A folder with CSV files, or a zip.")],
    registration: Annotated[
        str, typer.Option(help="How teachers get access: access_code, auto_by_school or auto_by_resource.")
    ] = "access_code",
    json: AsJson = False,
) -> None:
    """Check a delivery: what would be accepted, what rejected and why. Exit code 1 where anything is rejected."""
    if registration not in get_args(Registration):
        raise typer.BadParameter(f"{registration} is none of {', '.join(get_args(Registration))}")
    from roster_pipelines.connections.gather import gather_local
    from roster_pipelines.staging.build import build

    with tempfile.TemporaryDirectory() as folder:
        gathered = gather_local(path, Path(folder))
        database = Path(folder) / "staging.duckdb"
        summary = build(gathered.files, gathered.notes, database, cast("Registration", registration))
    if json:
        output.as_json(
            {
                "verdict": summary.verdict,
                "tables": {name: vars(counts) for name, counts in summary.tables.items()},
                "findings": [
                    {**vars(finding), "message": finding.message, "remedy": finding.remedy}
                    for finding in summary.findings
                ],
            }
        )
    else:
        output.console.print(Markdown(markdown(path.name, summary)), soft_wrap=False)
    sys.exit(1 if any(f.severity in ("fatal", "error") for f in summary.findings) else 0)
