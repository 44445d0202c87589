"""Carry rows between PostgreSQL and DuckDB as CSV streams: rows never become Python objects."""

import tempfile
from pathlib import Path
from typing import IO, Any

import duckdb
from sqlalchemy.engine import Connection

from roster_pipelines.duck import one, quoted

# Unquoted, where every value is quoted: no value can be mistaken for it.
_NULL = "\\N"


def pull(
    connection: Connection,
    query: str,
    values: dict[str, str],
    con: duckdb.DuckDBPyConnection,
    table: str,
    columns: str,
) -> None:
    """Copy a query's rows from PostgreSQL into a new DuckDB table.

    Args:
        connection: PostgreSQL.
        query: A SELECT with `%(name)s` placeholders.
        values: Their values.
        con: DuckDB.
        table: The table to create.
        columns: Its columns with DuckDB types, as `a BIGINT, b VARCHAR`.
    """
    con.execute(f"CREATE TABLE {table} ({columns})")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        with path.open("wb") as stream:
            cursor = _cursor(connection)
            bound = cursor.mogrify(query, values).decode()
            cursor.copy_expert(f"COPY ({bound}) TO STDOUT (FORMAT csv, NULL '{_NULL}', FORCE_QUOTE *)", stream)
        if path.stat().st_size:
            con.execute(
                f"""
                COPY {table} FROM {quoted(path)} (FORMAT csv, HEADER false, AUTO_DETECT false, DELIMITER ',', QUOTE '"',
                    ESCAPE '"', NULLSTR '{_NULL}', ALLOW_QUOTED_NULLS false)
                """
            )


def push(con: duckdb.DuckDBPyConnection, query: str, connection: Connection, table: str) -> int:
    """Copy a query's rows from DuckDB into an existing PostgreSQL table.

    Args:
        con: DuckDB.
        query: A SELECT whose columns are all of the table's, or those named with it.
        connection: PostgreSQL, in the caller's transaction.
        table: The table, with a column list where not all are given.

    Returns:
        How many rows.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        (rows,) = one(
            con,
            f"""
            COPY ({query}) TO {quoted(path)} (FORMAT csv, HEADER false, DELIMITER ',', QUOTE '"', ESCAPE '"',
                NULLSTR '{_NULL}')
            """,
        )
        with path.open("rb") as stream:
            _copy(connection, f"COPY {table} FROM STDIN (FORMAT csv, NULL '{_NULL}')", stream)
    return int(rows)


def _copy(connection: Connection, sql: str, stream: IO[bytes]) -> None:
    _cursor(connection).copy_expert(sql, stream)


def _cursor(connection: Connection) -> Any:  # psycopg2 is untyped
    return connection.connection.cursor()
