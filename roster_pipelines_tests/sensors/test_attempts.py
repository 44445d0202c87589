"""A run that fails is asked for again, later and later, and never beside one that is under way."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from roster_pipelines.sensors.attempts import CAUSE, LONGEST_PAUSE, PAUSE, Attempt, decide, request
from roster_pipelines_tests.sensors.runs import run_of

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MOMENT = timedelta(seconds=1)


def failed(*ago: timedelta) -> list[Attempt]:
    return [Attempt(NOON - pause) for pause in ago]


def test_the_first_request_is_made_at_once() -> None:
    assert decide([], NOON) == 0


def test_nothing_is_asked_for_while_a_run_is_under_way() -> None:
    assert decide([Attempt(None)], NOON) is None
    assert decide([*failed(9 * PAUSE), Attempt(None)], NOON) is None


def test_a_run_that_failed_is_asked_for_again_after_a_pause_under_another_number() -> None:
    assert decide(failed(PAUSE - MOMENT), NOON) is None
    assert decide(failed(PAUSE), NOON) == 1


def test_each_pause_is_twice_the_one_before_up_to_a_longest() -> None:
    assert decide(failed(9 * PAUSE, 2 * PAUSE - MOMENT), NOON) is None
    assert decide(failed(9 * PAUSE, 2 * PAUSE), NOON) == 2
    assert decide(failed(*[LONGEST_PAUSE] * 40), NOON) == 40


def test_the_runs_so_far_are_found_in_the_instance_by_their_cause() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        run_of(instance, "maple", "FAILURE", **{CAUSE: "this"})
        run_of(instance, "maple", "SUCCESS", **{CAUSE: "another"})
        now = datetime.now(UTC)
        assert request(instance, "maple", "this", "sftp drop", now) is None
        again = request(instance, "maple", "this", "sftp drop", now + PAUSE)
        assert again is not None
        assert again.run_key == "this:1"
        assert again.partition_key == "maple"
        first = request(instance, "maple", "a third", "sftp drop", now)
        assert first is not None
        assert first.run_key == "a third:0"
        assert first.tags[CAUSE] == "a third"
