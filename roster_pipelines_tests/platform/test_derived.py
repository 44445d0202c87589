"""What was worked out for a district and is kept, and what the arrivals sensor remembers."""

from datetime import UTC, datetime

import duckdb
import pytest
from sqlalchemy.engine import Engine

from roster_pipelines.connections.arrival import Seen
from roster_pipelines.errors import LookAtData
from roster_pipelines.platform import derived, drops
from roster_pipelines_tests.conftest import register

TABLES = {
    "identity": [(1, 7, "ada", "matched by sourced_id"), (2, None, None, "nobody in the roster")],
    "entitlement": [("ada", 7, "lessons", "access_code", 3, None), ("ada", 7, "health", "access_code", 4, "north")],
    "gate": [("ada", 2, None), ("bea", 0, "signed_in")],
}


def write(engine: Engine, district: str, table: str, rows: list[tuple[object, ...]]) -> None:
    with engine.begin() as connection, duckdb.connect() as con:
        derived.read(connection, con, "a-district-without-rows", table)  # an empty table of the right shape
        if rows:
            con.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
        derived.write(connection, con, district, table)


def read(engine: Engine, district: str, table: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection, duckdb.connect() as con:
        derived.read(connection, con, district, table)
        return con.execute(f"FROM {table} ORDER BY ALL").fetchall()


@pytest.mark.parametrize("table", TABLES)
def test_what_is_kept_of_a_district_comes_back_and_is_replaced_as_a_whole(engine: Engine, table: str) -> None:
    rows = sorted(TABLES[table], key=str)
    write(engine, "maple", table, TABLES[table])
    write(engine, "cedar", table, TABLES[table])
    assert sorted(read(engine, "maple", table), key=str) == rows
    write(engine, "maple", table, TABLES[table][:1])
    assert read(engine, "maple", table) == TABLES[table][:1]
    write(engine, "maple", table, [])
    assert read(engine, "maple", table) == []
    assert sorted(read(engine, "cedar", table), key=str) == rows


def test_teachers_with_classes_are_listed_with_the_gate_they_wait_for_open_ones_first(engine: Engine) -> None:
    rows = [("dan", 1, "stage"), ("cem", 3, "signed_in"), ("bea", 0, "signed_in"), ("ada", 2, None)]
    write(engine, "maple", "gate", rows)
    with engine.connect() as connection:
        assert derived.waiting(connection, "maple") == [
            ("ada", 2, None),
            ("cem", 3, "signed_in"),
            ("dan", 1, "stage"),
        ]


def test_the_state_that_identities_were_made_from_is_the_last_one_recorded(engine: Engine) -> None:
    with engine.begin() as connection:
        with pytest.raises(LookAtData, match="maple has no identities yet"):
            derived.matched_from(connection, "maple")
        derived.record_matching(connection, "maple", "first", 1, 1)
        derived.record_matching(connection, "cedar", "other", 1, 0)
        derived.record_matching(connection, "maple", "second", 2, 1)
        assert derived.matched_from(connection, "maple") == "second"


def test_what_a_look_left_is_remembered_by_district_until_the_next(engine: Engine) -> None:
    for district in ("maple", "cedar"):
        register(engine, district)
    first = Seen("listing", datetime(2026, 11, 23, 6, tzinfo=UTC), None)
    with engine.begin() as connection:
        drops.remember(connection, "maple", first, "the server cannot be reached: look")
        drops.remember(connection, "cedar", Seen(), None)
        assert drops.seen(connection) == {"maple": first, "cedar": Seen()}
        assert drops.problems(connection) == {"maple": "the server cannot be reached: look"}
        drops.remember(connection, "maple", Seen("other"), None)
        assert drops.seen(connection)["maple"] == Seen("other")
        assert drops.problems(connection) == {}


def test_each_other_listing_that_a_run_fetches_is_counted(engine: Engine) -> None:
    register(engine, "maple")
    with engine.begin() as connection:
        drops.take(connection, "maple", "first")
        drops.remember(connection, "maple", Seen("second"), None)
        drops.take(connection, "maple", "second")
        drops.take(connection, "maple", "second")
        drops.take(connection, "maple", "first")
        assert drops.seen(connection)["maple"] == Seen("second", None, "first", 3)
