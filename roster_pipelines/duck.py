"""DuckDB, as it is used everywhere here."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb


def one(con: duckdb.DuckDBPyConnection, sql: str, values: Sequence[object] = ()) -> tuple[Any, ...]:
    """Run a query that gives exactly one row, and return it.

    All rows are fetched: since DuckDB 2.0 a result that is not read to its end blocks the connection.
    """
    ((*row,),) = con.execute(sql, values).fetchall()
    return tuple(row)


def count(con: duckdb.DuckDBPyConnection, relation: str, where: str = "true") -> int:
    """Count the rows of a relation."""
    return int(one(con, f"SELECT count(*) FROM {relation} WHERE {where}")[0])


def quoted(path: Path) -> str:
    """Write a path as an SQL string, for statements that take no parameter."""
    return "'" + str(path).replace("'", "''") + "'"


@contextmanager
def attached(**files: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB of its own with database files attached, read-only, under the given names."""
    # What does not fit into memory goes where the system wants it, not into the working folder.
    with duckdb.connect(config={"temp_directory": tempfile.gettempdir()}) as con:
        for name, file in files.items():
            con.execute(f"ATTACH {quoted(file)} AS {name} (READ_ONLY)")
        yield con
