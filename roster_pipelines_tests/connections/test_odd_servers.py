"""Servers that count wrongly, pass offset over, or hold an id twice: what came is proved whole, or it is not taken."""

from datetime import timedelta
from pathlib import Path

import pytest

from roster_pipelines.connections import collecting, http
from roster_pipelines.connections.gather import Gathered
from roster_pipelines.connections.progress import PAGES_BEFORE_DOUBT
from roster_pipelines.connections.pull import BEGINNINGS
from roster_pipelines.errors import CallSomebody, LookAtData, TryAgain
from roster_pipelines.staging.build import build
from roster_pipelines_tests.connections.api import COLLECTIONS, NOW, Api

PASSES_OVER = "ask the provider: the server passes offset over"


def rules(gathered: Gathered, folder: Path) -> dict[str, int]:
    """What staging finds, and how often."""
    found = build(gathered.files, (), folder / "staged.duckdb", "access_code", today=NOW.date()).findings
    return {finding.rule: finding.count for finding in found}


# An id that is there twice


@pytest.mark.parametrize(("number", "beginnings"), [(5, 1), (20, 2)], ids=["in a page", "in two pages"])
def test_an_id_that_is_there_twice_lands_twice_and_staging_tells_it(
    powerschool: Api, tmp_path: Path, number: int, beginnings: int
) -> None:
    """The district's data are wrong, and stay so: to pull them again and again would bring nothing else."""
    powerschool.behave(doubled_id=number)
    pulled = powerschool.pull()
    twice = powerschool.ids("users")[number - 1]
    assert pulled.ids("users") == sorted([*powerschool.ids("users"), twice])
    assert powerschool.is_whole(pulled, *(name for name in COLLECTIONS if name != "users"))
    assert pulled.receipt.repeated == 0
    assert len([query for query in powerschool.asked("users") if query["offset"] == "0"]) == beginnings
    assert rules(pulled.gathered, tmp_path) == {"id-doubled": 1}


def test_an_id_that_is_there_twice_without_a_total_is_taken_for_one_that_has_slipped(powerschool: Api) -> None:
    powerschool.behave(doubled_id=20, total_count=False)
    pulled = powerschool.pull()
    assert powerschool.is_whole(pulled)
    assert pulled.receipt.repeated == 1


def test_rows_that_slip_from_page_to_page_are_noticed_each_time(powerschool: Api) -> None:
    """As many come as are counted, yet some twice and others not at all, and others each time."""
    powerschool.behave(order_moves=True)
    with pytest.raises(TryAgain, match=r"it counted \d+ \w+ and gave \d+: it is tried again"):
        powerschool.pull()
    assert not powerschool.kept()
    assert len([query for query in powerschool.asked("academicSessions") if query["offset"] == "0"]) == BEGINNINGS


# A server that passes offset over


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("cap", [None, 7])
def test_the_same_page_whatever_is_asked_for_is_refused(powerschool: Api, counts: bool, cap: int | None) -> None:
    powerschool.behave(offset_ignored=True, total_count=counts, page_cap=cap)
    told = (
        rf"PowerSchool gives the same {cap or 20} \w+ for any offset from 0 on, so that nobody knows .*: {PASSES_OVER}"
    )
    with pytest.raises(LookAtData, match=told):
        powerschool.pull(page_size=cap or 20)
    assert len(powerschool.server.requests) < 60
    assert not powerschool.kept()


@pytest.mark.parametrize("counts", [True, False])
def test_a_server_that_cuts_a_large_offset_silently_is_no_whole_collection(powerschool: Api, counts: bool) -> None:
    """As many come as are counted, and the same twice in each pull, as if they were there twice."""
    powerschool.behave(offset_cap=20, total_count=counts)
    with pytest.raises(LookAtData, match=rf"the same 20 \w+ for any offset from 20 on, .*: {PASSES_OVER}"):
        powerschool.pull()


def test_a_small_page_of_the_same_records_whatever_is_asked_for_is_no_whole_collection(powerschool: Api) -> None:
    powerschool.behave(offset_ignored=True, page_cap=7)
    with pytest.raises(LookAtData, match=PASSES_OVER):
        powerschool.pull()


