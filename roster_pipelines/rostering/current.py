"""What of the roster counts today."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from roster_pipelines.duck import attached


@contextmanager
def opened(staging: Path, today: date) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a delivery's accepted rows as `roster`, read-only, in a DuckDB of its own with the views of `current`."""
    with attached(roster=staging) as con:
        current(con, today)
        yield con


def current(con: duckdb.DuckDBPyConnection, today: date) -> None:
    """Narrow the roster to what counts today; adds views `person`, `current_class` and `current_enrollment`.

    A record with status `tobedeleted` counts as gone, in bulk files too: where the mode contradicts the data, the
    data wins (OneRoster CSV binding). An enrollment ends on its endDate, which is exclusive. A blank enabledUser
    is read as enabled.

    Args:
        con: Holds the roster.
        today: The date in the district's time zone.
    """
    con.execute(
        f"""
        CREATE VIEW person AS
        SELECT *, coalesce("enabledUser", true) AS enabled FROM roster.users
        WHERE status IS DISTINCT FROM 'tobedeleted';
        CREATE VIEW current_class AS
        SELECT * FROM roster.classes WHERE status IS DISTINCT FROM 'tobedeleted';
        CREATE VIEW current_enrollment AS
        SELECT e.* FROM roster.enrollments e
        JOIN current_class c ON c."sourcedId" = e."classSourcedId"
        WHERE e.status IS DISTINCT FROM 'tobedeleted' AND ("endDate" IS NULL OR "endDate" > DATE '{today}');
        """
    )
