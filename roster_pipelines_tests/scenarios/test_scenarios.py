"""The rules of docs/scenarios.md, each row played through the real assets and PostgreSQL.

All stories are districts of one deployment, and most of them have the same ids, e-mails and usernames: so the last
test tells whether anybody in another district was ever touched.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from roster_pipelines_tests.conftest import Databases
from roster_pipelines_tests.rostering.world import World
from roster_pipelines_tests.scenarios.stage import Stage
from roster_pipelines_tests.scenarios.table import Scenario, say, scenarios

STORIES = scenarios()
EVERY = 8
"""One story in so many is run once more than it must."""
PLAYED: dict[str, dict[str, list[dict[str, Any]]]] = {}
"""By district, what was published at the end of its story."""


@pytest.fixture(scope="module")
def stage(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with databases.copy("migrated") as engine, dg.DagsterInstance.ephemeral() as instance:
        yield Stage(engine, instance, tmp_path_factory.mktemp("lake"))


@pytest.mark.parametrize("number", range(len(STORIES)), ids=[story[0].name for story in STORIES])
def test_a_scenario_comes_out_as_it_is_written(stage: Stage, number: int) -> None:
    world, district = World(), f"story-{number:03d}"
    for scenario in STORIES[number]:
        _play(stage, district, world, scenario)
    PLAYED[district] = stage.published(district)
    if number % EVERY == 0:
        stage.refresh(district, world)
        assert stage.published(district) == PLAYED[district], "running again changes nothing"


def _play(stage: Stage, district: str, world: World, scenario: Scenario) -> None:
    for phrase in scenario.given:
        say(world, phrase)
    stage.play(district, world)
    assert (stage.classes(district), stage.waiting(district)) == (scenario.classes, scenario.waiting), scenario.name


def test_nobody_in_another_district_was_touched(stage: Stage) -> None:
    for district, published in PLAYED.items():
        assert stage.published(district) == published, district


def test_there_are_as_many_scenarios_as_the_rules_deserve() -> None:
    assert sum(len(story) for story in STORIES) >= 60
    assert len({row.name for story in STORIES for row in story if not row.name.startswith("...")}) == len(STORIES)
