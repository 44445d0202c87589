"""What was worked out for a district and is kept, and what the arrivals sensor remembers."""

from datetime import date
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from roster_pipelines.errors import LookAtData
from roster_pipelines.platform import derived
from roster_pipelines.platform.derived import Reasoned, Waiting

Row = dict[str, Any]

DAY = date(2026, 11, 23)
IDENTITY: Row = {"sign_in_id": 1, "person_sourced_id": "ada", "outcome": "matched", "key": "email", "candidates": "[]"}
KEY: Row = {"person_sourced_id": "ada", "kind": "subject", "value": "sso|1", "first_seen": DAY, "last_seen": None}
RIGHT: Row = {
    "person_sourced_id": "ada",
    "product_id": "lessons",
    "basis": "access_code",
    "school_sourced_id": None,
    "class_sourced_id": None,
    "account_id": 7,
    "licence_id": 3,
    "seated": True,
}
GATE: Row = {
    "person_sourced_id": "ada",
    "class_sourced_id": None,
    **dict.fromkeys(("in_roster", "role", "signed_in", "account_active", "entitled", "stage", "class_current")),
    "waiting_for": None,
    "reason": None,
    "planned": False,
    "if_signed_in": False,
}
# By table: three rows, of which some differ in one value only, and one is full of blanks.
TABLES: dict[str, list[Row]] = {
    "identity": [IDENTITY, {**IDENTITY, "sign_in_id": 2}, {**IDENTITY, "sign_in_id": 3, "person_sourced_id": None}],
    "identity_key": [KEY, {**KEY, "value": "sso|2"}, {**KEY, "kind": "email", "last_seen": DAY}],
    "entitlement": [RIGHT, {**RIGHT, "school_sourced_id": "north"}, {**RIGHT, "account_id": None, "licence_id": None}],
    "gate": [GATE, {**GATE, "class_sourced_id": "music"}, {**GATE, "class_sourced_id": "music", "reason": "over"}],
}


def write(engine: Engine, district: str, table: str, rows: list[Row]) -> int:
    with engine.begin() as connection, duckdb.connect() as con:
        derived.read(connection, con, "a-district-without-rows", table)  # an empty table of the right shape
        if rows:
            con.executemany(
                f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES ({', '.join('?' * len(rows[0]))})",
                [list(row.values()) for row in rows],
            )
        return derived.write(connection, con, district, table)


def read(engine: Engine, district: str, table: str) -> list[Row]:
    with engine.connect() as connection, duckdb.connect() as con:
        derived.read(connection, con, district, table)
        names = [row[0] for row in con.execute(f"DESCRIBE {table}").fetchall()]
        return [dict(zip(names, row, strict=True)) for row in con.execute(f"FROM {table}").fetchall()]


def by_text(rows: list[Row]) -> list[str]:
    return sorted(str(sorted(row.items())) for row in rows)


@pytest.mark.parametrize("table", TABLES)
def test_what_is_kept_of_a_district_comes_back_and_only_what_differs_is_written(engine: Engine, table: str) -> None:
    first, second, third = TABLES[table]
    assert write(engine, "maple", table, TABLES[table]) == 3
    assert write(engine, "cedar", table, TABLES[table]) == 3
    assert by_text(read(engine, "maple", table)) == by_text(TABLES[table])
    before = rows_where_they_lie(engine, table)
    assert write(engine, "maple", table, [third, first, second]) == 0
    assert rows_where_they_lie(engine, table) == before, "nothing was written"
    assert write(engine, "maple", table, [first, third]) == 1
    assert by_text(read(engine, "maple", table)) == by_text([first, third])
    assert rows_where_they_lie(engine, table) < before, "nothing else was written"
    assert write(engine, "maple", table, [second, third]) == 2
    assert by_text(read(engine, "maple", table)) == by_text([second, third])
    assert write(engine, "maple", table, []) == 2
    assert read(engine, "maple", table) == []
    assert by_text(read(engine, "cedar", table)) == by_text(TABLES[table])


