"""What of the roster counts today, and who teaches what."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from roster_pipelines.district import District
from roster_pipelines.duck import attached, one
from roster_pipelines.rostering.classes import class_states
from roster_pipelines.rostering.keys import PLACEHOLDERS


@contextmanager
def opened(staging: Path, today: date, district: District) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a delivery's accepted rows as `roster`, read-only, in a DuckDB of its own with what `current` adds."""
    with attached(roster=staging) as con:
        current(con, today, district)
        yield con


def current(con: duckdb.DuckDBPyConnection, today: date, district: District) -> None:
    """Narrow the roster to what counts today.

    A record with status `tobedeleted` counts as gone, in bulk files too: where the mode contradicts the data, the
    data wins (OneRoster CSV binding). A blank enabledUser is read as enabled. An enrollment counts from as many days
    before its beginDate as classes open before their terms, until its endDate, which is exclusive.

    Args:
        con: Holds the roster.
        today: The date in the district's time zone.
        district: For its terms, filters and teaching roles.

    Adds `member`, the users, each with `enabled` and `person`, the one sourcedId that stands for all rows of that
    human being; `class_state` (see `class_states`); `current_class` and `current_enrollment` (with `person`); and
    `teaching`, a row for each person and class where they are staff:
    `person, class_sourced_id, school_sourced_id, teacher_sourced_id, is_primary, role_teaches`.
    """
    _members(con)
    class_states(con, today, district)
    con.execute(
        f"""
        CREATE VIEW current_class AS
        SELECT * FROM roster.classes WHERE status IS DISTINCT FROM 'tobedeleted';
        CREATE VIEW current_enrollment AS
        SELECT e.*, m.person FROM roster.enrollments e
        JOIN current_class c ON c."sourcedId" = e."classSourcedId"
        JOIN member m ON m."sourcedId" = e."userSourcedId"
        WHERE e.status IS DISTINCT FROM 'tobedeleted' AND ("endDate" IS NULL OR "endDate" > DATE '{today}')
            AND ("beginDate" IS NULL OR "beginDate" <= DATE '{today}' + {district.terms.opens_days_before});
        """
    )
    # Aides are enrolled as teachers or proctors, administrators as teachers or administrators: district policy
    # decides whether they get the class (teaching_roles). Who is enrolled as teacher teaches by any of their rows.
    con.execute(
        """
        CREATE TABLE teaching AS
        WITH staff_of AS (
            SELECT person, bool_or(list_contains($roles::VARCHAR[], role)) AS teaches FROM member GROUP BY person
        )
        SELECT n.person, c."sourcedId" AS class_sourced_id, any_value(c."schoolSourcedId") AS school_sourced_id,
               first(n."userSourcedId" ORDER BY n."primary" IS TRUE DESC, n."userSourcedId") AS teacher_sourced_id,
               bool_or(n."primary") AS is_primary,
               bool_or(if(n.role = 'teacher', s.teaches, list_contains($roles::VARCHAR[], m.role))) AS role_teaches
        FROM current_enrollment n
        JOIN current_class c ON c."sourcedId" = n."classSourcedId"
        JOIN member m ON m."sourcedId" = n."userSourcedId"
        JOIN staff_of s ON s.person = n.person
        WHERE n.role = 'teacher' OR (m.role, n.role) IN (('aide', 'proctor'), ('administrator', 'administrator'))
        GROUP BY n.person, c."sourcedId"
        """,
        {"roles": [*district.teaching_roles]},
    )


def _members(con: duckdb.DuckDBPyConnection) -> None:
    """Unite the rows of one human being: OneRoster 1.1 needs one for each role.

    Infinite Campus sends a teacher who is a parent as two users with two ids. Rows of adults with the same username
    and the same names are one person, unless the username is a placeholder. A student's row is another of theirs only
    where its id is the same but for the letter of the role (`t17`, `s17`), and names and address are the same too: by
    less a child could be taken for a parent.
    """
    con.execute(
        f"""
        CREATE TABLE united AS
        SELECT "sourcedId" AS sourced_id, first_value("sourcedId") OVER same AS person
        FROM roster.users
        WHERE status IS DISTINCT FROM 'tobedeleted' AND role IS DISTINCT FROM 'student'
            AND lower(trim(username)) NOT IN {PLACEHOLDERS!r} AND trim("givenName") <> '' AND trim("familyName") <> ''
        WINDOW alike AS (PARTITION BY lower(trim(username)), lower(trim("givenName")), lower(trim("familyName"))),
               same AS (PARTITION BY lower(trim(username)), lower(trim("givenName")), lower(trim("familyName"))
                        ORDER BY role <> 'teacher', "sourcedId")
        QUALIFY count(*) OVER alike > 1
        """
    )
    con.execute(
        """
        INSERT INTO united
        WITH known AS (
            SELECT "sourcedId" AS sourced_id, role = 'student' AS is_student,
                   regexp_extract("sourcedId", '^[a-z]([0-9]+)$', 1) AS number,
                   [lower(trim("givenName")), lower(trim("familyName")), lower(trim(email))] AS same
            FROM roster.users
            WHERE status IS DISTINCT FROM 'tobedeleted' AND "sourcedId" SIMILAR TO '[a-z][0-9]+'
                AND trim("givenName") <> '' AND trim("familyName") <> '' AND trim(email) <> ''
        )
        SELECT child.sourced_id, min(coalesce(united.person, adult.sourced_id))
        FROM known child JOIN known adult USING (number, same)
        LEFT JOIN united ON united.sourced_id = adult.sourced_id
        WHERE child.is_student AND NOT adult.is_student GROUP BY ALL
        """
    )
    con.execute(
        """
        CREATE VIEW member AS
        SELECT u.*, coalesce(u."enabledUser", true) AS enabled, coalesce(united.person, u."sourcedId") AS person
        FROM roster.users u LEFT JOIN united ON united.sourced_id = u."sourcedId"
        WHERE u.status IS DISTINCT FROM 'tobedeleted'
        """
    )


def next_change(con: duckdb.DuckDBPyConnection, today: date, district: District) -> date | None:
    """Find the next day on which the calendar alone may change who has which classes.

    Args:
        con: Holds what `current` adds, and `licence`.
        today: The date in the district's time zone.
        district: For its terms.

    Returns:
        The first day after today on which a class opens or is archived, an enrollment begins to count or ends, or a
        licence begins or ends; None where nothing is ahead.
    """
    (day,) = one(
        con,
        f"""
        SELECT min(day)::DATE FROM (
            SELECT unnest([opens_on, closes_on]) AS day FROM class_state
            UNION ALL SELECT unnest(["beginDate" - {district.terms.opens_days_before}, "endDate"])
            FROM roster.enrollments WHERE "beginDate" IS NOT NULL OR "endDate" IS NOT NULL
            UNION ALL SELECT unnest([starts_on, ends_on]) FROM licence)
        WHERE day > ?::DATE
        """,
        [today],
    )
    return day if isinstance(day, date) else None
