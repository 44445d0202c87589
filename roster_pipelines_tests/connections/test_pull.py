"""A pull brings each record of each collection once, whatever the server's pages are like, or says why it cannot."""

from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from starlette.responses import Response

from roster_pipelines.connections import http, services
from roster_pipelines.district import District
from roster_pipelines.errors import CallSomebody, LookAtData, TryAgain
from roster_pipelines.simulators.oneroster_api import ApiServer, Habits
from roster_pipelines.simulators.oneroster_api.asking import Ask
from roster_pipelines.simulators.oneroster_api.desk import CUT
from roster_pipelines.simulators.oneroster_api.shapes import NEVER_LANDS
from roster_pipelines_tests.conftest import nowhere
from roster_pipelines_tests.connections.api import COLLECTIONS, NOW, REQUIRED, Api


def test_a_pull_brings_each_record_once_in_order_and_tells_of_each_collection(api: Api) -> None:
    pulled = api.pull()
    assert api.is_whole(pulled)
    assert api.server.most_parallel <= 4
    offered = {*COLLECTIONS, "resources"} if api.server.settings()["kind"] == "classlink" else {*COLLECTIONS}
    assert pulled.collections == set(pulled.gathered.taken) == offered
    assert {line.partition(":")[0] for line in pulled.told} == offered
    assert f"users: {len(api.ids('users'))} records in 2 pages" in pulled.told
    assert set(pulled.modes.values()) == {"bulk"}
    assert pulled.gathered.pull is not None
    assert (pulled.gathered.pull.mode, pulled.gathered.pull.began_at, pulled.gathered.pull.full_at) == (
        "bulk",
        NOW,
        NOW,
    )
    assert pulled.gathered.pull.repeated == 0
    assert not pulled.gathered.findings


def test_every_page_is_asked_for_in_one_order_and_nothing_is_asked_for_twice(api: Api) -> None:
    api.pull()
    for name in COLLECTIONS:
        asked = [query for query in api.asked(name) if query != {"limit": "1"}]
        assert all((query["sort"], query["orderBy"]) == ("sourcedId", "asc") for query in asked)
        offsets = [int(query["offset"]) for query in asked]
        assert len(offsets) == len(set(offsets))
        assert sorted(offsets)[1:] == list(range(20, len(api.ids(name)) + 1, 20)) or max(offsets) == len(api.ids(name))


def test_demographics_are_never_asked_for_and_no_href_is_followed(api: Api) -> None:
    api.behave(own_href=True)
    pulled = api.pull()
    assert api.server.url.encode() in pulled.everything()
    paths = [each.path for each in api.server.requests]
    assert not [path for path in paths if "demographics" in path]
    ends = {"applications", "token", "access_token", *pulled.collections}
    assert {path.rpartition("/")[2] for path in paths} <= ends


def test_what_must_never_be_stored_lands_in_no_byte(api: Api) -> None:
    pulled = api.pull()
    assert NEVER_LANDS.encode() not in pulled.everything()
    assert b"password" not in pulled.everything()
    kept = [path.read_bytes() for path in api.folder_of_pages().iterdir() if path.suffix == ".zst"]
    assert kept
    beside = [path.read_bytes() for path in api.folder_of_pages().iterdir() if path.suffix != ".zst"]
    assert [b"since" in each for each in beside] == [True]
    for content in (*beside, *(zstandard.ZstdDecompressor().stream_reader(packed).read() for packed in kept)):
        assert NEVER_LANDS.encode() not in content
        assert b"password" not in content


@pytest.mark.parametrize("cap", [3, 20])
def test_a_server_that_cuts_the_limit_silently_loses_no_record(powerschool: Api, cap: int) -> None:
    powerschool.behave(page_cap=cap)
    pulled = powerschool.pull(page_size=500)
    assert powerschool.is_whole(pulled)
    assert pulled.gathered.pull is not None
    assert pulled.gathered.pull.repeated == 0


@pytest.mark.parametrize("cap", [None, 7])
@pytest.mark.parametrize("repeats", [False, True])
def test_without_totals_pages_are_read_to_an_empty_or_a_repeated_one(
    powerschool: Api, cap: int | None, repeats: bool
) -> None:
    powerschool.behave(total_count=False, page_cap=cap, repeat_last_page=repeats)
    assert powerschool.is_whole(powerschool.pull())


def test_a_last_page_that_repeats_itself_ends_the_collection_with_totals_too(powerschool: Api) -> None:
    powerschool.behave(repeat_last_page=True)
    pulled = powerschool.pull(page_size=len(powerschool.ids("users")))
    assert powerschool.is_whole(pulled)


@pytest.mark.parametrize("link", ["none", "healthy", "campus"])
def test_link_headers_change_nothing_even_a_next_that_points_at_itself(powerschool: Api, link: str) -> None:
    powerschool.behave(link=link)
    assert powerschool.is_whole(powerschool.pull())


