"""In one string per district: everything but the roster and the calendar that its classes depend on."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

# An account counts by what its owner or the vendor did to it: whether auto-registration has opened or activated it
# follows from the rest, and must not be seen as a change.
_STATES = """
SELECT district, md5(string_agg(part, ' ' ORDER BY part)) FROM (
    SELECT district, 'record ' || md5((record - 'connection')::text) AS part FROM roster.district
    UNION ALL
    SELECT district, 'sign_in ' || sum(hash_record_extended(ROW(sign_in_id, provider, subject, legacy_subject,
        sourced_id, user_id, identifier, email, username, first_signed_in_at, account_id), 0))
    FROM platform.sign_in LEFT JOIN platform.account_link USING (sign_in_id) GROUP BY district
    UNION ALL
    SELECT district, 'school_choice ' || sum(hash_record_extended(ROW(sign_in_id, school_nces_id), 0))
    FROM platform.school_choice JOIN platform.sign_in USING (sign_in_id) GROUP BY district
    UNION ALL
    SELECT district, 'account ' || sum(hash_record_extended(ROW(account_id, status), 0))
    FROM platform.account
    WHERE status = 'closed' OR status = 'active' AND activated_by IS DISTINCT FROM 'auto_registration'
    GROUP BY district
    UNION ALL
    SELECT district, 'access_code ' || sum(hash_record_extended(ROW(account_id, product_id), 0))
    FROM platform.access_code JOIN platform.account USING (account_id) GROUP BY district
    UNION ALL
    SELECT district, 'licence ' || sum(hash_record_extended(ROW(licence_id, product_id, school_nces_id, seats,
        today >= starts_on, today < ends_on, CASE WHEN by_resource THEN vendor_resource_ids END), 0))
    FROM platform.licence JOIN platform.product USING (product_id) JOIN (
        SELECT district, (now() AT TIME ZONE (record ->> 'time_zone'))::date AS today,
               record ->> 'registration' = 'auto_by_resource' AS by_resource
        FROM roster.district) AS local USING (district)
    GROUP BY district
    UNION ALL
    SELECT district, 'decision ' || sum(hash_record_extended(ROW(plan_id, decision), 0))
    FROM roster.decision GROUP BY district
) AS parts
WHERE cast(:district AS text) IS NULL OR district = :district
GROUP BY district
"""


def states(connection: Connection, district: str | None = None) -> dict[str, str]:
    """Sum up what a district's identities, entitlements, gates and plan depend on besides its roster and the calendar.

    Two equal states mean that the same people have signed in with the same claims, have linked the same accounts and
    picked the same schools; that owners and the vendor have activated and closed the same accounts, and redeemed the
    same codes; that the same licences, with the same seats and resources, have begun and not ended today; that a
    person has decided the same of held removals; and that the district's record is the same but for its connection.
    What a run itself writes is left out, and so is the time of a sign-in but for the first: the same teacher on the
    next morning changes nothing.

    Args:
        connection: The database.
        district: Only this one.

    Returns:
        A hash by district.
    """
    return {row[0]: row[1] for row in connection.execute(sa.text(_STATES), {"district": district})}
