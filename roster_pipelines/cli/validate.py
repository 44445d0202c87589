"""`roster validate`: what a delivery would give, before it is sent. No database, no configuration."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, cast, get_args

import duckdb
import typer

from roster_pipelines.cli import output
from roster_pipelines.cli.district import AsJson
from roster_pipelines.errors import CallSomebody, RosterError
from roster_pipelines.oneroster.shape import Registration
from roster_pipelines.reports import as_json
from roster_pipelines.reports.places import printable
from roster_pipelines.staging.summary import Summary

AsHtml = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write the whole report to a file, for a browser.")
]


def validate(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A folder with CSV files, or a zip.")],
    registration: Annotated[
        str, typer.Option(help="How teachers get access: access_code, auto_by_school or auto_by_resource.")
    ] = "access_code",
    json: AsJson = False,
    html: AsHtml = None,
) -> None:
    """Check OneRoster files before they are sent: what would be accepted, what rejected, and how to fix it.

    Exit code 0 where nothing is rejected, 1 where a row or the delivery is, 2 where PATH cannot be read.
    """
    now = datetime.now(UTC).astimezone()
    title = printable(path.absolute().name or str(path))
    try:
        if html is not None and not html.parent.is_dir():
            raise CallSomebody(f"there is no folder {html.parent}", "make it, or name another file with --html")
        summary = _check(path, registration, now)
        if html is not None:
            write_html(html, title, summary, now)
    except (RosterError, OSError, duckdb.Error) as error:
        output.problem(_one_line(error))
        raise typer.Exit(2) from None
    if json:
        output.as_json(as_json(summary))
    else:
        tell(title, summary, html)
    raise typer.Exit(int(any(f.severity in ("fatal", "error") for f in summary.findings)))


def write_html(file: Path, title: str, summary: Summary, now: datetime, delivery: str | None = None) -> None:
    """Write the report as a page.

    Raises:
        OSError: The file cannot be written.
    """
    from roster_pipelines.reports.html import html

    file.write_text(html(title, summary, delivery=delivery, made_at=now), "utf-8")


def tell(title: str, summary: Summary, html: Path | None, *, sent: bool = False) -> None:
    """Print the report; say where its page lies, if there is one."""
    from roster_pipelines.reports.text import print_report

    whole = f"the report {html}" if html else "--html FILE"
    print_report(output.console, title, summary, whole=whole, sent=sent)
    if html:
        output.console.print(f"The whole report: {html}", markup=False)


def _check(path: Path, registration: str, now: datetime) -> Summary:
    if registration not in get_args(Registration):
        raise CallSomebody(
            f"the registration {registration!r} is not known", f"give one of {', '.join(get_args(Registration))}"
        )
    from roster_pipelines.connections.gather import gather_local
    from roster_pipelines.staging.build import build

    with tempfile.TemporaryDirectory() as folder, output.working(f"checking {printable(path.name)}") as progress:
        gathered = gather_local(path, Path(folder))
        return build(
            gathered.files,
            gathered.findings,
            Path(folder) / "staging.duckdb",
            cast("Registration", registration),
            today=now.date(),
            progress=progress,
        )


def _one_line(error: RosterError | OSError | duckdb.Error) -> str:
    """What went wrong; DuckDB's own words are not repeated, for they may quote a row."""
    if isinstance(error, OSError):
        return f"{error.filename or 'the system'}: {error.strerror}: mend it and try again"
    if isinstance(error, duckdb.Error):
        return f"the check could not be finished ({type(error).__name__}): see that memory and disk are not full"
    return str(error)
