"""Who is who: which person of the roster an SSO sign-in is.

A claim matches only when it names exactly one person of this district's roster, byte by byte for ids, without case
and outer blanks for e-mails, and e-mails only of the district's own domains. An id that names nobody ends the search:
the e-mail behind it may belong to somebody else by now. Nothing is guessed.
"""

import duckdb

from roster_pipelines.district import SignIn

# What directories send in place of nothing.
PLACEHOLDERS = ("", "null", "none", "n/a", "na", "0", "none@none", "undefined")

_CLAIM = {
    "sourced_id": ("sign_in.sourced_id", 'person."sourcedId"', "true"),
    "email": (
        "lower(trim(sign_in.email))",
        "lower(trim(person.email))",
        "list_contains(own_domain, split_part(lower(trim(sign_in.email)), '@', 2))",
    ),
}


def identities(con: duckdb.DuckDBPyConnection, sign_in: SignIn | None) -> None:
    """Match every sign-in; adds table `identity`.

    Args:
        con: Holds `person` and `sign_in`.
        sign_in: The district's SSO integration; without one, nothing is matched.

    `identity` has one row per sign-in: `sign_in_id, account_id, person_sourced_id, outcome`. The person is NULL where
    nobody was matched. The outcome is `matched by sourced_id`, `matched by email`, `ambiguous email`,
    `nobody in the roster` or `no usable claim`.
    """
    order = sign_in.match if sign_in else ()
    domains = [domain.lower() for domain in sign_in.email_domains] if sign_in else []
    provider = sign_in.provider if sign_in else ""
    con.execute(
        """
        CREATE TABLE candidate (sign_in_id BIGINT, key VARCHAR, rank INTEGER, persons BIGINT, person VARCHAR)
        """
    )
    for rank, key in enumerate(order):
        claim, value, allowed = _CLAIM[key]
        con.execute(
            f"""
            INSERT INTO candidate
            SELECT sign_in_id, '{key}', {rank}, count(person."sourcedId"), any_value(person."sourcedId")
            FROM (SELECT *, ?::VARCHAR[] AS own_domain FROM sign_in WHERE provider = ?) AS sign_in
            LEFT JOIN person ON {value} = {claim} AND {allowed}
            WHERE NOT list_contains(?::VARCHAR[], lower(trim(coalesce({claim}, ''))))
            GROUP BY sign_in_id
            """,
            [domains, provider, list(PLACEHOLDERS)],
        )
    con.execute(
        """
        CREATE TABLE identity AS
        WITH best AS (
            SELECT sign_in_id, min_by(key, rank) AS key, min_by(person, rank) AS person
            FROM candidate AS c
            WHERE persons = 1 AND NOT EXISTS (
                FROM candidate AS named
                WHERE named.sign_in_id = c.sign_in_id AND named.key = 'sourced_id' AND named.persons = 0
                    AND named.rank < c.rank)
            GROUP BY sign_in_id
        ),
        tried AS (
            SELECT sign_in_id, bool_or(persons > 1) AS ambiguous FROM candidate GROUP BY sign_in_id
        )
        SELECT s.sign_in_id, s.account_id, best.person AS person_sourced_id,
               CASE WHEN best.key IS NOT NULL THEN 'matched by ' || best.key
                    WHEN tried.ambiguous THEN 'ambiguous email'
                    WHEN tried.sign_in_id IS NOT NULL THEN 'nobody in the roster'
                    ELSE 'no usable claim' END AS outcome
        FROM sign_in AS s LEFT JOIN best USING (sign_in_id) LEFT JOIN tried USING (sign_in_id)
        ORDER BY s.sign_in_id
        """
    )
    con.execute("DROP TABLE candidate")
