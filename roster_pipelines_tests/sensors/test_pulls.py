"""A district is pulled once for each time at which its own schedule says so, and again where that pull failed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from roster_pipelines.district import District
from roster_pipelines.district_connection import Blackout, PullTimes
from roster_pipelines.platform import deliveries
from roster_pipelines.sensors.attempts import CAUSE, REQUESTS_PER_TICK
from roster_pipelines.sensors.pulls import decide, pulls
from roster_pipelines_tests.conftest import accept, nowhere, register, url_of
from roster_pipelines_tests.sensors.api import api
from roster_pipelines_tests.sensors.runs import run_of
from roster_pipelines_tests.sensors.ticks import requests, tick

# Monday noon in Denver; the pull of that day was due at 09:00 UTC.
NOON = datetime(2026, 11, 23, 19, tzinfo=UTC)
DUE = datetime(2026, 11, 23, 9, tzinfo=UTC)
CAUSE_OF_DUE = "maple:pull:20261123T0900Z"
MOMENT = timedelta(seconds=1)


def maple(times: PullTimes | None = None, **changes: Any) -> District:
    record = {
        "district": "maple",
        "name": "Maple",
        "time_zone": "America/Denver",
        "connection": api(times),
        "sign_in": {"provider": "classlink"},
        **changes,
    }
    return District.model_validate(record)


def blackout(first: date, last: date) -> PullTimes:
    return PullTimes(blackout=(Blackout(first=first, last=last),))


@pytest.mark.parametrize(
    ("record", "pulled", "cause"),
    [
        (maple(), None, CAUSE_OF_DUE),
        (maple(), DUE - MOMENT, CAUSE_OF_DUE),
        (maple(), DUE, None),
        (maple(), NOON - MOMENT, None),
        (maple(stage="live"), None, CAUSE_OF_DUE),
        (maple(stage="paused"), None, None),
        (maple(connection=nowhere()), None, None),
        (maple(time_zone="America/New_York"), None, "maple:pull:20261123T0700Z"),
        (maple(PullTimes(at="12:00")), DUE, "maple:pull:20261123T1900Z"),
        (maple(PullTimes(weekdays=("sun",))), None, "maple:pull:20261122T0900Z"),
        (maple(blackout(date(2026, 11, 23), date(2026, 11, 24))), None, None),
        (maple(blackout(date(2026, 11, 21), date(2026, 11, 22))), None, CAUSE_OF_DUE),
    ],
    ids=[
        "never pulled, and onboarding: at once",
        "pulled a moment before it was due",
        "pulled when it was due",
        "pulled since, by hand",
        "live",
        "paused",
        "files by sFTP",
        "in another time zone",
        "due this very moment",
        "what failed on its own weekday is made up for on another",
        "but never on a blackout day",
        "after the blackout",
    ],
)
def test_districts_to_be_pulled(record: District, pulled: datetime | None, cause: str | None) -> None:
    found = decide([record], {"maple": pulled} if pulled else {}, NOON)
    assert found == ({"maple": cause} if cause else {})


def test_each_district_goes_by_its_own_pulls_and_time() -> None:
    cedar = maple(PullTimes(at="13:00")).model_copy(update={"district": "cedar"})
    pulled_at = {"maple": NOON - timedelta(days=1), "cedar": NOON - timedelta(hours=20)}
    assert decide([maple(), cedar], pulled_at, NOON).keys() == {"maple"}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("districts", ["maple"])
        yield instance


@pytest.fixture
def due(engine: Engine) -> Engine:
    """A district whose pull was due an hour ago."""
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    register(engine, "maple", time_zone="UTC", connection=api(PullTimes(at=f"{hour_ago:%H:%M}")))
    return engine


def pulled(engine: Engine, hours_ago: float = 0, status: deliveries.Status = "accepted", name: str = "first") -> None:
    """Do what a run does as far as this sensor sees: a delivery by a pull, and what was decided on it."""
    began_at = (datetime.now(UTC) - timedelta(hours=hours_ago)).isoformat()
    with engine.begin() as connection:
        accept(connection, "maple", name)
        connection.execute(
            sa.text(
                "UPDATE roster.delivery SET status = :status,"
                " receipt = receipt || jsonb_build_object('pull', jsonb_build_object('began_at', :began_at))"
                " WHERE delivery_id = :name"
            ),
            {"status": status, "began_at": began_at, "name": name},
        )


def asked(instance: dg.DagsterInstance, engine: Engine) -> dict[str, str]:
    """Let the sensor tick; the districts it asks for, by run key."""
    found = requests(tick(pulls, instance, url_of(engine)))
    assert all(request.tags["roster/trigger"] == "pull due" for request in found)
    return {str(request.run_key): str(request.partition_key) for request in found}


@pytest.mark.parametrize("status", ["accepted", "refused"])
def test_a_pull_is_asked_for_under_one_key_until_it_was_made_and_decided_on(
    due: Engine, instance: dg.DagsterInstance, status: deliveries.Status
) -> None:
    first = asked(instance, due)
    assert list(first.values()) == ["maple"]
    assert asked(instance, due) == first, "the same key, so that Dagster makes one run of it"
    pulled(due, status=status)
    assert asked(instance, due) == {}


def test_what_was_pulled_before_the_due_moment_or_never_decided_on_is_pulled_again(
    due: Engine, instance: dg.DagsterInstance
) -> None:
    pulled(due, hours_ago=2)
    assert list(asked(instance, due).values()) == ["maple"]
    pulled(due, status="landed", name="second")
    assert list(asked(instance, due).values()) == ["maple"]


def test_only_the_newest_delivery_tells_and_one_by_sftp_is_no_pull(due: Engine, instance: dg.DagsterInstance) -> None:
    """A district that went over to its API in between begins anew."""
    pulled(due)
    with due.begin() as connection:
        accept(connection, "maple", "by-sftp")
    assert list(asked(instance, due).values()) == ["maple"]


@pytest.mark.parametrize("status", ["QUEUED", "STARTED", "FAILURE"])
def test_a_pull_whose_run_is_under_way_or_has_just_failed_is_not_asked_for(
    due: Engine, instance: dg.DagsterInstance, status: str
) -> None:
    (request,) = requests(tick(pulls, instance, url_of(due)))
    run_of(instance, "maple", status, **{CAUSE: request.tags[CAUSE]})
    assert asked(instance, due) == {}


def test_a_run_by_hand_that_is_under_way_is_waited_for(due: Engine, instance: dg.DagsterInstance) -> None:
    run_of(instance, "cedar", "STARTED")
    assert list(asked(instance, due).values()) == ["maple"]
    run_of(instance, "maple", "STARTED", **{"roster/trigger": "roster pull"})
    assert asked(instance, due) == {}


def test_a_district_without_a_partition_waits_for_it(due: Engine, instance: dg.DagsterInstance) -> None:
    instance.delete_dynamic_partition("districts", "maple")
    assert asked(instance, due) == {}
    instance.add_dynamic_partitions("districts", ["maple"])
    assert list(asked(instance, due).values()) == ["maple"]


def test_a_tick_asks_for_no_more_than_the_daemon_can_take(due: Engine, instance: dg.DagsterInstance) -> None:
    names = [f"d-{number:04d}" for number in range(REQUESTS_PER_TICK + 5)]
    instance.add_dynamic_partitions("districts", names)
    with due.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO roster.district SELECT name, 1, d.record || jsonb_build_object('district', name)"
                " FROM roster.district d, unnest(CAST(:names AS text[])) AS name"
            ),
            {"names": names},
        )
    assert len(asked(instance, due)) == REQUESTS_PER_TICK
