"""A district is run when its upload is over; looking at one district never depends on another."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from roster_pipelines.connections import landing, looking, sftp
from roster_pipelines.connections.arrival import Listing, Look, Seen
from roster_pipelines.connections.looking import Looked, Task
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.jobs import TELL
from roster_pipelines.platform import arrivals as ledger
from roster_pipelines.platform import deliveries, drops
from roster_pipelines.sensors import attempts
from roster_pipelines.sensors.arrivals import arrivals
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
    """Let the sensor tick once; the districts that it asks for because of a drop, by run key.

    One file is no whole upload, and what the tests do in place of runs is not all that runs do: both are told besides.
    """
    return asked(instance, engine, "sftp drop", beside="told")


def asked(instance: dg.DagsterInstance, engine: Engine, trigger: str, beside: str = "") -> dict[str, str]:
    """Let the sensor tick once; the districts that it asks for for a reason, by run key."""
    found = requests(tick(arrivals, instance, url_of(engine)))
    assert {request.tags["roster/trigger"] for request in found} <= {trigger, beside}
    found = [request for request in found if request.tags["roster/trigger"] == trigger]
    return {str(request.run_key): str(request.partition_key) for request in found}


def later(engine: Engine, seconds: int) -> None:
    """Let time go by."""
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE roster.drop_look SET looked_at = looked_at - make_interval(secs => :s),"
                " unchanged_since = unchanged_since - make_interval(secs => :s),"
                " problem_since = problem_since - make_interval(secs => :s)"
            ),
            {"s": seconds},
        )


def due_again(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE roster.drop_look SET looked_at = looked_at - interval '1 hour'"))


def decided(engine: Engine, district: str) -> None:
    """Do what a run does as far as this sensor sees: it has fetched what was seen last, and decided on it."""
    with engine.begin() as connection:
        drops.take(connection, district, under_way(engine, district))


def under_way(engine: Engine, district: str = MAPLE) -> str:
    """What is on its way from a district, summed up."""
    with engine.connect() as connection:
        query = "SELECT listing FROM roster.arrival WHERE district = :district AND ended_at IS NULL"
        return str(connection.scalar(sa.text(query), {"district": district}))


def fetch(engine: Engine, site: Site, folder: Path, *, accepted: bool = True) -> str:
    """Fetch what lies in the folder and decide on it, as a run does; the delivery's id."""
    folder.mkdir()
    receipt = landing.receipt(sftp.fetch_delivery(site.connection(), folder), datetime.now(UTC))
    listing = under_way(engine)
    with engine.begin() as connection:
        deliveries.record(connection, MAPLE, receipt, listing)
        deliveries.decide(connection, MAPLE, receipt.delivery_id, "accepted" if accepted else "refused")
        drops.take(connection, MAPLE, listing)
        ledger.end(connection, MAPLE, listing, receipt.delivery_id)
    return receipt.delivery_id


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
    assert list(look(instance, engine).values()) == [MAPLE]
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


BROKEN = [
    (unreachable, "cannot be reached", False),
    (other_key, "none is pinned", True),
    (wrong_secret, "refuses the login", True),
    (no_secret, "the secret env:NOBODY_HAS_SET_THIS is not set", True),
    (no_folder, "does not show the folder /nowhere", True),
]


@pytest.mark.parametrize(("broken", "told", "lasts"), BROKEN)
def test_a_folder_that_cannot_be_looked_into_is_a_problem_in_the_ledger_and_stops_no_other(
    engine: Engine, instance: dg.DagsterInstance, site: Site, users: Path, broken: object, told: str, lasts: bool
) -> None:
    register(engine, MAPLE, connection=broken(site))  # type: ignore[operator]
    register(engine, CEDAR, connection=site.connection(CEDAR))
    site.upload(users, CEDAR)
    tick(arrivals, instance, url_of(engine))
    found = requests(tick(arrivals, instance, url_of(engine)))
    assert CEDAR in [request.partition_key for request in found if request.tags["roster/trigger"] == "sftp drop"]
    known = problems(engine)
    assert known.keys() == {MAPLE}
    assert told in known[MAPLE]
    assert not any(secret in known[MAPLE] for secret in site.secrets.values())


