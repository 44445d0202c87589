"""The ledger of arrivals: each upload into a district's sFTP folder, and what became of it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from roster_pipelines.connections.looking import Looked


def record(connection: Connection, looks: Iterable[Looked]) -> None:
    """Enter what looks have shown of uploads.

    Args:
        connection: In a transaction.
        looks: The looks; those that came to nothing change nothing, and neither does one at what a run has landed or
            decided on meanwhile.
    """
    rows = [
        {
            "district": looked.task.district,
            "state": looked.look.state,
            "reason": looked.look.reason,
            "take": looked.look.take,
            "listing": looked.look.files,
            "delta": looked.listing.delta,
            "files": len(looked.listing.sizes),
            "bytes": looked.listing.size,
        }
        for looked in looks
        if looked.look is not None
    ]
    told = {"rows": json.dumps(rows)}
    for change in (_REPLACED, _GONE, _UNDER_WAY):
        connection.execute(sa.text(change), told)


_ROWS = """jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (
    district text, state text, reason text, take boolean, listing text, delta boolean, files integer, bytes bigint)"""
_REPLACED = f"""
    UPDATE roster.arrival a SET state = 'replaced', ended_at = now() FROM {_ROWS}
    WHERE a.district = r.district AND a.ended_at IS NULL AND a.settled_at IS NOT NULL AND a.listing <> r.listing
        AND r.state NOT IN ('empty', 'taken')
"""
_GONE = f"""
    UPDATE roster.arrival a SET state = 'gone', ended_at = now() FROM {_ROWS}
    WHERE a.district = r.district AND a.ended_at IS NULL AND r.state IN ('empty', 'taken')
"""
_UNDER_WAY = f"""
    INSERT INTO roster.arrival AS a
        (district, listing, delta, files, bytes, began_at, moved_at, settled_at, state, reason)
    SELECT district, r.listing, r.delta, r.files, r.bytes, now(), now(), CASE WHEN r.take THEN now() END, r.state,
        r.reason
    FROM {_ROWS} JOIN roster.district USING (district) LEFT JOIN roster.drop_look USING (district)
    WHERE r.state NOT IN ('empty', 'taken') AND taken IS DISTINCT FROM r.listing AND NOT EXISTS (
        SELECT FROM roster.arrival landed JOIN roster.delivery d USING (district, delivery_id)
        WHERE landed.district = r.district AND landed.listing = r.listing AND d.status = 'landed')
    ON CONFLICT (district) WHERE ended_at IS NULL DO UPDATE SET
        moved_at = CASE WHEN a.listing = excluded.listing THEN a.moved_at ELSE now() END,
        settled_at = coalesce(a.settled_at, excluded.settled_at),
        listing = excluded.listing, delta = excluded.delta, files = excluded.files, bytes = excluded.bytes,
        state = excluded.state, reason = excluded.reason
    WHERE (a.listing, a.state, a.reason) IS DISTINCT FROM (excluded.listing, excluded.state, excluded.reason)
"""


def end(connection: Connection, district: str, listing: str, delivery_id: str) -> None:
    """Enter that an upload has landed as a delivery; one that no look has shown before, too.

    Args:
        connection: In a transaction.
        district: Whose.
        listing: The fingerprint of its files.
        delivery_id: The delivery: what was there, or the one of an earlier arrival with the same content.
    """
    values = {"district": district, "listing": listing, "delivery_id": delivery_id}
    if connection.scalar(sa.text(_HAS_LANDED), values):
        return
    ended = connection.execute(
        sa.text(f"""
            UPDATE roster.arrival SET state = {_STATE}, ended_at = now(), delivery_id = :delivery_id
            WHERE district = :district AND listing = :listing AND ended_at IS NULL
        """),
        values,
    )
    if ended.rowcount:
        return
    connection.execute(
        sa.text(f"""
            INSERT INTO roster.arrival
                (district, listing, files, bytes, began_at, moved_at, state, delivery_id, ended_at)
            SELECT :district, :listing, jsonb_array_length(receipt -> 'taken'),
                coalesce(CAST(receipt ->> 'size' AS bigint), 0), now(), now(), {_STATE}, :delivery_id, now()
            FROM roster.delivery WHERE district = :district AND delivery_id = :delivery_id
        """),
        values,
    )


_HAS_LANDED = """
    SELECT true FROM roster.arrival JOIN roster.delivery USING (district, delivery_id)
    WHERE district = :district AND delivery_id = :delivery_id AND arrival.listing = :listing AND status = 'landed'
