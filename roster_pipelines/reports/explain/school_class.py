"""Everything about one class of the roster."""

import duckdb

from roster_pipelines.reports.explain.data import Answers, Place, SchoolClass, Teacher
from roster_pipelines.reports.explain.rows import Row, View, answers, place, places, query, uncounted


def school_class(con: duckdb.DuckDBPyConnection, of: str, view: View) -> SchoolClass:
    """Say everything that is known of a class.

    Args:
        con: As in `explain`.
        of: Its sourcedId.
        view: What is shown.
    """
    con.execute("CREATE OR REPLACE TEMP TABLE asked AS SELECT $of AS class_sourced_id", {"of": of})
    here = {"delivery": view.delivery, "suffix": view.suffix, "values": view.values}
    (row,) = query(con, _CLASS, **here)
    return SchoolClass(
        **row | {"place": Place(**row["place"])},
        teachers=tuple(_teacher(row, view) for row in query(con, _TEACHERS, **here)),
        uncounted=uncounted(con, 'trim("classSourcedId") IN (FROM asked)', view),
    )


def _teacher(row: Row, view: View) -> Teacher:
    person, name = view.opaque(row.pop("person_sourced_id")), row.pop("name")
    return Teacher(person, name, Answers(**places(row) | {"gates": row["gates"] or {}}))


_CLASS = f"""
    SELECT class_sourced_id, if($values, c.title, NULL) AS title, c.status, c."schoolSourcedId" AS school_sourced_id,
           s.opens_on, s.closes_on, s.reason, p.active AS published, r.action AS removal,
           (SELECT count(DISTINCT e.person) FROM current_enrollment e
            JOIN member m ON m."sourcedId" = e."userSourcedId" AND m.role = 'student' AND m.enabled
            WHERE e."classSourcedId" IN (FROM asked) AND e.role = 'student') AS students,
           (SELECT count(*) FROM current_rostered_class_student
            WHERE active AND class_sourced_id IN (FROM asked)) AS students_published,
           {place("classes", "c")} AS place
    FROM asked
    JOIN roster.classes c ON c."sourcedId" = class_sourced_id
    LEFT JOIN class_state s USING (class_sourced_id)
    LEFT JOIN current_rostered_class p USING (class_sourced_id)
    LEFT JOIN removal r ON r.class_sourced_id = asked.class_sourced_id AND r.account_id IS NULL
        AND r.student_sourced_id IS NULL
    """

_TEACHERS = f"""
    WITH theirs AS (
        SELECT coalesce(m.person, t.teacher_sourced_id) AS person_sourced_id, bool_or(t.active) AS active,
               any_value(r.action) FILTER (WHERE t.active) AS removal
        FROM current_rostered_class_teacher t
        LEFT JOIN member m ON m."sourcedId" = t.teacher_sourced_id
        LEFT JOIN removal r ON r.class_sourced_id = t.class_sourced_id AND r.account_id = t.account_id
        WHERE t.class_sourced_id IN (FROM asked) GROUP BY ALL
    ),
    taught AS (FROM gate WHERE class_sourced_id IN (FROM asked)),
    enrolled AS (
        SELECT e.person AS person_sourced_id, list({place("enrollments", "e")} ORDER BY e._line) AS places
        FROM current_enrollment e WHERE "classSourcedId" IN (FROM asked) AND role <> 'student' GROUP BY ALL
    )
    SELECT person_sourced_id, if($values, concat_ws(' ', u."givenName", u."familyName"), NULL) AS name,
           (FROM asked) AS class_sourced_id, NULL AS title, {answers("taught")} AS gates, NULL AS opens_on,
           NULL AS closes_on, theirs.active AS published, theirs.removal, coalesce(enrolled.places, []) AS places
    FROM taught FULL JOIN theirs USING (person_sourced_id)
    LEFT JOIN enrolled USING (person_sourced_id)
    LEFT JOIN roster.users u ON u."sourcedId" = person_sourced_id
    WHERE taught.class_sourced_id IS NOT NULL OR theirs.active
    ORDER BY person_sourced_id
    """
