"""When a district's files are taken: they are whole, and have stood still for two looks and the quiet period."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from roster_pipelines.connections.arrival import File, Listing, Look, Patience, Seen, State, decide, hindrance

MONDAY = datetime(2026, 11, 23, 6, tzinfo=UTC)
QUIET = timedelta(minutes=5)
WAIT = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
NIGHT = timedelta(days=1)
PATIENCE = Patience(QUIET, WAIT)

USERS: File = ("users.csv", 100, MONDAY)
LARGER: File = ("users.csv", 101, MONDAY)
TOUCHED: File = ("users.csv", 100, MONDAY + MINUTE)
CLASSES: File = ("classes.csv", 50, MONDAY)
ORGS: File = ("orgs.csv", 10, MONDAY)
MANIFEST: File = ("manifest.csv", 20, MONDAY)
NAMED = frozenset({"users.csv", "classes.csv", "orgs.csv"})


def listing(*files: File, named: frozenset[str] | None = None, cut: tuple[str, ...] = ()) -> Listing:
    return Listing(files, named, cut)


def looks(
    *folders: Listing | list[File],
    seen: Seen = Seen(),  # noqa: B008 - it is frozen
    every: timedelta = QUIET,
    patience: Patience = PATIENCE,
) -> list[State]:
    """Look at a folder again and again; say what each look came to."""
    states = []
    for number, folder in enumerate(folders):
        found = folder if isinstance(folder, Listing) else Listing(tuple(folder))
        look = decide(found, seen, MONDAY + number * every, patience)
        seen = fetched(look) if look.take else look.seen
        states.append(look.state)
    return states


def fetched(look: Look) -> Seen:
    """A run has fetched what was seen."""
    return replace(look.seen, taken=look.files, takings=look.seen.takings + 1)


def stood_still(folder: Listing, seen: Seen, minutes: int, patience: Patience = PATIENCE) -> Look:
    """Look twice, so many minutes apart."""
    first = decide(folder, seen, MONDAY + NIGHT, patience)
    assert not first.take
    return decide(folder, first.seen, MONDAY + NIGHT + minutes * MINUTE, patience)


def test_files_that_stood_still_for_two_looks_and_the_quiet_period_are_taken_once() -> None:
    assert looks([USERS], [USERS], [USERS], [USERS]) == ["moving", "settled", "taken", "taken"]


def test_settled_files_are_asked_for_under_one_key_until_a_run_has_fetched_them() -> None:
    first = decide(listing(USERS), Seen(), MONDAY, PATIENCE)
    asked = decide(listing(USERS), first.seen, MONDAY + QUIET, PATIENCE)
    again = decide(listing(USERS), asked.seen, MONDAY + 2 * QUIET, PATIENCE)
    assert asked.take
    assert again.take
    assert asked.key == again.key


def test_files_that_come_back_as_they_were_before_are_an_arrival_of_its_own() -> None:
    seen, keys = Seen(), []
    for number, file in enumerate([USERS, USERS, LARGER, LARGER, USERS, USERS]):
        look = decide(listing(file), seen, MONDAY + number * QUIET, PATIENCE)
        if look.take:
            keys.append(look.key)
        seen = fetched(look) if look.take else look.seen
    assert len(set(keys)) == 3


def test_two_equal_looks_within_the_quiet_period_are_too_early() -> None:
    assert looks([USERS], [USERS], [USERS], every=QUIET / 2) == ["moving", "early", "settled"]


def test_even_without_a_quiet_period_one_look_is_not_enough() -> None:
    assert looks([USERS], [USERS], patience=Patience(timedelta(0), timedelta(0))) == ["moving", "settled"]


@pytest.mark.parametrize("change", [[LARGER], [TOUCHED], [USERS, CLASSES], [CLASSES]])
def test_whatever_moves_in_the_folder_starts_the_waiting_again(change: list[File]) -> None:
    assert looks([USERS], change, change) == ["moving", "moving", "settled"]
    assert looks([USERS], [USERS], change, change) == ["moving", "settled", "moving", "settled"]


@pytest.mark.parametrize("uploading", ["classes.csv.filepart", "classes.csv.part", ".classes.csv.swp", "classes.tmp"])
def test_an_upload_under_way_keeps_the_folder_moving(uploading: str) -> None:
    growing = [[USERS, (uploading, size, MONDAY)] for size in (1, 2, 3)]
    assert looks(*growing) == ["moving", "moving", "moving"]


def test_an_upload_that_was_given_up_under_a_temporary_name_makes_no_arrival() -> None:
    given_up = [USERS, ("users.csv.filepart", 60, MONDAY + NIGHT)]
    assert looks([USERS], [USERS], given_up, given_up) == ["moving", "settled", "taken", "taken"]


@pytest.mark.parametrize("files", [[], [("notes.txt", 1, MONDAY)], [("users.csv.filepart", 1, MONDAY)]])
def test_a_folder_without_a_file_of_the_standard_or_a_zip_is_never_taken(files: list[File]) -> None:
    assert looks(files, files, files) == ["empty", "empty", "empty"]


@pytest.mark.parametrize("name", ["roster.zip", "Users_20261123.csv", "USERS.CSV"])
def test_a_zip_or_a_file_by_almost_its_name_is_taken_and_waited_for_like_any(name: str) -> None:
    dropped, grown = [(name, 9, MONDAY)], [(name, 10, MONDAY)]
    assert looks(dropped, dropped) == ["moving", "settled"]
    assert looks(dropped, grown, grown) == ["moving", "moving", "settled"]


def test_two_names_for_one_file_are_taken_so_that_the_district_is_told() -> None:
    doubled = [USERS, ("Users_1.csv", 9, MONDAY)]
    assert looks(doubled, doubled) == ["moving", "settled"]


def test_an_emptied_folder_is_forgotten_but_what_was_taken_is_not() -> None:
    assert looks([USERS], [USERS], [], [USERS]) == ["moving", "settled", "empty", "taken"]


def test_the_order_of_the_listing_does_not_matter() -> None:
    assert looks([USERS, CLASSES], [CLASSES, USERS]) == ["moving", "settled"]


def test_a_time_in_the_future_holds_nothing_up() -> None:
    future = [("users.csv", 100, MONDAY + 400 * NIGHT), CLASSES]
    assert looks(future, future, future) == ["moving", "settled", "taken"]
    with_manifest = listing(("users.csv", 100, MONDAY + 400 * NIGHT), MANIFEST, named=frozenset({"users.csv"}))
    assert looks(with_manifest, with_manifest) == ["moving", "settled"]


def test_on_a_day_on_which_nothing_comes_nothing_is_taken() -> None:
    saturday = [[USERS, CLASSES]] * 50
    assert looks(*saturday)[2:] == ["taken"] * 48


def test_what_the_manifest_names_is_waited_for_and_told() -> None:
    half = listing(USERS, ORGS, MANIFEST, named=NAMED)
    look = stood_still(half, Seen(), 59)
    assert (look.state, look.reason) == ("waiting", "classes.csv: missing")
    whole = listing(USERS, ORGS, CLASSES, MANIFEST, named=NAMED)
    assert stood_still(whole, look.seen, 5).state == "settled"


def test_what_is_still_missing_an_hour_after_the_last_movement_is_taken_as_it_is() -> None:
    half = listing(USERS, MANIFEST, named=NAMED)
    look = stood_still(half, Seen(), 60)
    assert (look.state, look.reason) == ("overdue", "classes.csv, orgs.csv: missing")
    assert look.take


def test_a_file_that_comes_late_is_waited_for_anew() -> None:
    """The hour counts from the folder's last movement, however long the upload takes."""
    one = listing(USERS, MANIFEST, named=NAMED)
    two = listing(USERS, ORGS, MANIFEST, named=NAMED)
    assert looks(one, one, two, two, every=40 * MINUTE) == ["moving", "waiting", "moving", "waiting"]


