"""`roster check-connection`: how a district's connection is doing now, and who must do what where it is amiss."""

import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from roster_pipelines import district as districts
from roster_pipelines.cli import database, output
from roster_pipelines.cli.district import AsJson, read
from roster_pipelines.district import District
from roster_pipelines.platform import registry
from roster_pipelines.reports.places import printable

if TYPE_CHECKING:
    from roster_pipelines.connections.check import Step

_SIGNS = {"ok": ("✓", "green"), "failed": ("✗", "red"), "skipped": ("–", "dim")}
_NAME_WIDTH = len("academicSessions")
# Wider than any line.
_UNBROKEN = 100_000
_NARROWEST = 20


def check_connection(
    district: Annotated[str | None, typer.Argument(metavar="DISTRICT", help="The district's key.")] = None,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Check a record in a YAML file instead, before it is applied.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Check a district's connection, step by step, with fresh credentials. Nothing is pulled and nothing is stored.

    Name, server, credentials; of an API each collection with its count and which fields of its first records have
    a value; of an sFTP folder the host key, the files that are there, and whether they have settled. No value is shown.

    Where something is for the district's administrator to do, it is said in a letter that can be sent as it is.

    Exit code 0: all is well. 1: something failed. 2: wrong usage.
    """
    if (district is None) == (file is None):
        raise typer.BadParameter("give either a district or a --file", param_hint="DISTRICT")
    record = districts.parse(read(file), file.name) if file else _registered(str(district))
    # What speaks to servers takes a moment to load.
    from roster_pipelines.connections.check import letter

    now = datetime.now(UTC)
    found = []
    for step in _steps(record, now, json):
        found.append(step)
        if not json:
            _show(step)
    mail = letter(record, found, now)
    failed = [step for step in found if step.state == "failed"]
    if json:
        output.as_json(_told(record, found, mail))
    else:
        _conclude(record, failed, mail)
    raise typer.Exit(int(bool(failed)))


def _registered(district: str) -> District:
    with database.opened() as engine, engine.connect() as connection:
        return registry.get(connection, district)


def _steps(record: District, now: datetime, json: bool) -> Iterator["Step"]:
    from roster_pipelines.connections.check import steps

    on = f"checking {record.district}"
    # Of the same console as the lines, on a terminal it stays below them.
    with (output.problems if json else output.console).status(on) as status:
        yield from steps(record, now, lambda name: status.update(f"{on}: {name}"))


def _show(step: "Step") -> None:
    """Print a step: its sign, how long it took, its name, and beside them what was found."""
    sign, style = _SIGNS[step.state]
    taken = "" if step.state == "skipped" else f"{step.seconds:.1f} s"
    before = f"  {taken:>6}  {step.name:<{_NAME_WIDTH}}  "
    ours = (f"→ {step.remedy}",) if step.ours else ()
    lines = [line for text in (step.detail, *step.lines, *ours) for line in _broken(text, 1 + len(before))]
    faint = "dim" if step.state == "skipped" else ""
    output.console.print(Text.assemble((sign, style), (before + lines[0], faint)))
    for line in lines[1:]:
        output.console.print(Text(" " * (1 + len(before)) + line))


def _broken(text: str, beside: int) -> list[str]:
    """Break a text into lines that fit on the terminal beside something; what is piped is left whole."""
    width = output.console.width - beside if output.console.is_terminal else _UNBROKEN
    return textwrap.wrap(printable(text), max(width, _NARROWEST), break_on_hyphens=False)


def _conclude(record: District, failed: Sequence["Step"], mail: str) -> None:
    told = f"failed: {', '.join(step.name for step in failed)}" if failed else "all is well"
    output.console.print(f"{record.district}: {told}", markup=False)
    if mail:
        lines = "\n".join(f"  {printable(line)}".rstrip() for line in mail.splitlines())
        output.console.print(f"\nFor the district's administrator, to be sent as it is:\n\n{lines}", markup=False)


def _told(record: District, found: Sequence["Step"], mail: str) -> dict[str, object]:
    return {
        "district": record.district,
        "connection": record.connection.kind,
        "ok": all(step.state == "ok" for step in found),
        "steps": [
            {
                "name": step.name,
                "state": step.state,
                "detail": step.detail,
                "seconds": round(step.seconds, 3),
                "remedy": step.remedy or None,
                "ours": step.ours,
                **step.extra,
            }
            for step in found
        ],
        "letter": mail or None,
    }
