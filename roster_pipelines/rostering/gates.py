"""The gates: what must hold before a teacher's class is created, each with its answer and its reason."""

from datetime import date

import duckdb

from roster_pipelines.district import District
from roster_pipelines.rostering.access import offers
from roster_pipelines.rostering.reasons import GATES, REASONS, Gate

__all__ = ["FIRST_GATES", "GATES", "Gate", "gates"]

_WAITING_FOR = " ".join(f"WHEN {gate} IS NOT NULL THEN '{gate}'" for gate in GATES)

FIRST_GATES = f"""
SELECT person_sourced_id,
       if(bool_or(waiting_for IS NULL), NULL, arg_max(waiting_for, list_position({[*GATES]}, waiting_for)))
           AS waiting_for
FROM gate GROUP BY person_sourced_id
"""
"""By teacher, the gate that the class that gets furthest waits for; NULL where one waits for none."""


def gates(con: duckdb.DuckDBPyConnection, today: date, district: District) -> None:
    """Answer every gate for every teacher and class; adds table `gate`.

    Each gate is answered for itself, whatever the ones before it say. Rows are there for every person and class of
    `teaching`, for teachers who teach none, and for those whose row is `tobedeleted`.

    Args:
        con: Holds the roster, what `current` adds, `identity`, `holder`, `access_code`, `product_resource`, `licence`,
            `school_choice` and `entitlement`.
        today: The date in the district's time zone.
        district: For its registration, school choice, teaching roles, stage and pilots.

    `gate` has `person_sourced_id, class_sourced_id` (NULL: teaches none); a column for each of `GATES`, NULL where it
    holds, else one of `REASONS`; `waiting_for` and `reason`, the first that does not hold; `planned`, whether all hold
    but for a stage that keeps the whole district waiting; and `if_signed_in`, whether that would be so if the teacher
    did what is theirs to do: sign in, link an account and, where codes are needed, redeem one for what is licensed.
    Whether there would be a seat for everybody who does is not looked at.
    """
    offers(con, today, district)
    by_codes = district.registration == "access_code"
    _subjects(con)
    _accounts(con, by_codes=by_codes)
    _entitled(con, by_codes=by_codes, by_resource=district.registration == "auto_by_resource")
    held = [f"{gate} IS NULL" for gate in GATES if gate != "stage"]
    opened = [f"coalesce(list_contains($by_teacher::VARCHAR[], {gate}), true)" for gate in GATES if gate != "stage"]
    con.execute(
        f"""
        CREATE TABLE gate AS
        WITH answered AS (
            SELECT s.person_sourced_id, s.class_sourced_id,
                   if(s.gone, 'to-be-deleted', staff.in_roster) AS in_roster,
                   if(s.role_teaches, staff.role, 'role-not-teaching') AS role, a.signed_in,
                   a.account_active, e.entitled, staff.stage,
                   if(s.class_sourced_id IS NULL, 'no-class', c.reason) AS class_current
            FROM subject s
            JOIN account_gate a USING (person_sourced_id)
            LEFT JOIN staff USING (person_sourced_id)
            LEFT JOIN entitled_gate e ON e.person_sourced_id = s.person_sourced_id
                AND e.class_sourced_id IS NOT DISTINCT FROM s.class_sourced_id
            LEFT JOIN class_state c ON c.class_sourced_id = s.class_sourced_id
        )
        SELECT *, CASE {_WAITING_FOR} END AS waiting_for, coalesce({", ".join(GATES)}) AS reason,
               {" AND ".join(held)} AND stage IS DISTINCT FROM 'not-pilot' AS planned,
               {" AND ".join(opened)} AND stage IS DISTINCT FROM 'not-pilot' AS if_signed_in
        FROM answered ORDER BY person_sourced_id, class_sourced_id
        """,
        {"by_teacher": [code for code, reason in REASONS.items() if reason.who == "teacher"]},
    )