@pytest.mark.parametrize("counts", [True, False])
def test_pages_of_any_records_whatever_is_asked_for_come_to_an_end(powerschool: Api, counts: bool) -> None:
    powerschool.behave(offset_ignored=True, order_moves=True, total_count=counts)
    told = f"the same \\w+ come again and again, whatever is asked for, so nothing is changed: {PASSES_OVER}"
    with pytest.raises(LookAtData, match=told):
        powerschool.pull(page_size=5)
    assert len(powerschool.server.requests) <= 6 * (2 * PAGES_BEFORE_DOUBT)
    assert not powerschool.kept()


@pytest.mark.parametrize("counts", [True, False])
def test_a_server_that_passes_offset_over_and_gives_all_at_once_is_whole(powerschool: Api, counts: bool) -> None:
    powerschool.behave(offset_ignored=True, total_count=counts)
    assert powerschool.is_whole(powerschool.pull(page_size=500))


@pytest.mark.parametrize("counts", [True, False])
def test_one_full_page_that_is_repeated_as_the_last_is_whole(powerschool: Api, counts: bool) -> None:
    powerschool.behave(repeat_last_page=True, total_count=counts)
    assert powerschool.is_whole(powerschool.pull(page_size=len(powerschool.ids("users"))))


def test_whether_offset_is_passed_over_is_asked_as_one_of_the_requests_allowed_at_a_time(powerschool: Api) -> None:
    powerschool.behave(repeat_last_page=True, total_count=False, latency_seconds=0.001)
    assert powerschool.is_whole(powerschool.pull(page_size=len(powerschool.ids("users")), parallel=1))
    assert powerschool.server.most_parallel == 1
    assert {"limit": "1", "offset": "1", "sort": "sourcedId", "orderBy": "asc"} in powerschool.asked("users")


# Totals


@pytest.mark.parametrize("told", ["\u00b2", "7" * 5000, str(10**12), "-1", "many", ""])
def test_a_total_that_is_no_number_is_none(powerschool: Api, told: str) -> None:
    powerschool.behave(total_text=told)
    assert powerschool.is_whole(powerschool.pull())


# After the last record


@pytest.mark.parametrize("status", [200, 403, 404, 500])
def test_an_error_after_as_many_records_as_are_counted_is_no_error(powerschool: Api, status: int) -> None:
    powerschool.behave(beyond_status=status)
    assert powerschool.is_whole(powerschool.pull())
    assert powerschool.is_whole(powerschool.pull_anew(parallel=1))


def test_credentials_that_are_refused_after_the_last_record_are_refused(powerschool: Api) -> None:
    powerschool.behave(beyond_status=401)
    with pytest.raises(http.Denied, match="the server answers 401"):
        powerschool.pull()


def test_an_error_where_fewer_have_come_than_are_counted_is_no_end(powerschool: Api) -> None:
    powerschool.behave(beyond_status=404, total_off_by=1)
    with pytest.raises((TryAgain, CallSomebody), match=r"it counted \d+ \w+ and gave|the server answers 404"):
        powerschool.pull()


@pytest.mark.parametrize("status", [200, 403, 500])
def test_without_a_total_only_a_page_that_is_not_there_is_an_end(powerschool: Api, status: int) -> None:
    """Whatever else is wrong may be so after any page, and pass."""
    powerschool.behave(beyond_status=status, total_count=False)
    with pytest.raises((TryAgain, CallSomebody)):
        powerschool.pull()


# What is told, and when it ends


@pytest.mark.parametrize("habit", ["missing", "forbidden"])
def test_a_collection_that_is_not_offered_is_told(api: Api, habit: str) -> None:
    api.behave(**{habit: ("courses",)})
    told = api.pull().told
    assert told.count("courses: not offered") == 1
    assert {line.partition(":")[0] for line in told} >= {*COLLECTIONS}


def test_a_pull_that_takes_too_long_is_gone_on_with_in_the_next_run(
    powerschool: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert timedelta(minutes=50) == collecting.LONGEST
    powerschool.behave(latency_seconds=0.02)
    with monkeypatch.context() as patch:
        patch.setattr(collecting, "LONGEST", timedelta(seconds=0.05))
        with pytest.raises(TryAgain, match=r"PowerSchool: the pull takes over 0:00:00\.05.*: it is gone on with"):
            powerschool.pull()
    kept = powerschool.kept()
    assert kept
    powerschool.behave(latency_seconds=0)
    assert powerschool.is_whole(powerschool.pull(now=NOW + timedelta(minutes=1)))
    offsets = {f"{name}.{query.get('offset')}" for name in COLLECTIONS for query in powerschool.asked(name)}
    assert not {".".join(name.split(".")[:2]) for name in kept} & offsets
