"""The gates: what must hold before a teacher's classes are created, each with its answer and its reason."""

from typing import Literal

import duckdb

from roster_pipelines.district import District

Gate = Literal["enabled", "signed_in", "account_active", "entitled", "stage"]

REASONS: dict[Gate, str] = {
    "enabled": "the roster marks the person as not enabled; the district can change enabledUser",
    "signed_in": "has not signed in by SSO, or the sign-in matches nobody in the roster",
    "account_active": "has signed in, but has no active account: a Teacher Access Code activates it",
    "entitled": "has an active account, but no licence in force for its product covers the school of a class of theirs",
    "stage": "the district is in testing and this is no pilot teacher",
}
"""Every gate in the order in which they are passed, with what a person reads where it does not hold."""


def gates(con: duckdb.DuckDBPyConnection, district: District) -> None:
    """Answer every gate for every teacher of the roster; adds table `gate`.

    Args:
        con: Holds `person`, `current_enrollment`, `identity`, `account` and `entitlement`.
        district: For its stage and pilot teachers.

    `gate` has `person_sourced_id, classes, waiting_for`: how many classes the person teaches, and the first gate
    that does not hold, NULL where all hold.
    """
    con.execute(
        """
        CREATE TABLE gate AS
        WITH signed_in AS (
            SELECT i.person_sourced_id, bool_or(coalesce(a.status = 'active', false)) AS account_active
            FROM identity i LEFT JOIN account a USING (account_id)
            WHERE i.person_sourced_id IS NOT NULL GROUP BY ALL
        ),
        taught AS (
            SELECT e."userSourcedId" AS person_sourced_id, count(DISTINCT c."sourcedId") AS classes,
                   list(DISTINCT c."schoolSourcedId") AS schools
            FROM current_enrollment e JOIN current_class c ON c."sourcedId" = e."classSourcedId"
            WHERE e.role = 'teacher' GROUP BY ALL
        )
        SELECT p."sourcedId" AS person_sourced_id, coalesce(taught.classes, 0)::INTEGER AS classes,
               CASE WHEN NOT p.enabled THEN 'enabled'
                    WHEN signed_in.person_sourced_id IS NULL THEN 'signed_in'
                    WHEN NOT signed_in.account_active THEN 'account_active'
                    WHEN NOT EXISTS (
                        FROM entitlement e WHERE e.person_sourced_id = p."sourcedId" AND (
                            e.school_sourced_id IS NULL OR taught.classes IS NULL
                            OR list_contains(taught.schools, e.school_sourced_id))) THEN 'entitled'
                    WHEN NOT (? OR list_contains(?::VARCHAR[], p."sourcedId")) THEN 'stage' END AS waiting_for
        FROM person p
        LEFT JOIN signed_in ON signed_in.person_sourced_id = p."sourcedId"
        LEFT JOIN taught ON taught.person_sourced_id = p."sourcedId"
        WHERE p.role = 'teacher'
        ORDER BY p."sourcedId"
        """,
        [district.stage != "testing", list(district.pilot_teachers)],
    )
