"""When a district's files are taken: they have stood still for two looks and the quiet period."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roster_pipelines.connections.arrival import Look, Seen, decide

MONDAY = datetime(2026, 11, 23, 6, tzinfo=UTC)
QUIET = timedelta(minutes=5)
MINUTE = timedelta(minutes=1)

File = tuple[str, int, datetime]
USERS: File = ("users.csv", 100, MONDAY)
LARGER: File = ("users.csv", 101, MONDAY)
TOUCHED: File = ("users.csv", 100, MONDAY + MINUTE)
CLASSES: File = ("classes.csv", 50, MONDAY)


def looks(*folders: list[File], every: timedelta = QUIET, quiet: timedelta = QUIET) -> list[str]:
    """Look at a folder again and again; say what each look came to."""
    seen, reasons = Seen(), []
    for number, files in enumerate(folders):
        look = decide(files, seen, MONDAY + number * every, quiet)
        assert look.take == (look.reason == "settled")
        seen = fetched(look.seen) if look.take else look.seen
        reasons.append(look.reason)
    return reasons


def fetched(seen: Seen) -> Seen:
    """A run has fetched what was seen."""
    return replace(seen, taken=seen.listing, takings=seen.takings + 1)


CHANGED, EARLY, SETTLED, TAKEN, EMPTY = (
    "changed since the last look",
    "not quiet for long enough yet",
    "settled",
    "taken already",
    "nothing to take",
)


def test_files_that_stood_still_for_two_looks_and_the_quiet_period_are_taken_once() -> None:
    assert looks([USERS], [USERS], [USERS], [USERS]) == [CHANGED, SETTLED, TAKEN, TAKEN]


def test_settled_files_are_asked_for_under_one_key_until_a_run_has_fetched_them() -> None:
    first = decide([USERS], Seen(), MONDAY, QUIET)
    asked = decide([USERS], first.seen, MONDAY + QUIET, QUIET)
    again = decide([USERS], asked.seen, MONDAY + 2 * QUIET, QUIET)
    assert asked.take
    assert again.take
    assert asked.seen.key == again.seen.key


def test_files_that_come_back_as_they_were_before_are_an_arrival_of_its_own() -> None:
    seen, keys = Seen(), []
    for number, files in enumerate([[USERS], [USERS], [LARGER], [LARGER], [USERS], [USERS]]):
        look = decide(files, seen, MONDAY + number * QUIET, QUIET)
        if look.take:
            keys.append(look.seen.key)
        seen = fetched(look.seen) if look.take else look.seen
    assert len(set(keys)) == 3


def test_two_equal_looks_within_the_quiet_period_are_too_early() -> None:
    assert looks([USERS], [USERS], [USERS], every=QUIET / 2) == [CHANGED, EARLY, SETTLED]


def test_even_without_a_quiet_period_one_look_is_not_enough() -> None:
    assert looks([USERS], [USERS], quiet=timedelta(0)) == [CHANGED, SETTLED]


@pytest.mark.parametrize("change", [[LARGER], [TOUCHED], [USERS, CLASSES], [CLASSES]])
def test_whatever_moves_in_the_folder_starts_the_waiting_again(change: list[File]) -> None:
    assert looks([USERS], change, change) == [CHANGED, CHANGED, SETTLED]
    assert looks([USERS], [USERS], change, change) == [CHANGED, SETTLED, CHANGED, SETTLED]


@pytest.mark.parametrize("uploading", ["classes.csv.filepart", "classes.csv.part", ".classes.csv.swp", "classes.tmp"])
def test_an_upload_under_way_keeps_the_folder_moving(uploading: str) -> None:
    growing = [[USERS, (uploading, size, MONDAY)] for size in (1, 2, 3)]
    assert looks(*growing) == [CHANGED, CHANGED, CHANGED]


@pytest.mark.parametrize("files", [[], [("notes.txt", 1, MONDAY)], [("users.csv.filepart", 1, MONDAY)]])
def test_a_folder_without_a_file_of_the_standard_or_a_zip_is_never_taken(files: list[File]) -> None:
    assert looks(files, files, files) == [EMPTY, EMPTY, EMPTY]


@pytest.mark.parametrize("name", ["roster.zip", "Users_20261123.csv", "USERS.CSV"])
def test_a_zip_or_a_file_by_almost_its_name_is_taken_and_waited_for_like_any(name: str) -> None:
    dropped, grown = [(name, 9, MONDAY)], [(name, 10, MONDAY)]
    assert looks(dropped, dropped) == [CHANGED, SETTLED]
    assert looks(dropped, grown, grown) == [CHANGED, CHANGED, SETTLED]


def test_two_names_for_one_file_are_taken_so_that_the_district_is_told() -> None:
    doubled = [USERS, ("Users_1.csv", 9, MONDAY)]
    assert looks(doubled, doubled) == [CHANGED, SETTLED]


def test_an_emptied_folder_is_forgotten_but_what_was_taken_is_not() -> None:
    assert looks([USERS], [USERS], [], [USERS]) == [CHANGED, SETTLED, EMPTY, TAKEN]


def test_the_order_of_the_listing_does_not_matter() -> None:
    assert looks([USERS, CLASSES], [CLASSES, USERS]) == [CHANGED, SETTLED]


folders = st.lists(
    st.sets(st.sampled_from((USERS, LARGER, TOUCHED, CLASSES, ("users.csv.part", 7, MONDAY))), max_size=2).map(sorted),
    max_size=12,
)


@given(folders, st.lists(st.sampled_from((0, 1, 2, 5, 9)), min_size=12, max_size=12), st.sampled_from((0, 2, 5)))
def test_files_are_taken_only_after_two_equal_looks_and_the_quiet_period_and_never_twice_in_a_row(
    listings: list[list[File]], pauses: list[int], quiet: int
) -> None:
    seen, now = Seen(), MONDAY
    history: list[tuple[list[File], datetime, Look]] = []
    for files, pause in zip(listings, pauses, strict=False):
        now += pause * MINUTE
        look = decide(files, seen, now, quiet * MINUTE)
        if look.take:
            equal_since = now
            for earlier, when, _ in reversed(history):
                if earlier != files:
                    break
                equal_since = when
            assert history
            assert history[-1][0] == files
            assert now - equal_since >= quiet * MINUTE
            assert next((taken for taken, _, before in reversed(history) if before.take), None) != files
        if history and history[-1][0] != files:
            assert not look.take
        seen = fetched(look.seen) if look.take else look.seen
        history.append((files, now, look))
