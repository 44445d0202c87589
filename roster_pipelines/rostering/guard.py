"""The guard: removals that are too many wait for a person, while everything else goes on.

One incomplete export must not empty a district. What a person decides counts until the next delivery, an approval once.
"""

from collections.abc import Mapping
from pathlib import Path

import duckdb

from roster_pipelines.duck import count, one, quoted
from roster_pipelines.rostering.plan import PUBLISHED, Counts, counted

PERCENT = 10
"""Other importers, and the districts' own systems, stop at 10 to 20 %; an ordinary day stays far below."""

ROWS = 20
"""In a small district a few rows are many percent: a teacher who leaves with five classes is nothing to ask about."""

GUARDED = tuple(table for table in PUBLISHED if table.deactivates)


def too_many(rows: int, of: int) -> bool:
    """Say whether so many of the active rows of a type are not taken away before a person has looked."""
    return rows > ROWS and rows * 100 > PERCENT * of


def decisions(con: duckdb.DuckDBPyConnection) -> None:
    """Add an empty table `decided_<name>` for each of `GUARDED`: its keys, and the `decision` on the row."""
    for table in GUARDED:
        columns = ", ".join(f"{name} {kind}" for name, kind in table.keys.items())
        con.execute(
            f"CREATE TABLE decided_{table.name} ({columns}, decision VARCHAR, PRIMARY KEY ({', '.join(table.keys)}))"
        )


def remember(con: duckdb.DuckDBPyConnection, plan: Path, decision: str) -> None:
    """Add the rows that an earlier plan held to `decided_<name>`; of two decisions on a row the later one counts.

    Args:
        con: Holds what `decisions` adds.
        plan: The earlier plan's file.
        decision: `approve` or `discard`; `hold` where nobody has decided yet.
    """
    con.execute(f"ATTACH {quoted(plan)} AS earlier (READ_ONLY)")
    for table in GUARDED:
        con.execute(
            f"INSERT OR REPLACE INTO decided_{table.name} SELECT {', '.join(table.keys)}, ? FROM earlier.{table.name}"
            " WHERE action = 'hold'",
            [decision],
        )
    con.execute("DETACH earlier")


def guard(con: duckdb.DuckDBPyConnection, into: str) -> Counts:
    """Hold deactivations that are too many.

    What was approved goes, and is not counted; what was discarded is kept. What an earlier plan of this delivery held
    stays held, however many rows have been created since. A class is held whole: with its teachers and students, and
    with the accounts and products that these have by it.

    Args:
        con: Holds `current_<name>` and `decided_<name>`.
        into: The attached database with the changes that `differences` has found; their actions are changed.

    Returns:
        How many rows each table's actions concern.
    """
    now_active = active(con)
    for table in GUARDED:
        same = " AND ".join(f"c.{name} = d.{name}" for name in table.keys)
        # Until all is decided, a decision is the row's action.
        con.execute(
            f"UPDATE {into}.{table.name} c SET action = d.decision FROM decided_{table.name} d"
            f" WHERE c.action = 'deactivate' AND {same}"
        )
        undecided = count(con, f"{into}.{table.name}", "action IN ('deactivate', 'hold')")
        if too_many(undecided, now_active[table.name]):
            _hold(con, into, table.name)
    _hold_whole(con, into)
    for table in GUARDED:
        con.execute(
            f"UPDATE {into}.{table.name} SET action = if(action = 'approve', 'deactivate', 'keep')"
            " WHERE action IN ('approve', 'discard')"
        )
    return counted(con, into)


def _hold_whole(con: duckdb.DuckDBPyConnection, into: str) -> None:
    stays = "action IN ('hold', 'discard')"
    in_classes = ("rostered_class_teacher", "rostered_class_student")
    _hold(
        con,
        into,
        "rostered_class",
        f"class_sourced_id IN (SELECT class_sourced_id FROM {into}.rostered_class_teacher WHERE {stays}"
        f" UNION ALL SELECT class_sourced_id FROM {into}.rostered_class_student WHERE {stays})",
    )
    for table, key, of in (
        *((name, "class_sourced_id", "rostered_class") for name in in_classes),
        ("student_account", "student_sourced_id", "rostered_class_student"),
        ("account_product", "account_id", "rostered_class_teacher"),
    ):
        _hold(con, into, table, f"{key} IN (SELECT {key} FROM {into}.{of} WHERE {stays})")


def _hold(con: duckdb.DuckDBPyConnection, into: str, table: str, which: str = "true") -> None:
    con.execute(f"UPDATE {into}.{table} SET action = 'hold' WHERE action = 'deactivate' AND {which}")


def active(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Count the rows that are active now, by table of `GUARDED`; reads `current_<name>`."""
    return {table.name: count(con, f"current_{table.name}", "active") for table in GUARDED}


def fingerprint(con: duckdb.DuckDBPyConnection, plan: str) -> str | None:
    """Sum up which rows a plan holds, so that two plans can be told to hold the very same; None: it holds none."""
    rows = " UNION ALL ".join(
        f"SELECT json_array('{table.name}', {', '.join(table.keys)})::VARCHAR AS row FROM {plan}.{table.name}"
        " WHERE action = 'hold'"
        for table in GUARDED
    )
    (summed,) = one(con, f"SELECT md5(string_agg(row, ' ' ORDER BY row)) FROM ({rows})")
    return None if summed is None else str(summed)


def reason(held: Mapping[str, int], active: Mapping[str, int]) -> str:
    """Say in a phrase why rows are held.

    Args:
        held: How many of each table, by its name.
        active: How many were active when they were held.
    """
    rows = [(table.what, held.get(table.name, 0), active.get(table.name, 0)) for table in GUARDED]
    found = [f"{n:,} of {of:,} {what} ({100 * n / of:.0f} %)" for what, n, of in rows if too_many(n, of)]
    return f"{', '.join(found)} would go" if found else "an earlier plan of the same delivery has held them"


def held_classes(con: duckdb.DuckDBPyConnection, plan: str) -> list[tuple[str, bool, int, int]]:
    """List the classes of which a plan holds rows.

    Returns:
        By class: whether the class itself is held, how many of its teachers and how many of its students.
    """
    return con.execute(
        f"""
        SELECT class_sourced_id, bool_or(row = 0), count(*) FILTER (WHERE row = 1), count(*) FILTER (WHERE row = 2)
        FROM (SELECT *, 0 AS row FROM {plan}.rostered_class
              UNION ALL BY NAME SELECT *, 1 AS row FROM {plan}.rostered_class_teacher
              UNION ALL BY NAME SELECT *, 2 AS row FROM {plan}.rostered_class_student)
        WHERE action = 'hold' GROUP BY ALL ORDER BY ALL
        """
    ).fetchall()