def test_files_that_the_manifest_calls_absent_are_not_waited_for() -> None:
    delta = listing(USERS, MANIFEST, named=frozenset({"users.csv"}))
    seen = Seen(files=frozenset({"users.csv", "classes.csv", "orgs.csv", "manifest.csv"}))
    assert stood_still(delta, seen, 5).state == "settled"


def test_without_a_manifest_the_set_that_was_accepted_last_is_expected() -> None:
    seen = Seen(files=frozenset({"users.csv", "classes.csv"}))
    look = stood_still(listing(USERS), seen, 5)
    assert (look.state, look.reason) == ("waiting", "classes.csv: missing")
    assert stood_still(listing(USERS, CLASSES, ORGS), seen, 5).state == "settled", "more may come any day"


def test_before_the_first_delivery_what_the_guide_requires_is_expected() -> None:
    patience = replace(PATIENCE, required=frozenset({"users.csv", "classes.csv"}))
    look = stood_still(listing(USERS, ORGS), Seen(), 5, patience)
    assert (look.state, look.reason) == ("waiting", "classes.csv: missing")
    assert stood_still(listing(USERS, CLASSES), Seen(), 5, patience).state == "settled"


def test_yesterdays_files_beside_tonights_are_waited_for_where_there_is_a_manifest() -> None:
    tonight: File = ("users.csv", 120, MONDAY + NIGHT)
    mixed = listing(tonight, ORGS, CLASSES, ("manifest.csv", 20, MONDAY + NIGHT), named=NAMED)
    look = stood_still(mixed, Seen(), 5)
    assert (look.state, look.reason) == ("waiting", "classes.csv, orgs.csv: of an earlier upload")
    assert stood_still(mixed, Seen(), 60).state == "overdue"


