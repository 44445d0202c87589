"""Who may use what, by which account and licence.

Three ways of registration (the guide, Filtering Roster Data and About Auto-Registration); a district has one. Each
needs a licence in force for the whole district or for a school among the person's orgs:

- `access_code`: an active account has redeemed a Teacher Access Code for the product.
- `auto_by_school`: a teacher with first name, last name and e-mail may use what their schools are licensed for.
- `auto_by_resource`: the same teacher, but only in the classes that the product's resource is linked to.
"""

from datetime import date

import duckdb

from roster_pipelines.district import District
from roster_pipelines.rostering.access import offers
from roster_pipelines.rostering.seats import seats


def entitlements(con: duckdb.DuckDBPyConnection, today: date, district: District) -> None:
    """Work out every entitlement; adds tables `entitlement` and `licence_use`.

    Args:
        con: Holds the roster, what `current` adds, `identity`, `holder`, `access_code`, `product_resource`, `licence`,
            `school_choice` and `known_seat` (who was seated so far).
        today: The date in the district's time zone.
        district: For its registration, school choice, teaching roles, stage and pilots.

    `entitlement` has `person_sourced_id, product_id, basis, school_sourced_id` (the one school it holds for; NULL: the
    whole district), `class_sourced_id` (the one class; NULL: all of theirs), `account_id` (NULL: auto-registration is
    to open one), `licence_id` (whose seat they have) and `seated`: false where they wait for a seat. Who needs no seat,
    as another gate keeps their classes waiting, has none and does not wait for one.

    `licence_use` has `licence_id, product_id, scope, seats, used, waiting` of every licence in force; those who wait
    count for each licence that would do.
    """
    offers(con, today, district)
    in_class = "c.class_sourced_id" if district.registration == "auto_by_resource" else "NULL::VARCHAR"
    join_class = _IN_CLASS if district.registration == "auto_by_resource" else ""
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE granted AS
        SELECT DISTINCT o.person_sourced_id, o.product_id, '{district.registration}' AS basis, o.school_sourced_id,
               {in_class} AS class_sourced_id, r.account_id, o.pool
        FROM offer o JOIN registered r USING (person_sourced_id, product_id) {join_class}
        WHERE o.lack IS NULL AND o.at_school
        """
    )
    seats(con)
    con.execute(
        """
        CREATE TABLE entitlement AS
        SELECT DISTINCT g.person_sourced_id, g.product_id, g.basis, g.school_sourced_id, g.class_sourced_id,
               g.account_id, seat.licence_id, seat.licence_id IS NOT NULL OR wish.pool IS NULL AS seated
        FROM granted g
        LEFT JOIN wish USING (person_sourced_id, product_id, pool)
        LEFT JOIN seat USING (person_sourced_id, product_id, pool)
        -- Nobody waits for a seat where they have another that is as good: the district's, or of another picked school.
        QUALIFY seated
            OR NOT bool_or(seated) OVER (PARTITION BY g.person_sourced_id, g.product_id, g.school_sourced_id,
                                                      g.class_sourced_id)
               AND count(*) FILTER (WHERE pool = '' AND licence_id IS NOT NULL)
                   OVER (PARTITION BY g.person_sourced_id, g.product_id) = 0
        ORDER BY ALL
        """
    )
    con.execute(_USE, [today, today])


_IN_CLASS = """
    JOIN (SELECT * FROM teaching JOIN linked USING (class_sourced_id)) AS c
    ON c.person = o.person_sourced_id AND c.product_id = o.product_id
        AND (o.school_sourced_id IS NULL OR o.school_sourced_id = c.school_sourced_id)
    """

_USE = """
    CREATE TABLE licence_use AS
    WITH waiting AS (
        SELECT product_id, pool, count(*) AS waiting
        FROM wish ANTI JOIN seat USING (person_sourced_id, product_id, pool)
        WHERE (person_sourced_id, product_id) NOT IN (
            SELECT (person_sourced_id, product_id) FROM seat WHERE pool = '')
        GROUP BY ALL
    )
    SELECT l.licence_id, l.product_id, coalesce(l.school_nces_id, 'whole district') AS scope, l.seats,
           count(seat.person_sourced_id) AS used, coalesce(any_value(waiting.waiting), 0) AS waiting
    FROM licence l
    LEFT JOIN seat USING (licence_id)
    LEFT JOIN waiting ON waiting.product_id = l.product_id AND waiting.pool = coalesce(l.school_nces_id, '')
    WHERE l.starts_on <= ?::DATE AND l.ends_on > ?::DATE
    GROUP BY ALL ORDER BY l.licence_id
    """
