"""In one string per district: everything but the roster that its classes depend on."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

_STATES = """
SELECT district, md5(string_agg(part, ' ' ORDER BY part)) FROM (
    SELECT district, 'record ' || md5((record - 'connection')::text) AS part FROM roster.district
    UNION ALL
    SELECT district, 'sign_in ' || sum(hashtextextended(concat_ws('|', sign_in_id, provider, subject,
        coalesce(sourced_id, '~'), coalesce(email, '~'), coalesce(account_id::text, '~')), 0)) AS part
    FROM platform.sign_in GROUP BY district
    UNION ALL
    SELECT district, 'account ' || sum(hashtextextended(concat_ws('|', account_id, status), 0))
    FROM platform.account GROUP BY district
    UNION ALL
    SELECT district, 'access_code ' || sum(hashtextextended(concat_ws('|', account_id, product_id), 0))
    FROM platform.access_code JOIN platform.account USING (account_id) GROUP BY district
    UNION ALL
    SELECT district, 'licence ' || sum(hashtextextended(concat_ws('|', licence_id, product_id,
        coalesce(school_nces_id, '~'), local.today >= starts_on AND local.today < ends_on), 0))
    FROM platform.licence
    JOIN (SELECT district, (now() AT TIME ZONE (record ->> 'time_zone'))::date AS today FROM roster.district) AS local
        USING (district)
    GROUP BY district
) AS parts
WHERE cast(:district AS text) IS NULL OR district = :district
GROUP BY district
"""


def states(connection: Connection, district: str | None = None) -> dict[str, str]:
    """Sum up what a district's identities, entitlements and plan depend on besides its roster.

    Two equal states mean that the same people have signed in with the same claims, hold the same accounts and codes,
    that the same licences are in force today, and that the district's record is the same but for its connection. The
    time of a sign-in is left out: the same teacher on the next morning changes nothing.

    Args:
        connection: The database.
        district: Only this one.

    Returns:
        A hash by district.
    """
    return {row[0]: row[1] for row in connection.execute(sa.text(_STATES), {"district": district})}
