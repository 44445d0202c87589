"""`roster plan`, `roster approve`, `roster discard`: what is held is seen, decided once, and done by the next run."""

import json
from collections.abc import Iterator

import dagster as dg
import pytest
from sqlalchemy.engine import Engine
from typer.testing import CliRunner, Result

from roster_pipelines.cli.main import app
from roster_pipelines.errors import CallSomebody
from roster_pipelines.platform import plans
from roster_pipelines.platform.state import states
from roster_pipelines_tests.conftest import Databases, url_of
from roster_pipelines_tests.rostering.world import World
from roster_pipelines_tests.scenarios.stage import Stage

LOST = 25


def roster(*words: object) -> Result:
    return CliRunner(env={"COLUMNS": "120"}).invoke(app, [*map(str, words)])


@pytest.fixture(scope="module")
def stage(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with databases.copy("migrated") as engine, dg.DagsterInstance.ephemeral() as instance:
        yield Stage(engine, instance, tmp_path_factory.mktemp("lake"))


@pytest.fixture(autouse=True)
def _environment(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROSTER_LAKE", str(stage.folder))
    monkeypatch.setenv("ROSTER_DATABASE_URL", url_of(stage.engine))


def district(stage: Stage, name: str) -> World:
    """A teacher with 30 classes; then a delivery comes that lacks 25 of them."""
    world = World().teacher().ready().licence()
    for number in range(LOST + 5):
        world.school_class(f"c{number:02d}", "ada")
    stage.play(name, world)
    assert len(stage.classes(name)) == LOST + 5
    world.rows["classes"] = world.rows["classes"][LOST:]
    world.school_class("new", "ada")
    stage.play(name, world)
    return world


def newest(engine: Engine, name: str) -> plans.Plan:
    with engine.connect() as connection:
        found = plans.newest(connection, name)
    assert found is not None
    return found


def refused(*words: object) -> str:
    """The line that a command ends with."""
    result = roster(*words, "--why", "test")
    assert isinstance(result.exception, CallSomebody), result.output
    return str(result.exception)


def test_what_is_held_is_told_and_goes_with_the_next_run_once_it_is_approved(stage: Stage) -> None:
    world = district(stage, "maple")
    plan = newest(stage.engine, "maple")
    assert (plan.outcome, plan.held, plan.changes) == ("applied", 2 * LOST, 2)
    assert len(stage.classes("maple")) == LOST + 6, "nothing has gone, and what is new has come"

    told = roster("plan", "maple").output
    assert f"applied, {2 * LOST} held" in told
    assert "25 of 30 classes (83 %), 25 of 30 teachers in classes (83 %) would go" in told
    assert f"roster approve {plan.plan_id}" in told
    assert f"applied, {2 * LOST} held" in roster("district", "list").output
    listed = roster("plan", "maple", "--held").output
    assert ("c00" in listed, f"c{LOST - 1}" in listed, f"c{LOST}" in listed) == (True, True, False)
    read = json.loads(roster("plan", "maple", "--json").output)
    assert (read["held"], len(read["held_classes"])) == (2 * LOST, LOST)
    assert read["held_classes"][0] == {"class": "c00", "itself": True, "teachers": 1, "students": 0}

    # Another plan of the same delivery, with the same rows held: what was looked at may be decided still.
    stage.refresh("maple", world)
    again = newest(stage.engine, "maple")
    assert (again.plan_id > plan.plan_id, again.held) == (True, 2 * LOST)
    with stage.engine.connect() as connection:
        before = states(connection, "maple")
    assert (
        f"{2 * LOST} held rows of plan {plan.plan_id} approved" in roster("approve", plan.plan_id, "--why", "x").output
    )
    with stage.engine.connect() as connection:
        assert states(connection, "maple") != before, "the sensor sees it, and runs the district"
    assert "They were approved: the next run goes by it." in roster("plan", "maple").output
    for number in (plan.plan_id, again.plan_id):
        assert "was approved already" in refused("discard", number)
    stage.refresh("maple", world)
    assert len(stage.classes("maple")) == 6
    assert newest(stage.engine, "maple").held == 0
    assert "holds nothing" in refused("approve", newest(stage.engine, "maple").plan_id)


def test_what_is_discarded_is_kept_until_the_next_delivery_is_held_anew(stage: Stage) -> None:
    world = district(stage, "cedar")
    first = newest(stage.engine, "cedar").plan_id
    world.rows["classes"] = world.rows["classes"][1:]
    stage.play("cedar", world)
    second = newest(stage.engine, "cedar").plan_id
    line = refused("approve", first)
    assert f"the newest plan of cedar is {second}, and it does not hold the same rows" in line
    assert "there is no plan 999" in refused("approve", 999)

    assert "give a reason" in roster("discard", second, "--why", " ").output
    assert "discarded; they stay" in roster("discard", second, "--why", "a wrong export").output
    stage.refresh("cedar", world)
    plan = newest(stage.engine, "cedar")
    assert (plan.held, plan.rows("rostered_class", "keep"), len(stage.classes("cedar"))) == (0, LOST + 1, LOST + 6)

    stage.play("cedar", world)  # delivered once more
    plan = newest(stage.engine, "cedar")
    assert (plan.held, plan.rows("rostered_class", "keep")) == (2 * (LOST + 1), 0)
    assert len(stage.classes("cedar")) == LOST + 6
    assert "was discarded already" in refused("approve", second)
