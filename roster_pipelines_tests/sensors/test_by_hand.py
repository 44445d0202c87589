"""A run that a person asked for is found by its cause, and tells how far it is, what it made and why it failed."""

import time
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._daemon.types import DaemonHeartbeat

from roster_pipelines.jobs import BY_HAND, TRIGGER
from roster_pipelines.partitions import districts
from roster_pipelines.sensors.attempts import CAUSE
from roster_pipelines.sensors.by_hand import HEARTBEAT, Stage, daemon_lives, look, tags
from roster_pipelines_tests.sensors.runs import run_of


@dg.asset(partitions_def=districts)
def first() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"delivery": "d1", "unchanged": True, "rows": 7})


@dg.asset(partitions_def=districts, deps=[first])
def second() -> None:
    raise dg.Failure("the door is shut: open it", allow_retries=False)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def test_a_run_by_hand_carries_its_district_who_asked_and_a_cause_of_its_own(instance: dg.DagsterInstance) -> None:
    one, other = tags(instance, "maple"), tags(instance, "maple")
    assert (one["dagster/partition"], one[TRIGGER]) == ("maple", BY_HAND)
    assert one[CAUSE] != other[CAUSE]
    assert instance.get_dynamic_partitions("districts") == ["maple"], "even where no sensor has seen the district yet"


def test_the_stages_of_a_run_what_they_made_and_the_reason_of_the_one_that_failed(instance: dg.DagsterInstance) -> None:
    given = tags(instance, "maple")
    assert look(instance, given[CAUSE]) is None
    dg.materialize([first, second], partition_key="maple", instance=instance, tags=given, raise_on_error=False)
    found = look(instance, given[CAUSE])
    assert found is not None
    done, failed = found.stages
    assert (done.name, done.state) == ("first", "ended")
    assert done.seconds is not None
    assert failed == Stage("second", "failed", None)
    assert (found.status, found.ended, found.reason) == ("failure", True, "the door is shut: open it")
    assert found.made == {"first": {"delivery": "d1", "unchanged": True, "rows": 7}}


def test_a_run_that_ended_well_has_no_reason(instance: dg.DagsterInstance) -> None:
    given = tags(instance, "maple")
    dg.materialize([first], partition_key="maple", instance=instance, tags=given)
    found = look(instance, given[CAUSE])
    assert found is not None
    assert (found.status, found.ended, found.reason) == ("success", True, None)


@pytest.mark.parametrize(
    ("status", "told", "ended"),
    [
        ("QUEUED", "waiting", False),
        ("STARTING", "waiting", False),
        ("STARTED", "running", False),
        ("CANCELING", "running", False),
        ("CANCELED", "canceled", True),
    ],
)
def test_a_run_has_ended_only_when_nothing_of_it_will_change(
    instance: dg.DagsterInstance, status: str, told: str, ended: bool
) -> None:
    run_of(instance, "maple", status, **{CAUSE: "this"})
    run_of(instance, "maple", "SUCCESS", **{CAUSE: "another"})
    found = look(instance, "this")
    assert found is not None
    assert (found.status, found.ended) == (told, ended)


@pytest.mark.parametrize(("seconds_ago", "lives"), [(None, False), (1, True), (HEARTBEAT.total_seconds() + 5, False)])
def test_the_daemon_lives_while_its_heart_beats(
    instance: dg.DagsterInstance, seconds_ago: float | None, lives: bool
) -> None:
    if seconds_ago is not None:
        instance.add_daemon_heartbeat(DaemonHeartbeat(time.time() - seconds_ago, "SENSOR", "id"))
    assert daemon_lives(instance) is lives
