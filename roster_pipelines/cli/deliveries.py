"""`roster deliveries`: what arrived, when, how long it took to settle, and what was done with it."""

from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from roster_pipelines.cli import database, output
from roster_pipelines.cli.district import AsJson, Key
from roster_pipelines.platform import arrivals, drops, registry
from roster_pipelines.platform.arrivals import Arrival

DONE = {
    "moving": "moving: it has changed since the last look",
    "early": "moving: it is not quiet for long enough yet",
    "waiting": "waiting",
    "settled": "whole: its run comes",
    "overdue": "taken as it is: its run comes",
    "same": "same content as before: no change",
    "replaced": "replaced before a run had taken it",
    "gone": "gone, or again as it was, before a run had taken it",
    "landed": "taken: it is being checked",
    "accepted": "accepted",
    "refused": "refused",
}
"""What each state means, for a person."""


def deliveries(
    district: Key,
    last: Annotated[int, typer.Option("--last", min=1, help="How many of the latest.")] = 20,
    json: AsJson = False,
) -> None:
    """Show what arrived from a district, when, how long it took to settle, and what was done with it.

    Times are in the district's own time zone. "settled" is how long it took from the first that was seen of it until it
    was whole and had stood still, "decided" how long from then until a run had decided on it. What lies in the folder
    now and is not taken yet comes first, with what it waits for.
    """
    with database.opened() as engine, engine.connect() as connection:
        record = registry.get(connection, district)
        found = arrivals.newest(connection, district, last)
        problem = drops.problems(connection).get(district)
    if json:
        output.as_json({"problem": problem, "deliveries": [_as_json(arrival) for arrival in found]})
        return
    if found:
        zone = ZoneInfo(record.time_zone)
        firm = ("began", "settled", "decided", "what came")
        title, rows = f"{record.name}: deliveries ({record.time_zone})", [_row(each, zone) for each in found]
        output.table(title, [*firm, "what was done"], rows, firm)
    else:
        output.console.print(f"{district} has delivered nothing yet.")
    if problem:
        output.console.print(f"Its folder cannot be looked into now: {problem}", markup=False)


def _row(arrival: Arrival, zone: ZoneInfo) -> tuple[object, ...]:
    done = DONE[arrival.state] + (f" ({arrival.reason})" if arrival.reason else "")
    return (
        f"{arrival.began_at.astimezone(zone):%a %d %b %H:%M}",
        _span(arrival.settling),
        _span(_between(arrival.settled_at, arrival.ended_at)),
        _came(arrival),
        f"{done}\n{arrival.delivery_id}" if arrival.delivery_id else done,
    )


def _came(arrival: Arrival) -> str:
    what = "file" if arrival.came_by == "sftp" else "collection"
    number = f"{arrival.files} {what}{'' if arrival.files == 1 else 's'}"
    return number if arrival.bytes is None else f"{number}, {_size(arrival.bytes)}"


def _between(first: datetime | None, last: datetime | None) -> timedelta | None:
    return last - first if first and last else None


def _span(length: timedelta | None) -> str:
    if length is None:
        return ""
    seconds = round(length.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 2 * 3600 else f"{seconds // 3600} h {seconds % 3600 // 60} min"


def _size(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _as_json(arrival: Arrival) -> dict[str, object]:
    settling = arrival.settling
    return {**vars(arrival), "settling_seconds": settling and settling.total_seconds()}
