"""Everything about one person of the roster."""

import duckdb

from roster_pipelines.reports.explain.data import (
    Account,
    Answers,
    Learns,
    Person,
    Place,
    Right,
    SignedIn,
    UserRow,
)
from roster_pipelines.reports.explain.rows import View, answers, place, places, query, uncounted
from roster_pipelines.rostering.reasons import GATES


def person(con: duckdb.DuckDBPyConnection, of: str, view: View) -> Person:
    """Say everything that is known of a person.

    Args:
        con: As in `explain`.
        of: The person, as in `member` and `gate`.
        view: What is shown.
    """
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE asked AS
        SELECT u.*, $of AS person FROM roster.users u LEFT JOIN member m USING ("sourcedId")
        WHERE coalesce(m.person, u."sourcedId") = $of
        """,
        {"of": of},
    )
    here = {"delivery": view.delivery, "suffix": view.suffix, "values": view.values}
    return Person(
        view.opaque(of),
        tuple(
            UserRow(**row | {"sourced_id": view.opaque(row["sourced_id"]), "place": Place(**row["place"])})
            for row in query(con, _ROWS, **here)
        ),
        tuple(Answers(**places(row) | {"gates": row["gates"] or {}}) for row in query(con, _CLASSES, **here)),
        tuple(Learns(**places(row)) for row in query(con, _LEARNS, **here, gates=[*GATES])),
        uncounted(con, '"userSourcedId" IN (SELECT "sourcedId" FROM asked)', view),
        tuple(SignedIn.of(row, view.opaque) for row in query(con, _SIGN_INS)),
        tuple(Account(**row | {"others": tuple(map(view.opaque, row["others"]))}) for row in query(con, _ACCOUNTS)),
        tuple(Right(**row) for row in query(con, _RIGHTS)),
    )


_ROWS = f"""
    SELECT "sourcedId" AS sourced_id, role, status, coalesce("enabledUser", true) AS enabled,
           {place("users", "u")} AS place,
           if($values, {{'givenName': "givenName", 'familyName': "familyName", 'email': email, 'username': username}},
              NULL) AS shown
    FROM asked u ORDER BY "sourcedId" <> person, "sourcedId"
    """

_ENROLLED = f"""
    SELECT e."classSourcedId" AS class_sourced_id, list({place("enrollments", "e")} ORDER BY e._line) AS places
    FROM current_enrollment e WHERE "userSourcedId" IN (SELECT "sourcedId" FROM asked)
    """
_PLACES = f"""if(c."sourcedId" IS NULL, [], [{place("classes", "c")}]) || coalesce(enrolled.places, [])"""

# Of an account that several people have linked, the others' classes are not the person's.
_CLASSES = f"""
    WITH theirs AS (
        SELECT t.class_sourced_id, bool_or(t.active) AS active,
               bool_and(o.person_sourced_id NOT IN (SELECT person FROM asked)) IS TRUE AS of_others,
               any_value(r.action) FILTER (WHERE t.active) AS removal
        FROM current_rostered_class_teacher t
        LEFT JOIN member m ON m."sourcedId" = t.teacher_sourced_id
        LEFT JOIN holder o ON o.account_id = t.account_id AND o.person_sourced_id = m.person
        LEFT JOIN removal r ON r.class_sourced_id = t.class_sourced_id AND r.account_id = t.account_id
        WHERE t.teacher_sourced_id IN (SELECT "sourcedId" FROM asked)
            OR t.account_id IN (SELECT account_id FROM holder WHERE person_sourced_id IN (SELECT person FROM asked))
        GROUP BY ALL
    ),
    taught AS (FROM gate WHERE person_sourced_id IN (SELECT person FROM asked)),
    enrolled AS ({_ENROLLED} AND role <> 'student' GROUP BY ALL)
    SELECT class_sourced_id, if($values, c.title, NULL) AS title, {answers("taught")} AS gates, s.opens_on,
           s.closes_on, theirs.active AS published, theirs.removal, {_PLACES} AS places
    FROM taught FULL JOIN theirs USING (class_sourced_id)
    LEFT JOIN class_state s USING (class_sourced_id)
    LEFT JOIN roster.classes c ON c."sourcedId" = class_sourced_id
    LEFT JOIN enrolled USING (class_sourced_id)
    WHERE taught.person_sourced_id IS NOT NULL OR (theirs.active AND NOT theirs.of_others)
    ORDER BY class_sourced_id
    """

_LEARNS = f"""
    WITH enrolled AS ({_ENROLLED} AND role = 'student' GROUP BY ALL),
    furthest AS (
        SELECT class_sourced_id, waiting_for, reason FROM gate SEMI JOIN enrolled USING (class_sourced_id)
        QUALIFY row_number() OVER (
            PARTITION BY class_sourced_id
            ORDER BY waiting_for IS NOT NULL, list_position($gates::VARCHAR[], waiting_for) DESC, reason) = 1
    ),
    theirs AS (
        SELECT s.class_sourced_id, s.active, r.action AS removal
        FROM current_rostered_class_student s
        LEFT JOIN removal r ON r.class_sourced_id = s.class_sourced_id
            AND r.student_sourced_id = s.student_sourced_id
        WHERE s.student_sourced_id IN (SELECT "sourcedId" FROM asked)
    )
    SELECT class_sourced_id, if($values, c.title, NULL) AS title, theirs.active AS published, theirs.removal,
           furthest.waiting_for, if(furthest.class_sourced_id IS NULL, 'no-teacher', furthest.reason) AS reason,
           {_PLACES} AS places
    FROM enrolled FULL JOIN theirs USING (class_sourced_id)
    LEFT JOIN furthest USING (class_sourced_id)
    LEFT JOIN roster.classes c ON c."sourcedId" = class_sourced_id
    WHERE enrolled.class_sourced_id IS NOT NULL OR theirs.active
    ORDER BY class_sourced_id
    """

# Those that are the person, may be, or carry one of the person's keys as a claim.
_SIGN_INS = """
    WITH held AS (
        SELECT sign_in_id FROM (
            SELECT sign_in_id, unnest(from_json(candidates, '["VARCHAR"]')) AS candidate FROM identity)
        WHERE candidate IN (SELECT person FROM asked)
    )
    SELECT s.sign_in_id, i.outcome, i.key, coalesce(from_json(i.candidates, '["VARCHAR"]'), []) AS candidates,
           coalesce(i.person_sourced_id IN (SELECT person FROM asked), false) AS theirs
    FROM sign_in s LEFT JOIN identity i USING (sign_in_id)
    WHERE theirs OR s.sign_in_id IN (FROM held) OR (
        i.person_sourced_id IS NULL AND (
            trim(s.sourced_id) IN (SELECT "sourcedId" FROM asked)
            OR lower(trim(s.email)) IN (SELECT lower(email) FROM asked)
            OR lower(trim(s.username)) IN (SELECT lower(username) FROM asked)))
    ORDER BY theirs DESC, s.sign_in_id
    """

_ACCOUNTS = """
    SELECT account_id, any_value(status) AS status,
           coalesce(list(DISTINCT product_id ORDER BY product_id) FILTER (WHERE product_id IS NOT NULL), []) AS codes,
           list_sort(list_distinct(coalesce((
               SELECT list(o.person_sourced_id) FROM holder o
               WHERE o.account_id = h.account_id AND o.person_sourced_id NOT IN (SELECT person FROM asked)
           ), []))) AS others
    FROM holder h LEFT JOIN access_code USING (account_id)
    WHERE account_id IS NOT NULL AND person_sourced_id IN (SELECT person FROM asked)
    GROUP BY account_id ORDER BY account_id
    """

_RIGHTS = """
    SELECT product_id, basis, e.account_id, school_sourced_id, nullif(count(class_sourced_id), 0) AS classes,
           licence_id, any_value(ends_on) AS ends_on, seated
    FROM entitlement e LEFT JOIN licence USING (licence_id, product_id)
    WHERE person_sourced_id IN (SELECT person FROM asked)
    GROUP BY ALL ORDER BY ALL
    """
