"""The ids of the accounts that auto-registration opens."""

import duckdb
from sqlalchemy.engine import Connection

from roster_pipelines.duck import count
from roster_pipelines.platform.transfer import pull


def reserve(connection: Connection, con: duckdb.DuckDBPyConnection) -> None:
    """Reserve the ids of the accounts that are to be opened.

    Args:
        connection: PostgreSQL.
        con: DuckDB, with `account_to_open`; gets `new_account`: each of its persons with an `account_id`.
    """
    pull(
        connection,
        "SELECT place, nextval(pg_get_serial_sequence('platform.account', 'account_id'))"
        " FROM generate_series(1, %(accounts)s::int) AS place",
        {"accounts": str(count(con, "account_to_open"))},
        con,
        "reserved",
        "place BIGINT, account_id BIGINT",
    )
    con.execute(
        """
        CREATE TABLE new_account AS
        SELECT person_sourced_id, account_id
        FROM (SELECT *, row_number() OVER (ORDER BY person_sourced_id) AS place FROM account_to_open)
        JOIN reserved USING (place)
        """
    )