@pytest.mark.parametrize(("broken", "told", "lasts"), BROKEN)
def test_what_somebody_must_mend_is_told_by_one_run_and_what_is_tried_again_after_a_day(
    engine: Engine, instance: dg.DagsterInstance, site: Site, broken: object, told: str, lasts: bool
) -> None:
    register(engine, MAPLE, connection=broken(site))  # type: ignore[operator]
    first = asked(instance, engine, "not reached")
    assert list(first.values()) == ([MAPLE] if lasts else [])
    later(engine, 25 * 3600)
    after_a_day = asked(instance, engine, "not reached")
    assert list(after_a_day.values()) == [MAPLE]
    (cause,) = {key.removesuffix(":0") for key in after_a_day}
    run_of(instance, MAPLE, "FAILURE", **{CAUSE: cause})
    due_again(engine)
    assert asked(instance, engine, "not reached") == {}


def test_a_problem_is_gone_from_the_ledger_when_the_folder_is_seen_again_and_no_look_was_lost(
    engine: Engine, instance: dg.DagsterInstance, site: Site, users: Path
) -> None:
    register(engine, MAPLE, connection=site.connection())
    site.upload(users)
    look(instance, engine)
    register(engine, MAPLE, connection=unreachable(site))
    assert look(instance, engine) == {}
    assert problems(engine).keys() == {MAPLE}
    later(engine, 600)
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
        assert drops.seen(connection, MAPLE) == Seen()


def test_a_district_that_is_pulled_from_an_api_has_no_folder_to_be_looked_into(
    engine: Engine, instance: dg.DagsterInstance, site: Site, users: Path
) -> None:
    register(engine, MAPLE, connection=api())
    register(engine, CEDAR, connection=site.connection(CEDAR))
    site.upload(users, CEDAR)
    look(instance, engine)
    assert list(look(instance, engine).values()) == [CEDAR]
    with engine.connect() as connection:
        assert drops.seen(connection, MAPLE) == Seen()


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


def settled(engine: Engine, instance: dg.DagsterInstance, site: Site, users: Path) -> None:
    """Upload a file, and look until it is asked for."""
    register(engine, MAPLE, connection=site.connection())
    site.upload(users)
    assert [look(instance, engine), len(look(instance, engine))] == [{}, 1]


def states(engine: Engine) -> list[str]:
    """What became of each upload, the first first."""
    with engine.connect() as connection:
        return [arrival.state for arrival in reversed(ledger.newest(connection, MAPLE, 20))]


def test_the_same_content_again_makes_no_run_and_one_line_in_the_ledger(
    engine: Engine, instance: dg.DagsterInstance, site: Site, users: Path, tmp_path: Path
) -> None:
    settled(engine, instance, site, users)
    delivery = fetch(engine, site, tmp_path / "fetched")
    touch(site.folder() / "users.csv", hours=24)
    assert [look(instance, engine), look(instance, engine), look(instance, engine)] == [{}, {}, {}]
    assert states(engine) == ["accepted", "same"]
    with engine.connect() as connection:
        assert {arrival.delivery_id for arrival in ledger.newest(connection, MAPLE, 5)} == {delivery}


def test_what_was_refused_is_run_again_when_it_comes_again(
    engine: Engine, instance: dg.DagsterInstance, site: Site, users: Path, tmp_path: Path
) -> None:
    """What was wrong may have been our record."""
    settled(engine, instance, site, users)
    fetch(engine, site, tmp_path / "fetched", accepted=False)
    touch(site.folder() / "users.csv", hours=24)
    look(instance, engine)
    assert list(look(instance, engine).values()) == [MAPLE]


