"""What the arrivals sensor remembers of each district's sFTP folder."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from roster_pipelines.rostering.arrival import Seen


def seen(connection: Connection) -> dict[str, Seen]:
    """Read what earlier looks left, by district."""
    rows = connection.execute(sa.text("SELECT district, listing, unchanged_since, taken FROM roster.drop_look"))
    return {row[0]: Seen(*row[1:]) for row in rows}


def remember(connection: Connection, district: str, state: Seen, problem: str | None) -> None:
    """Keep what a look left, and why the folder could not be looked at, if so."""
    connection.execute(
        sa.text("""
            INSERT INTO roster.drop_look (district, listing, unchanged_since, taken, problem, looked_at)
            VALUES (:district, :listing, :unchanged_since, :taken, :problem, now())
            ON CONFLICT (district) DO UPDATE SET listing = excluded.listing, taken = excluded.taken,
                unchanged_since = excluded.unchanged_since, problem = excluded.problem, looked_at = now()
        """),
        {
            "district": district,
            "listing": state.listing,
            "unchanged_since": state.unchanged_since,
            "taken": state.taken,
            "problem": problem,
        },
    )


def problems(connection: Connection) -> dict[str, str]:
    """Read, by district, why its folder could not be looked at the last time."""
    rows = connection.execute(sa.text("SELECT district, problem FROM roster.drop_look WHERE problem IS NOT NULL"))
    return {row[0]: row[1] for row in rows}
