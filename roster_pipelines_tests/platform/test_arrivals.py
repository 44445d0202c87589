"""The ledger of arrivals: each upload, from the look that first showed it to what was decided on it."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from roster_pipelines.connections.arrival import File, Listing, Seen, decide
from roster_pipelines.connections.landing import Receipt
from roster_pipelines.connections.looking import Looked
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.errors import CallSomebody, TryAgain
from roster_pipelines.platform import arrivals, deliveries, drops
from roster_pipelines_tests.conftest import nowhere, register
from roster_pipelines_tests.platform.ledger import CEDAR, LARGER, MAPLE, MINUTE, MONDAY, USERS, Ledger
from roster_pipelines_tests.sensors.api import api

ZIP: File = ("roster.zip", 500, MONDAY)


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    return Ledger(engine)


def test_an_arrival_is_followed_from_the_first_look_to_the_runs_decision(ledger: Ledger) -> None:
    ledger.look()
    assert ledger.states == []
    ledger.look(USERS)
    assert ledger.states == [("moving", None)]
    ledger.look(LARGER)
    ledger.look(LARGER)
    assert ledger.states == [("settled", None)]
    (arrival,) = ledger.shown
    assert (arrival.files, arrival.bytes, arrival.came_by) == (1, 120, "sftp")
    assert arrival.moved_at is not None
    assert arrival.settled_at is not None
    assert arrival.began_at < arrival.moved_at < arrival.settled_at
    assert arrival.settling == arrival.settled_at - arrival.began_at
    ledger.deliver("one", LARGER)
    assert ledger.states == [("accepted", "one")]
    assert ledger.shown[0].ended_at is not None
    ledger.look(LARGER)
    assert ledger.states == [("accepted", "one")], "what was taken arrives no more"


def test_what_is_waited_for_is_told(ledger: Ledger) -> None:
    for _ in range(3):
        ledger.look(USERS, named=frozenset({"users.csv", "orgs.csv"}))
    assert [(arrival.state, arrival.reason) for arrival in ledger.shown] == [("waiting", "orgs.csv: missing")]


def test_a_refused_delivery_says_why(ledger: Ledger) -> None:
    ledger.look(USERS)
    ledger.look(USERS)
    ledger.deliver("one", USERS, accepted=False)
    assert [(arrival.state, arrival.reason) for arrival in ledger.shown] == [("refused", "no users")]


def test_a_whole_upload_that_is_replaced_before_its_run_is_told_and_the_next_one_begins(ledger: Ledger) -> None:
    for file in (USERS, USERS, LARGER):
        ledger.look(file)
    assert ledger.states == [("replaced", None), ("moving", None)]
    assert happened(ledger) == [], "a whole set replaces another without loss"


def test_changes_that_are_replaced_before_their_run_are_told(ledger: Ledger) -> None:
    for file in (USERS, USERS, LARGER):
        ledger.look(file, delta=True)
    assert happened(ledger) == ["changes were replaced before they had been taken"]


def happened(ledger: Ledger) -> list[str]:
    with ledger.engine.connect() as connection:
        return [what for district, what in arrivals.untold(connection).values() if district == MAPLE]


def test_the_next_upload_replaces_nothing_while_the_one_before_is_being_checked(ledger: Ledger) -> None:
    ledger.look(USERS)
    ledger.look(USERS)
    ledger.deliver("one", USERS, decided=False)
    assert ledger.states == [("landed", "one")]
    ledger.look(USERS)
    assert ledger.states == [("landed", "one")]
    ledger.look(LARGER)
    assert ledger.states == [("landed", "one"), ("moving", None)]


def test_a_look_that_ends_after_the_run_has_decided_makes_no_arrival(ledger: Ledger) -> None:
    ledger.look(USERS)
    with ledger.engine.connect() as connection:
        before = drops.seen(connection, MAPLE)
    ledger.look(USERS)
    ledger.deliver("one", USERS)
    task = drops.task(ledger.record, before)
    late = decide(Listing((USERS,)), before, ledger.now + MINUTE, replace(task.patience, required=frozenset()))
    assert late.take
    with ledger.engine.begin() as connection:
        arrivals.record(connection, [Looked(task, late, Listing((USERS,)))])
    assert ledger.states == [("accepted", "one")]


def test_what_was_not_whole_and_is_accepted_after_all_is_told_and_not_expected_from_now_on(ledger: Ledger) -> None:
    for _ in range(7):
        ledger.look(USERS, named=frozenset({"users.csv", "orgs.csv"}))
    ledger.deliver("one", USERS)
    with ledger.engine.connect() as connection:
        assert arrivals.was_overdue(connection, MAPLE, "one")
    assert happened(ledger) == [
        "an upload was not whole after the time that it is waited for (orgs.csv: missing), and was taken as it was"
    ]


def test_what_was_whole_and_vanished_before_its_run_is_told(ledger: Ledger) -> None:
    ledger.look(USERS)
    ledger.look()
    assert happened(ledger) == [], "it was not whole yet"
    ledger.look(USERS)
    ledger.look(USERS)
    ledger.look()
    assert happened(ledger) == ["a whole upload was gone before it had been taken"]


def test_an_upload_that_never_ends_is_told_after_a_day(ledger: Ledger) -> None:
    ledger.look(USERS)
    assert happened(ledger) == []
    with ledger.engine.begin() as connection:
        connection.execute(sa.text("UPDATE roster.arrival SET began_at = now() - interval '25 hours'"))
    assert happened(ledger) == ["an upload has not come to an end for more than a day"]


@pytest.mark.parametrize("change", [{"directory": "/other"}, {"host": "elsewhere.example"}, {"username": "another"}])
def test_where_a_district_delivers_elsewhere_from_now_on_nothing_of_the_old_place_counts(
    ledger: Ledger, change: dict[str, str]
) -> None:
    ledger.look(USERS)
    ledger.look(USERS)
    ledger.deliver("one", USERS)
    ledger.look(LARGER)
    register(ledger.engine, MAPLE, connection=ledger.record.connection.model_copy(update={"quiet_seconds": 61}))
    assert ledger.states[-1] == ("moving", None), "it is the same place"
    register(ledger.engine, MAPLE, connection=ledger.record.connection.model_copy(update=change))
    assert ledger.states == [("accepted", "one"), ("gone", None)]
    with ledger.engine.connect() as connection:
        seen = drops.seen(connection, MAPLE)
    assert (seen.listing, seen.taken, seen.files, seen.takings) == (None, None, None, 1)


def test_what_moves_before_it_is_whole_replaces_nothing(ledger: Ledger) -> None:
    for file in (USERS, LARGER, USERS):
        ledger.look(file)
    assert ledger.states == [("moving", None)]


def test_what_vanishes_or_is_again_what_was_taken_is_gone(ledger: Ledger) -> None:
    ledger.look(USERS)
    ledger.look()
    assert ledger.states == [("gone", None)]
    ledger.look(USERS)
    ledger.look(USERS)
    ledger.deliver("one", USERS)
    ledger.look(LARGER)
    ledger.look(USERS)
    assert ledger.states == [("gone", None), ("accepted", "one"), ("gone", None)]


def test_the_same_content_under_another_listing_is_one_line_more(ledger: Ledger) -> None:
    ledger.look(ZIP)
    ledger.look(ZIP)
    ledger.deliver("one", ZIP)
    tonight: File = ("roster.zip", 500, MONDAY + timedelta(days=1))
    ledger.look(tonight)
    ledger.look(tonight)
    ledger.deliver("one", tonight, known=True)
    assert ledger.states == [("accepted", "one"), ("same", "one")]


def test_what_a_run_fetched_before_any_look_is_in_the_ledger_too(ledger: Ledger) -> None:
    ledger.deliver("one", USERS, LARGER)
    assert ledger.states == [("accepted", "one")]
    assert (ledger.shown[0].files, ledger.shown[0].bytes) == (2, 220)


def test_a_problem_of_an_account_that_sees_many_folders_is_told_once(engine: Engine) -> None:
    ledgers = [Ledger(engine, name) for name in (MAPLE, CEDAR)]
    for ledger in ledgers:
        ledger.fails(CallSomebody("the login is refused", "look"))
    with engine.connect() as connection:
        assert drops.untold(connection, [MAPLE, CEDAR], timedelta(days=1)).keys() == {CEDAR}
        assert drops.untold(connection, [MAPLE], timedelta(days=1)) == {}
    ledgers[0].fails(CallSomebody("the folder /maple-valley is not shown", "look"))
    with engine.connect() as connection:
        assert drops.untold(connection, [MAPLE, CEDAR], timedelta(days=1)).keys() == {MAPLE, CEDAR}


def test_a_delivery_that_was_pulled_has_its_line(engine: Engine) -> None:
    register(engine, CEDAR, connection=api())
    with engine.begin() as connection:
        deliveries.record(connection, CEDAR, Receipt("one", "one", MONDAY, (), ("users", "orgs"), (), 7))
    with engine.connect() as connection:
        (arrival,) = arrivals.newest(connection, CEDAR, 5)
    assert (arrival.state, arrival.files, arrival.bytes, arrival.delivery_id) == ("landed", 2, 7, "one")


def test_one_districts_arrivals_are_never_anothers(engine: Engine) -> None:
    maple, cedar = Ledger(engine), Ledger(engine, CEDAR)
    for ledger in (maple, cedar):
        ledger.look(USERS)
        ledger.look(USERS)
    maple.deliver("one", USERS)
    assert maple.states == [("accepted", "one")]
    assert cedar.states == [("settled", None)]


def test_a_district_that_has_left_meanwhile_stops_no_others_line(engine: Engine) -> None:
    maple, cedar = Ledger(engine), Ledger(engine, CEDAR)
    task, listing = drops.task(maple.record, Seen()), Listing((USERS,))
    gone = Looked(replace(task, district="left"), decide(listing, Seen(), MONDAY, task.patience), listing)
    other = Looked(replace(task, district=CEDAR), decide(listing, Seen(), MONDAY, task.patience), listing)
    with engine.begin() as connection:
        drops.remember(connection, [gone, other])
        arrivals.record(connection, [gone, other])
    assert cedar.states == [("moving", None)]


@pytest.mark.parametrize(
    ("quiet", "seconds_ago", "is_due"), [(300, 59, False), (300, 61, True), (0, 0, True), (7200, 600, False)]
)
def test_a_folder_is_due_five_times_in_its_quiet_period(
    engine: Engine, quiet: int, seconds_ago: int, is_due: bool
) -> None:
    register(engine, connection=nowhere().model_copy(update={"quiet_seconds": quiet}))
    assert due(engine) == [MAPLE], "one that was never looked into is"
    looked_at(engine, seconds_ago)
    assert (due(engine) == [MAPLE]) is is_due


def test_the_longest_unseen_folder_comes_first(engine: Engine) -> None:
    folder = nowhere().model_copy(update={"quiet_seconds": 0})
    for name, seconds in (("alder", 5), ("birch", 50), ("cedar", 20)):
        register(engine, name, connection=folder)
        looked_at(engine, seconds, name)
    register(engine, "dogwood", connection=folder)
    assert due(engine) == ["dogwood", "birch", "cedar", "alder"]


@pytest.mark.parametrize(
    ("lasts_seconds", "seconds_ago", "is_due"),
    [(0, 1, True), (3600, 359, False), (3600, 361, True), (90_000, 599, False), (90_000, 601, True)],
)
def test_what_cannot_be_looked_into_is_tried_less_and_less_often(
    ledger: Ledger, lasts_seconds: int, seconds_ago: int, is_due: bool
) -> None:
    quick(ledger.engine)
    ledger.fails(TryAgain("the server is away", "wait"))
    looked_at(ledger.engine, seconds_ago, problem_seconds=lasts_seconds)
    assert (due(ledger.engine) == [MAPLE]) is is_due


def test_a_problem_lasts_from_its_first_look_and_is_forgotten_with_the_first_good_one(ledger: Ledger) -> None:
    away, refused = TryAgain("the server is away", "wait"), CallSomebody("the key is another", "look")
    ledger.fails(away)
    assert untold(ledger) == {}, "it is tried again"
    looked_at(ledger.engine, 0, problem_seconds=25 * 3600)
    (lasting,) = untold(ledger).values()
    ledger.fails(away)
    assert list(untold(ledger).values()) == [lasting]
    ledger.fails(refused)
    (told,) = untold(ledger).values()
    assert told != lasting, "another kind of problem is told anew"
    ledger.fails(CallSomebody("the login is refused", "look"))
    assert list(untold(ledger).values()) != [told], "and so is another that somebody must mend"
    ledger.fails(refused)
    assert list(untold(ledger).values()) == [told]
    ledger.look(USERS)
    assert untold(ledger) == {}
    ledger.fails(refused)
    assert list(untold(ledger).values()) != [told]


def test_what_a_look_left_is_remembered_by_district_until_the_next(engine: Engine) -> None:
    maple, cedar = Ledger(engine), Ledger(engine, CEDAR)
    maple.look(USERS)
    with engine.connect() as connection:
        left = drops.seen(connection, MAPLE)
        assert (left.listing is None, left.unchanged_since) == (False, MONDAY + MINUTE)
        assert drops.seen(connection, CEDAR) == Seen()
    maple.fails(TryAgain("the server cannot be reached", "look"))
    with engine.connect() as connection:
        seen = drops.seen(connection, MAPLE)
        assert replace(seen, looked_at=left.looked_at) == left, "no look is lost"
        assert drops.problems(connection) == {MAPLE: "the server cannot be reached: look"}
    maple.look(LARGER)
    cedar.look()
    with engine.connect() as connection:
        assert drops.seen(connection, MAPLE).listing != left.listing
        assert drops.problems(connection) == {}


def test_each_time_that_other_files_were_decided_on_is_counted_and_the_accepted_set_is_kept(ledger: Ledger) -> None:
    with ledger.engine.begin() as connection:
        assert drops.take(connection, MAPLE, "first", ["users.csv", "orgs.csv"])
        assert drops.take(connection, MAPLE, "second")
        assert not drops.take(connection, MAPLE, "second")
        assert drops.take(connection, MAPLE, "first")
        seen = drops.seen(connection, MAPLE)
        assert (seen.taken, seen.takings, seen.files) == ("first", 3, {"users.csv", "orgs.csv"})


def untold(ledger: Ledger) -> dict[str, str]:
    with ledger.engine.connect() as connection:
        return drops.untold(connection, [MAPLE], timedelta(days=1))


def due(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return [task.district for task in drops.due(connection, connection.scalar(sa.text("SELECT now()")))]


def quick(engine: Engine) -> SftpConnection:
    folder = nowhere().model_copy(update={"quiet_seconds": 0})
    register(engine, connection=folder)
    return folder


def looked_at(engine: Engine, seconds_ago: int, district: str = MAPLE, problem_seconds: int | None = None) -> None:
    with engine.begin() as connection:
        connection.execute(
            sa.text("""
                INSERT INTO roster.drop_look (district, looked_at) VALUES (:district, now())
                ON CONFLICT DO NOTHING
            """),
            {"district": district},
        )
        connection.execute(
            sa.text("""
                UPDATE roster.drop_look SET looked_at = now() - make_interval(secs => :s),
                    problem_since = now() - make_interval(secs => :p) WHERE district = :district
            """),
            {"district": district, "s": seconds_ago, "p": problem_seconds},
        )
