"""How well sign-ins match, and by which keys."""

from dataclasses import dataclass

import duckdb

from roster_pipelines.duck import one


@dataclass(frozen=True)
class Matching:
    """How well a district's sign-ins match.

    Attributes:
        sign_ins: All of them.
        matched: Those that are somebody.
        by_key: How many of these each key has decided.
        claims: By key that the district is matched by, how many sign-ins it names as the person that they are, and
            how many carry it.
        outcomes: How many have which outcome.
        teachers_without: How many teachers of the roster no sign-in is.
    """

    sign_ins: int
    matched: int
    by_key: dict[str, int]
    claims: dict[str, tuple[int, int]]
    outcomes: dict[str, int]
    teachers_without: int


def matching(con: duckdb.DuckDBPyConnection) -> Matching:
    """Count what `identities` has found.

    Args:
        con: As `identities` leaves it.
    """

    def counted(query: str) -> list[tuple[str, int]]:
        return con.execute(f"{query} GROUP BY ALL ORDER BY ALL").fetchall()

    claims = con.execute(
        """
        SELECT fit.key, count(*) FILTER (WHERE persons = [person_sourced_id]), count(*)
        FROM fit JOIN identity USING (sign_in_id) GROUP BY fit.key ORDER BY min(rank)
        """
    ).fetchall()
    (without,) = one(
        con,
        """
        SELECT count(DISTINCT person) FROM member
        ANTI JOIN identity ON person_sourced_id = person WHERE role = 'teacher'
        """,
    )
    sign_ins, matched = one(con, "SELECT count(*), count(person_sourced_id) FROM identity")
    return Matching(
        sign_ins=sign_ins,
        matched=matched,
        by_key=dict(counted("SELECT key, count(*) FROM identity WHERE person_sourced_id IS NOT NULL")),
        claims={key: (named, carried) for key, named, carried in claims},
        outcomes=dict(counted("SELECT outcome, count(*) FROM identity")),
        teachers_without=without,
    )