"""
_STATE = """CASE WHEN EXISTS (
    SELECT FROM roster.arrival WHERE district = :district AND delivery_id = :delivery_id
) THEN 'same' ELSE 'taken' END"""


def was_overdue(connection: Connection, district: str, delivery_id: str) -> bool:
    """Say whether a delivery was taken though it was not whole, as it had been waited for."""
    return bool(
        connection.scalar(
            sa.text("""
                SELECT true FROM roster.arrival WHERE district = :district AND delivery_id = :delivery_id
                    AND settled_at IS NOT NULL AND reason <> '' LIMIT 1
            """),
            {"district": district, "delivery_id": delivery_id},
        )
    )


def lost(connection: Connection, district: str) -> None:
    """End what is under way from a district whose files come from elsewhere now."""
    connection.execute(
        sa.text("UPDATE roster.arrival SET state = 'gone', ended_at = now(), settled_at = NULL"
                " WHERE district = :district AND ended_at IS NULL"),
        {"district": district},
    )  # fmt: skip


def untold(connection: Connection) -> dict[int, tuple[str, str]]:
    """Find what happened to uploads in the last day that somebody must be told, though no run fails for it.

    Returns:
        By arrival, its district and what happened.
    """
    rows = connection.execute(
        sa.text("""
            SELECT arrival_id, district, CASE
                WHEN state = 'taken' THEN 'an upload was not whole after the time that it is waited for (' || a.reason
                    || '), and was taken as it was'
                WHEN state = 'replaced' THEN 'changes were replaced before they had been taken'
                ELSE 'a whole upload was gone before it had been taken' END
            FROM roster.arrival a LEFT JOIN roster.delivery USING (district, delivery_id)
            WHERE settled_at IS NOT NULL AND ended_at > now() - interval '1 day' AND (
                (state = 'taken' AND a.reason <> '' AND status = 'accepted') OR (state = 'replaced' AND delta)
                OR state = 'gone')
            UNION ALL
            SELECT arrival_id, district, 'an upload has not come to an end for more than a day'
            FROM roster.arrival WHERE ended_at IS NULL AND settled_at IS NULL AND began_at < now() - interval '1 day'
        """)
    )
    return {row[0]: (row[1], row[2]) for row in rows}


@dataclass(frozen=True)
class Arrival:
    """One delivery, or what did not become one.

    Attributes:
        came_by: `sftp`, or `pull`.
        began_at: When the first of it was seen, or the pull began.
        moved_at: When the last change of it was seen.
        settled_at: When it was whole and had stood still, or was taken as it was.
        ended_at: When it was decided on; None while it is under way.
        state: Where it is, or what was done with it (`roster.arrival.state`); of a delivery that was taken, its status.
        reason: What it is waited for, or why it was refused.
        files: How many files, or collections.
        bytes: How large they are together, as they came; None where that is not known.
        delivery_id: The delivery; None where there is none.
    """

    came_by: Literal["sftp", "pull"]
    began_at: datetime
    moved_at: datetime | None
    settled_at: datetime | None
    ended_at: datetime | None
    state: str
    reason: str
    files: int
    bytes: int | None
    delivery_id: str | None

    @property
    def settling(self) -> timedelta | None:
        """How long it took from the first that was seen of it until it was whole and had stood still."""
        return self.settled_at - self.began_at if self.settled_at else None


def newest(connection: Connection, district: str, most: int) -> list[Arrival]:
    """Read a district's latest arrivals, by sFTP or by a pull, the newest first.

    Args:
        connection: Where they are kept.
        district: Whose.
        most: How many at most.
    """
    rows = connection.execute(
        sa.text("""
            SELECT 'sftp', began_at, moved_at, settled_at, coalesce(ended_at, decided_at),
                CASE WHEN a.state = 'taken' THEN status ELSE a.state END,
                coalesce(d.reason, a.reason), files, bytes, delivery_id
            FROM roster.arrival a LEFT JOIN roster.delivery d USING (district, delivery_id)
            WHERE district = :district
            UNION ALL
            SELECT CASE WHEN receipt ->> 'pull' IS NULL THEN 'sftp' ELSE 'pull' END,
                coalesce(CAST(receipt #>> '{pull,began_at}' AS timestamptz), landed_at), NULL, landed_at, decided_at,
                status, coalesce(reason, ''), jsonb_array_length(receipt -> 'taken'),
                CAST(receipt ->> 'size' AS bigint), delivery_id
            FROM roster.delivery d WHERE district = :district AND NOT EXISTS (
                SELECT FROM roster.arrival a WHERE a.district = d.district AND a.delivery_id = d.delivery_id)
            ORDER BY 2 DESC LIMIT :most
        """),
        {"district": district, "most": most},
    )
    return [Arrival(*row) for row in rows]