@pytest.mark.parametrize("off", [-1, -20, -1000])
def test_a_total_that_counts_too_few_loses_no_record(powerschool: Api, off: int) -> None:
    powerschool.behave(total_off_by=off)
    assert powerschool.is_whole(powerschool.pull())


def test_a_total_that_counts_too_many_is_refused_with_both_numbers(powerschool: Api) -> None:
    powerschool.behave(total_off_by=3)
    with pytest.raises(
        TryAgain, match=r"while the data were pulled, it counted \d+ \w+ and gave \d+: it is tried again; pull at"
    ):
        powerschool.pull()
    assert not powerschool.kept()


def test_compressed_pages_and_an_order_of_the_servers_own_are_the_same_records(powerschool: Api) -> None:
    plain = powerschool.pull_anew()
    powerschool.behave(gzip=True)
    assert powerschool.pull_anew().content == plain.content
    powerschool.behave(sort_ignored=True)
    scrambled = powerschool.pull_anew()
    for name in COLLECTIONS:
        assert scrambled.ids(name) != plain.ids(name)
        assert sorted(scrambled.ids(name)) == sorted(plain.ids(name))


def test_a_single_record_that_is_an_object_is_one_record(powerschool: Api) -> None:
    # The second page of users has one.
    powerschool.behave(single_as_object=True)
    assert powerschool.is_whole(powerschool.pull(page_size=len(powerschool.ids("users")) - 1))


def test_a_bare_array_is_read(powerschool: Api) -> None:
    powerschool.behave(body="bare_array")
    assert powerschool.is_whole(powerschool.pull())


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("message", "the answer lacks the list"),
        ("html", "the answer is no JSON"),
        ("login", "the server answers 302, a redirect, which is never followed"),
    ],
)
def test_an_answer_without_records_is_never_zero_records(powerschool: Api, body: str, told: str) -> None:
    # Not the first ones: the server has been found by then.
    powerschool.behave(body=body, body_after=3)
    with pytest.raises(TryAgain, match=told):
        powerschool.pull()
    assert not [each for each in powerschool.server.requests if each.path.endswith("/login")]
    powerschool.behave(body="normal")
    assert powerschool.is_whole(powerschool.pull())


def test_a_purged_server_is_refused_and_nothing_is_kept_of_it(api: Api) -> None:
    api.behave(purged=True)
    with pytest.raises(LookAtData, match=r"gives no \w+ at all, so nothing is changed: ask the district"):
        api.pull()
    api.behave(purged=False)
    assert api.is_whole(api.pull())


@pytest.mark.parametrize("name", REQUIRED)
def test_a_required_collection_that_is_empty_or_missing_or_forbidden_is_an_error(powerschool: Api, name: str) -> None:
    powerschool.behave(empty=(name,))
    with pytest.raises(LookAtData, match=f"PowerSchool gives no {name} at all"):
        powerschool.pull()
    powerschool.behave(empty=(), forbidden=(name,))
    with pytest.raises(CallSomebody, match=f"PowerSchool, {name}: the server answers 403"):
        powerschool.pull(base_url=f"{powerschool.server.url}/api/ims/oneroster/v1p1")
    powerschool.behave(forbidden=(), missing=(name,))
    with pytest.raises(http.NotOffered, match=f"PowerSchool, {name}: the server answers 404: check base_url"):
        powerschool.pull()


@pytest.mark.parametrize("habit", ["missing", "forbidden"])
def test_an_optional_collection_may_be_absent_and_the_manifest_says_so(api: Api, habit: str) -> None:
    api.behave(**{habit: ("courses", "resources")})
    pulled = api.pull()
    assert pulled.collections == set(REQUIRED)
    assert pulled.modes.keys() == {*REQUIRED}
    with pytest.raises(CallSomebody, match="courses"):
        api.pull(registration="auto_by_school")


def test_an_optional_collection_may_be_empty(powerschool: Api) -> None:
    powerschool.behave(empty=("courses",))
    pulled = powerschool.pull()
    assert pulled.records("courses") == []
    assert pulled.modes["courses"] == "bulk"


def refuse(api: Api, monkeypatch: pytest.MonkeyPatch, status: int, which: Callable[[str, int], bool]) -> None:
    """Answer requests for a collection from an offset on by a status."""
    provider, refusal = api.server._provider, api.server._provider.refusal

    def refused(ask: Ask) -> Response | None:
        is_meant = which(ask.path.rpartition("/")[2], int(ask.query.get("offset", 0)))
        return provider.error(status, "no") if is_meant else refusal(ask)

    monkeypatch.setattr(provider, "refusal", refused)


