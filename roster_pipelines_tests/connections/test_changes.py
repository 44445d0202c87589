"""Where a district's changes are trusted, only these are pulled, and once a week everything; else it is never so."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from roster_pipelines.connections.gather import Pull
from roster_pipelines.connections.pull import OVERLAP, WHOLE_EVERY, since
from roster_pipelines.simulators import districts
from roster_pipelines.simulators.districts import District
from roster_pipelines_tests.connections.api import COLLECTIONS, NOW, Api, Pulled

BASE = "https://sis.example"
YESTERDAY = NOW - timedelta(days=1)
LAST = Pull(YESTERDAY, "bulk", YESTERDAY, 0, "", ())


@pytest.fixture
def changed(powerschool: Api, api_district: District, tmp_path: Path) -> Api:
    """A server at which two users were changed after the last pull, one before it, and an enrollment is gone."""
    folder = districts.generate(tmp_path / "next", students=25, resources=["lessons"]).folder
    _change(folder / "users.csv", 1)
    powerschool.server.serve(folder, at=YESTERDAY - timedelta(days=2))
    _change(folder / "users.csv", 2, 3)
    lines = (folder / "enrollments.csv").read_text("utf-8").splitlines(keepends=True)
    (folder / "enrollments.csv").write_text("".join(lines[:-1]), "utf-8", newline="")
    powerschool.server.serve(folder, at=YESTERDAY + timedelta(hours=1))
    yield powerschool
    # The next test begins with the first delivery, as if nothing had ever changed.
    powerschool.server._data = type(powerschool.server._data).of(api_district.folder)
    powerschool.server._render()


def _change(users: Path, *rows: int) -> None:
    lines = users.read_text("utf-8").splitlines(keepends=True)
    for row in rows:
        lines[row] = lines[row].replace("@", ".changed@")
    users.write_text("".join(lines), "utf-8", newline="")


def changed_emails(records: list[dict[str, str]]) -> int:
    return len([each for each in records if ".changed@" in str(each.get("email"))])


def test_only_what_has_changed_since_the_last_pull_comes_and_the_manifest_says_so(changed: Api) -> None:
    pulled = changed.pull(last=LAST, changes_only=True)
    assert len(pulled.records("users")) == changed_emails(pulled.records("users")) == 2
    assert all(pulled.records(name) == [] for name in COLLECTIONS if name != "users")
    assert set(pulled.modes.values()) == {"delta"}
    assert pulled.receipt == Pull(NOW, "delta", YESTERDAY, 0, "", ())
    wanted = f"dateLastModified>'{YESTERDAY - OVERLAP:%Y-%m-%dT%H:%M:%S}.000Z'"
    asked = [query for name in COLLECTIONS for query in changed.asked(name) if "offset" in query]
    assert {query["filter"] for query in asked} == {wanted}


def test_what_is_gone_comes_as_a_tombstone_where_the_server_keeps_such(changed: Api) -> None:
    changed.behave(tombstones=True)
    pulled = changed.pull(last=LAST, changes_only=True)
    (gone,) = pulled.records("enrollments")
    assert gone["status"] == "tobedeleted"


def test_without_trust_or_without_a_last_pull_everything_comes(changed: Api) -> None:
    for pulled in (changed.pull_anew(last=LAST), changed.pull_anew(changes_only=True)):
        assert pulled.ids("users") == changed.ids("users")
        assert len(pulled.ids("enrollments")) == len(changed.ids("enrollments")) - 1
        assert set(pulled.modes.values()) == {"bulk"}
        assert pulled.receipt == Pull(NOW, "bulk", NOW, 0, "", ())
        assert not [query for query in changed.asked("users") if "filter" in query]


def test_a_server_that_passes_the_filter_over_gives_everything_and_the_manifest_says_so(changed: Api) -> None:
    changed.behave(delta="ignored")
    pulled = changed.pull(last=LAST, changes_only=True)
    assert pulled.ids("users") == changed.ids("users")
    assert set(pulled.modes.values()) == {"bulk"}
    assert pulled.receipt == Pull(NOW, "bulk", NOW, 0, "", ())


def test_a_server_that_does_not_know_the_filter_is_asked_for_everything(changed: Api) -> None:
    changed.behave(delta="refused")
    pulled = changed.pull(last=LAST, changes_only=True)
    assert pulled.ids("users") == changed.ids("users")
    assert set(pulled.modes.values()) == {"bulk"}
    assert re.fullmatch(r"PowerSchool, \w+: the server answers 400: .*; everything is pulled", pulled.told[0])


def test_nothing_changed_is_no_empty_district(powerschool: Api) -> None:
    pulled = powerschool.pull(last=LAST, changes_only=True)
    assert all(pulled.records(name) == [] for name in COLLECTIONS)
    assert set(pulled.modes.values()) == {"delta"}


def test_changes_are_counted_from_a_little_before_the_beginning_of_the_last_pull(powerschool: Api) -> None:
    trusting, other = powerschool.record(changes_only=True), powerschool.record()
    last = Pull(YESTERDAY, "delta", YESTERDAY - timedelta(days=3), 0, BASE, ())
    assert since(trusting, last, BASE, NOW) == YESTERDAY - timedelta(minutes=30)
    assert since(other, last, BASE, NOW) is None
    assert since(trusting, None, BASE, NOW) is None
    assert since(trusting, last, f"{BASE}/v1p1", NOW) is None


@pytest.mark.parametrize(
    ("full", "whole"),
    [
        (timedelta(days=6), False),
        (WHOLE_EVERY - timedelta(seconds=1), False),
        (WHOLE_EVERY, True),
        (timedelta(7), True),
    ],
)
def test_once_a_week_everything_comes_on_the_same_weekday(powerschool: Api, full: timedelta, whole: bool) -> None:
    record = powerschool.record(changes_only=True)
    last = Pull(YESTERDAY, "delta", NOW - full, 0, BASE, ())
    assert (since(record, last, BASE, NOW) is None) is whole
    assert timedelta(days=6) < WHOLE_EVERY < timedelta(days=7)


def test_a_week_of_nightly_pulls_is_six_of_changes_and_a_whole_one(powerschool: Api) -> None:
    record = powerschool.record(changes_only=True)
    nights = [datetime(2026, 11, 16, 9, tzinfo=UTC) + timedelta(days=night) for night in range(15)]
    last, modes = Pull(nights[0], "bulk", nights[0], 0, BASE, ()), []
    for night in nights[1:]:
        whole = since(record, last, BASE, night) is None
        mode, full_at = ("bulk", night) if whole else ("delta", last.full_at)
        last = replace(last, began_at=night, mode=mode, full_at=full_at)
        modes.append(last.mode)
    assert modes == (["delta"] * 6 + ["bulk"]) * 2


def test_changes_since_a_pull_from_elsewhere_mean_nothing_so_everything_comes(powerschool: Api) -> None:
    powerschool.pages.clear()
    pulled = powerschool.pull(last=replace(LAST, base="https://another.example"), changes_only=True)
    assert set(pulled.modes.values()) == {"bulk"}


def is_everything(api: Api, pulled: Pulled) -> bool:
    """Say whether all users came, as bulk, asked for without a filter in the end."""
    assert pulled.receipt == Pull(NOW, "bulk", NOW, 0, "", ())
    assert set(pulled.modes.values()) == {"bulk"}
    assert "filter" not in api.asked("users")[-1]
    return pulled.ids("users") == api.ids("users")


def test_the_receipt_tells_where_from_and_what_was_there(changed: Api) -> None:
    changed.behave(missing=("courses",))
    pulled = changed.pull()
    assert pulled.gathered.pull is not None
    assert pulled.gathered.pull.base == f"{changed.server.url}/api/ims/oneroster/v1p1"
    assert {*pulled.gathered.pull.collections} == {*COLLECTIONS} - {"courses"}
    assert pulled.gathered.pull == Pull.of(pulled.gathered.pull.json())


def test_a_record_changed_in_the_second_from_which_on_changes_are_asked_for_is_a_change(
    powerschool: Api, changed: Api, tmp_path: Path
) -> None:
    """A clock has microseconds, the filter has none."""
    began_at = YESTERDAY.replace(microsecond=900_000)
    later = districts.generate(tmp_path / "later", students=25, resources=["lessons"]).folder
    _change(later / "users.csv", 4)
    powerschool.server.serve(later, at=began_at - OVERLAP - timedelta(seconds=0.5))
    pulled = changed.pull(last=replace(LAST, began_at=began_at), changes_only=True)
    assert pulled.receipt.mode == "delta"
    assert len(pulled.told) == len(COLLECTIONS)
    assert changed_emails(pulled.records("users")) > 0


def test_changes_that_say_only_their_day_are_never_taken_for_everything(changed: Api) -> None:
    """Midnight is before the last pull, as if the filter had been passed over; it was not."""
    changed.behave(modified="day")
    pulled = changed.pull(last=LAST, changes_only=True)
    assert len(changed.asked("users")) > len([query for query in changed.asked("users") if "filter" in query]) > 0
    assert is_everything(changed, pulled)
    assert "PowerSchool" not in pulled.told[-1]
    assert "the server gives records from before the last pull; everything is pulled" in pulled.told


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run where it is tomorrow already."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Pacific/Kiritimati")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("far_east")
def test_changes_without_a_time_zone_are_changes_wherever_the_pull_runs(changed: Api) -> None:
    changed.behave(modified="naive")
    pulled = changed.pull(last=LAST, changes_only=True)
    assert not [user for user in pulled.records("users") if user["dateLastModified"].endswith("Z")]
    assert (pulled.receipt.mode, len(pulled.records("users"))) == ("delta", 2)


def test_a_total_that_counts_what_the_filter_left_out_makes_the_pull_a_whole_one(changed: Api) -> None:
    changed.behave(total_unfiltered=True)
    assert is_everything(changed, changed.pull(last=LAST, changes_only=True))


def test_a_collection_that_the_last_pull_lacked_makes_the_pull_a_whole_one(changed: Api) -> None:
    """Of what is new, changes alone would be next to nothing."""
    lacking = replace(LAST, collections=tuple(name for name in COLLECTIONS if name != "courses"))
    assert is_everything(changed, changed.pull(last=lacking, changes_only=True))
    changed.behave(missing=("courses",))
    assert changed.pull_anew(last=lacking, changes_only=True).receipt.mode == "delta"
    assert is_everything(changed, changed.pull_anew(last=LAST, changes_only=True))


def test_where_another_address_answers_than_at_the_last_pull_everything_comes(changed: Api) -> None:
    there = changed.base
    assert changed.pull_anew(last=replace(LAST, base=there), changes_only=True).receipt.mode == "delta"
    changed.behave(variant="ws")
    pulled = changed.pull_anew(last=replace(LAST, base=there), base_url=changed.server.url, changes_only=True)
    assert is_everything(changed, pulled)
