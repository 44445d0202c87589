"""The ledger of deliveries: what landed, when, and what was decided."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from roster_pipelines.connections.gather import Pull
from roster_pipelines.connections.landing import Receipt
from roster_pipelines.errors import LookAtData
from roster_pipelines.findings import Finding

Status = Literal["landed", "accepted", "refused"]


@dataclass(frozen=True)
class Delivery:
    """One row of the ledger."""

    delivery_id: str
    fingerprint: str
    landed_at: datetime
    status: Status
    reason: str | None
    listing: str
    receipt: dict[str, object]

    @property
    def files(self) -> list[str]:
        """The names of its files in the lake."""
        return [file["name"] for file in self.receipt["files"]]  # type: ignore[attr-defined]

    @property
    def size(self) -> object:
        """The bytes of what was fetched, as it was delivered; None where an earlier version did not note them."""
        return self.receipt.get("size")

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found of its names and its zip, before any file was read."""
        return tuple(Finding(**finding) for finding in self.receipt["findings"])  # type: ignore[attr-defined]


def record(connection: Connection, district: str, receipt: Receipt, listing: str = "") -> None:
    """Enter a delivery that has landed, and the fingerprint of the listing that it was fetched from."""
    connection.execute(
        sa.text("""
            INSERT INTO roster.delivery (district, delivery_id, fingerprint, landed_at, status, listing, receipt)
            VALUES (:district, :delivery_id, :fingerprint, :landed_at, 'landed', :listing, CAST(:receipt AS jsonb))
        """),
        {
            "district": district,
            "delivery_id": receipt.delivery_id,
            "fingerprint": receipt.fingerprint,
            "landed_at": receipt.landed_at,
            "listing": listing,
            "receipt": receipt.json(),
        },
    )


def found_again(connection: Connection, district: str, delivery_id: str, receipt: Receipt, listing: str) -> None:
    """Enter that a delivery was fetched once more, from another listing: the same content, maybe by better names."""
    connection.execute(
        sa.text("""
            UPDATE roster.delivery
            SET listing = :listing, receipt = receipt || (CAST(:receipt AS jsonb) - 'delivery_id' - 'landed_at')
            WHERE district = :district AND delivery_id = :delivery_id
        """),
        {"district": district, "delivery_id": delivery_id, "listing": listing, "receipt": receipt.json()},
    )


def listed_again(connection: Connection, district: str, delivery_id: str, listing: str) -> None:
    """Enter that a delivery lies in the folder once more, in other files with the same content."""
    connection.execute(
        sa.text("""
            UPDATE roster.delivery SET listing = :listing WHERE district = :district AND delivery_id = :delivery_id
        """),
        {"district": district, "delivery_id": delivery_id, "listing": listing},
    )


def decide(connection: Connection, district: str, delivery_id: str, status: Status, reason: str | None = None) -> None:
    """Enter whether a delivery is accepted or refused; the reason carries no value of a person."""
    connection.execute(
        sa.text("""
            UPDATE roster.delivery SET status = :status, reason = :reason, decided_at = now()
            WHERE district = :district AND delivery_id = :delivery_id
        """),
        {"district": district, "delivery_id": delivery_id, "status": status, "reason": reason},
    )


def newest(connection: Connection, district: str) -> Delivery | None:
    """Find the delivery that landed last."""
    return _newest(connection, district, "true")


def pulled_at(connection: Connection) -> dict[str, datetime]:
    """Read, by district with an API connection, when the pull began that its newest delivery came by.

    A delivery that landed and was never decided on does not count: its run ended before it had done its work.
    """
    rows = connection.execute(
        sa.text("""
            SELECT district, began_at FROM roster.district d
            JOIN LATERAL (
                SELECT status, CAST(receipt #>> '{pull,began_at}' AS timestamptz) AS began_at FROM roster.delivery
                WHERE delivery.district = d.district ORDER BY landed_at DESC, delivery_id DESC LIMIT 1) newest ON true
            WHERE record #>> '{connection,kind}' <> 'sftp' AND status <> 'landed' AND began_at IS NOT NULL
        """)
    )
    return {row[0]: row[1] for row in rows}


def roster(connection: Connection, district: str) -> Delivery:
    """Find the latest good delivery: its accepted rows are the district's roster.

    Raises:
        LookAtData: No delivery was accepted yet.
    """
    found = _newest(connection, district, "status = 'accepted'")
    if found is None:
        raise LookAtData(
            f"{district} has no accepted delivery yet",
            "run the district's whole job once a delivery is there",
        )
    return found


def last_pull(connection: Connection, district: str) -> Pull | None:
    """Read how the roster in use was pulled; None where nobody can build on it.

    There may be no roster, or its files were dropped; or what was pulled after it was refused, as changes alone may be
    for ever.
    """
    found = _newest(connection, district, "true")
    told = found and found.status == "accepted" and found.receipt.get("pull")
    return Pull.of(told) if isinstance(told, dict) else None


def base(connection: Connection, district: str, delivery_id: str) -> Delivery | None:
    """Find the newest accepted delivery that landed before this one: what its delta files change."""
    landed = "(SELECT landed_at, delivery_id FROM roster.delivery WHERE district = :district AND delivery_id = :id)"
    return _newest(connection, district, f"status = 'accepted' AND (landed_at, delivery_id) < {landed}", id=delivery_id)


def _newest(connection: Connection, district: str, where: str, **values: str) -> Delivery | None:
    row = connection.execute(
        sa.text(f"""
            SELECT delivery_id, fingerprint, landed_at, status, reason, listing, receipt FROM roster.delivery
            WHERE district = :district AND {where} ORDER BY landed_at DESC, delivery_id DESC LIMIT 1
        """),
        {"district": district, **values},
    ).one_or_none()
    return None if row is None else Delivery(*row)
