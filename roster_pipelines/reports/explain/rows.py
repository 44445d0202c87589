"""Rows of the roster with the line that they come from, as all kinds of answers need them."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from roster_pipelines.reports.explain.data import Place, Uncounted
from roster_pipelines.reports.places import masked
from roster_pipelines.rostering.reasons import GATES

Row = dict[str, Any]


@dataclass(frozen=True)
class View:
    """How the roster is looked at.

    Attributes:
        delivery: The delivery in use.
        today: The date in the district's time zone.
        values: Whether names and titles are shown.
        suffix: What follows a table's name in that of its file; nothing where the roster was pulled from an API.
    """

    delivery: str
    today: date
    values: bool
    suffix: str = ".csv"

    def opaque(self, sourced_id: str) -> str:
        """Hide a person's id that looks like a name or an address, unless values are shown."""
        return sourced_id if self.values else masked(sourced_id)


def query(con: duckdb.DuckDBPyConnection, sql: str, **values: object) -> list[Row]:
    """Run a query and fetch its rows, by the names of the columns."""
    found = con.execute(sql, values)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def place(table: str, row: str) -> str:
    """Write the SQL of a row's place; `$delivery` is the one in use, `$suffix` as in `View`."""
    delivery = f"'delivery': coalesce({row}._delivery, $delivery), 'earlier': {row}._delivery IS NOT NULL"
    return f"{{'file': '{table}' || $suffix, 'line': {row}._line, {delivery}}}"


def places(row: Row) -> Row:
    """Make places of a row's lists of what `place` gives."""
    return row | {"places": tuple(Place(**found) for found in row["places"])}


def answers(row: str) -> str:
    """Write the SQL of the gates of a row of `gate`; NULL where an outer join found none."""
    columns = ", ".join(f"'{gate}': {row}.{gate}" for gate in GATES)
    return f"if({row}.person_sourced_id IS NULL, NULL, {{{columns}}})"


def uncounted(con: duckdb.DuckDBPyConnection, of: str, view: View) -> tuple[Uncounted, ...]:
    """Find the enrollments that do not count, and why.

    Args:
        con: As in `explain`.
        of: A condition on an enrollment.
        view: For the delivery and the date.
    """
    found = query(
        con,
        f"""
        WITH accepted AS (
            SELECT *, CASE WHEN status = 'tobedeleted' THEN 'tobedeleted'
                           WHEN "endDate" <= $today THEN 'ended'
                           WHEN "beginDate" > $today THEN 'not-begun' ELSE 'record-tobedeleted' END AS why
            FROM roster.enrollments
            WHERE {of} AND "sourcedId" NOT IN (SELECT "sourcedId" FROM current_enrollment WHERE {of})
        )
        SELECT "classSourcedId" AS class_sourced_id, role, why, []::VARCHAR[] AS rules,
               list({place("enrollments", "e")} ORDER BY _line) AS places
        FROM accepted e GROUP BY ALL
        UNION ALL
        SELECT trim("classSourcedId"), lower(trim(role)), 'rejected', rules,
               list({place("enrollments", "r")} ORDER BY _line)
        FROM (SELECT *, NULL AS _delivery FROM roster.rejected.enrollments) r WHERE {of} GROUP BY ALL
        ORDER BY ALL
        """,
        delivery=view.delivery,
        suffix=view.suffix,
        today=view.today,
    )
    return tuple(Uncounted(**places(row)) for row in found)
