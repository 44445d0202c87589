"""The ledger of plans, and applying one: all of its changes in one transaction, or none."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import duckdb
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from roster_pipelines.errors import CallSomebody
from roster_pipelines.platform import registry
from roster_pipelines.platform.transfer import push
from roster_pipelines.rostering.plan import PUBLISHED, WRITTEN, Counts, Published


@dataclass(frozen=True)
class Plan:
    """One row of the ledger.

    Attributes:
        counts: How many rows of each table it concerns, by action.
        active: How many rows of each table were active before it.
        held_rows: Sums up which rows it holds; None: none.
    """

    plan_id: int
    district: str
    delivery_id: str
    counts: Counts
    planned_at: datetime
    outcome: str
    decided_at: datetime | None
    active: dict[str, int]
    held_rows: str | None

    @property
    def changes(self) -> int:
        """How many rows applying it writes."""
        return sum(self.rows(table, action) for table in self.counts for action in WRITTEN)

    @property
    def held(self) -> int:
        """How many rows it holds: they wait for a person."""
        return sum(self.held_by_table.values())

    @property
    def held_by_table(self) -> dict[str, int]:
        """How many rows it holds of each table."""
        return {table: self.rows(table, "hold") for table in self.counts}

    @property
    def told(self) -> str:
        """What became of it, as a phrase."""
        return f"{self.outcome}, {self.held:,} held" if self.held else self.outcome

    def rows(self, table: str, action: str) -> int:
        """How many rows of a table it concerns in that way; of an earlier version's plan not all is known."""
        return self.counts.get(table, {}).get(action, 0)


@dataclass(frozen=True)
class Planned:
    """What a district's newest plan was made from, next to the roster that it should be made from.

    Attributes:
        roster: The newest accepted delivery.
        plan_id: The newest plan; 0 where there is none.
        delivery: The delivery that it was made from.
        made_from: The state (platform/state.py) that it was made from.
        due: Whether the day has come, in the district's time zone, on which the calendar alone may make it another.
    """

    roster: str
    plan_id: int
    delivery: str | None
    made_from: str | None
    due: bool = False


def lock(connection: Connection, district: str) -> None:
    """Wait for any other transaction that plans or applies for this district; held to the end of this one."""
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:district, 1))"), {"district": district})


def new_id(connection: Connection) -> int:
    """Reserve a plan's id, so that its file can be written before its row."""
    return int(connection.scalar(sa.text("SELECT nextval(pg_get_serial_sequence('roster.plan', 'plan_id'))")))


def record(
    connection: Connection,
    district: str,
    plan_id: int,
    delivery_id: str,
    counts: Counts,
    made_from: str,
    *,
    made_by: str | None = None,
    active: Mapping[str, int] | None = None,
    held_rows: str | None = None,
    next_change: date | None = None,
) -> None:
    """Enter a plan; an earlier one of the district that was not applied is superseded by it.

    Args:
        connection: In a transaction.
        district: Whose plan.
        plan_id: As reserved.
        delivery_id: The roster that it was made from.
        counts: How many rows of each table it concerns, by action.
        made_from: The state (platform/state.py) that it was made from.
        made_by: Sums up the district's record that it was made by; None: it is never applied (`outdated`).
        active: How many rows of each table are active.
        held_rows: Sums up which rows it holds (rostering/guard.py).
        next_change: The next day on which the calendar alone may make another plan.
    """
    connection.execute(
        sa.text("""
            UPDATE roster.plan SET outcome = 'superseded', decided_at = now()
            WHERE district = :district AND outcome = 'planned'
        """),
        {"district": district},
    )
    connection.execute(
        sa.text("""
            INSERT INTO roster.plan
                (district, plan_id, delivery_id, counts, planned_at, outcome, made_from, record, active, held_rows,
                next_change)
            OVERRIDING SYSTEM VALUE
            VALUES (:district, :plan_id, :delivery_id, CAST(:counts AS jsonb), clock_timestamp(), 'planned',
                :made_from, :made_by, CAST(:active AS jsonb), :held_rows, :next_change)
        """),
        {
            "district": district,
            "plan_id": plan_id,
            "delivery_id": delivery_id,
            "counts": json.dumps(counts),
            "made_from": made_from,
            "made_by": made_by,
            "active": json.dumps(dict(active or {})),
            "held_rows": held_rows,
            "next_change": next_change,
        },
    )


def newest(connection: Connection, district: str) -> Plan | None:
    """Find a district's latest plan."""
    row = connection.execute(
        sa.text(f"{_PLAN} WHERE district = :district ORDER BY plan_id DESC LIMIT 1"), {"district": district}
    ).one_or_none()
    return None if row is None else Plan(*row)


def get(connection: Connection, plan_id: int) -> Plan:
    """Read one plan.

    Raises:
        CallSomebody: There is none with this number.
    """
    row = connection.execute(sa.text(f"{_PLAN} WHERE plan_id = :plan_id"), {"plan_id": plan_id}).one_or_none()
    if row is None:
        raise CallSomebody(f"there is no plan {plan_id}", "roster plan DISTRICT names a district's newest")
    return Plan(*row)


_PLAN = (
    "SELECT plan_id, district, delivery_id, counts, planned_at, outcome, decided_at, active, held_rows FROM roster.plan"
)


