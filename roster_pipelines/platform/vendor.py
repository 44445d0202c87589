"""The vendor's rows of one district: copied to DuckDB for the domain."""

import duckdb
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
