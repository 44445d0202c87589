"""Why somebody sees no classes, or why a class is not there: what was worked out, and the lines it comes from."""

from dataclasses import replace

import duckdb

from roster_pipelines.district import District
from roster_pipelines.duck import count
from roster_pipelines.reports.explain.absent import absent, rejected, was_in
from roster_pipelines.reports.explain.data import AsOf, Explanation
from roster_pipelines.reports.explain.person import person
from roster_pipelines.reports.explain.rows import View, query
from roster_pipelines.reports.explain.school_class import school_class

__all__ = ["AsOf", "Explanation", "View", "explain", "was_in"]


def explain(con: duckdb.DuckDBPyConnection, asked: str, district: District, as_of: AsOf, view: View) -> Explanation:
    """Say what is known of a person or a class.

    Args:
        con: Holds the roster, with what was rejected and found, and what `current` adds; `identity`, `identity_key`,
            `entitlement` and `gate` as they are kept; `sign_in`, `account`, `access_code` and `licence`; `holder`;
            `current_<name>` of the classes, their teachers and their students; and `removal`, what the plan does not
            remove though it should not be any more: `class_sourced_id`, `account_id` of a teacher's row,
            `student_sourced_id` of a student's, neither for the class itself, and `action` (hold or keep).
        asked: A sourcedId, or a person's e-mail address or username; blanks around it do not count, nor does the case
            of the latter two, as in matching.
        district: Its record.
        as_of: What the gates were made from.
        view: What is shown.

    Returns:
        The answer; of what the roster does not have, all but the earlier delivery that had it.
    """
    asked, view = asked.strip(), replace(view, suffix="" if _is_pulled(con) else view.suffix)
    told = Explanation(district.district, district.stage, as_of, rejected=rejected(con, asked, view))
    persons = [row["person"] for row in query(con, _PERSONS, asked=asked)]
    classes = query(con, 'SELECT 1 FROM roster.classes WHERE "sourcedId" = $asked', asked=asked)
    if not persons and not classes:
        return replace(told, absent=absent(con, asked, view))
    return replace(
        told,
        several=tuple(map(view.opaque, persons)) if len(persons) > 1 else (),
        person=person(con, persons[0], view) if len(persons) == 1 else None,
        school_class=school_class(con, asked, view) if classes else None,
    )


def _is_pulled(con: duckdb.DuckDBPyConnection) -> bool:
    """Say whether the roster came through an API; a staging database from before there were any does not tell."""
    tells = "database_name = 'roster' AND table_name = 'about' AND column_name = 'api'"
    return count(con, "duckdb_columns()", tells) > 0 and count(con, "roster.about", "api") > 0


# A sourcedId goes before an address, who is there before who is not any more, and that before an earlier sourcedId.
_PERSONS = """
    WITH named AS (
        SELECT coalesce(m.person, u."sourcedId") AS person,
               CASE WHEN u."sourcedId" = $asked THEN 1 WHEN m.person IS NOT NULL THEN 2 ELSE 3 END AS rank
        FROM roster.users u LEFT JOIN member m USING ("sourcedId")
        WHERE u."sourcedId" = $asked OR lower(u.email) = lower($asked) OR lower(u.username) = lower($asked)
        UNION ALL
        SELECT now.person_sourced_id, 4
        FROM identity_key now JOIN identity_key earlier USING (kind, value)
        WHERE kind = 'subject' AND now.last_seen IS NULL AND earlier.person_sourced_id = $asked
            AND now.person_sourced_id IN (SELECT person FROM member)
    )
    SELECT DISTINCT person FROM named QUALIFY rank = min(rank) OVER () ORDER BY person
    """
