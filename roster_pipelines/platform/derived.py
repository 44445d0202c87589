"""What was worked out for one district and is kept in our tables: identities, entitlements, gates."""

import duckdb
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from roster_pipelines.errors import LookAtData
from roster_pipelines.platform.transfer import pull, replace
from roster_pipelines.rostering.gates import Gate

_COLUMNS = {
    "identity": "sign_in_id BIGINT, account_id BIGINT, person_sourced_id VARCHAR, outcome VARCHAR",
    "entitlement": (
        "person_sourced_id VARCHAR, account_id BIGINT, product_id VARCHAR, basis VARCHAR, licence_id BIGINT,"
        " school_sourced_id VARCHAR"
    ),
    "gate": "person_sourced_id VARCHAR, classes INTEGER, waiting_for VARCHAR",
}


def read(connection: Connection, con: duckdb.DuckDBPyConnection, district: str, *tables: str) -> None:
    """Copy tables of one district to DuckDB under their names."""
    for table in tables:
        columns = ", ".join(part.split()[0] for part in _COLUMNS[table].split(", "))
        query = f"SELECT {columns} FROM roster.{table} WHERE district = %(district)s"
        pull(connection, query, {"district": district}, con, table, _COLUMNS[table])


def write(connection: Connection, con: duckdb.DuckDBPyConnection, district: str, table: str) -> None:
    """Keep a DuckDB table's rows as the district's."""
    replace(con, table, connection, f"roster.{table}", district)


def record_matching(connection: Connection, district: str, made_from: str, sign_ins: int, matched: int) -> None:
    """Enter from which state of the vendor's rows the identities were made, and how many matched."""
    connection.execute(
        sa.text("""
            INSERT INTO roster.matching (district, made_from, sign_ins, matched)
            VALUES (:district, :made_from, :sign_ins, :matched)
            ON CONFLICT (district) DO UPDATE SET made_from = excluded.made_from,
                sign_ins = excluded.sign_ins, matched = excluded.matched, matched_at = now()
        """),
        {"district": district, "made_from": made_from, "sign_ins": sign_ins, "matched": matched},
    )


def matched_from(connection: Connection, district: str) -> str:
    """Read the state of the vendor's rows that the district's identities were made from.

    Raises:
        LookAtData: Nothing was matched yet.
    """
    state = connection.scalar(
        sa.text("SELECT made_from FROM roster.matching WHERE district = :district"),
        {"district": district},
    )
    if state is None:
        raise LookAtData(f"{district} has no identities yet", "run the district from identities on")
    return str(state)


def waiting(connection: Connection, district: str) -> list[tuple[str, int, Gate | None]]:
    """List a district's teachers who have classes: opaque id, number of classes, the gate they wait for."""
    rows = connection.execute(
        sa.text("""
            SELECT person_sourced_id, classes, waiting_for FROM roster.gate
            WHERE district = :district AND classes > 0 ORDER BY waiting_for NULLS FIRST, person_sourced_id
        """),
        {"district": district},
    )
    return [(row[0], row[1], row[2]) for row in rows]
