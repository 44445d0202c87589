"""What is known of somebody, or of a class, that the roster does not have."""

from pathlib import Path

import duckdb

from roster_pipelines.duck import attached
from roster_pipelines.reports.explain.data import Absent, Place, Rejected, SignedIn
from roster_pipelines.reports.explain.rows import View, query

# A rejected row is text as it was delivered, so that blanks may be around an id.
_NAMED = {
    "users": 'trim("sourcedId") = $asked OR lower($asked) IN (lower(trim(email)), lower(trim(username)))',
    "classes": 'trim("sourcedId") = $asked',
}


def absent(con: duckdb.DuckDBPyConnection, asked: str, view: View) -> Absent:
    """Look for traces: sign-ins with that claim, and a class that is still published.

    Args:
        con: As in `explain`.
        asked: A sourcedId, an e-mail address or a username.
        view: What is shown.
    """
    published = query(con, _PUBLISHED, asked=asked)
    return Absent(
        sign_ins=tuple(SignedIn.of(row, view.opaque) for row in query(con, _SIGN_INS, asked=asked)),
        **(published[0] if published else {}),
    )


def was_in(staging: Path, asked: str) -> bool:
    """Say whether a delivery's roster had somebody, or a class, by that name.

    Args:
        staging: The delivery's staging database.
        asked: As in `absent`.
    """
    with attached(roster=staging) as con:
        return any(
            query(con, f"SELECT 1 FROM roster.{table} WHERE {named} LIMIT 1", asked=asked.strip())
            for table, named in _NAMED.items()
        )


def rejected(con: duckdb.DuckDBPyConnection, asked: str, view: View) -> tuple[Rejected, ...]:
    """Find the rows of people and classes by that name that were rejected, and the lines that are no rows.

    Args:
        con: As in `explain`.
        asked: As in `absent`.
        view: For the delivery.
    """
    return tuple(row for table in _NAMED for row in _rejected(con, table, asked, view))


def _rejected(con: duckdb.DuckDBPyConnection, table: str, asked: str, view: View) -> list[Rejected]:
    found = query(
        con,
        f"""
        WITH cause AS (
            SELECT line, first({{'file': cause_file, 'line': cause_line, 'delivery': $delivery}}) AS caused_by
            FROM roster.findings WHERE file = $file AND cause_file IS NOT NULL GROUP BY ALL
        )
        SELECT _line AS line, rules, caused_by
        FROM roster.rejected.{table} LEFT JOIN cause ON line = _line WHERE {_NAMED[table]}
        UNION ALL
        SELECT line, [rule || ':'], NULL FROM roster.findings
        WHERE file = $file AND sourced_id = $asked AND rule IN ('row-unreadable', 'row-truncated')
        ORDER BY line
        """,
        asked=asked,
        file=f"{table}{view.suffix}",
        delivery=view.delivery,
    )
    return [
        Rejected(
            Place(f"{table}{view.suffix}", row["line"], view.delivery),
            tuple(row["rules"]),
            Place(**row["caused_by"]) if row["caused_by"] else None,
        )
        for row in found
    ]


_PUBLISHED = """
    SELECT p.active AS published, r.action AS removal
    FROM current_rostered_class p
    LEFT JOIN removal r ON r.class_sourced_id = p.class_sourced_id AND r.account_id IS NULL
        AND r.student_sourced_id IS NULL
    WHERE p.class_sourced_id = $asked
    """

_SIGN_INS = """
    SELECT s.sign_in_id, i.outcome, i.key, coalesce(from_json(i.candidates, '["VARCHAR"]'), []) AS candidates,
           false AS theirs
    FROM sign_in s LEFT JOIN identity i USING (sign_in_id)
    WHERE trim(s.sourced_id) = $asked OR lower($asked) IN (lower(trim(s.email)), lower(trim(s.username)))
    ORDER BY s.sign_in_id
    """
