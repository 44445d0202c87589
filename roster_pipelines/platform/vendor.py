"""The vendor's rows of one district: copied to DuckDB for the domain, and their state in one string."""

import duckdb
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from roster_pipelines.platform.transfer import pull
from roster_pipelines.rostering.plan import PUBLISHED

_READ = {
    "sign_in": (
        "SELECT sign_in_id, provider, subject, sourced_id, email, account_id FROM platform.sign_in"
        " WHERE district = %(district)s",
        "sign_in_id BIGINT, provider VARCHAR, subject VARCHAR, sourced_id VARCHAR, email VARCHAR, account_id BIGINT",
    ),
    "account": (
        "SELECT account_id, status FROM platform.account WHERE district = %(district)s",
        "account_id BIGINT, status VARCHAR",
    ),
    "access_code": (
        "SELECT account_id, product_id FROM platform.access_code JOIN platform.account USING (account_id)"
        " WHERE district = %(district)s",
        "account_id BIGINT, product_id VARCHAR",
    ),
    "licence": (
        "SELECT licence_id, product_id, school_nces_id, starts_on, ends_on FROM platform.licence"
        " WHERE district = %(district)s",
        "licence_id BIGINT, product_id VARCHAR, school_nces_id VARCHAR, starts_on DATE, ends_on DATE",
    ),
}


def read(connection: Connection, con: duckdb.DuckDBPyConnection, district: str, *tables: str) -> None:
    """Copy the vendor's rows of one district: sign_in, account, access_code, licence, or those named."""
    for table in tables or _READ:
        query, columns = _READ[table]
        pull(connection, query, {"district": district}, con, table, columns)


def read_published(connection: Connection, con: duckdb.DuckDBPyConnection, district: str) -> None:
    """Copy the rows that were published for one district, as `current_<name>`."""
    for table in PUBLISHED:
        columns = {**table.columns, "active": "BOOLEAN"}
        pull(
            connection,
            f"SELECT {', '.join(columns)} FROM platform.{table.name} WHERE district = %(district)s",
            {"district": district},
            con,
            f"current_{table.name}",
            ", ".join(f"{name} {kind}" for name, kind in columns.items()),
        )


_STATES = """
SELECT district, md5(string_agg(part, ' ' ORDER BY part)) FROM (
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
    """Sum up what of the vendor's rows matters to us, per district.

    Two equal states mean that the same people have signed in with the same claims, hold the same accounts and codes,
    and that the same licences are in force today. The time of a sign-in is left out: the same teacher on the next
    morning changes nothing.

    Args:
        connection: The database.
        district: Only this one.

    Returns:
        A hash by district; a district without any row is not in it.
    """
    return {row[0]: row[1] for row in connection.execute(sa.text(_STATES), {"district": district})}
