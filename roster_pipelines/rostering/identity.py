"""Who is who: which person of the roster an SSO sign-in is.

A claim counts only where it names exactly one person of this district's roster. Nothing is guessed, and no claim moves
a sign-in from one person to another by itself: an address may be another's by now. A claim of a role is never read.
"""

from dataclasses import dataclass
from datetime import date

import duckdb

from roster_pipelines.district import SignIn
from roster_pipelines.rostering.keys import recycled, remembered, roster_keys


@dataclass(frozen=True)
class Outcome:
    """Why a sign-in is nobody, what to do about it, and who must."""

    what: str
    do: str
    who: str


CANDIDATES = 10
"""How many persons are kept of those whom a claim fits; one more tells that there are more."""
MATCHED = ("matched", "rekeyed")
OUTCOMES = {
    "ambiguous": Outcome(
        "one of its claims fits several people of the roster; held",
        "give each of them an address, username or number of their own, or send a claim that they do not share",
        "district",
    ),
    "moved": Outcome(
        "it was another person before than its claims fit now, and nothing proves that both are one; held",
        "find out who signs in: if it is whom the claims fit, roster identities DISTRICT --forget SIGN_IN --why ... (an"
        " account that is linked to the sign-in is theirs then: --same-person says that it is the same human being);"
        " if not, have the claims or the roster corrected",
        "integrations",
    ),
    "nobody": Outcome(
        "its claims fit nobody in the roster",
        "send the person in the roster, with the id that the SSO provider sends; then it is matched by itself",
        "district",
    ),
    "foreign-domain": Outcome(
        "its e-mail address is not of the district's own domains",
        "sign in with an address of the district, or add the domain to the district's email_domains",
        "district",
    ),
    "no-claim": Outcome(
        "it carries none of the claims that the district is matched by, or only placeholders",
        "have the SSO provider send one of the claims in the district's sign_in.match",
        "district",
    ),
    "other-provider": Outcome(
        "it came through another SSO provider than the district's record names",
        "sign in through the district's provider, or correct sign_in.provider in its record",
        "integrations",
    ),
}
"""The outcomes that leave a sign-in unmatched."""


def identities(con: duckdb.DuckDBPyConnection, sign_in: SignIn | None, today: date) -> None:
    """Match every sign-in; adds tables `identity` and `identity_key`.

    Args:
        con: Holds `member`, `sign_in` and `known_key`, the keys that earlier runs remembered.
        sign_in: The district's SSO integration; without one, nothing is matched.
        today: The date in the district's time zone.

    `identity` has one row per sign-in: `sign_in_id, person_sourced_id, outcome, key, candidates`. The outcome is
    `matched`, `rekeyed` (the person whom the subject was has another sourcedId now) or one of OUTCOMES, for which the
    person is NULL. The key is the claim, or the remembered key, that decided; `subject` where no claim named the
    person whom the subject was before. The candidates are a JSON list: whom an ambiguous claim fits; for `moved` whom
    the subject was, then whom the claims fit. For `identity_key` see `remembered`, for what else stays see `fits`.
    """
    roster_keys(con, sign_in)
    recycled(con)
    fits(con, sign_in)
    _known_subjects(con, sign_in)
    con.execute(
        """
        CREATE TABLE identity (
            sign_in_id BIGINT, person_sourced_id VARCHAR, outcome VARCHAR, key VARCHAR, candidates VARCHAR)
        """
    )
    _still_there(con)
    _gone(con)
    _first_seen(con)
    con.execute(
        """
        INSERT INTO identity
        SELECT sign_in_id, NULL, if(provider = ?, 'no-claim', 'other-provider'), NULL, '[]'
        FROM sign_in ANTI JOIN identity USING (sign_in_id)
        """,
        [sign_in.provider if sign_in else None],
    )
    remembered(con, today)


