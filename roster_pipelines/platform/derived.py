"""What was worked out for one district and is kept in our tables: identities, their keys, entitlements, gates."""

from dataclasses import asdict, dataclass
from datetime import date

import duckdb
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from roster_pipelines.errors import LookAtData
from roster_pipelines.platform.transfer import pull, push
from roster_pipelines.rostering.reasons import GATES, Gate


@dataclass(frozen=True)
class _Kept:
    """A table's columns with DuckDB types: those that are never NULL, by which rows are found again, and the others."""

    found_by: dict[str, str]
    others: dict[str, str]

    @property
    def columns(self) -> dict[str, str]:
        return {**self.found_by, **self.others}


_KEPT = {
    "identity": _Kept(
        {"sign_in_id": "BIGINT"},
        {"person_sourced_id": "VARCHAR", "outcome": "VARCHAR", "key": "VARCHAR", "candidates": "VARCHAR"},
    ),
    "identity_key": _Kept(
        {"person_sourced_id": "VARCHAR", "kind": "VARCHAR", "value": "VARCHAR"},
        {"first_seen": "DATE", "last_seen": "DATE"},
    ),
    "entitlement": _Kept(
        {"person_sourced_id": "VARCHAR", "product_id": "VARCHAR", "basis": "VARCHAR", "seated": "BOOLEAN"},
        {
            "school_sourced_id": "VARCHAR",
            "class_sourced_id": "VARCHAR",
            "account_id": "BIGINT",
            "licence_id": "BIGINT",
        },
    ),
    "gate": _Kept(
        {"person_sourced_id": "VARCHAR", "planned": "BOOLEAN", "if_signed_in": "BOOLEAN"},
        dict.fromkeys(("class_sourced_id", *GATES, "waiting_for", "reason"), "VARCHAR"),
    ),
}


def read(connection: Connection, con: duckdb.DuckDBPyConnection, district: str, *tables: str) -> None:
    """Copy tables of one district to DuckDB under their names: identity, identity_key, entitlement, gate."""
    for table in tables:
        _copy(connection, con, district, table, table)


def read_keys(connection: Connection, con: duckdb.DuckDBPyConnection, district: str) -> None:
    """Copy what earlier runs have learnt of whose which key is, as `known_key`."""
    _copy(connection, con, district, "identity_key", "known_key")


def read_seats(connection: Connection, con: duckdb.DuckDBPyConnection, district: str) -> None:
    """Copy who has been given a seat of which licence, as `known_seat`."""
    query = (
        "SELECT DISTINCT person_sourced_id, licence_id FROM roster.entitlement"
        " WHERE district = %(district)s AND seated AND licence_id IS NOT NULL"
    )
    columns = "person_sourced_id VARCHAR, licence_id BIGINT"
    pull(connection, query, {"district": district}, con, "known_seat", columns)


def write(connection: Connection, con: duckdb.DuckDBPyConnection, district: str, table: str) -> int:
    """Keep a DuckDB table's rows as the district's; only those that differ from what is kept are written.

    Args:
        connection: PostgreSQL, in the caller's transaction.
        con: DuckDB; the table in it has the kept table's columns, in any order, and no row twice.
        district: Whose rows.
        table: One of identity, identity_key, entitlement, gate.

    Returns:
        How many rows were deleted and inserted: a row that changed counts twice.
    """
    names, before = ", ".join(_KEPT[table].columns), f"before_{table}"
    _copy(connection, con, district, table, before)
    gone = f"SELECT {names} FROM {before} EXCEPT SELECT {names} FROM {table}"
    new = f"SELECT {names} FROM {table} EXCEPT SELECT {names} FROM {before}"
    written = _delete(con, gone, connection, table, district)
    written += push(
        con, f"SELECT '{district}', new.* FROM ({new}) AS new", connection, f"roster.{table} (district, {names})"
    )
    con.execute(f"DROP TABLE {before}")
    return written


def _delete(con: duckdb.DuckDBPyConnection, gone: str, connection: Connection, table: str, district: str) -> int:
    kept = _KEPT[table]
    connection.execute(
        sa.text(
            f"CREATE TEMP TABLE gone ON COMMIT DROP AS SELECT {', '.join(kept.columns)} FROM roster.{table} LIMIT 0"
        )
    )
    deleted = 0
    if push(con, gone, connection, "gone"):
        # The equalities let PostgreSQL hash; it cannot by IS NOT DISTINCT FROM.
        same = " AND ".join(
            [f"t.{name} = gone.{name}" for name in kept.found_by]
            + [f"t.{name} IS NOT DISTINCT FROM gone.{name}" for name in kept.others]
        )
        deleted = connection.execute(
            sa.text(f"DELETE FROM roster.{table} t USING gone WHERE t.district = :district AND {same}"),
            {"district": district},
        ).rowcount
    connection.execute(sa.text("DROP TABLE gone"))
    return deleted


