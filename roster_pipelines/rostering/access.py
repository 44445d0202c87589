"""What a person could use: their accounts, their schools, and the licences that are there for them."""

from datetime import date

import duckdb

from roster_pipelines.district import District


def holders(con: duckdb.DuckDBPyConnection) -> None:
    """Find the accounts of everybody who has signed in; adds table `holder`.

    An account that was linked on the provisioning page goes before one that auto-registration has opened: for the
    person, for any of the person's roster ids, or for an id that is gone and had the same SSO subject. Ids are
    recycled: where neither the first name nor the address is that of the row any more, the account is another's.

    Args:
        con: Holds `member`, `identity`, `identity_key`, `sign_in`, and the district's own accounts in `account`: a
            link to any other is none.

    `holder` has `person_sourced_id, account_id, status, first_signed_in_at`, a row for each account of a matched
    person; account and status are NULL where there is none, and the status of another's account is `foreign`.
    """
    known_as(con)
    con.execute(
        """
        CREATE OR REPLACE TEMP MACRO first_word(v) AS regexp_extract(lower(trim(v)), '^\\S*');
        CREATE TABLE holder AS
        WITH matched AS (
            SELECT i.person_sourced_id, s.account_id, s.first_signed_in_at
            FROM identity i JOIN sign_in s USING (sign_in_id) WHERE i.person_sourced_id IS NOT NULL
        ),
        person AS (
            SELECT person_sourced_id, min(first_signed_in_at) AS first_signed_in_at FROM matched GROUP BY ALL
        ),
        linked AS (
            SELECT DISTINCT person_sourced_id, account_id, status FROM matched JOIN account USING (account_id)
        ),
        row_now AS (
            SELECT "sourcedId" AS id, first_word("givenName") AS given, lower(trim(email)) AS address FROM member
        ),
        provisioned AS (
            SELECT DISTINCT k.person_sourced_id, a.account_id,
                   if(first_word(a.given_name) <> r.given AND lower(trim(a.email)) IS DISTINCT FROM r.address,
                      'foreign', a.status) AS status
            FROM account a JOIN known_as k ON k.id = a.provisioned_for LEFT JOIN row_now r ON r.id = k.id
            WHERE k.person_sourced_id NOT IN (SELECT person_sourced_id FROM linked)
        )
        SELECT person_sourced_id, account_id, status, first_signed_in_at
        FROM person LEFT JOIN (FROM linked UNION ALL FROM provisioned) AS own USING (person_sourced_id)
        """
    )


def known_as(con: duckdb.DuckDBPyConnection) -> None:
    """Say by which ids a person is and was known; adds view `known_as`.

    Args:
        con: Holds `member` and `identity_key`.

    `known_as` has `person_sourced_id, id`: every roster id of the person, and every id that is gone from the roster
    and had an SSO subject that is the person's now.
    """
    con.execute(
        """
        CREATE OR REPLACE TEMP VIEW known_as AS
        SELECT person AS person_sourced_id, "sourcedId" AS id FROM member
        UNION
        SELECT now.person_sourced_id, earlier.person_sourced_id
        FROM identity_key now JOIN identity_key earlier USING (kind, value)
        WHERE kind = 'subject' AND now.last_seen IS NULL
            AND earlier.person_sourced_id NOT IN (SELECT "sourcedId" FROM member)
        """
    )


def offers(con: duckdb.DuckDBPyConnection, today: date, district: District) -> None:
    """Find out which licences are there for whom.

    Args:
        con: Holds the roster, what `current` adds, `identity`, `holder`, `access_code`, `product_resource`, `licence`
            and `school_choice`.
        today: The date in the district's time zone; a licence holds from its first day until before its end.
        district: For its stage, pilots, teaching roles, registration and school choice.

    Adds, or makes anew:
        `staff`: everybody who teaches or is a teacher: `person_sourced_id`, the reasons `in_roster`, `role` and
            `stage` (see `gates`), and `named`: first name, last name and e-mail are there.
        `place`: their schools: `person_sourced_id, school_sourced_id, nces_id, at_school`; the last is false where they
            teach and do not belong.
        `offer`: `person_sourced_id, school_sourced_id` (NULL: the whole district), `licence_id, product_id, pool`
            (the school's NCES id, blank for the whole district), `at_school` and `lack`: NULL where it is in force,
            else the reason; with `no-nces-id`, there is no licence, but there might be one.
        `registered`: `person_sourced_id, product_id, account_id`: by which account (NULL: one that auto-registration
            is to open) they may use the product where it is licensed for them.
        `linked`: `class_sourced_id, product_id`: by a resource of the class or of its course.
    """
    _staff(con, district)
    _places(con, choice=district.school_choice)
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE offer AS
        WITH term AS (
            SELECT *, CASE WHEN DATE '{today}' < starts_on THEN 'licence-not-begun'
                           WHEN DATE '{today}' >= ends_on THEN 'licence-ended' END AS lack
            FROM licence
        )
        SELECT person_sourced_id, school_sourced_id, licence_id, product_id, nces_id AS pool, at_school, lack
        FROM place JOIN term ON term.school_nces_id = place.nces_id
        UNION ALL
        SELECT person_sourced_id, NULL, licence_id, product_id, '', true, lack
        FROM staff, term WHERE school_nces_id IS NULL
        UNION ALL
        SELECT person_sourced_id, school_sourced_id, NULL, product_id, NULL, at_school, 'no-nces-id'
        FROM place, (SELECT DISTINCT product_id FROM term WHERE school_nces_id IS NOT NULL AND lack IS NULL)
        WHERE nces_id IS NULL
        """
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE registered AS {_REGISTERED[district.registration == 'access_code']}")
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE linked AS
        SELECT DISTINCT class_sourced_id, product_id
        FROM (
            SELECT "classSourcedId" AS class_sourced_id, "resourceSourcedId" AS resource FROM roster."classResources"
            WHERE status IS DISTINCT FROM 'tobedeleted'
            UNION ALL
            SELECT c."sourcedId", k."resourceSourcedId"
            FROM roster."courseResources" k JOIN roster.classes c ON c."courseSourcedId" = k."courseSourcedId"
            WHERE k.status IS DISTINCT FROM 'tobedeleted'
        )
        JOIN roster.resources r ON r."sourcedId" = resource AND r.status IS DISTINCT FROM 'tobedeleted'
        JOIN product_resource p ON p.vendor_resource_id = r."vendorResourceId"
        """
    )