def fits(con: duckdb.DuckDBPyConnection, sign_in: SignIn | None) -> None:
    """Hold every claim that the district is matched by against the roster; adds table `fit`.

    Args:
        con: Holds `sign_in` and what `roster_keys` adds.
        sign_in: The district's SSO integration.

    A claim fits whoever has the value in the roster today, and whoever is still there and had it before: so an old
    address still names its owner, and one that was handed on to another fits two. Only a sourcedId that the roster has
    today is nobody else's.

    `fit` has one row per usable claim: `sign_in_id, rank` (in the district's order), `key` (as the record has it),
    `kind, abroad` (an address of a foreign domain, which fits nobody) and `persons`, the list of whom it fits: at
    most CANDIDATES, and one more where there are more.
    """
    con.execute(
        """
        CREATE TEMP TABLE fit AS
        WITH asked AS (SELECT unnest($match::VARCHAR[]) AS key, generate_subscripts($match::VARCHAR[], 1) AS rank),
        claim AS (
            SELECT sign_in_id, rank, key, lower(key) AS kind,
                   CASE WHEN key = 'sourced_id' THEN as_id(sourced_id)
                        WHEN key = 'identifier' THEN as_id(identifier)
                        WHEN key = 'email' THEN folded(email)
                        WHEN key = 'username' THEN folded(username)
                        ELSE as_id(user_id) END AS value
            FROM sign_in CROSS JOIN asked WHERE provider = $provider
        ),
        whose AS (
            SELECT person, kind, value FROM roster_key
            UNION ALL
            SELECT person, kind, value FROM known_key k JOIN member ON "sourcedId" = person_sourced_id
                ANTI JOIN recycled ON was = person_sourced_id
                ANTI JOIN roster_key r ON r.kind = 'sourced_id' AND k.kind = r.kind AND k.value = r.value
            WHERE kind NOT IN ('subject', 'name')
        ),
        fitting AS (
            SELECT kind, value, list(DISTINCT person ORDER BY person)[:$most] AS persons
            FROM whose SEMI JOIN claim USING (kind, value) WHERE NOT abroad(kind, value) GROUP BY ALL
        )
        SELECT sign_in_id, rank, key, kind, abroad(kind, value) AS abroad, coalesce(persons, []) AS persons
        FROM claim LEFT JOIN fitting USING (kind, value)
        WHERE usable(value)
        """,
        {
            "match": [*sign_in.match] if sign_in else [],
            "provider": sign_in.provider if sign_in else None,
            "most": CANDIDATES + 1,
        },
    )
    # What the claims say: the first, in the district's order, that names exactly one person.
    con.execute(
        """
        CREATE TEMP VIEW said AS
        SELECT sign_in_id, min_by(key, rank) AS key, min_by(persons[1], rank) AS person
        FROM fit WHERE len(persons) = 1 GROUP BY ALL
        """
    )


def _known_subjects(con: duckdb.DuckDBPyConnection, sign_in: SignIn | None) -> None:
    """Look up who each subject was before, and who of the roster that is today; NULL: gone from it.

    A subject that is new is whom its legacy one was: LTI 1.3 sends the user id of LTI 1.1 with it, see "Migrating from
    Previous Versions of LTI" in the LTI 1.3 specification. `now_has_id` is who has the sourcedId today, whoever that
    is; `lasting` is false where another signs in by that id by now, so that the keys remembered of it are theirs.
    """
    con.execute(
        """
        CREATE TEMP TABLE before AS
        WITH asked AS (
            SELECT sign_in_id, provider, unnest([subject, legacy_subject]) AS subject, unnest([1, 2]) AS nth
            FROM sign_in WHERE provider = ?
        ),
        known AS (
            SELECT sign_in_id, person_sourced_id AS was, last_seen IS NULL AS lasting
            FROM asked JOIN known_key k ON k.kind = 'subject' AND k.value = provider || '|' || subject
            WHERE usable(subject)
            QUALIFY row_number() OVER (
                PARTITION BY sign_in_id ORDER BY nth, last_seen DESC NULLS FIRST, first_seen DESC, was) = 1
        )
        SELECT sign_in_id, was, lasting, person AS now_has_id,
               CASE WHEN lasting AND was NOT IN (FROM recycled) THEN person END AS person
        FROM known LEFT JOIN member ON "sourcedId" = was
        """,
        [sign_in.provider if sign_in else None],
    )


def _still_there(con: duckdb.DuckDBPyConnection) -> None:
    """The person whom the subject was is in the roster: it stays that person, unless the claims name another."""
    con.execute(
        """
        INSERT INTO identity
        SELECT sign_in_id, b.person, 'matched', coalesce(said.key, 'subject'), '[]'
        FROM before b LEFT JOIN said USING (sign_in_id) WHERE b.person = coalesce(said.person, b.person)
        UNION ALL
        SELECT sign_in_id, NULL, 'moved', said.key, to_json([b.person, said.person])
        FROM before b JOIN said USING (sign_in_id) WHERE b.person <> said.person
        """
    )


