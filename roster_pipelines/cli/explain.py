"""`roster explain`: why somebody sees no classes, or why a class is not there."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import duckdb
import typer
from sqlalchemy.engine import Connection

from roster_pipelines.cli import database, output
from roster_pipelines.cli.district import AsJson, Key
from roster_pipelines.district import District
from roster_pipelines.duck import quoted
from roster_pipelines.errors import LookAtData
from roster_pipelines.lake import Lake
from roster_pipelines.platform import deliveries, derived, plans, registry, vendor
from roster_pipelines.platform.state import states
from roster_pipelines.reports.explain import AsOf, Explanation, View, was_in
from roster_pipelines.reports.explain import explain as explained
from roster_pipelines.rostering import current
from roster_pipelines.rostering.access import holders
from roster_pipelines.settings import settings

PUBLISHED = ("rostered_class", "rostered_class_teacher", "rostered_class_student")
LOOKED_BACK = 10
"""Earlier deliveries in which somebody who is not in the roster is looked for."""


def explain(
    district: Key,
    asked: Annotated[
        str, typer.Argument(metavar="PERSON|CLASS", help="A sourcedId; of a person, an e-mail or username, too.")
    ],
    values: Annotated[bool, typer.Option("--show-values", help="Show names and titles, for your eyes only.")] = False,
    json: AsJson = False,
) -> None:
    """Say why somebody sees no classes, or a class is not there: gate by gate, who must act, and the lines behind it.

    Exit code 0 where it is known, 1 where nobody and no class of that name is.
    """
    lake = Lake(settings().lake)
    with database.opened() as engine, engine.connect() as connection:
        # A run may write meanwhile: all is read as it was at one time.
        connection.execution_options(isolation_level="REPEATABLE READ")
        told = _explain(connection, lake, registry.get(connection, district), asked, values=values)
    if json:
        output.as_json(told.as_json())
    elif told.found:
        from roster_pipelines.reports.explain.text import text

        output.console.print(text(told), soft_wrap=False)
    else:
        output.problem(f"nobody and no class of {district} is known by that name: spell it as in the district's files")
    raise typer.Exit(int(not told.found))


def _explain(connection: Connection, lake: Lake, record: District, asked: str, *, values: bool) -> Explanation:
    """Put everything into one DuckDB with the roster in use, and ask there.

    Raises:
        LookAtData: The district has no roster, or it cannot be read.
    """
    roster = deliveries.roster(connection, record.district)
    today = _today(record.time_zone)
    as_of = _as_of(connection, record.district, roster.delivery_id)
    try:
        with (
            lake.reading(lake.staging(record.district, roster.delivery_id)) as staging,
            current.opened(staging, today, record) as con,
        ):
            derived.read(connection, con, record.district, "identity", "identity_key", "entitlement", "gate")
            vendor.read(connection, con, record.district, "sign_in", "account", "access_code", "licence")
            vendor.read_published(connection, con, record.district, *PUBLISHED)
            holders(con)
            _removals(con, lake, record.district, as_of.plan_id)
            told = explained(con, asked, record, as_of, View(roster.delivery_id, today, values))
    except duckdb.Error as error:
        raise LookAtData(
            f"the roster of delivery {roster.delivery_id} cannot be read ({type(error).__name__})",
            "have it checked again: materialize validated for the district",
        ) from None
    if told.absent is None:
        return told
    last = _last_delivery(connection, lake, record.district, roster.delivery_id, asked)
    return replace(told, absent=replace(told.absent, last_delivery=last))


def _today(time_zone: str) -> date:
    return datetime.now(UTC).astimezone(ZoneInfo(time_zone)).date()


def _as_of(connection: Connection, district: str, roster: str) -> AsOf:
    plan, planned = plans.newest(connection, district), plans.planned(connection)[district]
    newest = deliveries.newest(connection, district)
    stale = {
        f"delivery {newest and newest.delivery_id} came later, and is {newest and newest.status}": newest is not None
        and newest.delivery_id != roster,
        f"delivery {roster} is in use, and not planned yet": plan is not None and plan.delivery_id != roster,
        "sign-ins, accounts, codes, licences or the district's record have changed since": plan is not None
        and states(connection, district)[district] != planned.made_from,
        "classes, enrollments or licences have begun or ended since": planned.due,
    }
    changes = tuple(change for change, is_so in stale.items() if is_so)
    if plan is None:
        return AsOf(None, None, None, None, roster, changes)
    return AsOf(plan.plan_id, plan.outcome, plan.delivery_id, plan.planned_at, roster, changes)


def _removals(con: duckdb.DuckDBPyConnection, lake: Lake, district: str, plan_id: int | None) -> None:
    """Add `removal`: the rows that the newest plan holds or keeps."""
    con.execute(
        "CREATE TABLE removal (class_sourced_id VARCHAR, account_id BIGINT, student_sourced_id VARCHAR, action VARCHAR)"
    )
    if plan_id is None or not lake.plan(district, plan_id).exists():
        return
    with lake.reading(lake.plan(district, plan_id)) as plan:
        con.execute(f"ATTACH {quoted(plan)} AS plan (READ_ONLY)")
        con.execute(
            """
            INSERT INTO removal
            FROM (SELECT class_sourced_id, NULL, NULL, action FROM plan.rostered_class
                  UNION ALL SELECT class_sourced_id, account_id, NULL, action FROM plan.rostered_class_teacher
                  UNION ALL SELECT class_sourced_id, NULL, student_sourced_id, action FROM plan.rostered_class_student)
            WHERE action IN ('hold', 'keep')
            """
        )
        con.execute("DETACH plan")


def _last_delivery(connection: Connection, lake: Lake, district: str, before: str, asked: str) -> str | None:
    """Find the last earlier roster that had somebody, or a class, by that name."""
    delivery_id = before
    for _ in range(LOOKED_BACK):
        earlier = deliveries.base(connection, district, delivery_id)
        if earlier is None:
            return None
        delivery_id = earlier.delivery_id
        path = lake.staging(district, delivery_id)
        # One that is gone, or was written by an earlier version, is passed over.
        with suppress(duckdb.Error):
            if path.exists():
                with lake.reading(path) as staging:
                    if was_in(staging, asked):
                        return delivery_id
    return None
