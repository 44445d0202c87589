"""What the last run found of who each sign-in is, and the decision to forget who one was."""

import json
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from roster_pipelines.errors import CallSomebody
from roster_pipelines.platform import plans, registry

MOST = 5
"""How many ids a list shows to a person."""


@dataclass(frozen=True)
class Identity:
    """Who a sign-in is, as `identities` in rostering/identity.py says it."""

    sign_in_id: int
    person: str | None
    outcome: str
    key: str | None
    candidates: tuple[str, ...]


@dataclass(frozen=True)
class Matched:
    """What the last run of a district's identities found."""

    matched_at: datetime
    sign_ins: int
    matched: int
    identities: tuple[Identity, ...]

    @property
    def rate(self) -> float | None:
        """How many of a hundred sign-ins match; None where there are none."""
        return round(100 * self.matched / self.sign_ins, 1) if self.sign_ins else None


def some(ids: list[str] | tuple[str, ...]) -> str:
    """Write ids in a line: the first few, and how many more there are."""
    more = len(ids) - MOST
    return ", ".join(ids[:MOST]) + (f" and {more:,} more" if more > 0 else "")


def latest(connection: Connection, district: str) -> Matched | None:
    """Read who each of a district's sign-ins is; None where that was never worked out."""
    head = connection.execute(
        sa.text("SELECT matched_at, sign_ins, matched FROM roster.matching WHERE district = :district"),
        {"district": district},
    ).one_or_none()
    if head is None:
        return None
    rows = connection.execute(
        sa.text("""
            SELECT sign_in_id, person_sourced_id, outcome, key, candidates FROM roster.identity
            WHERE district = :district ORDER BY outcome, sign_in_id
        """),
        {"district": district},
    )
    found = tuple(Identity(row[0], row[1], row[2], row[3], tuple(json.loads(row[4]))) for row in rows)
    return Matched(head[0], head[1], head[2], found)


def forget(connection: Connection, district: str, sign_in_id: int, *, by: str, why: str) -> str:
    """Forget who a sign-in's subject was, so that the district's next run matches it afresh by its claims.

    Everybody whom the subject ever was is forgotten: whoever it is next inherits nothing, such as an account, from
    them. The newest plan and what it was made from are marked as out of date, at which the sign_ins sensor runs the
    district, and a plan that was not applied yet never is; a run that is under way is waited for, or marked as well.

    Args:
        connection: In a transaction.
        district: Whose sign-in.
        sign_in_id: Which one.
        by: Who decides it.
        why: For the district's history.

    Returns:
        The sourcedId of the person whom it was last.

    Raises:
        CallSomebody: The district has no such sign-in, or it is not known who it was.
    """
    plans.lock(connection, district)
    person = connection.scalar(
        sa.text("""
            WITH forgotten AS (
                DELETE FROM roster.identity_key k USING platform.sign_in s
                WHERE s.district = :district AND s.sign_in_id = :sign_in AND k.district = s.district
                    AND k.kind = 'subject' AND k.value = s.provider || '|' || s.subject
                RETURNING k.person_sourced_id, k.last_seen)
            SELECT person_sourced_id FROM forgotten ORDER BY last_seen DESC NULLS FIRST LIMIT 1
        """),
        {"district": district, "sign_in": sign_in_id},
    )
    if person is None:
        raise CallSomebody(
            f"{district} does not remember anybody of a sign-in {sign_in_id}",
            f"roster identities {district} --all lists its sign-ins; one of whom nobody is known needs nothing",
        )
    out_of_date = {"district": district, "made_from": f"before sign-in {sign_in_id} was forgotten"}
    connection.execute(
        sa.text("UPDATE roster.matching SET made_from = :made_from, record = NULL WHERE district = :district"),
        out_of_date,
    )
    connection.execute(
        sa.text("""
            UPDATE roster.plan SET made_from = :made_from, record = NULL
            WHERE plan_id = (SELECT max(plan_id) FROM roster.plan WHERE district = :district)
        """),
        out_of_date,
    )
    registry.note(connection, district, by=by, why=f"sign-in {sign_in_id} is not taken for {person} any more: {why}")
    return str(person)