def rows_where_they_lie(engine: Engine, table: str) -> set[tuple[str, str]]:
    """By their places, which change when a row is written, even where it is written as it was."""
    with engine.connect() as connection:
        return {(row[0], row[1]) for row in connection.execute(sa.text(f"SELECT district, ctid FROM roster.{table}"))}


def test_the_keys_and_seats_that_are_known_are_the_districts_own(engine: Engine) -> None:
    seats = [
        RIGHT,
        {**RIGHT, "school_sourced_id": "north"},
        {**RIGHT, "licence_id": 4, "seated": False},
        {**RIGHT, "licence_id": None},
    ]
    for district, person in (("maple", "ada"), ("cedar", "bea")):
        write(engine, district, "entitlement", [{**row, "person_sourced_id": person} for row in seats])
        write(engine, district, "identity_key", [{**KEY, "person_sourced_id": person}])
    with engine.connect() as connection, duckdb.connect() as con:
        derived.read_seats(connection, con, "maple")
        derived.read_keys(connection, con, "maple")
        assert con.execute("FROM known_seat").fetchall() == [("ada", 3)], "once, and only where there is a seat"
        assert con.execute("FROM known_key").fetchall() == [("ada", "subject", "sso|1", DAY, None)]


def waits(person: str, in_class: str | None, gate: str | None, reason: str | None, **more: bool) -> Row:
    return {
        **GATE,
        "person_sourced_id": person,
        "class_sourced_id": in_class,
        "waiting_for": gate,
        "reason": reason,
        **more,
    }


@pytest.fixture
def gates(engine: Engine) -> Engine:
    """Teachers of whom some have several classes, some share one, and one has none."""
    rows = [
        waits("ada", "music", None, None, planned=True),
        waits("ada", "health", "class_current", "over"),
        waits("bea", None, "signed_in", "no-sign-in"),
        waits("cem", "music", "signed_in", "no-sign-in", if_signed_in=True),
        waits("cem", "choir", "signed_in", "no-sign-in", if_signed_in=True),
        waits("dan", "choir", "entitled", "no-licence"),
        waits("dan", "band", "role", "role-not-teaching"),
    ]
    write(engine, "maple", "gate", rows)
    write(engine, "cedar", "gate", [waits("ada", "music", "stage", "not-pilot")])
    return engine


def test_teachers_with_classes_are_listed_once_by_the_gate_that_they_get_furthest_to(gates: Engine) -> None:
    with gates.connect() as connection:
        assert derived.waiting(connection, "maple") == [
            Waiting("ada", 2, None, None),
            Waiting("cem", 2, "signed_in", "no-sign-in"),
            Waiting("dan", 2, "entitled", "no-licence"),
        ]


def test_each_teacher_and_each_class_is_counted_once_by_what_it_waits_for(gates: Engine) -> None:
    with gates.connect() as connection:
        assert derived.counts(connection, "maple") == [
            Reasoned(None, None, 1, 1),
            Reasoned("role", "role-not-teaching", 0, 1),
            Reasoned("signed_in", "no-sign-in", 2, 0),
            Reasoned("entitled", "no-licence", 1, 1),
            Reasoned("class_current", "over", 0, 1),
        ]
        assert derived.classes_if_all_signed_in(connection, "maple") == 1, "choir; music is there already"
        assert derived.classes_if_all_signed_in(connection, "cedar") == 0


def test_what_identities_were_made_from_is_what_was_recorded_last(engine: Engine) -> None:
    with engine.begin() as connection:
        with pytest.raises(LookAtData, match="maple has no identities yet"):
            derived.matched_from(connection, "maple")
        first = derived.MadeFrom("first", "record", date(2026, 11, 23))
        second = derived.MadeFrom("second", "another", date(2026, 11, 24))
        derived.record_matching(connection, "maple", first, 1, 1)
        derived.record_matching(connection, "cedar", first, 1, 0)
        derived.record_matching(connection, "maple", second, 2, 1)
        assert derived.matched_from(connection, "maple") == second