def _subjects(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE subject AS
        SELECT person AS person_sourced_id, class_sourced_id, school_sourced_id, role_teaches, false AS gone
        FROM teaching
        UNION ALL
        SELECT person_sourced_id, NULL, NULL, true, false FROM staff
        WHERE person_sourced_id NOT IN (SELECT person FROM teaching)
        UNION ALL
        SELECT "sourcedId", NULL, NULL, true, true FROM roster.users WHERE status = 'tobedeleted' AND role = 'teacher'
        """
    )


def _accounts(con: duckdb.DuckDBPyConnection, *, by_codes: bool) -> None:
    """Answer `signed_in` and `account_active` by person."""
    # Auto-registration opens an account, or activates one, where it knows a name and an e-mail.
    lacking = "'no-account'" if by_codes else "if(named, NULL, 'name-or-email-missing')"
    inactive = "'account-inactive'" if by_codes else lacking
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE account_gate AS
        WITH held AS (
            SELECT person_sourced_id, min(outcome) AS outcome
            FROM (SELECT unnest(from_json(candidates, '["VARCHAR"]')) AS person_sourced_id, outcome FROM identity
                  WHERE outcome IN ('ambiguous', 'moved'))
            GROUP BY ALL
        ),
        own AS (
            SELECT person_sourced_id, list(status) FILTER (WHERE status IS NOT NULL) AS status
            FROM holder GROUP BY ALL
        )
        SELECT DISTINCT s.person_sourced_id,
               CASE WHEN own.person_sourced_id IS NULL THEN coalesce('sign-in-' || held.outcome, 'no-sign-in') END
                   AS signed_in,
               CASE WHEN list_contains(own.status, 'active') THEN NULL
                    WHEN list_contains(own.status, 'inactive') THEN {inactive}
                    WHEN list_contains(own.status, 'closed') THEN 'account-closed'
                    WHEN list_contains(own.status, 'foreign') THEN 'account-of-another'
                    ELSE {lacking} END AS account_active
        FROM subject s
        LEFT JOIN staff USING (person_sourced_id)
        LEFT JOIN own USING (person_sourced_id)
        LEFT JOIN held USING (person_sourced_id)
        """
    )


# Of what the licences for a class lack, the first of these is the reason; before all, what concerns the products that
# the person has a code for.
_FURTHEST = ["no-code", "code-unknown", "not-at-school", "licence-not-begun", "licence-ended", "no-nces-id"]


def _entitled(con: duckdb.DuckDBPyConnection, *, by_codes: bool, by_resource: bool) -> None:
    """Answer `entitled` by person and class; for who teaches none, by all of their schools."""
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE entitled_gate AS
        WITH covered AS (
            SELECT s.person_sourced_id, s.class_sourced_id, bool_or(e.seated) AS seated
            FROM subject s JOIN entitlement e ON e.person_sourced_id = s.person_sourced_id AND (
                s.class_sourced_id IS NULL OR (
                    (e.school_sourced_id IS NULL OR e.school_sourced_id = s.school_sourced_id)
                    AND (e.class_sourced_id IS NULL OR e.class_sourced_id = s.class_sourced_id)))
            GROUP BY ALL
        ),
        found AS (
            SELECT s.person_sourced_id, s.class_sourced_id, r.product_id IS NOT NULL AS own,
                   CASE WHEN o.lack IS NOT NULL THEN o.lack
                        WHEN NOT o.at_school THEN 'not-at-school'
                        WHEN {by_codes} THEN if(a.account_active IS NULL, 'no-code', 'code-unknown') END AS reason
            FROM subject s
            JOIN account_gate a USING (person_sourced_id)
            JOIN offer o ON o.person_sourced_id = s.person_sourced_id AND (
                s.class_sourced_id IS NULL OR o.school_sourced_id IS NULL OR o.school_sourced_id = s.school_sourced_id)
            LEFT JOIN registered r ON r.person_sourced_id = o.person_sourced_id AND r.product_id = o.product_id
            WHERE NOT {by_resource} OR s.class_sourced_id IS NULL
                OR (s.class_sourced_id, o.product_id) IN (SELECT (class_sourced_id, product_id) FROM linked)
        ),
        furthest AS (
            SELECT person_sourced_id, class_sourced_id,
                   first(reason ORDER BY own DESC, coalesce(list_position({_FURTHEST}, reason), 0)) AS reason
            FROM found GROUP BY ALL
        )
        SELECT s.person_sourced_id, s.class_sourced_id,
               CASE WHEN s.gone OR c.seated THEN NULL
                    WHEN NOT c.seated THEN 'no-seat'
                    WHEN {by_resource} AND s.class_sourced_id IS NOT NULL
                         AND s.class_sourced_id NOT IN (SELECT class_sourced_id FROM linked) THEN 'no-resource'
                    WHEN f.person_sourced_id IS NULL THEN 'no-licence'
                    ELSE f.reason END AS entitled
        FROM subject s
        LEFT JOIN covered c ON c.person_sourced_id = s.person_sourced_id
            AND c.class_sourced_id IS NOT DISTINCT FROM s.class_sourced_id
        LEFT JOIN furthest f ON f.person_sourced_id = s.person_sourced_id
            AND f.class_sourced_id IS NOT DISTINCT FROM s.class_sourced_id
        """
    )
