"""`roster`: the commands, and what happens to errors."""

import os
import signal
import sys
from types import FrameType

import typer

from roster_pipelines.cli import (
    check_connection,
    decide,
    deliveries,
    demo,
    district,
    explain,
    identities,
    output,
    plan,
    powerschool_plugin,
    product,
    pull,
    report,
    sftp_config,
    simulate,
    templates,
    up,
    validate,
)
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
app.command("check-connection")(check_connection.check_connection)
app.command("pull")(pull.pull)
app.command("deliveries")(deliveries.deliveries)
app.command("identities")(identities.identities)
app.command("explain")(explain.explain)
app.command("plan")(plan.plan)
app.command("approve")(decide.approve)
app.command("discard")(decide.discard)
app.command("report")(report.report)
app.command("validate")(validate.validate)
app.command("templates")(templates.templates)
app.command("powerschool-plugin")(powerschool_plugin.powerschool_plugin)
app.command("sftp-config")(sftp_config.sftp_config)
app.command("simulate")(simulate.simulate)
app.command("license", rich_help_panel=product.PANEL)(product.license_)
app.command("sign-in", rich_help_panel=product.PANEL)(product.sign_in)
app.command("redeem", rich_help_panel=product.PANEL)(product.redeem)
app.command("link", rich_help_panel=product.PANEL)(product.link)
app.command("choose-school", rich_help_panel=product.PANEL)(product.choose_school)
app.command("close-account", rich_help_panel=product.PANEL)(product.close_account)


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
