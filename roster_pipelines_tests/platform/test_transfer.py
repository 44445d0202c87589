"""Rows carried between PostgreSQL and DuckDB arrive as they left."""

from collections.abc import Iterator

import duckdb
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Connection, Engine

from roster_pipelines.platform.transfer import pull, push
from roster_pipelines_tests.effort import cases

TRICKY = (
    None,
    "",
    " ",
    " leading and trailing ",
    "\\N",
    "\\\\N",
    "\\.",
    "NULL",
    '"',
    '""',
    "'",
    "it's",
    'she said "hi", twice',
    ",",
    "a,b",
    "line one\nline two",
    "carriage\rreturn",
    "both\r\n",
    "\n",
    "a\n\\.\nb",
    "tab\there",
    "50% of %(district)s",
    ":district",
    "Zoë Ñandú",
    "e\u0301",
    "北京 🎵",
    "\ufeffbom",
    "\u2028",
    "0042",
    "true",
)


@pytest.fixture
def postgres(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        connection.execute(sa.text("CREATE TEMP TABLE here (n bigint, a text, b text)"))
        yield connection


@pytest.fixture
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        yield con


Rows = list[tuple[int, str | None, str | None]]


def round_trip(postgres: Connection, duck: duckdb.DuckDBPyConnection, rows: Rows) -> tuple[Rows, Rows]:
    """From DuckDB to PostgreSQL and back; what stands in PostgreSQL, and what came back."""
    duck.execute("CREATE OR REPLACE TABLE start (n BIGINT, a VARCHAR, b VARCHAR); DROP TABLE IF EXISTS back")
    if rows:
        duck.executemany("INSERT INTO start VALUES (?, ?, ?)", rows)
    postgres.execute(sa.text("TRUNCATE here"))
    assert push(duck, "FROM start", postgres, "here") == len(rows)
    there = [tuple(row) for row in postgres.execute(sa.text("SELECT n, a, b FROM here ORDER BY n"))]
    pull(postgres, "SELECT n, a, b FROM here", {}, duck, "back", "n BIGINT, a VARCHAR, b VARCHAR")
    return there, duck.execute("FROM back ORDER BY n").fetchall()


def test_every_kind_of_value_arrives_as_it_left(postgres: Connection, duck: duckdb.DuckDBPyConnection) -> None:
    rows = [(n, value, TRICKY[-n]) for n, value in enumerate(TRICKY)]
    there, back = round_trip(postgres, duck, rows)
    assert there == rows
    assert back == rows


def test_no_rows_arrive_as_no_rows(postgres: Connection, duck: duckdb.DuckDBPyConnection) -> None:
    assert round_trip(postgres, duck, []) == ([], [])


text = st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)


@settings(max_examples=cases(20, 300), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.tuples(text, text), min_size=1, max_size=8))
@example(values=[("\\N", None)])
def test_any_text_arrives_as_it_left(
    postgres: Connection, duck: duckdb.DuckDBPyConnection, values: list[tuple[str | None, str | None]]
) -> None:
    rows = [(n, *pair) for n, pair in enumerate(values)]
    assert round_trip(postgres, duck, rows) == (rows, rows)


def test_numbers_dates_and_truth_values_keep_their_types(postgres: Connection, duck: duckdb.DuckDBPyConnection) -> None:
    pull(
        postgres,
        "SELECT 9007199254740993::bigint, date '2026-11-23', true, NULL::boolean, NULL::date",
        {},
        duck,
        "typed",
        "n BIGINT, d DATE, t BOOLEAN, nt BOOLEAN, nd DATE",
    )
    postgres.execute(sa.text("CREATE TEMP TABLE typed (n bigint, d date, t boolean, nt boolean, nd date)"))
    push(duck, "FROM typed", postgres, "typed")
    row = postgres.execute(sa.text("SELECT n, d::text, t, nt, nd FROM typed")).one()
    assert tuple(row) == (9007199254740993, "2026-11-23", True, None, None)


def test_a_value_in_a_query_is_bound_and_never_read_as_sql(
    postgres: Connection, duck: duckdb.DuckDBPyConnection
) -> None:
    hostile = "x'; DROP TABLE here; --"
    pull(postgres, "SELECT %(value)s::text", {"value": hostile}, duck, "bound", "value VARCHAR")
    assert duck.execute("FROM bound").fetchall() == [(hostile,)]
    assert postgres.scalar(sa.text("SELECT count(*) FROM here")) == 0
