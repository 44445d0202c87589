"""`roster pull`: fetch a district's data now, and follow it up to the rostered classes."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from sqlalchemy.engine import Engine

from roster_pipelines.cli import database, output
from roster_pipelines.cli.district import AsJson, Key
from roster_pipelines.connections import schedule
from roster_pipelines.district import District
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.errors import CallSomebody, RosterError
from roster_pipelines.platform import plans, registry
from roster_pipelines.settings import settings

if TYPE_CHECKING:
    from roster_pipelines.cli.dagster_run import LookAtRun
    from roster_pipelines.sensors.by_hand import Look

JOB = "process_delivery"
SECONDS_BETWEEN_LOOKS = 0.3

Wait = Annotated[
    bool, typer.Option("--wait/--no-wait", help="Follow the run to its end, or leave it to Dagster's daemon.")
]


def pull(district: Key, wait: Wait = True, json: AsJson = False) -> None:
    """Fetch a district's data now: from its API, or from its sFTP folder; then check, work out, publish.

    From an API everything is pulled, also where the schedule only asks for changes.

    Where Dagster runs (roster up), its daemon does it; otherwise this command does, and the UI shows the run later.

    It is the run that the sensors start. Its last line says which delivery it was and how many rows are the roster.

    Exit code 0: all went well. 1: it failed, and a line says what to do; the last good roster stays. 2: wrong usage.
    """
    of = settings()
    with ExitStack() as stack:
        url = stack.enter_context(database.server(of))
        engine = stack.enter_context(database.migrated(url))
        record = _record(engine, district)
        # Dagster takes a second to load, which only a district that can be pulled is worth.
        from roster_pipelines.cli.dagster_run import dagster

        runs = stack.enter_context(dagster(of, url))
        if not wait and not runs.by_daemon:
            raise CallSomebody("Dagster does not run, so there is nobody to leave it to", "start roster up, or wait")
        look = runs.begin(district, JOB)
        if wait:
            _tell(engine, record, _follow(district, look), json)
        else:
            _tell_queued(district, look(), json)


def _record(engine: Engine, district: str) -> District:
    with engine.connect() as connection:
        record = registry.get(connection, district)
    if record.stage == "paused":
        raise CallSomebody(
            f"{district} is paused, so nothing of it is run", f"roster district stage {district} live --why ..."
        )
    return record


def _follow(district: str, look: "LookAtRun") -> "Look":
    """Tell each stage of a run when it has ended, on standard error; the last look at it."""
    told: set[str] = set()
    with output.working(f"pulling {district}") as say:
        while True:
            found = look()
            for stage in found.stages if found else ():
                if stage.state == "ended" and stage.name not in told:
                    told.add(stage.name)
                    output.problems.print(f"[green]✓[/] {stage.seconds:5.1f} s  {stage.name}")
            if found and found.ended:
                return found
            say(_now(found))
            time.sleep(SECONDS_BETWEEN_LOOKS)


def _now(found: "Look | None") -> str:
    if found is None or found.status == "waiting":
        return "waiting for its turn"
    going_on = [f"{stage.name} {stage.state}" for stage in found.stages if stage.state != "ended"]
    return ", ".join(going_on) or "running"


@dataclass(frozen=True)
class _Result:
    """What a run came to, as `--json` prints it.

    Attributes:
        run: Its id.
        status: How it ended.
        delivery: The delivery that it fetched; None where it fetched none.
        unchanged: Whether that is the same as the one before.
        rows: By table, how many rows are the roster now.
        plan: The plan's number and what became of it.
        failed_in: The stage that failed, if one did.
        reason: Why, and what to do.
        next_due: When the next pull is due, of a district with an API.
    """

    district: str
    run: str
    status: str
    delivery: str | None
    unchanged: bool | None
    rows: dict[str, int]
    plan: str | None
    failed_in: str | None
    reason: str | None
    next_due: datetime | None


def _tell(engine: Engine, record: District, look: "Look", json: bool) -> None:
    result = _result(engine, record, look)
    if json:
        output.as_json(vars(result))
        if result.status != "success":
            raise typer.Exit(1)
        return
    if result.status == "canceled":
        raise RosterError(f"{result.district}: run {result.run[:8]} was cancelled", "pull again when it suits")
    if result.status != "success":
        where = result.failed_in or f"run {result.run[:8]}"
        raise RosterError(f"{result.district}: {where} failed", result.reason or "look at the run in Dagster's UI")
    output.console.print("; ".join(_told(result)), markup=False)


def _told(result: _Result) -> Iterator[str]:
    rows = ", ".join(f"{count:,} {table}" for table, count in result.rows.items() if count)
    same = " as before" if result.unchanged else ""
    yield f"{result.district}: delivery {result.delivery} is the roster{same}: {rows}"
    if result.plan:
        yield result.plan
    if result.next_due:
        yield f"next pull due {result.next_due:%a %Y-%m-%d %H:%M %Z}"


def _result(engine: Engine, record: District, look: "Look") -> _Result:
    with engine.connect() as connection:
        plan = plans.newest(connection, record.district) if look.status == "success" else None
    delivery: dict[str, Any] = look.made.get("delivery", {})
    return _Result(
        district=record.district,
        run=look.run_id,
        status=look.status,
        delivery=delivery.get("delivery"),
        unchanged=delivery.get("unchanged"),
        rows={
            asset.removeprefix("validated/"): made["roster"]
            for asset, made in look.made.items()
            if asset.startswith("validated/")
        },
        plan=f"plan {plan.plan_id} {plan.told}" if plan else None,
        failed_in=next((stage.name for stage in look.stages if stage.state == "failed"), None),
        reason=look.reason,
        next_due=_next_due(record),
    )


def _next_due(record: District) -> datetime | None:
    if isinstance(record.connection, SftpConnection):
        return None
    due = schedule.next_due(record.connection.pull, record.time_zone, datetime.now(UTC))
    return due and due.astimezone(ZoneInfo(record.time_zone))


def _tell_queued(district: str, found: "Look | None", json: bool) -> None:
    run = found.run_id if found else None
    if json:
        output.as_json({"district": district, "run": run, "status": found.status if found else "waiting"})
    else:
        output.console.print(
            f"{district}: run {(run or '')[:8]} is in the queue; roster district list shows its delivery"
        )