def test_another_content_of_the_same_size_is_run(
    engine: Engine, instance: dg.DagsterInstance, site: Site, users: Path, tmp_path: Path
) -> None:
    settled(engine, instance, site, users)
    fetch(engine, site, tmp_path / "fetched")
    (site.folder() / "users.csv").write_text("sourcedID\n")
    touch(site.folder() / "users.csv", hours=24)
    look(instance, engine)
    assert list(look(instance, engine).values()) == [MAPLE]


def test_the_same_content_is_run_again_where_its_first_run_died_before_it_decided(
    engine: Engine, instance: dg.DagsterInstance, site: Site, users: Path, tmp_path: Path
) -> None:
    settled(engine, instance, site, users)
    (tmp_path / "fetched").mkdir()
    receipt = landing.receipt(sftp.fetch_delivery(site.connection(), tmp_path / "fetched"), datetime.now(UTC))
    with engine.begin() as connection:
        deliveries.record(connection, MAPLE, receipt, under_way(engine))
    assert list(look(instance, engine).values()) == [MAPLE]


def touch(path: Path, hours: float) -> None:
    """Let a file have been written so many hours later."""
    time = path.stat().st_mtime + 3600 * hours
    os.utime(path, (time, time))


@pytest.fixture
def full_server(engine: Engine, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server on which the files of more districts wait than a tick may ask for, and than the queue may hold."""
    monkeypatch.setattr(attempts, "REQUESTS_PER_TICK", 5)
    monkeypatch.setattr(attempts, "UNDER_WAY_AT_MOST", 8)
    count = 10
    names = [f"district-{number:03}" for number in range(count)]
    instance.add_dynamic_partitions("districts", names)
    for name in names:
        register(engine, name, connection=nowhere().model_copy(update={"quiet_seconds": 0}))

    def settled(tasks: list[Task], seconds: float, grace: float) -> list[Looked]:
        look = Look(Seen("shown", datetime(2026, 11, 23, tzinfo=UTC)), "settled", files="files")
        return [Looked(task, look, Listing((("users.csv", 1, datetime(2026, 11, 23, tzinfo=UTC)),))) for task in tasks]

    monkeypatch.setattr(looking, "sweep", settled)


def test_the_first_look_at_a_full_server_does_not_flood_the_queue(
    engine: Engine, instance: dg.DagsterInstance, full_server: None
) -> None:
    first = look(instance, engine)
    assert len(first) == 5
    for district in first.values():
        run_of(instance, district, "QUEUED")
    second = look(instance, engine)
    assert len(second) == 8 - 5
    assert not {*first.values()} & {*second.values()}


def test_nothing_is_asked_for_while_the_queue_is_full(
    engine: Engine, instance: dg.DagsterInstance, full_server: None
) -> None:
    for number in range(8):
        run_of(instance, f"elsewhere-{number}", "QUEUED")
    assert look(instance, engine) == {}


def test_a_district_with_a_run_under_way_is_not_looked_at(
    engine: Engine, instance: dg.DagsterInstance, site: Site, users: Path
) -> None:
    """Its server may allow one session only."""
    register(engine, MAPLE, connection=site.connection())
    site.upload(users)
    run_of(instance, MAPLE, "STARTED")
    look(instance, engine)
    with engine.connect() as connection:
        assert drops.seen(connection, MAPLE) == Seen()


def test_what_happened_to_an_upload_is_told_by_one_run_that_fails(
    engine: Engine, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened = {2: (MAPLE, "the second"), 1: (MAPLE, "the first"), 3: (CEDAR, "another")}
    monkeypatch.setattr(ledger, "untold", lambda connection: happened)
    told = requests(tick(arrivals, instance, url_of(engine)))
    assert [(request.partition_key, request.tags[TELL]) for request in told] == [
        (MAPLE, "the first"),
        (CEDAR, "another"),
    ]
    for request in told:
        run_of(instance, str(request.partition_key), "FAILURE", **request.tags)
    (second,) = requests(tick(arrivals, instance, url_of(engine)))
    assert (second.partition_key, second.tags[TELL]) == (MAPLE, "the second")
    run_of(instance, MAPLE, "FAILURE", **second.tags)
    assert requests(tick(arrivals, instance, url_of(engine))) == []
