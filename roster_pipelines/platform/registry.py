"""The registry of districts: one row each, with the history of every change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from roster_pipelines.district import District
from roster_pipelines.errors import CallSomebody
from roster_pipelines.platform import arrivals, drops


@dataclass(frozen=True)
class Change:
    """One entry of a district's history."""

    version: int
    changed_at: datetime
    changed_by: str
    why: str


def apply(connection: Connection, district: District, *, by: str, why: str) -> int | None:
    """Store a district's record as a new version.

    Args:
        connection: In a transaction.
        district: The record.
        by: Who changes it.
        why: For the history.

    Returns:
        The new version, or None where the stored record is the same already.
    """
    record = district.model_dump_json()
    before = connection.scalar(
        sa.text("SELECT record -> 'connection' FROM roster.district WHERE district = :district"),
        {"district": district.district},
    )
    version = connection.scalar(
        sa.text("""
            INSERT INTO roster.district AS d (district, version, record)
            VALUES (:district, 1, CAST(:record AS jsonb))
            ON CONFLICT (district) DO UPDATE SET version = d.version + 1, record = excluded.record
            WHERE d.record IS DISTINCT FROM excluded.record
            RETURNING version
        """),
        {"district": district.district, "record": record},
    )
    if version is None:
        return None
    if before is not None and _place(before) != _place(district.connection.model_dump()):
        drops.forget(connection, district.district)
        arrivals.lost(connection, district.district)
    connection.execute(
        sa.text("""
            INSERT INTO roster.district_history (district, version, record, changed_by, why)
            SELECT district, version, record, :by, :why FROM roster.district WHERE district = :district
        """),
        {"district": district.district, "by": by, "why": why},
    )
    return int(version)


def _place(connection: Mapping[str, object]) -> list[object]:
    """Where a district's files lie; another port or key is the same place."""
    return [connection.get(key) for key in ("kind", "host", "username", "directory")]


def note(connection: Connection, district: str, *, by: str, why: str) -> None:
    """Enter into a district's history what leaves its record as it is."""
    connection.execute(
        sa.text("""
            WITH changed AS (
                UPDATE roster.district SET version = version + 1 WHERE district = :district
                RETURNING district, version, record)
            INSERT INTO roster.district_history (district, version, record, changed_by, why)
            SELECT district, version, record, :by, :why FROM changed
        """),
        {"district": district, "by": by, "why": why},
    )


def get(connection: Connection, district: str) -> District:
    """Read one district's record.

    Raises:
        CallSomebody: There is no such district.
    """
    record = connection.scalar(
        sa.text("SELECT record FROM roster.district WHERE district = :district"), {"district": district}
    )
    if record is None:
        raise CallSomebody(
            f"there is no district {district!r}",
            "roster district list shows them, roster district apply FILE adds one",
        )
    return District.model_validate(record)


def fingerprint(connection: Connection, district: str) -> str | None:
    """Sum up a district's record as it is now, but for its connection, on which no class depends."""
    found = connection.scalar(
        sa.text("SELECT md5((record - 'connection')::text) FROM roster.district WHERE district = :district"),
        {"district": district},
    )
    return None if found is None else str(found)


def every(connection: Connection) -> list[District]:
    """Read every district's record, in the order of their keys."""
    records = connection.scalars(sa.text("SELECT record FROM roster.district ORDER BY district"))
    return [District.model_validate(record) for record in records]


def keys(connection: Connection) -> list[str]:
    """Read every district's key."""
    return list(connection.scalars(sa.text("SELECT district FROM roster.district ORDER BY district")))


def history(connection: Connection, district: str) -> list[Change]:
    """Read who changed a district's record, when and why, newest first."""
    rows = connection.execute(
        sa.text("""
            SELECT version, changed_at, changed_by, why FROM roster.district_history
            WHERE district = :district ORDER BY version DESC
        """),
        {"district": district},
    )
    return [Change(*row) for row in rows]
