"""Reaching the database, and bringing it to this version."""

import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from roster_pipelines.errors import CallSomebody
from roster_pipelines.platform import database
from roster_pipelines_tests.conftest import Databases, register


def tables(engine: Engine) -> set[tuple[str, str]]:
    inspector = sa.inspect(engine)
    return {(schema, table) for schema in ("roster", "platform") for table in inspector.get_table_names(schema)}


def test_migrating_again_changes_nothing_and_loses_nothing(engine: Engine) -> None:
    register(engine, "maple-valley")
    before = tables(engine)
    database.migrate(engine)
    assert tables(engine) == before
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM roster.district")) == 1


def test_two_processes_may_migrate_an_empty_database_at_once(databases: Databases) -> None:
    with databases.copy("template1") as first, ThreadPoolExecutor() as threads:
        second = database.engine_for(first.url.render_as_string(hide_password=False))
        assert list(threads.map(database.migrate, (first, second))) == [None, None]
        second.dispose()
        assert ("platform", "rostered_class") in tables(first)


@pytest.mark.parametrize(
    "url", ["postgresql://roster:hunter2@127.0.0.1:1/roster", "postgresql+psycopg://roster:hunter2@127.0.0.1:1/roster"]
)
def test_an_unreachable_database_is_told_in_one_line_without_the_password(url: str) -> None:
    engine = database.engine_for(url)
    with pytest.raises(CallSomebody) as failure:
        database.migrate(engine)
    engine.dispose()
    assert str(failure.value) == (
        "the database roster at 127.0.0.1:1 cannot be reached: start it, or correct ROSTER_DATABASE_URL"
    )
    assert "hunter2" not in "".join(traceback.format_exception(failure.value))


@pytest.mark.parametrize(
    "url", ["", "hunter2", "postgresql//roster:hunter2@server", "postgresql://roster:p@ss:hunter2@server/x"]
)
def test_a_url_that_cannot_be_read_is_told_in_one_line_without_repeating_it(url: str) -> None:
    with pytest.raises(CallSomebody) as failure:
        database.engine_for(url)
    assert "\n" not in str(failure.value)
    # Nor in what was caught on the way, which a log would show behind it.
    assert "hunter2" not in "".join(traceback.format_exception(failure.value))


@pytest.mark.parametrize("prefix", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_every_spelling_of_postgresql_uses_the_driver_of_dagsters_storage(prefix: str) -> None:
    engine = database.engine_for(f"{prefix}://server/roster")
    assert engine.url.drivername == "postgresql+psycopg2"
