"""The registry of districts, with the history of every change."""

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from roster_pipelines.errors import CallSomebody
from roster_pipelines.platform import registry
from roster_pipelines_tests.conftest import nowhere, register


def history(engine: Engine, district: str) -> list[tuple[int, str, str]]:
    with engine.connect() as connection:
        return [(entry.version, entry.changed_by, entry.why) for entry in registry.history(connection, district)]


def test_a_record_comes_back_as_it_was_applied(engine: Engine) -> None:
    record = register(engine, "maple-valley", stage="testing", pilot_teachers=("Ada-01", "ñ"), time_zone="US/Hawaii")
    with engine.connect() as connection:
        assert registry.get(connection, "maple-valley") == record
        assert registry.every(connection) == [record]


def test_every_change_is_a_version_with_who_and_why_newest_first(engine: Engine) -> None:
    register(engine, "maple-valley", stage="testing", by="ada", why="signed the contract")
    register(engine, "maple-valley", stage="live", by="bea", why="pilots are happy")
    assert history(engine, "maple-valley") == [(2, "bea", "pilots are happy"), (1, "ada", "signed the contract")]


def test_applying_the_same_record_again_makes_no_version(engine: Engine) -> None:
    record = register(engine, "maple-valley")
    with engine.begin() as connection:
        assert registry.apply(connection, record, by="tests", why="again") is None
    assert len(history(engine, "maple-valley")) == 1


def test_the_history_keeps_each_version_of_the_record(engine: Engine) -> None:
    register(engine, "maple-valley", stage="testing")
    register(engine, "maple-valley", stage="live")
    with engine.connect() as connection:
        stages = connection.scalars(
            sa.text("SELECT record ->> 'stage' FROM roster.district_history ORDER BY version")
        ).all()
        assert registry.get(connection, "maple-valley").stage == "live"
    assert stages == ["testing", "live"]


def test_a_change_of_one_district_leaves_the_others(engine: Engine) -> None:
    birch = register(engine, "birch")
    register(engine, "alder", stage="testing")
    register(engine, "alder", stage="paused")
    with engine.connect() as connection:
        assert registry.keys(connection) == ["alder", "birch"]
        assert registry.get(connection, "birch") == birch
    assert len(history(engine, "birch")) == 1


def test_an_unknown_district_is_told_with_what_to_do(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(CallSomebody, match="roster district apply FILE adds one"):
        registry.get(connection, "nowhere")


@pytest.mark.parametrize("key", ["Maple", "maple valley", "m", "maple_valley", "-maple", "maple,birch", "a|b", "a...b"])
def test_the_database_itself_takes_no_key_that_could_not_be_a_partition(engine: Engine, key: str) -> None:
    with pytest.raises(sa.exc.IntegrityError), engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO roster.district VALUES (:key, 1, '{}')"),
            {"key": key},
        )


def test_the_record_holds_where_a_secret_is_and_never_the_secret(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOBODY_HAS_SET_THIS", "hunter2")
    register(engine, "maple-valley", connection=nowhere())
    with engine.connect() as connection:
        stored = connection.scalar(sa.text("SELECT record::text FROM roster.district"))
    assert "env:NOBODY_HAS_SET_THIS" in stored
    assert "hunter2" not in stored