def _gone(con: duckdb.DuckDBPyConnection) -> None:
    """The person whom the subject was is gone: whoever is proved to be the same human being has a new sourcedId.

    The proofs, from the strongest: the sourced_id claim names the person, and by another id than the one that was
    given to another; they alone have a number of the one who is gone, or the username and the names (without the
    names it may be given to somebody else); the claims name them, and the names are the same. No proof counts against
    what the claims say.
    """
    con.execute(
        """
        INSERT INTO identity
        WITH was_known AS (
            SELECT sign_in_id, r.person, r.kind, r.student
            FROM before b JOIN known_key k ON b.lasting AND k.person_sourced_id = b.was AND k.last_seen IS NULL
                JOIN roster_key r USING (kind, value)
            WHERE b.person IS NULL
        ),
        namesake AS (SELECT DISTINCT sign_in_id, person FROM was_known WHERE kind = 'name'),
        proof AS (
            SELECT sign_in_id, 1 AS strength, key, persons[1] AS person
            FROM fit JOIN before b USING (sign_in_id)
            WHERE kind = 'sourced_id' AND len(persons) = 1 AND persons[1] IS DISTINCT FROM now_has_id
            UNION ALL
            SELECT sign_in_id, 2, min_by(kind, kind = 'username'), any_value(w.person)
            FROM was_known w LEFT JOIN namesake n USING (sign_in_id, person)
            WHERE (kind = 'identifier' OR kind LIKE 'user\\_id:%' ESCAPE '\\'
                   OR (kind = 'username' AND n.person IS NOT NULL)) AND NOT student
            GROUP BY ALL HAVING count(DISTINCT w.person) = 1
            UNION ALL
            SELECT sign_in_id, 3, said.key, said.person FROM said JOIN namesake USING (sign_in_id, person)
        ),
        proved AS (
            SELECT sign_in_id, min_by(p.key, strength) AS key, min_by(p.person, strength) AS person
            FROM proof p LEFT JOIN said USING (sign_in_id)
            WHERE p.person = coalesce(said.person, p.person) GROUP BY ALL
        ),
        fitting AS (
            SELECT sign_in_id, min_by(key, rank) AS key, list_sort(list_distinct(flatten(list(persons)))) AS persons
            FROM fit WHERE len(persons) > 0 GROUP BY ALL
        )
        SELECT sign_in_id, p.person,
               CASE WHEN p.person IS NOT NULL THEN 'rekeyed'
                    WHEN f.key IS NOT NULL OR b.now_has_id IS NOT NULL THEN 'moved' ELSE 'nobody' END AS found,
               coalesce(p.key, f.key),
               if(found = 'moved', to_json([b.was] || list_filter(coalesce(f.persons, []), lambda i: i <> b.was)),
                  '[]')
        FROM before b LEFT JOIN proved p USING (sign_in_id) LEFT JOIN fitting f USING (sign_in_id)
        WHERE b.person IS NULL
        """
    )


def _first_seen(con: duckdb.DuckDBPyConnection) -> None:
    """Nobody knows yet who the subject is: the first claim that fits anybody decides.

    A sourced_id that names nobody ends the search: whatever else is claimed may be another's by now.
    """
    con.execute(
        """
        INSERT INTO identity
        WITH looked_at AS (
            FROM fit ANTI JOIN before USING (sign_in_id)
            QUALIFY rank <= coalesce(min(rank) FILTER (WHERE kind = 'sourced_id' AND len(persons) = 0)
                                         OVER (PARTITION BY sign_in_id), rank)
        ),
        found AS (
            SELECT sign_in_id, bool_or(abroad) AS abroad,
                   min_by(key, rank) FILTER (WHERE len(persons) > 0) AS key,
                   min_by(persons, rank) FILTER (WHERE len(persons) > 0) AS persons
            FROM looked_at GROUP BY ALL
        )
        SELECT sign_in_id, if(len(persons) = 1, persons[1], NULL),
               CASE WHEN len(persons) = 1 THEN 'matched' WHEN len(persons) > 1 THEN 'ambiguous'
                    WHEN abroad THEN 'foreign-domain' ELSE 'nobody' END,
               key, if(len(persons) > 1, to_json(persons)::VARCHAR, '[]')
        FROM found
        """
    )
