"""`roster up`: Dagster with its UI, on the embedded database or the configured one."""

import signal
from contextlib import ExitStack, suppress
from typing import Annotated

import typer

from roster_pipelines.cli import database, output
from roster_pipelines.cli.dagster_instance import reserved, running
from roster_pipelines.cli.playground import playground
from roster_pipelines.settings import settings


def up(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The UI's port on 127.0.0.1; 0: any free one.")] = 3000,
) -> None:
    """Start the database, Dagster's daemon and its UI, and stay until Ctrl-C."""
    of = settings()
    with ExitStack() as stack:
        lock = stack.enter_context(reserved(of, port))
        url = stack.enter_context(database.server(of))
        engine = stack.enter_context(database.migrated(url))
        sftp = stack.enter_context(playground(of, engine))
        output.console.print("Starting Dagster ...")
        api = stack.enter_context(running(of, url, port, lock))
        output.console.print(f"Dagster's UI:  [link]{api.url}[/link]")
        output.console.print(f"Data folder:   {of.data}")
        if sftp:
            output.console.print(f"Demo's sFTP:   drop files into {sftp}/DISTRICT")
        output.console.print("Ctrl-C stops it.")
        with suppress(KeyboardInterrupt):
            signal.pause()
        output.console.print("Stopping ...")
