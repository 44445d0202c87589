"""Partitions are kept equal to the registry of districts."""

from collections.abc import Iterator

import dagster as dg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from roster_pipelines.sensors.registry import decide, registry
from roster_pipelines_tests.conftest import register, url_of
from roster_pipelines_tests.sensors.runs import ENDED, UNDER_WAY, run_of
from roster_pipelines_tests.sensors.ticks import tick


@pytest.mark.parametrize(
    ("registered", "existing", "under_way", "add", "delete"),
    [
        ([], [], [], [], []),
        (["b", "a"], [], [], ["a", "b"], []),
        (["a"], ["a"], [], [], []),
        (["a"], ["a"], ["a"], [], []),
        (["a"], ["a", "c", "b"], [], [], ["b", "c"]),
        (["a"], ["b"], [], ["a"], ["b"]),
        (["a"], ["a", "b"], ["b"], [], []),
        ([], ["a", "b"], ["a", "", "z"], [], ["b"]),
    ],
)
def test_partitions_to_add_and_to_delete(
    registered: list[str], existing: list[str], under_way: list[str], add: list[str], delete: list[str]
) -> None:
    assert decide(registered, existing, under_way) == (add, delete)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def partitions(instance: dg.DagsterInstance, url: str) -> set[str] | str:
    """Let the sensor tick, do what it asks for; the partitions then, or why it asked for nothing."""
    result = tick(registry, instance, url)
    if isinstance(result, dg.SkipReason):
        return str(result.skip_message)
    assert not result.run_requests
    for request in result.dynamic_partitions_requests or []:
        if isinstance(request, dg.AddDynamicPartitionsRequest):
            instance.add_dynamic_partitions("districts", request.partition_keys)
        else:
            for key in request.partition_keys:
                instance.delete_dynamic_partition("districts", key)
    return set(instance.get_dynamic_partitions("districts"))


def leave(engine: Engine, district: str) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM roster.district WHERE district = :d"), {"d": district})


def test_a_new_district_gets_a_partition_and_one_that_left_loses_it(
    engine: Engine, instance: dg.DagsterInstance
) -> None:
    register(engine, "maple")
    register(engine, "cedar", stage="paused")
    assert partitions(instance, url_of(engine)) == {"maple", "cedar"}
    assert partitions(instance, url_of(engine)) == "2 districts, and a partition for each"
    leave(engine, "maple")
    register(engine, "alder")
    assert partitions(instance, url_of(engine)) == {"cedar", "alder"}


@pytest.mark.parametrize("status", UNDER_WAY)
def test_a_partition_stays_while_a_run_of_its_district_is_under_way(
    engine: Engine, instance: dg.DagsterInstance, status: str
) -> None:
    instance.add_dynamic_partitions("districts", ["maple", "cedar"])
    run_of(instance, "maple", status)
    assert partitions(instance, url_of(engine)) == {"maple"}


@pytest.mark.parametrize("status", ENDED)
def test_a_run_that_has_ended_keeps_no_partition(engine: Engine, instance: dg.DagsterInstance, status: str) -> None:
    instance.add_dynamic_partitions("districts", ["maple"])
    run_of(instance, "maple", status)
    assert partitions(instance, url_of(engine)) == set()


def test_a_registry_that_cannot_be_read_fails_the_tick_and_deletes_nothing(instance: dg.DagsterInstance) -> None:
    instance.add_dynamic_partitions("districts", ["maple"])
    with pytest.raises(sa.exc.OperationalError):
        partitions(instance, "postgresql://roster@127.0.0.1:1/roster")
    assert instance.get_dynamic_partitions("districts") == ["maple"]
