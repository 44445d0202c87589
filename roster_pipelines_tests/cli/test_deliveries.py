"""`roster deliveries` tells what arrived, when, how long it took to settle, and what was done with it."""

import json

import pytest
from sqlalchemy.engine import Engine
from typer.testing import CliRunner, Result

from roster_pipelines.cli.deliveries import DONE
from roster_pipelines.cli.main import app
from roster_pipelines.errors import CallSomebody
from roster_pipelines_tests.conftest import url_of
from roster_pipelines_tests.platform.ledger import LARGER, MAPLE, USERS, Ledger


def roster(*words: object) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, ["deliveries", MAPLE, *map(str, words)])


@pytest.fixture
def ledger(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    monkeypatch.setenv("ROSTER_DATABASE_URL", url_of(engine))
    return Ledger(engine)


def test_what_was_taken_and_what_waits_stand_in_one_table_the_newest_first(ledger: Ledger) -> None:
    ledger.look(USERS)
    ledger.look(USERS)
    ledger.deliver("20261123T060200Z-0a1b2c3d", USERS)
    for _ in range(3):
        ledger.look(LARGER, named=frozenset({"users.csv", "orgs.csv"}))
    result = roster()
    assert (result.exit_code, result.stderr) == (0, "")
    told = "".join(result.stdout.replace("│", "").split())
    assert "120Bwaiting(orgs.csv:missing)" in told
    assert "100Baccepted20261123T060200Z-0a1b2c3d" in told
    assert told.index("waiting") < told.index("accepted")
    assert "America/Chicago" in result.stdout


def test_a_program_is_given_the_same_as_json(ledger: Ledger) -> None:
    ledger.look(USERS)
    ledger.look(USERS)
    ledger.deliver("one", USERS, accepted=False)
    told = json.loads(roster("--json").stdout)
    assert told["problem"] is None
    (arrival,) = told["deliveries"]
    assert (arrival["state"], arrival["reason"], arrival["delivery_id"]) == ("refused", "no users", "one")
    assert arrival["settling_seconds"] > 0


def test_only_the_latest_are_shown_where_so_many_are_asked_for(ledger: Ledger) -> None:
    for name, file in (("one", USERS), ("two", LARGER), ("three", USERS)):
        ledger.look(file)
        ledger.look(file)
        ledger.deliver(name, file)
    assert [arrival["delivery_id"] for arrival in json.loads(roster("--json", "--last", 2).stdout)["deliveries"]] == [
        "three",
        "two",
    ]
    assert roster("--last", 0).exit_code == 2


def test_a_district_without_any_and_why_its_folder_cannot_be_looked_into(ledger: Ledger) -> None:
    assert roster().stdout == f"{MAPLE} has delivered nothing yet.\n"
    ledger.fails(CallSomebody("the server refuses the login", "check the secret"))
    assert "cannot be looked into now: the server refuses the login: check the secret" in roster().stdout


def test_every_state_has_its_words(engine: Engine) -> None:
    with engine.connect() as connection:
        states = connection.exec_driver_sql(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname IN"
            " ('arrival_state_check', 'delivery_status_check')"
        ).scalars()
        known = {word for definition in states for word in definition.split("'")[1::2]}
    assert known - {"taken"} == set(DONE)