def decide(connection: Connection, plan_id: int, outcome: str) -> None:
    """Enter what became of a plan."""
    connection.execute(
        sa.text("UPDATE roster.plan SET outcome = :outcome, decided_at = now() WHERE plan_id = :plan_id"),
        {"plan_id": plan_id, "outcome": outcome},
    )


def outdated(connection: Connection, plan: Plan) -> bool:
    """Say whether a plan was made by another record of its district than now, or was marked as out of date.

    Sign-ins that have come since do not count: on a busy morning nothing would ever be applied.
    """
    made_by = connection.scalar(
        sa.text("SELECT record FROM roster.plan WHERE plan_id = :plan_id"), {"plan_id": plan.plan_id}
    )
    return made_by is None or made_by != registry.fingerprint(connection, plan.district)


def set_aside(connection: Connection, plan_id: int) -> None:
    """Enter that a plan is out of date and not applied, so that another is made, even if all is again as it was."""
    connection.execute(
        sa.text("UPDATE roster.plan SET made_from = 'set aside', record = NULL WHERE plan_id = :plan_id"),
        {"plan_id": plan_id},
    )
    decide(connection, plan_id, "not_applied")


def apply(connection: Connection, con: duckdb.DuckDBPyConnection, district: str, plan: Plan) -> None:
    """Write a plan's changes into the product's tables; what it holds or keeps stays as it is.

    Args:
        connection: In the transaction that is to hold all of it.
        con: DuckDB, with the plan's file attached as `plan`.
        district: Whose plan.
        plan: The district's newest.

    Raises:
        CallSomebody: The tables have changed since the plan was made; the caller's transaction must be rolled back.
    """
    lock(connection, district)
    for table in PUBLISHED:
        expected = {action: plan.rows(table.name, action) for action in WRITTEN}
        if any(expected.values()) and _write(connection, con, district, table) != expected:
            raise CallSomebody(
                f"plan {plan.plan_id} of {district} does not fit what is in {table.name} any more",
                "run the district again from roster_plan on",
            )
    decide(connection, plan.plan_id, "applied")


def _write(connection: Connection, con: duckdb.DuckDBPyConnection, district: str, table: Published) -> dict[str, int]:
    connection.execute(
        sa.text(
            f"CREATE TEMP TABLE change ON COMMIT DROP AS SELECT ''::text AS action, {', '.join(table.columns)} "
            f"FROM platform.{table.name} WITH NO DATA"
        )
    )
    push(con, f"SELECT * FROM plan.{table.name} WHERE list_contains({[*WRITTEN]}, action)", connection, "change")
    written = {
        "create": _run(connection, _insert(table), district),
        "change": _run(connection, _update(table, "change", _assignments(table)), district),
        "deactivate": 0,
    }
    if table.deactivates:
        written["deactivate"] = _run(connection, _update(table, "deactivate", "active = false"), district)
    connection.execute(sa.text("DROP TABLE change"))
    return written


def _run(connection: Connection, sql: str, district: str) -> int:
    return connection.execute(sa.text(sql), {"district": district}).rowcount


def _insert(table: Published) -> str:
    columns = ", ".join(table.columns)
    return f"""
        INSERT INTO platform.{table.name} (district, {columns}) OVERRIDING SYSTEM VALUE
        SELECT :district, {columns} FROM change WHERE action = 'create'
        ON CONFLICT DO NOTHING
    """


def _assignments(table: Published) -> str:
    again = ["active = true"] if table.deactivates else []
    return ", ".join([*again, *(f"{name} = change.{name}" for name in table.values)])


def _update(table: Published, action: str, assignments: str) -> str:
    same = " AND ".join(f"t.{name} = change.{name}" for name in table.keys)
    return f"""
        UPDATE platform.{table.name} t SET {assignments}, changed_at = now()
        FROM change WHERE change.action = '{action}' AND t.district = :district AND {same} AND {table.ours}
    """


def active(connection: Connection, district: str, table: Published) -> int:
    """Count a district's active rows in one of the product's tables."""
    found = connection.scalar(
        sa.text(f"SELECT count(*) FROM platform.{table.name} WHERE district = :district AND {table.active}"),
        {"district": district},
    )
    return int(found or 0)


def planned(connection: Connection) -> dict[str, Planned]:
    """Read, by registered district with a roster, that roster and what the newest plan was made from."""
    rows = connection.execute(
        sa.text("""
            SELECT district, r.delivery_id, coalesce(p.plan_id, 0), p.delivery_id, p.made_from,
                   coalesce(p.next_change <= (now() AT TIME ZONE (record ->> 'time_zone'))::date, false)
            FROM roster.district d
            JOIN LATERAL (
                SELECT delivery_id FROM roster.delivery
                WHERE delivery.district = d.district AND status = 'accepted'
                ORDER BY landed_at DESC, delivery_id DESC LIMIT 1) r ON true
            LEFT JOIN LATERAL (
                SELECT plan_id, delivery_id, made_from, next_change FROM roster.plan
                WHERE plan.district = d.district ORDER BY plan_id DESC LIMIT 1) p ON true
        """)
    )
    return {row[0]: Planned(*row[1:]) for row in rows}
