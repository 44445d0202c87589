"""The last good roster, which delta files change and which files that are declared absent leave as it is."""

from pathlib import Path

import duckdb

from roster_pipelines.duck import count, one, quoted
from roster_pipelines.findings import Finding
from roster_pipelines.oneroster.rest import Source
from roster_pipelines.oneroster.shape import Table

# Fewer rows say nothing: in a small school half of the classes may change in one night.
ENOUGH_ROWS = 20


def attach(con: duckdb.DuckDBPyConnection, base: Path | None) -> bool:
    """Attach the staging database of the last good delivery as `earlier`; say whether there is one.

    One whose tables are of an earlier version of this project is none: the next bulk delivery takes its place.
    """
    if base is None:
        return False
    con.execute(f"ATTACH {quoted(base)} AS earlier (READ_ONLY)")
    of_this_version = "database_name = 'earlier' AND table_name = 'users' AND column_name = '_delivery'"
    if count(con, "duckdb_columns()", of_this_version):
        return True
    con.execute("DETACH earlier")
    return False


def has(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Say whether the last good roster has a table."""
    there = "table_catalog = 'earlier' AND table_schema = 'main' AND table_name = ?"
    return bool(one(con, f"SELECT count(*) FROM information_schema.tables WHERE {there}", [name])[0])


def previous(con: duckdb.DuckDBPyConnection, table: Table) -> int:
    """Count the rows of the last good roster's table; 0 where it has no such table."""
    if not has(con, table.name):
        return 0
    return count(con, f'earlier."{table.name}"', "status IS DISTINCT FROM 'tobedeleted'")


def carry(con: duckdb.DuckDBPyConnection, table: Table, delivery: str, of: Source | None) -> None:
    """Add the rows of the last good roster that this delivery says nothing of.

    Args:
        con: Holds `earlier`, and in `main` the rows that were accepted now.
        table: The standard's table.
        delivery: The id of the delivery that made `earlier`: where the rows came from, unless from before it.
        of: Where the rows are items of lists: whatever record came now, its list came with it, so that no earlier item
            of it is carried.
    """
    came = of and f'FROM main."{of.collection}" AS o WHERE o._delivery IS NULL AND o."sourcedId" = e."{of.owner}"'
    con.execute(
        f"""
        INSERT INTO main."{table.name}" BY NAME
        SELECT * REPLACE (coalesce(_delivery, ?) AS _delivery) FROM earlier."{table.name}" AS e
        WHERE NOT EXISTS (FROM main."{table.name}" AS s WHERE s."sourcedId" = e."sourcedId")
        {f"AND NOT EXISTS ({came})" if came else ""}
        """,
        [delivery],
    )


def deletes_unknown(table: Table) -> str:
    """Write the SQL that gives the accepted rows that delete a record which was never there."""
    return f"""
        SELECT _line, "sourcedId" FROM main."{table.name}" AS s
        WHERE status = 'tobedeleted' AND NOT EXISTS (
            FROM earlier."{table.name}" AS e WHERE e."sourcedId" = s."sourcedId")
        """


def compare(con: duckdb.DuckDBPyConnection, table: Table) -> list[Finding]:
    """Hold a bulk file's accepted rows against the last good roster: how many, and under which ids."""
    before = previous(con, table)
    if before < ENOUGH_ROWS:
        return []
    now = count(con, f'main."{table.name}"')
    if now * 2 < before:
        return [Finding("rows-fewer", "warning", table.file)]
    (again,) = one(
        con,
        f"""
        SELECT count(*) FROM earlier."{table.name}" WHERE status IS DISTINCT FROM 'tobedeleted'
        AND "sourcedId" IN (SELECT "sourcedId" FROM main."{table.name}")
        """,
    )
    return [Finding("ids-changed", "warning", table.file, column="sourcedId")] if again * 2 < before else []
