"""What is remembered of each district's sFTP folder: what the sensor saw last, and what was decided on last."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from roster_pipelines.connections.arrival import Seen


def seen(connection: Connection) -> dict[str, Seen]:
    """Read what earlier looks left, by district, the longest unseen first."""
    rows = connection.execute(
        sa.text("""
            SELECT district, listing, unchanged_since, taken, takings FROM roster.drop_look ORDER BY looked_at, district
        """)
    )
    return {row[0]: Seen(*row[1:]) for row in rows}


def looked_at(connection: Connection) -> dict[str, datetime]:
    """Read when each district's folder was looked into last."""
    rows = connection.execute(sa.text("SELECT district, looked_at FROM roster.drop_look"))
    return {row[0]: row[1] for row in rows}


def turn(connection: Connection, district: str) -> None:
    """Enter that a district is being looked at, so that one whose server hangs does not keep its place in the row."""
    connection.execute(
        sa.text("""
            INSERT INTO roster.drop_look (district, looked_at) VALUES (:district, now())
            ON CONFLICT (district) DO UPDATE SET looked_at = now()
        """),
        {"district": district},
    )


def take(connection: Connection, district: str, listing: str) -> None:
    """Enter that a run has fetched what lay in the folder and decided on it."""
    connection.execute(
        sa.text("""
            INSERT INTO roster.drop_look AS d (district, taken, takings, looked_at)
            VALUES (:district, :listing, 1, now())
            ON CONFLICT (district) DO UPDATE SET taken = excluded.taken, takings = d.takings + 1
            WHERE d.taken IS DISTINCT FROM excluded.taken
        """),
        {"district": district, "listing": listing},
    )


def remember(connection: Connection, district: str, state: Seen, problem: str | None) -> None:
    """Keep what a look left, and why the folder could not be looked at, if so."""
    connection.execute(
        sa.text("""
            INSERT INTO roster.drop_look (district, listing, unchanged_since, problem, looked_at)
            VALUES (:district, :listing, :unchanged_since, :problem, now())
            ON CONFLICT (district) DO UPDATE SET listing = excluded.listing,
                unchanged_since = excluded.unchanged_since, problem = excluded.problem, looked_at = now()
        """),
        {
            "district": district,
            "listing": state.listing,
            "unchanged_since": state.unchanged_since,
            "problem": problem,
        },
    )


def problems(connection: Connection) -> dict[str, str]:
    """Read, by district, why its folder could not be looked at the last time."""
    rows = connection.execute(sa.text("SELECT district, problem FROM roster.drop_look WHERE problem IS NOT NULL"))
    return {row[0]: row[1] for row in rows}
