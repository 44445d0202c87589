"""DuckDB, as it is used everywhere here."""

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


@contextmanager
def attached(**files: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB of its own with database files attached, read-only, under the given names."""
    with duckdb.connect() as con:
        for name, file in files.items():
            con.execute(f"ATTACH '{str(file).replace(chr(39), chr(39) * 2)}' AS {name} (READ_ONLY)")
        yield con
