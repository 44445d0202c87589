"""A pull that was cut goes on from its last whole page within the hour; what lands is what an uncut pull lands."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from roster_pipelines.connections import pages
from roster_pipelines.connections.gather import Pull
from roster_pipelines.connections.pages import GOES_ON_FOR
from roster_pipelines.errors import CallSomebody, LookAtData, TryAgain
from roster_pipelines.oneroster.rest import SUFFIX
from roster_pipelines_tests.connections.api import COLLECTIONS, NOW, Api


def cut(api: Api, after: int = 12, **settings: object) -> set[str]:
    """Cut a pull; return the names of its pages that are kept. The server is healthy again."""
    api.behave(cut_after=after)
    with pytest.raises(TryAgain, match="hung up"):
        api.pull(**settings)
    kept = api.kept()
    api.behave(cut_after=None)
    return kept


def asked_again(api: Api, kept: set[str]) -> set[str]:
    """Which of the pages that were kept were asked for again."""
    asked = {f"{name}.{query.get('offset')}" for name in (*COLLECTIONS, "resources") for query in api.asked(name)}
    return {".".join(name.split(".")[:2]) for name in kept} & asked


def test_a_cut_pull_goes_on_and_what_lands_is_the_same_byte_for_byte(api: Api) -> None:
    uncut = api.pull_anew()
    api.pages.clear()
    kept = cut(api)
    assert kept
    pulled = api.pull(now=NOW + timedelta(minutes=59))
    assert pulled.content == uncut.content
    assert not asked_again(api, kept)
    # It is as old as its first page.
    assert pulled.gathered.pull == uncut.gathered.pull


@pytest.mark.parametrize("counts", [True, False])
def test_a_pull_that_is_cut_again_and_again_comes_to_its_end(powerschool: Api, counts: bool) -> None:
    powerschool.behave(total_count=counts)
    uncut = powerschool.pull_anew(parallel=1)
    powerschool.pages.clear()
    cuts = 0
    while True:
        powerschool.behave(cut_after=6)
        try:
            pulled = powerschool.pull(parallel=1)
        except TryAgain:
            cuts += 1
        else:
            break
    assert cuts > 3
    assert pulled.content == uncut.content


def test_a_pull_that_was_kept_whole_asks_for_nothing(api: Api) -> None:
    """As where landing what was pulled has failed."""
    uncut = api.pull()
    api.server.reset()
    assert api.pull().content == uncut.content
    # Where base_url says less than the whole address, that is looked for; and ClassLink's list is read.
    assert len(api.server.requests) <= 2


def aged(api: Api, seconds: float) -> None:
    """Let the pages that are kept have come so long after the beginning."""
    for path in api.folder_of_pages().glob(f"*{SUFFIX}"):
        stem = path.name.removesuffix(SUFFIX).rpartition(".")[0]
        path.rename(path.with_name(f"{stem}.{int(seconds)}{SUFFIX}"))


@pytest.mark.parametrize(
    ("last_page", "then", "goes_on"),
    [
        (0, timedelta(minutes=59), True),
        (0, timedelta(minutes=60), False),
        (50 * 60, timedelta(minutes=109), True),
        (50 * 60, timedelta(minutes=110), False),
        (11.5 * 3600, timedelta(hours=12, seconds=-1), True),
        (11.5 * 3600, timedelta(hours=12), False),
    ],
)
def test_it_goes_on_within_an_hour_of_its_last_page_and_half_a_day_of_its_beginning(
    powerschool: Api, last_page: float, then: timedelta, goes_on: bool
) -> None:
    kept = cut(powerschool)
    aged(powerschool, last_page)
    pulled = powerschool.pull(now=NOW + then)
    assert powerschool.is_whole(pulled)
    assert (not asked_again(powerschool, kept)) is goes_on
    assert pulled.receipt.began_at == (NOW if goes_on else NOW + then)


def test_pages_know_how_long_after_the_beginning_they_have_come(
    powerschool: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr(pages, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    def pass_by(_: str) -> None:
        clock[0] += 100

    powerschool.pull(progress=pass_by, parallel=1)
    ages = {int(name.removesuffix(SUFFIX).rpartition(".")[2]) for name in powerschool.kept()}
    assert min(ages) == 0
    assert {age % 100 for age in ages} == {0}
    assert len(ages) > 1
    powerschool.pages.clear()
    # What is gone on with goes on from its own beginning.
    cut(powerschool)
    before = powerschool.kept()
    powerschool.pull(now=NOW + timedelta(minutes=30))
    later = {int(name.removesuffix(SUFFIX).rpartition(".")[2]) for name in powerschool.kept() - before}
    assert later == {30 * 60}


def test_after_an_hour_it_begins_anew(powerschool: Api) -> None:
    kept = cut(powerschool)
    later = NOW + GOES_ON_FOR
    pulled = powerschool.pull(now=later)
    assert powerschool.is_whole(pulled)
    assert len(asked_again(powerschool, kept)) == len(kept)
    assert pulled.gathered.pull is not None
    assert pulled.gathered.pull.began_at == later


@pytest.mark.parametrize("changed", [{"page_size": 25}, {"base_url": "another"}, {"changes_only": True}])
def test_with_other_settings_it_begins_anew(powerschool: Api, changed: dict[str, object]) -> None:
    kept = cut(powerschool)
    if "base_url" in changed:
        powerschool.behave(variant="bare")
        changed = {"base_url": f"{powerschool.server.url}/ims/oneroster/v1p1"}
    last = Pull(NOW - timedelta(days=1), "bulk", NOW - timedelta(days=1), 0, "", ())
    pulled = powerschool.pull(last=last, **changed)
    first = {name for name in kept if name.split(".")[1] == "0"}
    assert len(asked_again(powerschool, first)) == len(first)
    if "changes_only" not in changed:
        assert powerschool.is_whole(pulled)


def test_other_numbers_of_parallel_requests_are_no_other_settings(powerschool: Api) -> None:
    kept = cut(powerschool)
    powerschool.pull(parallel=1)
    assert not asked_again(powerschool, kept)


def test_data_whose_number_changed_meanwhile_are_pulled_anew(powerschool: Api, tmp_path: Path) -> None:
    """The first page of each collection is kept, and counts one record fewer than there are now."""
    pulled = powerschool.pull()
    last = max(powerschool.folder_of_pages().glob("enrollments.*"), key=lambda path: int(path.name.split(".")[1]))
    last.unlink()
    total = str(len(powerschool.ids("enrollments")))
    for path in powerschool.folder_of_pages().glob("enrollments.*"):
        path.rename(path.with_name(path.name.replace(f".{total}.", f".{int(total) - 1}.")))
    again = powerschool.pull()
    assert again.content == pulled.content
    assert len(powerschool.asked("orgs")) == 2 + 4


def test_what_a_killed_process_has_left_is_no_hindrance(powerschool: Api) -> None:
    cut(powerschool)
    left = powerschool.folder_of_pages() / ".new-left"
    left.mkdir()
    (left / "users.0.20.31..0.ndjson.zst").write_bytes(b"half a page")
    assert powerschool.is_whole(powerschool.pull(now=NOW + timedelta(minutes=1)))
    powerschool.pages.clear()
    assert not list(powerschool.folder_of_pages().iterdir())
    powerschool.pages.clear()


def test_pages_that_repeat_records_give_each_once_and_the_receipt_says_how_many(powerschool: Api) -> None:
    powerschool.behave(total_count=False, repeat_last_page=True, page_cap=20)
    pulled = powerschool.pull()
    assert powerschool.is_whole(pulled)
    assert pulled.gathered.pull is not None
    assert pulled.gathered.pull.repeated > 0


def test_the_pages_of_one_collection_are_not_those_of_another(powerschool: Api) -> None:
    pulled = powerschool.pull()
    names = powerschool.kept()
    assert {name.split(".")[0] for name in names} == pulled.collections
    for name in COLLECTIONS:
        assert {page.part.collection for page in powerschool.pages.kept(name)} == {name}
        assert sum(page.rows for page in powerschool.pages.kept(name)) == len(powerschool.ids(name))


@pytest.mark.parametrize(
    ("habits", "kind"), [({"forbidden": ("users",)}, CallSomebody), ({"empty": ("users",)}, LookAtData)]
)
def test_what_a_person_must_mend_is_pulled_anew_once_it_is_mended(
    powerschool: Api, habits: dict[str, object], kind: type[Exception]
) -> None:
    """Who may read more sees other records, or more of each."""
    cut(powerschool)
    for path in powerschool.folder_of_pages().glob("users.*"):
        path.unlink()
    kept = powerschool.kept()
    assert kept
    powerschool.behave(**habits)
    with pytest.raises(kind):
        powerschool.pull(parallel=1)
    assert not powerschool.kept()
    powerschool.behave(forbidden=(), empty=())
    assert powerschool.is_whole(powerschool.pull())
    assert len(asked_again(powerschool, kept)) == len(kept)
