"""The ledger of plans, and applying one: all of its changes in one transaction, or none."""

import json
from dataclasses import dataclass
from datetime import datetime

import duckdb
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from roster_pipelines.errors import CallSomebody
from roster_pipelines.platform.transfer import push
from roster_pipelines.rostering.plan import PUBLISHED, Counts, Published


@dataclass(frozen=True)
class Plan:
    """One row of the ledger."""

    plan_id: int
    delivery_id: str
    counts: Counts
    planned_at: datetime
    outcome: str
    decided_at: datetime | None

    @property
    def changes(self) -> int:
        """How many rows it concerns."""
        return sum(sum(actions.values()) for actions in self.counts.values())


@dataclass(frozen=True)
class Planned:
    """What a district's newest plan was made from, next to the roster that it should be made from.

    Attributes:
        roster: The newest accepted delivery.
        plan_id: The newest plan; 0 where there is none.
        delivery: The delivery that it was made from.
        made_from: The state (platform/state.py) that it was made from.
    """

    roster: str
    plan_id: int
    delivery: str | None
    made_from: str | None


def lock(connection: Connection, district: str) -> None:
    """Wait for any other transaction that plans or applies for this district; held to the end of this one."""
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:district, 1))"), {"district": district})


def new_id(connection: Connection) -> int:
    """Reserve a plan's id, so that its file can be written before its row."""
    return int(connection.scalar(sa.text("SELECT nextval(pg_get_serial_sequence('roster.plan', 'plan_id'))")))


def record(
    connection: Connection, district: str, plan_id: int, delivery_id: str, counts: Counts, made_from: str
) -> None:
    """Enter a plan; an earlier one of the district that was not applied is superseded by it."""
    connection.execute(
        sa.text("""
            UPDATE roster.plan SET outcome = 'superseded', decided_at = now()
            WHERE district = :district AND outcome = 'planned'
        """),
        {"district": district},
    )
    connection.execute(
        sa.text("""
            INSERT INTO roster.plan (district, plan_id, delivery_id, counts, outcome, made_from)
            OVERRIDING SYSTEM VALUE
            VALUES (:district, :plan_id, :delivery_id, CAST(:counts AS jsonb), 'planned', :made_from)
        """),
        {
            "district": district,
            "plan_id": plan_id,
            "delivery_id": delivery_id,
            "counts": json.dumps(counts),
            "made_from": made_from,
        },
    )


def newest(connection: Connection, district: str) -> Plan | None:
    """Find a district's latest plan."""
    row = connection.execute(
        sa.text("""
            SELECT plan_id, delivery_id, counts, planned_at, outcome, decided_at FROM roster.plan
            WHERE district = :district ORDER BY plan_id DESC LIMIT 1
        """),
        {"district": district},
    ).one_or_none()
    return None if row is None else Plan(*row)


def decide(connection: Connection, plan_id: int, outcome: str) -> None:
    """Enter what became of a plan."""
    connection.execute(
        sa.text("UPDATE roster.plan SET outcome = :outcome, decided_at = now() WHERE plan_id = :plan_id"),
        {"plan_id": plan_id, "outcome": outcome},
    )


def apply(connection: Connection, con: duckdb.DuckDBPyConnection, district: str, plan: Plan) -> None:
    """Write a plan's changes into the product's tables.

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
        connection.execute(
            sa.text(
                f"CREATE TEMP TABLE change ON COMMIT DROP AS SELECT ''::text AS action, {', '.join(table.columns)} "
                f"FROM platform.{table.name} WITH NO DATA"
            )
        )
        push(con, f"SELECT * FROM plan.{table.name}", connection, "change")
        written = {
            "create": _run(connection, _insert(table), district),
            "change": _run(connection, _update(table, "change", _assignments(table)), district),
            "deactivate": _run(connection, _update(table, "deactivate", "active = false"), district),
        }
        if written != plan.counts[table.name]:
            raise CallSomebody(
                f"plan {plan.plan_id} of {district} does not fit what is in {table.name} any more",
                "run the district again from roster_plan on",
            )
        connection.execute(sa.text("DROP TABLE change"))
    decide(connection, plan.plan_id, "applied")


def _run(connection: Connection, sql: str, district: str) -> int:
    return connection.execute(sa.text(sql), {"district": district}).rowcount


def _insert(table: Published) -> str:
    columns = ", ".join(table.columns)
    return f"""
        INSERT INTO platform.{table.name} (district, {columns})
        SELECT :district, {columns} FROM change WHERE action = 'create'
        ON CONFLICT DO NOTHING
    """


def _assignments(table: Published) -> str:
    return ", ".join(["active = true", *(f"{name} = change.{name}" for name in table.values)])


def _update(table: Published, action: str, assignments: str) -> str:
    same = " AND ".join(f"t.{name} = change.{name}" for name in table.keys)
    return f"""
        UPDATE platform.{table.name} t SET {assignments}, changed_at = now()
        FROM change WHERE change.action = '{action}' AND t.district = :district AND {same}
    """


def active(connection: Connection, district: str, table: Published) -> int:
    """Count a district's active rows in one of the product's tables."""
    count = connection.scalar(
        sa.text(f"SELECT count(*) FROM platform.{table.name} WHERE district = :district AND active"),
        {"district": district},
    )
    return int(count or 0)


def planned(connection: Connection) -> dict[str, Planned]:
    """Read, by registered district with a roster, that roster and what the newest plan was made from."""
    rows = connection.execute(
        sa.text("""
            SELECT DISTINCT ON (d.district)
                d.district, d.delivery_id, coalesce(p.plan_id, 0), p.delivery_id, p.made_from
            FROM roster.delivery d
            JOIN roster.district USING (district)
            LEFT JOIN LATERAL (
                SELECT plan_id, delivery_id, made_from FROM roster.plan
                WHERE plan.district = d.district ORDER BY plan_id DESC LIMIT 1) p ON true
            WHERE d.status = 'accepted'
            ORDER BY d.district, d.landed_at DESC, d.delivery_id DESC
        """)
    )
    return {row[0]: Planned(*row[1:]) for row in rows}
