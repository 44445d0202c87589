"""Reaching the database, and bringing it to this version."""

import hashlib
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Engine

from roster_pipelines.district import SignIn
from roster_pipelines.errors import CallSomebody
from roster_pipelines.platform import database, drops, registry
from roster_pipelines_tests.conftest import Databases, nowhere, register
from roster_pipelines_tests.platform.ledger import CEDAR, LARGER, MAPLE, USERS, Ledger


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


def test_what_was_there_before_version_3_is_kept_and_every_district_is_worked_out_again(databases: Databases) -> None:
    with databases.copy("template1") as engine:
        upgrade(engine, "0002")
        with engine.begin() as connection:
            connection.execute(
                sa.text("""
                    INSERT INTO platform.product VALUES ('lessons', 'Lessons');
                    INSERT INTO platform.account (district, status) VALUES ('maple', 'active'), ('maple', 'inactive');
                    INSERT INTO platform.sign_in (district, provider, subject, account_id, last_signed_in_at)
                    VALUES ('maple', 'classlink', 'a', 1, '2026-09-01'), ('maple', 'classlink', 'b', NULL, now());
                    INSERT INTO roster.matching (district, made_from, sign_ins, matched) VALUES ('maple', 'x', 2, 1);
                    INSERT INTO roster.plan (district, delivery_id, counts, outcome, made_from)
                    VALUES ('maple', 'delivery', '{}', 'applied', 'x');
                    INSERT INTO roster.district SELECT name, 4, jsonb_build_object('district', name, 'name', name,
                        'stage', stage, 'sign_in', sign_in, 'connection', CAST(:connection AS jsonb))
                    FROM (VALUES ('birch', 'paused', NULL), ('cedar', 'paused', CAST(:sign_in AS jsonb)),
                        ('elm', 'onboarding', NULL)) AS stored (name, stage, sign_in);
                """),
                {"connection": nowhere().model_dump_json(), "sign_in": SignIn(provider="x").model_dump_json()},
            )
        database.migrate(engine)
        for query, rows in {
            "SELECT sign_in_id, account_id FROM platform.account_link": [(1, 1)],
            "SELECT account_id, activated_by FROM platform.account ORDER BY 1": [(1, "access_code"), (2, None)],
            "SELECT first_signed_in_at = last_signed_in_at FROM platform.sign_in": [(True,), (True,)],
            "SELECT made_from FROM roster.plan": [("before version 3",)],
            "SELECT district, version, changed_by FROM roster.district_history": [("birch", 5, "migration")],
        }.items():
            with engine.connect() as connection:
                assert [tuple(row) for row in connection.execute(sa.text(query))] == rows
        with engine.connect() as connection:
            stages = {record.district: record.stage for record in registry.every(connection)}
        assert stages == {"birch": "onboarding", "cedar": "paused", "elm": "onboarding"}, "each can be read"


def test_what_was_taken_before_version_5_stays_taken_and_its_folder_is_followed_from_then_on(
    databases: Databases,
) -> None:
    with databases.copy("template1") as engine:
        upgrade(engine, "0004")
        ledger = Ledger(engine)
        register(engine, CEDAR)
        # As version 0004 summed up a folder's files.
        listing = hashlib.sha256(b"users.csv\t100\t2026-11-23T06:00:00+00:00").hexdigest()
        with engine.begin() as connection:
            connection.execute(
                sa.text("""
                    INSERT INTO roster.drop_look
                    VALUES (:maple, :listing, now(), :listing, 3, NULL, '2026-11-23'),
                        (:cedar, 'x', NULL, 'y', 1, 'it is away', '2026-11-22');
                    INSERT INTO roster.delivery
                    VALUES (:maple, 'one', 'f', '2026-11-23', 'accepted', now(), NULL, :listing, '{"files": []}'),
                        (:cedar, 'two', 'g', '2026-11-22', 'refused', now(), 'no users', 'y', '{"files": []}');
                """),
                {"maple": MAPLE, "cedar": CEDAR, "listing": listing},
            )
        before = everything(engine)
        database.migrate(engine)
        after = everything(engine)
        assert before.keys() == after.keys()
        assert all(after[key].items() >= row.items() for key, row in before.items())
        with engine.connect() as connection:
            assert [task.district for task in drops.due(connection, datetime.now(UTC))] == [CEDAR, MAPLE]
            assert drops.problems(connection) == {CEDAR: "it is away"}
            assert drops.untold(connection, [CEDAR], timedelta()) == {}, "how long it has been so is not known yet"
        ledger.look(USERS)
        assert ledger.states == [("accepted", "one")], "it was taken, and is not taken again"
        for _ in range(2):
            ledger.look(LARGER, named=frozenset({"users.csv"}))
        assert ledger.states == [("accepted", "one"), ("settled", None)]
        with engine.connect() as connection:
            assert drops.seen(connection, MAPLE).takings == 3


def everything(engine: Engine) -> dict[tuple[str, str], dict[str, object]]:
    """The rows of what version 5 changes or builds on, by table and district."""
    tables = ("district", "drop_look", "delivery")
    with engine.connect() as connection:
        return {
            (table, row["district"]): row
            for table in tables
            for row in connection.scalars(sa.text(f"SELECT to_jsonb(t) FROM roster.{table} t"))
        }


def upgrade(engine: Engine, to: str) -> None:
    """Bring a database to an earlier version."""
    config = Config()
    config.set_main_option("script_location", str(database.MIGRATIONS))
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE SCHEMA roster; CREATE SCHEMA platform"))
        config.attributes["connection"] = connection
        command.upgrade(config, to)


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