def test_yesterdays_manifest_beside_tonights_files_is_waited_for_too() -> None:
    tonight = [(name, size, MONDAY + NIGHT) for name, size, _ in (USERS, ORGS, CLASSES)]
    look = stood_still(listing(*tonight, MANIFEST, named=NAMED), Seen(), 5)
    assert (look.state, look.reason) == ("waiting", "manifest.csv: of an earlier upload")


def test_without_a_manifest_nothing_proves_that_files_belong_together_so_old_ones_are_not_waited_for() -> None:
    tonight: File = ("users.csv", 120, MONDAY + NIGHT)
    assert stood_still(listing(tonight, ORGS, CLASSES), Seen(), 5).state == "settled"


def test_a_correction_within_hours_is_taken_at_once() -> None:
    corrected: File = ("users.csv", 120, MONDAY + timedelta(hours=5))
    assert stood_still(listing(corrected, ORGS, CLASSES, MANIFEST, named=NAMED), Seen(), 5).state == "settled"


@pytest.mark.parametrize(
    ("file", "told"),
    [("roster.zip", "the zip: not there to its end"), ("Users.CSV", "users.csv: not there to its end")],
)
def test_what_does_not_reach_its_end_is_waited_for_and_then_taken_so_that_the_district_is_told(
    file: str, told: str
) -> None:
    half = listing((file, 100, MONDAY), cut=(file,))
    look = stood_still(half, Seen(), 5)
    assert (look.state, look.reason) == ("waiting", told)
    assert stood_still(half, Seen(), 60).state == "overdue"


def test_a_wait_shorter_than_the_quiet_period_cuts_nothing_short() -> None:
    half = listing(USERS, MANIFEST, named=NAMED)
    patience = Patience(QUIET, timedelta(0))
    assert stood_still(half, Seen(), 4, patience).state == "early"
    assert stood_still(half, Seen(), 5, patience).state == "overdue"


def test_a_run_for_a_drop_fetches_only_what_is_whole_and_stands_still() -> None:
    half = listing(USERS, MANIFEST, named=NAMED)
    now, before = MONDAY + 10 * MINUTE, decide(half, Seen(), MONDAY, PATIENCE).seen
    assert hindrance(half, before, now, PATIENCE, whole=True) == (
        "the upload is not whole (classes.csv, orgs.csv: missing)"
    )
    assert hindrance(half, before, MONDAY + WAIT, PATIENCE, whole=True) == ""
    assert hindrance(listing(LARGER), before, now, PATIENCE, whole=True) == "the folder is still moving"
    assert hindrance(half, before, MONDAY + MINUTE, PATIENCE, whole=True) == "the folder is still moving"


def test_a_run_that_somebody_asked_for_goes_by_the_looks_as_long_as_some_are_made() -> None:
    """Files may come with times of their own, and a server's clock may be wrong."""
    old: File = ("users.csv", 100, MONDAY - NIGHT)
    looked = replace(decide(listing(old), Seen(), MONDAY, PATIENCE).seen, looked_at=MONDAY)
    assert hindrance(listing(old), looked, MONDAY + MINUTE, PATIENCE, whole=False) == "the folder is still moving"
    assert hindrance(listing(old), looked, MONDAY + QUIET, PATIENCE, whole=False) == ""
    assert hindrance(listing(LARGER), looked, MONDAY + QUIET, PATIENCE, whole=False) == "the folder is still moving"
    after_hours = MONDAY + timedelta(hours=2)
    assert hindrance(listing(LARGER), looked, after_hours, PATIENCE, whole=False) == "", "nobody looks any more"


def test_a_run_that_somebody_asked_for_fetches_what_is_there_once_it_stands_still_by_the_servers_clock() -> None:
    half = listing(USERS, MANIFEST, named=NAMED)
    assert hindrance(half, Seen(), MONDAY + 4 * MINUTE, PATIENCE, whole=False) == "the folder is still moving"
    assert hindrance(half, Seen(), MONDAY + 5 * MINUTE, PATIENCE, whole=False) == ""
    ahead = listing(("users.csv", 100, MONDAY + NIGHT))
    assert hindrance(ahead, Seen(), MONDAY, PATIENCE, whole=False) == "", "a clock that goes wrong tells nothing"
