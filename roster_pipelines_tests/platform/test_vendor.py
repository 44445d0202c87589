"""The vendor's rows of one district, as the domain reads them: its own, whatever another district's look like."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import duckdb
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from roster_pipelines.platform import vendor
from roster_pipelines.rostering.plan import PUBLISHED
from roster_pipelines.simulators import product
from roster_pipelines_tests.rostering.world import VENDOR

NORTH = "530000000001"
SIGNED_IN = datetime(2026, 8, 1, 14, 30)  # noqa: DTZ001 - the database's UTC
# The vendor's tables; the world has two more, which earlier runs have left.
TABLES = [table for table in VENDOR if not table.startswith("known_")]


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        yield con


@pytest.fixture
def accounts(engine: Engine) -> dict[str, int]:
    """Two districts alike, each with one of everything; the accounts by district."""
    accounts: dict[str, int] = {}
    with engine.begin() as connection:
        for district in ("maple", "cedar"):
            licence = {"school_nces_id": NORTH, "seats": 9, "starts_on": date(2026, 8, 1), "days": 30}
            product.sell(connection, district, "lessons", resources=("Q-1", "Q-2"), **licence)  # type: ignore[arg-type]
            accounts[district] = product.open_account(connection, district, "lessons")
            claims = {"email": "ada@maple.example", "username": "ada", "identifier": "7", "user_id": "42", "role": "x"}
            found = product.sign_in(connection, district, "ada", accounts[district], **claims)
            product.choose_school(connection, found, NORTH)
        connection.execute(
            sa.text("UPDATE platform.sign_in SET first_signed_in_at = :at"),
            {"at": datetime(2026, 8, 1, 14, 30, tzinfo=UTC)},
        )
    return accounts


def test_each_table_has_the_columns_that_the_domains_tests_have(
    engine: Engine, accounts: dict[str, int], con: duckdb.DuckDBPyConnection
) -> None:
    with engine.connect() as connection:
        vendor.read(connection, con, "maple")
    for table in TABLES:
        found = con.execute(f"DESCRIBE {table}").fetchall()
        assert {f"{row[0]} {row[1]}" for row in found} <= set(VENDOR[table].split(", ")), table
    assert sorted(row[0] for row in con.execute("SHOW TABLES").fetchall()) == sorted(TABLES)


def test_only_the_districts_own_rows_are_read(
    engine: Engine, accounts: dict[str, int], con: duckdb.DuckDBPyConnection
) -> None:
    mine = accounts["maple"]
    with engine.connect() as connection:
        connection.execute(sa.text("SET TIME ZONE 'America/Denver'"))
        vendor.read(connection, con, "maple")
    assert con.execute("SELECT * EXCLUDE sign_in_id FROM sign_in").fetchall() == [
        ("classlink", "sso-ada", None, "ada", "42", "7", "ada@maple.example", "ada", mine, SIGNED_IN)
    ]
    assert con.execute("FROM account").fetchall() == [(mine, "active", None, None, None)]
    assert con.execute("FROM access_code").fetchall() == [(mine, "lessons")]
    assert con.execute("SELECT * EXCLUDE licence_id FROM licence").fetchall() == [
        ("lessons", NORTH, 9, date(2026, 8, 1), date(2026, 8, 31))
    ]
    assert con.execute("SELECT school_nces_id FROM school_choice SEMI JOIN sign_in USING (sign_in_id)").fetchall() == [
        (NORTH,)
    ]
    assert con.execute("FROM product_resource ORDER BY ALL").fetchall() == [("lessons", "Q-1"), ("lessons", "Q-2")]


def test_a_link_to_another_districts_account_is_none(
    engine: Engine, accounts: dict[str, int], con: duckdb.DuckDBPyConnection
) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE platform.account_link SET account_id = :a"), {"a": accounts["cedar"]})
        vendor.read(connection, con, "maple", "sign_in")
    assert con.execute("SELECT sourced_id, account_id FROM sign_in").fetchall() == [("ada", None)]


def test_what_is_published_is_read_with_its_columns_and_for_one_district_alone(
    engine: Engine, accounts: dict[str, int], con: duckdb.DuckDBPyConnection
) -> None:
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO platform.rostered_class (district, class_sourced_id, active)"
                " VALUES ('maple', 'music', false), ('cedar', 'art', true)"
            )
        )
        vendor.read_published(connection, con, "maple")
    for table in PUBLISHED:
        found = [row[0] for row in con.execute(f"DESCRIBE current_{table.name}").fetchall()]
        assert found == [*table.columns, *(["active"] if table.deactivates else [])]
    assert con.execute("SELECT class_sourced_id, active FROM current_rostered_class").fetchall() == [("music", False)]
