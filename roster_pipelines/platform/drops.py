"""What is remembered of each district's sFTP folder: what the sensor saw last, and what was decided on last."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from roster_pipelines.connections.arrival import Patience, Seen
from roster_pipelines.connections.looking import Looked, Task
from roster_pipelines.district import District
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.errors import CallSomebody
from roster_pipelines.oneroster.standard import ROSTER

# How many times a folder is looked into while its files must stand still: looking more often finds nothing sooner.
LOOKS_PER_QUIET_PERIOD = 5
# One that cannot be looked into is tried less and less often, after an hour every six minutes, at last every ten.
LONGEST_PAUSE_SECONDS = 600

_SEEN = "listing, unchanged_since, taken, takings, files, looked_at"


def due(connection: Connection, now: datetime) -> list[Task]:
    """Find the folders that it is time to look into, the longest unseen first; those of paused districts never are."""
    rows = connection.execute(
        sa.text(f"""
            SELECT record, {_SEEN} FROM roster.district LEFT JOIN roster.drop_look USING (district)
            WHERE record #>> '{{connection,kind}}' = 'sftp' AND record ->> 'stage' <> 'paused' AND (
                looked_at IS NULL OR :now - looked_at >= make_interval(secs => greatest(
                    CAST(record #>> '{{connection,quiet_seconds}}' AS float) / {LOOKS_PER_QUIET_PERIOD},
                    least(extract(epoch FROM :now - coalesce(problem_since, :now)) / 10, {LONGEST_PAUSE_SECONDS}))))
            ORDER BY looked_at NULLS FIRST, district
        """),
        {"now": now},
    )
    return [task(District.model_validate(record), _seen(seen)) for record, *seen in rows]


def task(record: District, seen: Seen) -> Task:
    """Say what looking into a district's folder is about."""
    to = record.connection
    if not isinstance(to, SftpConnection):
        raise TypeError(f"{record.district} has no sFTP folder")
    required = frozenset(table.file for table in ROSTER.values() if table.needs_data(record.requires))
    quiet, wait = timedelta(seconds=to.quiet_seconds), timedelta(seconds=to.wait_seconds)
    return Task(record.district, to, seen, Patience(quiet, wait, required))


def seen(connection: Connection, district: str) -> Seen:
    """Read what earlier looks and runs have left of a district's folder."""
    row = connection.execute(
        sa.text(f"SELECT {_SEEN} FROM roster.drop_look WHERE district = :district"), {"district": district}
    ).one_or_none()
    return Seen() if row is None else _seen(list(row))


def _seen(values: list[object]) -> Seen:
    listing, since, taken, takings, files, looked_at = values
    expected = None if files is None else frozenset(files)  # type: ignore[call-overload]
    return Seen(listing, since, taken, takings or 0, expected, looked_at)  # type: ignore[arg-type]


def remember(connection: Connection, looks: Iterable[Looked]) -> None:
    """Keep what looks left, or why a folder could not be looked into."""
    rows = [
        {
            "district": looked.task.district,
            "listing": seen.listing,
            "unchanged_since": seen.unchanged_since and seen.unchanged_since.isoformat(),
            "problem": looked.problem and str(looked.problem),
            "lasts": isinstance(looked.problem, CallSomebody),
        }
        for looked in looks
        for seen in [looked.look.seen if looked.look else looked.task.seen]
    ]
    connection.execute(
        sa.text("""
            INSERT INTO roster.drop_look AS d
                (district, listing, unchanged_since, problem, problem_lasts, problem_since, looked_at)
            SELECT district, r.listing, r.unchanged_since, problem, lasts, CASE WHEN problem IS NOT NULL THEN now() END,
                now()
            FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r
                (district text, listing text, unchanged_since timestamptz, problem text, lasts boolean)
            JOIN roster.district USING (district)
            ON CONFLICT (district) DO UPDATE SET listing = excluded.listing,
                unchanged_since = excluded.unchanged_since, problem = excluded.problem, looked_at = now(),
                problem_lasts = excluded.problem_lasts, problem_since =
                    CASE WHEN excluded.problem IS NOT NULL THEN coalesce(d.problem_since, now()) END
        """),
        {"rows": json.dumps(rows)},
    )


def take(connection: Connection, district: str, listing: str, accepted: Iterable[str] | None = None) -> bool:
    """Enter that what lay in a folder was decided on.

    Args:
        connection: In a transaction.
        district: Whose folder.
        listing: The fingerprint of the files that lay in it.
        accepted: The standard's names of its files, where it is the roster now: the set that is expected next time.

    Returns:
        Whether something else was decided on last.
    """
    files = None if accepted is None else sorted(accepted)
    before = connection.scalar(
        sa.text("SELECT taken FROM roster.drop_look WHERE district = :district FOR UPDATE"), {"district": district}
    )
    connection.execute(
        sa.text("""
            INSERT INTO roster.drop_look AS d (district, taken, takings, files, looked_at)
            SELECT district, :listing, 1, CAST(:files AS text[]), now() FROM roster.district
            WHERE district = :district  -- it may have left meanwhile
            ON CONFLICT (district) DO UPDATE SET taken = excluded.taken,
                takings = d.takings + CAST(d.taken IS DISTINCT FROM excluded.taken AS integer),
                files = coalesce(excluded.files, d.files)
        """),
        {"district": district, "listing": listing, "files": files},
    )
    return bool(before != listing)


def problems(connection: Connection) -> dict[str, str]:
    """Read, by district, why its folder could not be looked at the last time."""
    rows = connection.execute(sa.text("SELECT district, problem FROM roster.drop_look WHERE problem IS NOT NULL"))
    return {row[0]: row[1] for row in rows}


def untold(connection: Connection, among: Sequence[str], after: timedelta) -> dict[str, str]:
    """Find the problems that somebody must be told of; one that many districts share, as their account does, once.

    Args:
        connection: Where they are kept.
        among: Districts with a problem.
        after: How long what is tried again may last before it is told, too.

    Returns:
        By district, what names the problem for as long as it lasts.
    """
    if not among:
        return {}
    rows = connection.execute(
        sa.text("""
            WITH told AS (
                SELECT DISTINCT ON (host, port, username, problem) district, problem, problem_lasts, problem_since
                FROM roster.drop_look JOIN roster.district USING (district),
                    jsonb_to_record(record -> 'connection') AS c (host text, port text, username text)
                WHERE problem IS NOT NULL AND (problem_lasts OR problem_since < now() - :after)
                ORDER BY host, port, username, problem, district)
            SELECT district, CASE WHEN problem_lasts THEN md5(problem) ELSE 'not reached' END, problem_since FROM told
            WHERE district = ANY(:among)
        """),
        {"among": list(among), "after": after},
    )
    return {district: f"{district}:{what}:{since.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}" for district, what, since in rows}


def forget(connection: Connection, district: str) -> None:
    """Forget what was seen of a district's folder, as its files come from elsewhere now; not how often some did."""
    connection.execute(
        sa.text("""
            UPDATE roster.drop_look SET listing = NULL, unchanged_since = NULL, taken = NULL, files = NULL,
                problem = NULL, problem_since = NULL, problem_lasts = false WHERE district = :district
        """),
        {"district": district},
    )