@pytest.mark.parametrize("status", [400, 404])
def test_a_server_that_knows_no_page_after_the_last_record_is_whole(
    powerschool: Api, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    powerschool.behave(beyond_status=status)
    assert powerschool.is_whole(powerschool.pull_anew(parallel=4))
    powerschool.behave(total_count=False)
    assert powerschool.is_whole(powerschool.pull_anew())
    # After a full page nobody knows.
    with pytest.raises(CallSomebody, match=str(status)):
        powerschool.pull_anew(page_size=len(powerschool.ids("users")))
    powerschool.behave(page_cap=7)
    refuse(powerschool, monkeypatch, status, lambda name, offset: name == "users" and offset >= 14)
    with pytest.raises(CallSomebody, match=str(status)):
        powerschool.pull_anew()


@pytest.mark.parametrize("status", [403, 404])
def test_an_optional_collection_of_which_a_part_has_come_is_not_absent(
    powerschool: Api, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    refuse(powerschool, monkeypatch, status, lambda name, offset: name == "courses" and offset == 40)
    with pytest.raises(CallSomebody, match=f"PowerSchool, courses: the server answers {status}"):
        powerschool.pull()


@pytest.mark.parametrize("retry_after", [None, "0"])
def test_a_busy_server_is_asked_again(api: Api, retry_after: str | None) -> None:
    api.behave(busy_first=3, retry_after=retry_after)
    assert api.is_whole(api.pull())
    assert api.statuses()[429] == 3


def test_a_server_that_stays_busy_is_left_alone_in_the_end(powerschool: Api) -> None:
    powerschool.behave(school_hours=True)
    with pytest.raises(TryAgain, match="the server answers 429: it is tried again; if this goes on, ask the provider"):
        powerschool.pull()
    asked = [each for each in powerschool.server.requests if each.status == 429]
    # Each of four at once, and some that had begun meanwhile.
    assert len(asked) <= 6 * http.ATTEMPTS


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_error_now_and_then_costs_one_more_request_and_the_pages_stay_as_they_are(
    powerschool: Api, status: int
) -> None:
    plain = powerschool.pull_anew(parallel=1)
    powerschool.behave(error_every=4, error_status=status)
    assert powerschool.pull_anew(parallel=1).content == plain.content
    assert powerschool.statuses()[status] > 2


@pytest.mark.parametrize("counts", [True, False])
def test_a_page_that_is_too_heavy_is_asked_for_in_smaller_ones(powerschool: Api, counts: bool) -> None:
    powerschool.behave(heavy_page=12, total_count=counts)
    pulled = powerschool.pull(page_size=50)
    assert powerschool.is_whole(pulled)
    # Once it is known what is too heavy, nothing of the collection is asked for in that size.
    heavy = [
        each.query for each in powerschool.server.requests if each.status == 502 and each.path.endswith("/enrollments")
    ]
    assert len(heavy) <= http.ATTEMPTS


def test_a_server_that_always_fails_is_given_up(powerschool: Api) -> None:
    powerschool.behave(error_every=1)
    with pytest.raises(TryAgain, match="the server answers 500"):
        powerschool.pull()
    assert len(powerschool.server.requests) <= 6 * http.ATTEMPTS


def test_an_answer_that_breaks_off_is_asked_for_again(powerschool: Api) -> None:
    powerschool.behave(cut_after=3)
    with pytest.raises(TryAgain, match=r"127\.0\.0\.1 cannot be reached, or hung up \(RemoteProtocolError\)"):
        powerschool.pull(parallel=1)
    broken = [(each.path, each.query["offset"]) for each in powerschool.server.requests if each.status == CUT]
    assert broken.count(broken[0]) == http.ATTEMPTS


def test_an_answer_that_takes_too_long_is_asked_for_again(
    powerschool: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Infinite Campus has pages of 100 s.
    assert http.TIMEOUT.read is not None
    assert 100 < http.TIMEOUT.read < http.ANSWER_SECONDS
    monkeypatch.setattr(http, "TIMEOUT", 0.1)
    # A server of its own: the slow answers end after the test.
    with ApiServer(powerschool.files, "powerschool", Habits(slow_every=15, slow_seconds=0.15)) as server:
        own = Api(server, powerschool.files, tmp_path)
        assert own.is_whole(own.pull(parallel=1))


def test_nobody_listens(api: Api) -> None:
    settings = {"base_url": "http://127.0.0.1:9", "token_url": "http://127.0.0.1:9/token?appName=app"}
    if api.server.settings()["kind"] == "classlink":
        del settings["token_url"]
    with pytest.raises(TryAgain, match=r"127\.0\.0\.1 cannot be reached, or hung up \(ConnectError\)"):
        api.pull(**settings)
    assert not api.server.requests


@pytest.mark.parametrize("parallel", [1, 3])
def test_there_are_never_more_requests_at_once_than_the_record_allows(api: Api, parallel: int) -> None:
    api.behave(latency_seconds=0.001)
    api.pull(parallel=parallel)
    assert min(parallel, 2) <= api.server.most_parallel <= parallel


def test_an_sftp_record_has_no_api() -> None:
    district = District(district="maple-valley", name="Maple Valley", connection=nowhere())
    with pytest.raises(TypeError), services.opened(district, NOW):
        pass
