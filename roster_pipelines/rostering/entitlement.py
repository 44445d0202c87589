"""Who may use what, and why. So far the access-code way.

A teacher is entitled to a product when the account linked to their sign-in is active, has redeemed a Teacher Access
Code for that product, and a licence for it is in force for the whole district or for a school of the teacher (the
guide, Filtering Roster Data).
"""

from datetime import date

import duckdb


def entitlements(con: duckdb.DuckDBPyConnection, today: date) -> None:
    """Work out every entitlement; adds table `entitlement`.

    Args:
        con: Holds `person`, `roster.orgs`, `identity`, `account`, `access_code` and `licence`.
        today: The date in the district's time zone; a licence holds from its first day until before its end.

    `entitlement` has `person_sourced_id, account_id, product_id, basis, licence_id, school_sourced_id`; the last is
    NULL where it holds for the whole district.
    """
    con.execute(
        """
        CREATE TABLE entitlement AS
        SELECT DISTINCT i.person_sourced_id, i.account_id, c.product_id, 'access_code' AS basis, l.licence_id,
               o."sourcedId" AS school_sourced_id
        FROM identity i
        JOIN account a ON a.account_id = i.account_id AND a.status = 'active'
        JOIN access_code c ON c.account_id = a.account_id
        JOIN licence l ON l.product_id = c.product_id AND ?::DATE >= l.starts_on AND ?::DATE < l.ends_on
        JOIN person u ON u."sourcedId" = i.person_sourced_id
        LEFT JOIN roster.orgs o
            ON o.identifier = l.school_nces_id AND o.status IS DISTINCT FROM 'tobedeleted'
            AND list_contains(u."orgSourcedIds", o."sourcedId")
        WHERE l.school_nces_id IS NULL OR o."sourcedId" IS NOT NULL
        ORDER BY ALL
        """,
        [today, today],
    )
