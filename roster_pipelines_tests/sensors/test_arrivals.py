"""A district is run when its upload is over; looking at one district never depends on another."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from roster_pipelines.connections.arrival import Seen
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.platform import drops
from roster_pipelines.sensors import arrivals as module
from roster_pipelines.sensors.arrivals import arrivals, is_due
from roster_pipelines.sensors.attempts import CAUSE
from roster_pipelines_tests.conftest import Site, nowhere, register, url_of
from roster_pipelines_tests.sensors.api import api
from roster_pipelines_tests.sensors.runs import run_of
from roster_pipelines_tests.sensors.ticks import requests, tick

MAPLE, CEDAR = Site.accounts


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("districts", [MAPLE, CEDAR])
        yield instance


@pytest.fixture
def users(tmp_path: Path) -> Path:
    """One file of a delivery."""
    path = tmp_path / "users.csv"
    path.write_text("sourcedId\n")
    return path


def look(instance: dg.DagsterInstance, engine: Engine) -> dict[str, str]:
    """Let the sensor tick once; the districts it asks for, by run key."""
    found = requests(tick(arrivals, instance, url_of(engine)))
    assert all(request.tags["roster/trigger"] == "sftp drop" for request in found)
    return {str(request.run_key): str(request.partition_key) for request in found}


def restless(name: str) -> SftpConnection:
    """A connection into whose folder every tick looks."""
    return nowhere().model_copy(update={"username": name, "quiet_seconds": 0})


def later(engine: Engine, seconds: int) -> None:
    """Let time go by."""
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE roster.drop_look SET looked_at = looked_at - make_interval(secs => :s),"
                " unchanged_since = unchanged_since - make_interval(secs => :s)"
            ),
            {"s": seconds},
        )


def decided(engine: Engine, district: str) -> None:
    """Do what a run does as far as this sensor sees: it has fetched what was seen last, and decided on it."""
    with engine.begin() as connection:
        drops.take(connection, district, str(drops.seen(connection)[district].listing))


def problems(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        return drops.problems(connection)


def test_a_drop_is_asked_for_after_two_looks_and_not_again_once_it_was_decided_on(
    engine: Engine, instance: dg.DagsterInstance, site: Site, users: Path
) -> None:
    register(engine, MAPLE, connection=site.connection())
    assert look(instance, engine) == {}, "an empty folder"
    site.upload(users)
    assert look(instance, engine) == {}, "the first look"
    asked = look(instance, engine)
    assert list(asked.values()) == [MAPLE]
    decided(engine, MAPLE)
    assert look(instance, engine) == {}
    assert problems(engine) == {}


def test_a_request_that_was_lost_is_made_again_under_the_same_key(
    engine: Engine, instance: dg.DagsterInstance, site: Site, users: Path
) -> None:
    """A tick that dies after its look leaves nothing behind that would keep the next from asking."""
    register(engine, MAPLE, connection=site.connection())
    site.upload(users)
    look(instance, engine)
    lost = look(instance, engine)
    assert lost
    assert look(instance, engine) == lost


@pytest.mark.parametrize("status", ["QUEUED", "STARTED", "FAILURE"])
def test_an_arrival_whose_run_is_under_way_or_has_just_failed_is_not_asked_for(
    engine: Engine, instance: dg.DagsterInstance, site: Site, users: Path, status: str
) -> None:
    register(engine, MAPLE, connection=site.connection())
    site.upload(users)
    look(instance, engine)
    (request,) = requests(tick(arrivals, instance, url_of(engine)))
    run_of(instance, MAPLE, status, **{CAUSE: request.tags[CAUSE]})
    assert look(instance, engine) == {}


def test_a_corrected_file_is_another_arrival(
    engine: Engine, instance: dg.DagsterInstance, site: Site, users: Path
) -> None:
    register(engine, MAPLE, connection=site.connection())
    keys: set[str] = set()
    for content in ("sourcedId\n", "sourcedId,role\n"):
        users.write_text(content)
        site.upload(users)
        assert look(instance, engine) == {}
        keys |= look(instance, engine).keys()
        decided(engine, MAPLE)
    assert len(keys) == 2


def test_nothing_is_asked_for_before_the_quiet_period_is_over(
    engine: Engine, instance: dg.DagsterInstance, site: Site, users: Path
) -> None:
    register(engine, MAPLE, connection=site.connection(quiet_seconds=600))
    site.upload(users)
    for _ in range(3):
        assert look(instance, engine) == {}
        later(engine, 120)
    later(engine, 601)
    assert list(look(instance, engine).values()) == [MAPLE]


@pytest.mark.parametrize(
    ("quiet_seconds", "seconds_ago", "due"),
    [(300, None, True), (300, 59, False), (300, 60, True), (0, 0, True), (7200, 600, False)],
)
def test_a_folder_is_looked_into_five_times_while_it_must_be_quiet(
    quiet_seconds: int, seconds_ago: int | None, due: bool
) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    looked_at = None if seconds_ago is None else now - timedelta(seconds=seconds_ago)
    assert is_due(quiet_seconds, looked_at, now) is due


def test_each_district_is_looked_at_by_itself(
    engine: Engine, instance: dg.DagsterInstance, site: Site, users: Path
) -> None:
    for account in Site.accounts:
        register(engine, account, connection=site.connection(account))
    site.upload(users, CEDAR)
    look(instance, engine)
    assert list(look(instance, engine).values()) == [CEDAR]


def unreachable(site: Site) -> SftpConnection:
    return site.connection().model_copy(update={"port": 1})


def other_key(site: Site) -> SftpConnection:
    return site.connection().model_copy(update={"host_key": None})


def wrong_secret(site: Site) -> SftpConnection:
    return site.connection(CEDAR).model_copy(update={"username": MAPLE})


def no_secret(site: Site) -> SftpConnection:
    return site.connection().model_copy(update={"password": "env:NOBODY_HAS_SET_THIS"})


def no_folder(site: Site) -> SftpConnection:
    return site.connection().model_copy(update={"directory": "/nowhere"})


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (unreachable, "cannot be reached"),
        (other_key, "none is pinned"),
        (wrong_secret, "refuses the login"),
        (no_secret, "the secret env:NOBODY_HAS_SET_THIS is not set"),
        (no_folder, "does not show the folder /nowhere"),
    ],
)
def test_a_folder_that_cannot_be_looked_into_is_a_problem_in_the_ledger_and_stops_no_other(
    engine: Engine, instance: dg.DagsterInstance, site: Site, users: Path, broken: object, told: str
) -> None:
    register(engine, MAPLE, connection=broken(site))  # type: ignore[operator]
    register(engine, CEDAR, connection=site.connection(CEDAR))
    site.upload(users, CEDAR)
    look(instance, engine)
    assert list(look(instance, engine).values()) == [CEDAR]
    found = problems(engine)
    assert found.keys() == {MAPLE}
    assert told in found[MAPLE]
    assert not any(secret in found[MAPLE] for secret in site.secrets.values())


def test_a_problem_is_gone_from_the_ledger_when_the_folder_is_seen_again_and_no_look_was_lost(
    engine: Engine, instance: dg.DagsterInstance, site: Site, users: Path
) -> None:
    register(engine, MAPLE, connection=site.connection())
    site.upload(users)
    look(instance, engine)
    register(engine, MAPLE, connection=unreachable(site))
    assert look(instance, engine) == {}
    assert problems(engine).keys() == {MAPLE}
    register(engine, MAPLE, connection=site.connection())
    assert list(look(instance, engine).values()) == [MAPLE]
    assert problems(engine) == {}


def test_a_paused_district_is_not_looked_at(
    engine: Engine, instance: dg.DagsterInstance, site: Site, users: Path
) -> None:
    register(engine, MAPLE, connection=site.connection(), stage="paused")
    site.upload(users)
    assert [look(instance, engine), look(instance, engine)] == [{}, {}]
    with engine.connect() as connection:
        assert drops.seen(connection) == {}


def test_a_district_that_is_pulled_from_an_api_has_no_folder_to_be_looked_into(
    engine: Engine, instance: dg.DagsterInstance, site: Site, users: Path
) -> None:
    register(engine, MAPLE, connection=api())
    register(engine, CEDAR, connection=site.connection(CEDAR))
    site.upload(users, CEDAR)
    look(instance, engine)
    assert list(look(instance, engine).values()) == [CEDAR]
    with engine.connect() as connection:
        assert drops.seen(connection).keys() == {CEDAR}


@pytest.mark.parametrize("stage", ["onboarding", "testing"])
def test_a_district_is_looked_at_before_it_is_live(
    engine: Engine, instance: dg.DagsterInstance, site: Site, users: Path, stage: str
) -> None:
    register(engine, MAPLE, connection=site.connection(), stage=stage)
    site.upload(users)
    look(instance, engine)
    assert list(look(instance, engine).values()) == [MAPLE]


def test_a_district_without_a_partition_waits_for_it(
    engine: Engine, instance: dg.DagsterInstance, site: Site, users: Path
) -> None:
    register(engine, MAPLE, connection=site.connection())
    site.upload(users)
    instance.delete_dynamic_partition("districts", MAPLE)
    assert [look(instance, engine), look(instance, engine)] == [{}, {}]
    instance.add_dynamic_partitions("districts", [MAPLE])
    look(instance, engine)
    assert list(look(instance, engine).values()) == [MAPLE]


def test_a_server_that_hangs_until_the_tick_dies_does_not_keep_its_place_in_the_row(
    engine: Engine, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    class TickKilledError(Exception):
        pass

    seen: list[str] = []

    def hang(connection: SftpConnection, before: Seen) -> object:
        seen.append(connection.username)
        raise TickKilledError

    monkeypatch.setattr(module, "_look", hang)
    for name in (MAPLE, CEDAR):
        register(engine, name, connection=restless(name))
    for _ in range(3):
        with pytest.raises(TickKilledError):
            look(instance, engine)
    assert seen == [CEDAR, MAPLE, CEDAR]


def test_when_the_time_of_a_tick_is_over_the_longest_unseen_come_first_in_the_next(
    engine: Engine, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One look at an unreachable server uses up the tick; still every district has its turn."""
    names = ["alder", "birch", "cedar"]
    instance.add_dynamic_partitions("districts", names)
    for name in names:
        register(engine, name, connection=restless(name))
    seen: list[str] = []

    def slow_look(connection: SftpConnection, before: Seen) -> object:
        seen.append(connection.username)
        monkeypatch.setattr(module, "BUDGET", timedelta(0))
        return module.Look(before, take=False, reason="not reached"), "slow"

    monkeypatch.setattr(module, "_look", slow_look)
    for _ in range(4):
        monkeypatch.setattr(module, "BUDGET", timedelta(hours=1))
        look(instance, engine)
    assert seen == ["alder", "birch", "cedar", "alder"]
