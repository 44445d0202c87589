"""Pull a district's roster from its OneRoster API, whole or what has changed, as files of a delivery."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from roster_pipelines.connections import services
from roster_pipelines.connections.collecting import Collecting, Moved
from roster_pipelines.connections.gather import Gathered, Pull
from roster_pipelines.connections.http import NotUnderstood
from roster_pipelines.connections.pages import Pages
from roster_pipelines.connections.paging import Service
from roster_pipelines.connections.progress import Progress
from roster_pipelines.district import District
from roster_pipelines.errors import CallSomebody, LookAtData
from roster_pipelines.oneroster import manifest, rest
from roster_pipelines.oneroster.standard import tables
from roster_pipelines.oneroster.templates import manifest as write_manifest

# How often a pull begins anew when the data move under it.
BEGINNINGS = 4
# A server's clock and ours may differ, and a record may be entered a little after its time.
OVERLAP = timedelta(minutes=30)
# A little less than a week, so that a pull on the same weekday and hour is the one that is whole.
WHOLE_EVERY = timedelta(days=6, hours=12)


class _NotJustChangesError(Exception):
    """What came are not the changes since the last pull alone."""


def since(district: District, last: Pull | None, base: str, now: datetime) -> datetime | None:
    """Say from when on changes are asked for; None: everything is pulled.

    Args:
        district: Whose `changes_only` counts.
        last: What is known of the pull that made the roster in use.
        base: The address that answers now.
        now: The time.
    """
    trusted = getattr(district.connection, "changes_only", False)
    if not trusted or last is None or last.base != base or now - last.full_at >= WHOLE_EVERY:
        return None
    return (last.began_at - OVERLAP).replace(microsecond=0)


def pull(
    district: District,
    folder: Path,
    pages: Pages,
    last: Pull | None,
    now: datetime,
    progress: Callable[[str], None] = lambda _: None,
) -> Gathered:
    """Pull everything, or what has changed since the last pull.

    Args:
        district: Whose connection and registration count.
        folder: An empty local folder for the files.
        pages: Where pages are kept on the way.
        last: What is known of the pull that made the roster in use; None: everything is pulled.
        now: The time.
        progress: Told a line for each collection that is whole, or not offered.

    Returns:
        One file for each collection that is there, and a manifest.

    Raises:
        TryAgain: The service was not reached, its data moved again and again, or it takes too long.
        CallSomebody: Credentials, address or permissions are wrong.
        LookAtData: A collection that a district cannot do without is empty, or never ends.
    """
    with services.opened(district, now, last.base if last else "") as service:
        changed_from, repeats = since(district, last, service.base, now), dict[str, bytes]()
        for beginning in range(BEGINNINGS):
            began_at = pages.begin(service, changed_from, now)
            try:
                whole = Collecting(district, service, pages, changed_from, repeats, progress).run()
                if changed_from is not None:
                    _hold(whole, last)
                break
            except (NotUnderstood, _NotJustChangesError) as reason:
                pages.clear()
                if changed_from is None:
                    raise
                progress(f"{reason}; everything is pulled")
                changed_from = None
            except Moved as moved:
                pages.clear()
                if beginning == BEGINNINGS - 1:
                    raise
                # A server may count all records where only changes are asked for.
                repeats, changed_from = {**repeats, **moved.repeats}, None
            except (CallSomebody, LookAtData):
                # What is kept would be refused again, or not fit what may be read once it is mended.
                pages.clear()
                raise
        repeated = _write(whole, pages, folder)
    mode: Literal["bulk", "delta"] = "bulk" if changed_from is None else "delta"
    text = write_manifest(service.version, dict.fromkeys(_tables(whole, service), mode), service.name)
    (folder / manifest.FILE).write_text(text, "utf-8", newline="")
    full_at = began_at if mode == "bulk" or last is None else last.full_at
    files = {path.name: path for path in sorted(folder.iterdir())}
    return Gathered(files, (), tuple(whole), pull=Pull(began_at, mode, full_at, repeated, service.base, tuple(whole)))


def _hold(whole: Mapping[str, Progress], last: Pull | None) -> None:
    """Hold what came as changes against what can be changes."""
    if any(one.earlier for one in whole.values()):
        raise _NotJustChangesError("the server gives records from before the last pull")
    if last is None or {*whole} != {*last.collections}:
        raise _NotJustChangesError("other collections are there than at the last pull")


def _write(whole: Mapping[str, Progress], pages: Pages, folder: Path) -> int:
    """Write each collection's file; return how many records had come more than once."""
    repeated = 0
    for name, one in whole.items():
        again = 0 if one.doubled else one.rows - one.kept()
        pages.write(name, folder / f"{name}{rest.SUFFIX}", repeated=again > 0)
        repeated += again
    return repeated


def _tables(whole: Mapping[str, Progress], service: Service) -> list[str]:
    """Name the tables that the collections give."""
    return [
        table.name
        for table in tables(service.version).values()
        for of in [rest.source(table)]
        if of and of.collection in whole and (of.list != "resources" or "resources" in whole)
    ]