def _staff(con: duckdb.DuckDBPyConnection, district: District) -> None:
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE staff AS
        SELECT person AS person_sourced_id,
               if(coalesce(bool_or(enabled) FILTER (WHERE teaches), bool_or(enabled)), NULL, 'not-enabled')
                   AS in_roster,
               if(bool_or(teaches), NULL, 'role-not-teaching') AS role,
               CASE WHEN $stage IN ('onboarding', 'paused') THEN $stage
                    WHEN $stage = 'testing' AND NOT bool_or(list_contains($pilots::VARCHAR[], "sourcedId"))
                    THEN 'not-pilot' END AS stage,
               coalesce(bool_or("sourcedId" = person AND trim("givenName") <> '' AND trim("familyName") <> ''
                                AND trim(email) <> ''), false) AS named
        FROM (SELECT *, list_contains($roles::VARCHAR[], role) AS teaches FROM member)
        WHERE person IN (SELECT person FROM teaching UNION SELECT person FROM member WHERE role = 'teacher')
        GROUP BY person
        """,
        {"stage": district.stage, "pilots": [*district.pilot_teachers], "roles": [*district.teaching_roles]},
    )


def _places(con: duckdb.DuckDBPyConnection, *, choice: bool) -> None:
    """Add `place`. A school that a teacher has picked stands for those that carry no NCES id (the guide's note)."""
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE place AS
        WITH nces AS (
            SELECT "sourcedId" AS school_sourced_id, identifier AS nces_id FROM roster.orgs
            WHERE status IS DISTINCT FROM 'tobedeleted' AND regexp_full_match(identifier, '[0-9]{{12}}')
        ),
        belongs AS (
            -- A parent's row names the schools of the children.
            SELECT DISTINCT person AS person_sourced_id, unnest("orgSourcedIds") AS school_sourced_id
            FROM member
            WHERE person IN (SELECT person_sourced_id FROM staff)
                AND role NOT IN ('guardian', 'parent', 'relative', 'student')
        ),
        place_of AS (
            SELECT person_sourced_id, school_sourced_id, bool_or(at_school) AS at_school
            FROM (SELECT *, true AS at_school FROM belongs
                  UNION ALL SELECT person, school_sourced_id, false FROM teaching)
            GROUP BY ALL
        ),
        picked AS (
            SELECT DISTINCT i.person_sourced_id, c.school_nces_id
            FROM identity i JOIN school_choice c USING (sign_in_id)
            WHERE {choice} AND i.person_sourced_id NOT IN (
                SELECT person_sourced_id FROM belongs JOIN nces USING (school_sourced_id))
        )
        SELECT p.person_sourced_id, p.school_sourced_id, coalesce(nces.nces_id, picked.school_nces_id) AS nces_id,
               p.at_school OR picked.school_nces_id IS NOT NULL AS at_school
        FROM place_of p
        LEFT JOIN nces USING (school_sourced_id)
        LEFT JOIN picked ON picked.person_sourced_id = p.person_sourced_id AND nces.nces_id IS NULL
        """
    )


_REGISTERED = {
    True: """
        SELECT DISTINCT person_sourced_id, product_id, account_id
        FROM holder JOIN access_code USING (account_id) WHERE status = 'active'
        """,
    # Whoever has several accounts is registered with one: an active one before one that is to be activated.
    False: """
        WITH best AS (
            FROM holder QUALIFY row_number() OVER (
                PARTITION BY person_sourced_id
                ORDER BY list_position(['active', 'inactive', 'closed', 'foreign'], status), account_id) = 1
        )
        SELECT person_sourced_id, product_id, account_id
        FROM best JOIN staff USING (person_sourced_id), (SELECT DISTINCT product_id FROM licence)
        WHERE staff.role IS NULL AND (status = 'active' OR (named AND coalesce(status, 'inactive') = 'inactive'))
        """,
}
