"""`roster`: the commands, and what happens to errors."""

import os
import signal
import sys
from types import FrameType

import typer

from roster_pipelines.cli import demo, district, identities, output, plan, report, templates, up, validate
from roster_pipelines.errors import RosterError

app = typer.Typer(
    name="roster",
    help="School districts' rosters, taken in, checked and turned into rostered classes. Start with: roster demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("demo")(demo.demo)
app.command("up")(up.up)
app.add_typer(district.app, name="district")
app.command("identities")(identities.identities)
app.command("plan")(plan.plan)
app.command("report")(report.report)
app.command("validate")(validate.validate)
app.command("templates")(templates.templates)


def main() -> None:
    """Run the command; every error that a person can cause is one line and exit code 1."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    # A shell starts background commands with Ctrl-C ignored; Dagster's processes would inherit that, and then
    # ignore SIGTERM as well.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # What is written from here on is about children: for the owner's eyes only.
    os.umask(0o077)
    try:
        app()
    except RosterError as error:
        output.problem(str(error))
        sys.exit(1)
    except OSError as error:
        output.problem(f"{error.filename or 'the system'}: {error.strerror}: mend it and try again")
        sys.exit(1)


def _leave(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signal module's signature
    """End as after Ctrl-C, so that children are stopped and the database is closed."""
    raise KeyboardInterrupt
