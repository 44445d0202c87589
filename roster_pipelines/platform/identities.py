"""What the last run found of who each sign-in is, and the decision to forget who one was."""

import json
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from roster_pipelines.errors import CallSomebody
from roster_pipelines.platform import plans, registry
from roster_pipelines.reports.places import masked
from roster_pipelines.rostering.identity import CANDIDATES

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
    """Write ids in a line, those that look like a person's masked: the first few, and how many more there are."""
    more = len(ids) - MOST
    told = f"{more:,}" if len(ids) <= CANDIDATES else f"at least {more:,}"
    return ", ".join(map(masked, ids[:MOST])) + (f" and {told} more" if more > 0 else "")


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


def forget(
    connection: Connection, district: str, sign_in_id: int, *, by: str, why: str, same_person: bool = False
) -> str:
    """Forget who a sign-in's subject was, so that the district's next run matches it afresh by its claims.

    Everybody whom the subject, and its legacy one, ever was is forgotten: an account that was opened for them does not
    follow. One that is linked to the sign-in stays linked, and so becomes that of whoever the sign-in is next: then it
    is forgotten only where that is the same human being. The newest plan and what it was made from are marked as out
    of date, at which the sign_ins sensor runs the district, and a plan that was not applied yet never is; a run that
    is under way is waited for, or marked as well.

    Args:
        connection: In a transaction.
        district: Whose sign-in.
        sign_in_id: Which one.
        by: Who decides it.
        why: For the district's history.
        same_person: It is the same human being, so the linked account stays theirs.

    Returns:
        The sourcedId of the person whom it was last, masked where it looks like a person's.

    Raises:
        CallSomebody: The district has no such sign-in, or it is not known who it was; or an account is linked to it,
            and nobody has said that it is the same human being.
    """
    plans.lock(connection, district)
    account = _linked(connection, district, sign_in_id)
    if account is not None and not same_person:
        raise CallSomebody(
            f"account {account} is linked to sign-in {sign_in_id}, and whoever the sign-in is next would have it",
            "say --same-person if it is the same human being; if not, have the vendor take the link away first",
        )
    person = connection.scalar(
        sa.text("""
            WITH forgotten AS (
                DELETE FROM roster.identity_key k USING platform.sign_in s
                WHERE s.district = :district AND s.sign_in_id = :sign_in AND k.district = s.district
                    AND k.kind = 'subject'
                    AND k.value IN (s.provider || '|' || s.subject, s.provider || '|' || s.legacy_subject)
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
    person = masked(str(person))
    same = f", the same human being, who keeps account {account}" if account is not None else ""
    registry.note(
        connection, district, by=by, why=f"sign-in {sign_in_id} is not taken for {person} any more{same}: {why}"
    )
    return person


def _linked(connection: Connection, district: str, sign_in_id: int) -> int | None:
    """Look up the account that a sign-in is linked to; another district's is none."""
    account: int | None = connection.scalar(
        sa.text("""
            SELECT account_id FROM platform.sign_in s
            JOIN platform.account_link USING (sign_in_id) JOIN platform.account a USING (account_id)
            WHERE s.district = :district AND s.sign_in_id = :sign_in AND a.district = s.district
        """),
        {"district": district, "sign_in": sign_in_id},
    )
    return account
