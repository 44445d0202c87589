"""A run that a person asks for: where it could be done, how far it is, and what it has made."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import dagster as dg

from roster_pipelines.jobs import BY_HAND, TRIGGER
from roster_pipelines.partitions import districts
from roster_pipelines.sensors.attempts import CAUSE

# The daemon's parts tell every thirty seconds that they live.
HEARTBEAT = timedelta(seconds=90)

State = Literal["began", "tries again", "failed", "ended"]
_STATES: dict[dg.DagsterEventType, State] = {
    dg.DagsterEventType.STEP_START: "began",
    dg.DagsterEventType.STEP_UP_FOR_RETRY: "tries again",
    dg.DagsterEventType.STEP_FAILURE: "failed",
    dg.DagsterEventType.STEP_SUCCESS: "ended",
}

Status = Literal["waiting", "running", "success", "failure", "canceled"]
_STATUS: dict[dg.DagsterRunStatus, Status] = {
    dg.DagsterRunStatus.STARTED: "running",
    dg.DagsterRunStatus.CANCELING: "running",
    dg.DagsterRunStatus.SUCCESS: "success",
    dg.DagsterRunStatus.FAILURE: "failure",
    dg.DagsterRunStatus.CANCELED: "canceled",
}


@dataclass(frozen=True)
class Stage:
    """One stage of a run.

    Attributes:
        name: As the UI shows it.
        state: Where it stands.
        seconds: How long it took; None as long as it has not ended well.
    """

    name: str
    state: State
    seconds: float | None


@dataclass(frozen=True)
class Look:
    """How far a run is.

    Attributes:
        run_id: Its id.
        status: Its status; `waiting` in the queue or at its start.
        stages: Its stages so far.
        made: By asset, the numbers and words that the run has recorded of it.
        reason: Why it failed, in its first failed stage's own words.
    """

    run_id: str
    status: Status
    stages: tuple[Stage, ...]
    made: dict[str, dict[str, Any]]
    reason: str | None

    @property
    def ended(self) -> bool:
        """Nothing of it will change any more."""
        return self.status in ("success", "failure", "canceled")


@contextmanager
def opened() -> Iterator[dg.DagsterInstance]:
    """Open the instance that the environment names."""
    with dg.DagsterInstance.get() as instance:
        yield instance


def daemon_lives(instance: dg.DagsterInstance) -> bool:
    """Say whether somebody takes runs out of the queue, as far as the database knows."""
    beats = [datetime.fromtimestamp(beat.timestamp, UTC) for beat in instance.get_daemon_heartbeats().values()]
    return any(datetime.now(UTC) - beat < HEARTBEAT for beat in beats)


def tags(instance: dg.DagsterInstance, district: str) -> dict[str, str]:
    """Give a run by hand its tags, by which it is found, and its district a partition.

    A district that was applied a moment ago may have none yet.
    """
    instance.add_dynamic_partitions(str(districts.name), [district])
    cause = f"{district}:by hand:{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    return {"dagster/partition": district, TRIGGER: BY_HAND, CAUSE: cause}


def look(instance: dg.DagsterInstance, cause: str) -> Look | None:
    """See how far the run for a cause is.

    Args:
        instance: Where the run is recorded.
        cause: From its tags.

    Returns:
        What is known of it; None where there is no such run yet.
    """
    found = instance.get_run_records(dg.RunsFilter(tags={CAUSE: cause}), limit=1)
    if not found:
        return None
    run = found[0].dagster_run
    stages: dict[str, Stage] = {}
    made: dict[str, dict[str, Any]] = {}
    reason = None
    for event in _events(instance, run.run_id):
        if event.event_type in _STATES:
            name = str(event.step_key)
            stages[name] = Stage(name, _STATES[event.event_type], _seconds(event))
        if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION and event.asset_key:
            made[event.asset_key.to_user_string()] = {
                name: value.value for name, value in event.materialization.metadata.items()
            }
        reason = reason or _reason(event)
    return Look(run.run_id, _STATUS.get(run.status, "waiting"), tuple(stages.values()), made, reason)


def _events(instance: dg.DagsterInstance, run_id: str) -> list[dg.DagsterEvent]:
    kinds = {*_STATES, dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.RUN_FAILURE}
    records = instance.get_records_for_run(run_id, of_type=kinds).records
    return [event for record in records if (event := record.event_log_entry.dagster_event)]


def _seconds(event: dg.DagsterEvent) -> float | None:
    if event.event_type != dg.DagsterEventType.STEP_SUCCESS:
        return None
    return event.step_success_data.duration_ms / 1000


def _reason(event: dg.DagsterEvent) -> str | None:
    """Read what a failed stage says of itself; of a run that failed outside of any, what Dagster says of it."""
    if event.event_type == dg.DagsterEventType.RUN_FAILURE:
        return event.message
    if event.event_type != dg.DagsterEventType.STEP_FAILURE:
        return None
    failure = event.step_failure_data
    described = failure.user_failure_data and failure.user_failure_data.description
    return str(described or (failure.error and failure.error.message) or "no reason was given").strip()