def _copy(connection: Connection, con: duckdb.DuckDBPyConnection, district: str, table: str, to: str) -> None:
    columns = _KEPT[table].columns
    pull(
        connection,
        f"SELECT {', '.join(columns)} FROM roster.{table} WHERE district = %(district)s",
        {"district": district},
        con,
        to,
        ", ".join(f"{name} {kind}" for name, kind in columns.items()),
    )


@dataclass(frozen=True)
class MadeFrom:
    """What a district's identities were made from: the rest of the run goes by the same.

    Attributes:
        state: The state (platform/state.py) before anything was read.
        record: Sums up the district's record (`registry.fingerprint`); None: a sign-in was forgotten since.
        day: The date in the district's time zone.
    """

    state: str
    record: str | None
    day: date


def record_matching(connection: Connection, district: str, made_from: MadeFrom, sign_ins: int, matched: int) -> None:
    """Enter what the identities were made from, and how many matched."""
    connection.execute(
        sa.text("""
            INSERT INTO roster.matching (district, made_from, record, day, sign_ins, matched)
            VALUES (:district, :state, :record, :day, :sign_ins, :matched)
            ON CONFLICT (district) DO UPDATE SET made_from = excluded.made_from, record = excluded.record,
                day = excluded.day, sign_ins = excluded.sign_ins, matched = excluded.matched, matched_at = now()
        """),
        {"district": district, **asdict(made_from), "sign_ins": sign_ins, "matched": matched},
    )


def matched_from(connection: Connection, district: str) -> MadeFrom:
    """Read what the district's identities were made from.

    Raises:
        LookAtData: Nothing was matched yet.
    """
    found = connection.execute(
        sa.text("SELECT made_from, record, day FROM roster.matching WHERE district = :district"),
        {"district": district},
    ).one_or_none()
    if found is None:
        raise LookAtData(f"{district} has no identities yet", "run the district from identities on")
    return MadeFrom(*found)


@dataclass(frozen=True)
class Waiting:
    """A teacher who has classes.

    Attributes:
        person_sourced_id: Who, by opaque id.
        classes: How many classes they teach.
        gate: The gate that the class waits for for which the most hold; None: a class of theirs passes all.
        reason: Why it does not hold (rostering/reasons.py).
    """

    person_sourced_id: str
    classes: int
    gate: Gate | None
    reason: str | None


def waiting(connection: Connection, district: str) -> list[Waiting]:
    """List a district's teachers who have classes; those with every gate open first."""
    rows = connection.execute(
        sa.text("""
            SELECT person_sourced_id, classes, waiting_for, reason FROM (
                SELECT DISTINCT ON (person_sourced_id) person_sourced_id, waiting_for, reason,
                       count(*) OVER (PARTITION BY person_sourced_id) AS classes
                FROM roster.gate WHERE district = :district AND class_sourced_id IS NOT NULL
                ORDER BY person_sourced_id, array_position(:gates, waiting_for) DESC NULLS FIRST, reason) AS furthest
            ORDER BY array_position(:gates, waiting_for) NULLS FIRST, reason, person_sourced_id
        """),
        {"district": district, "gates": list(GATES)},
    )
    return [Waiting(*row) for row in rows]


@dataclass(frozen=True)
class Reasoned:
    """How many teachers and classes wait for the same; each is counted once, where the most gates hold."""

    gate: Gate | None
    reason: str | None
    teachers: int
    classes: int


def counts(connection: Connection, district: str) -> list[Reasoned]:
    """Count a district's teachers and classes by what they wait for, in the order of the gates."""
    rows = connection.execute(
        sa.text("""
            WITH gate AS (
                SELECT *, array_position(:gates, waiting_for) AS place FROM roster.gate WHERE district = :district
            ),
            teacher AS (
                SELECT DISTINCT ON (person_sourced_id) place, waiting_for, reason, 1 AS teachers, 0 AS classes
                FROM gate ORDER BY person_sourced_id, place DESC NULLS FIRST, reason
            ),
            class AS (
                SELECT DISTINCT ON (class_sourced_id) place, waiting_for, reason, 0, 1
                FROM gate WHERE class_sourced_id IS NOT NULL
                ORDER BY class_sourced_id, place DESC NULLS FIRST, reason
            )
            SELECT waiting_for, reason, sum(teachers), sum(classes)
            FROM (TABLE teacher UNION ALL TABLE class) AS counted
            GROUP BY place, waiting_for, reason ORDER BY place NULLS FIRST, reason
        """),
        {"district": district, "gates": list(GATES)},
    )
    return [Reasoned(row[0], row[1], int(row[2]), int(row[3])) for row in rows]


def classes_if_all_signed_in(connection: Connection, district: str) -> int:
    """Count the classes that wait now, and would be created if every waiting teacher signed in."""
    count = connection.scalar(
        sa.text("""
            SELECT count(*) FROM (
                SELECT class_sourced_id FROM roster.gate WHERE district = :district AND class_sourced_id IS NOT NULL
                GROUP BY class_sourced_id HAVING bool_or(if_signed_in) AND NOT bool_or(planned)) AS classes
        """),
        {"district": district},
    )
    return int(count or 0)
