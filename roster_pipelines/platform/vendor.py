"""The vendor's rows of one district: copied to DuckDB for the domain."""

import duckdb
from sqlalchemy.engine import Connection

from roster_pipelines.platform.transfer import pull
from roster_pipelines.rostering.plan import PUBLISHED

_READ = {
    # A link to another district's account is none.
    "sign_in": (
        "SELECT s.sign_in_id, s.provider, s.subject, s.legacy_subject, s.sourced_id, s.user_id, s.identifier, s.email,"
        " s.username, a.account_id, s.first_signed_in_at AT TIME ZONE 'UTC'"
        " FROM platform.sign_in s LEFT JOIN platform.account_link l USING (sign_in_id)"
        " LEFT JOIN platform.account a ON a.account_id = l.account_id AND a.district = s.district"
        " WHERE s.district = %(district)s",
        "sign_in_id BIGINT, provider VARCHAR, subject VARCHAR, legacy_subject VARCHAR, sourced_id VARCHAR,"
        " user_id VARCHAR, identifier VARCHAR, email VARCHAR, username VARCHAR, account_id BIGINT,"
        " first_signed_in_at TIMESTAMP",
    ),
    "account": (
        "SELECT account_id, status, provisioned_for, given_name, email FROM platform.account"
        " WHERE district = %(district)s",
        "account_id BIGINT, status VARCHAR, provisioned_for VARCHAR, given_name VARCHAR, email VARCHAR",
    ),
    "access_code": (
        "SELECT account_id, product_id FROM platform.access_code JOIN platform.account USING (account_id)"
        " WHERE district = %(district)s",
        "account_id BIGINT, product_id VARCHAR",
    ),
    # Of every product: that a class's product is not licensed is another answer than that it has none.
    "product_resource": (
        "SELECT DISTINCT product_id, unnest(vendor_resource_ids) FROM platform.product",
        "product_id VARCHAR, vendor_resource_id VARCHAR",
    ),
    "licence": (
        "SELECT licence_id, product_id, school_nces_id, seats, starts_on, ends_on FROM platform.licence"
        " WHERE district = %(district)s",
        "licence_id BIGINT, product_id VARCHAR, school_nces_id VARCHAR, seats INTEGER, starts_on DATE, ends_on DATE",
    ),
    "school_choice": (
        "SELECT sign_in_id, school_nces_id FROM platform.school_choice JOIN platform.sign_in USING (sign_in_id)"
        " WHERE district = %(district)s",
        "sign_in_id BIGINT, school_nces_id VARCHAR",
    ),
}


def read(connection: Connection, con: duckdb.DuckDBPyConnection, district: str, *tables: str) -> None:
    """Copy the vendor's rows of one district, each table under its name, with the columns that the domain reads.

    Args:
        connection: PostgreSQL.
        con: DuckDB.
        district: Whose rows.
        tables: Of sign_in (with the account that is linked to it), account, access_code, product_resource (a row for
            each vendorResourceId of a product), licence, school_choice; none: all of them.
    """
    for table in tables or _READ:
        query, columns = _READ[table]
        pull(connection, query, {"district": district}, con, table, columns)


def read_published(connection: Connection, con: duckdb.DuckDBPyConnection, district: str, *names: str) -> None:
    """Copy the rows of one district that publishing may write, as `current_<name>`; of all its tables, or of some."""
    for table in (table for table in PUBLISHED if table.name in names or not names):
        columns = {**table.columns, **({"active": "BOOLEAN"} if table.deactivates else {})}
        pull(
            connection,
            f"SELECT {', '.join(columns)} FROM platform.{table.name} t WHERE district = %(district)s AND {table.ours}",
            {"district": district},
            con,
            f"current_{table.name}",
            ", ".join(f"{name} {kind}" for name, kind in columns.items()),
        )
