"""The simulated APIs, whoever's they are: pages, records, counts and faults."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from roster_pipelines.simulators import districts
from roster_pipelines.simulators.districts import District
from roster_pipelines.simulators.oneroster_api import ApiServer, Habits
from roster_pipelines_tests.simulators.caller import Caller

COLLECTIONS = ("orgs", "academicSessions", "courses", "classes", "users", "enrollments")


def test_every_record_of_the_files_is_served_once_and_in_order(caller: Caller, api_district: District) -> None:
    for collection in COLLECTIONS:
        ids = caller.ids(collection)
        assert len(ids) == api_district.counts[collection]
        assert ids == sorted(set(ids))


def test_pages_put_together_are_the_collection(caller: Caller) -> None:
    whole = caller.records("users")
    pages = [caller.records("users", limit=7, offset=offset) for offset in range(0, len(whole) + 7, 7)]
    assert [record for page in pages for record in page] == whole
    assert [len(page) for page in pages[:-1]] == [7] * (len(whole) // 7) + [len(whole) % 7] * (len(whole) % 7 > 0)
    assert pages[-1] == []


def test_without_a_limit_a_page_has_a_hundred_records(caller: Caller) -> None:
    assert len(caller.get("enrollments").json()["enrollments"]) == 100


def test_a_limit_above_the_cap_is_cut_without_a_word(caller: Caller) -> None:
    caller.behave(page_cap=5)
    answer = caller.get("classes", limit=1000)
    assert answer.status_code == 200
    assert len(answer.json()["classes"]) == 5


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": "many"}, {"offset": -1}])
def test_a_page_that_is_none_is_refused(caller: Caller, query: dict[str, object]) -> None:
    assert caller.get("users", **query).status_code == 400


def test_the_total_is_counted_unless_a_habit_says_otherwise(caller: Caller, api_district: District) -> None:
    assert caller.get("users", limit=3).headers["X-Total-Count"] == str(api_district.counts["users"])
    caller.behave(total_off_by=-2)
    assert caller.get("users", limit=3).headers["X-Total-Count"] == str(api_district.counts["users"] - 2)
    caller.behave(total_count=False)
    assert "X-Total-Count" not in caller.get("users", limit=3).headers


def test_healthy_links_lead_through_the_collection(caller: Caller) -> None:
    caller.behave(link="healthy")
    answer = caller.get("users", limit=9)
    seen = answer.json()["users"]
    while "next" in answer.links:
        answer = caller.http.get(answer.links["next"]["url"])
        seen += answer.json()["users"]
    assert seen == caller.records("users")
    assert answer.links["prev"]["url"] != answer.links["last"]["url"]
    assert "next" not in caller.get("users", limit=len(seen)).links


def test_without_links_there_is_no_header(caller: Caller) -> None:
    caller.behave(link="none")
    assert "Link" not in caller.get("users", limit=2).headers


def test_beyond_the_end_is_nothing_or_by_habit_the_last_page_again(caller: Caller) -> None:
    whole = caller.records("orgs")
    assert caller.records("orgs", limit=2, offset=4) == []
    caller.behave(repeat_last_page=True)
    assert caller.records("orgs", limit=2, offset=4) == whole[2:]


def test_records_are_sorted_as_asked(caller: Caller) -> None:
    ids = caller.ids("users", sort="sourcedId", orderBy="desc", limit=6, offset=3)
    assert ids == sorted(caller.ids("users"), reverse=True)[3:9]
    names = [record["familyName"] for record in caller.records("users", sort="familyName")]
    assert names == sorted(names)
    assert caller.ids("users", sort="noSuchField") == caller.ids("users")


def test_a_server_that_ignores_sort_has_an_order_of_its_own(caller: Caller) -> None:
    before = caller.ids("users")
    caller.behave(sort_ignored=True)
    assert caller.ids("users", sort="sourcedId") != before
    assert sorted(caller.ids("users")) == before
    assert caller.ids("users", limit=5, offset=5) == caller.ids("users")[5:10]


def test_views_are_parts_of_their_collections(caller: Caller, api_district: District) -> None:
    assert caller.ids("schools") == list(api_district.school_nces_ids)
    assert len(caller.ids("students")) == 26
    assert caller.ids("teachers") == api_district.teachers
    assert list(caller.get("students", limit=1).json()) == ["users"]
    assert [each["type"] for each in caller.records("terms")] == ["semester", "semester"]


def test_an_unknown_collection_is_404(caller: Caller) -> None:
    assert caller.get("parents").status_code == 404
    assert caller.http.get(f"{caller.server.url}/somewhere/else").status_code == 404


def test_data_is_only_read(caller: Caller) -> None:
    caller.log_in()
    assert caller.http.post(caller.address("users"), json={}).status_code == 405


@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "Basic d3Jvbmc6d3Jvbmc="])
def test_without_the_right_token_there_is_no_data(caller: Caller, authorization: str | None) -> None:
    caller.log_in()
    del caller.http.headers["Authorization"]
    headers = {"Authorization": authorization} if authorization else {}
    assert caller.http.get(caller.address("users"), headers=headers).status_code == 401


def test_a_filter_by_time_leaves_what_was_changed_since(caller: Caller, files: Path) -> None:
    since = "dateLastModified>'2026-07-01T05:59:59.000Z'"
    assert caller.ids("orgs", filter=since) == caller.ids("orgs")
    assert caller.ids("orgs", filter="dateLastModified>'2026-07-01T06:00:00.000Z'") == []
    both = caller.ids("orgs", filter=f"{since} AND type='district'", limit=1)
    assert both == ["org-0000"]
    assert len(caller.ids("orgs", filter="type='district' OR type='school'")) == 3
    assert caller.ids("users", filter="email~'.7@'") == ["usr-000007"]
    assert caller.get("orgs", filter=since).headers["X-Total-Count"] == "3"


@pytest.mark.parametrize("text", ["nonsense", "noSuchField='1'", "dateLastModified>'yesterday'"])
def test_a_filter_that_is_not_understood_is_refused(caller: Caller, text: str) -> None:
    assert caller.get("orgs", filter=text).status_code == 400


def test_a_filter_may_be_ignored_or_refused(caller: Caller) -> None:
    none = "dateLastModified>'2999-01-01T00:00:00.000Z'"
    caller.behave(delta="ignored")
    assert len(caller.ids("orgs", filter=none)) == 3
    caller.behave(delta="refused")
    assert caller.get("orgs", filter=none).status_code == 400


def test_the_next_delivery_has_new_times_only_where_it_differs(tmp_path: Path) -> None:
    first = districts.generate(tmp_path / "first", students=26)
    second = districts.generate(tmp_path / "second", students=27)
    with ApiServer(first.folder, "infinite_campus") as server, Caller(server) as caller:
        server.serve(second.folder, at=datetime(2026, 11, 24, 6, 30, tzinfo=UTC))
        since = {"filter": "dateLastModified>='2026-11-24T06:30:00.000Z'"}
        assert caller.ids("users", **since) == ["usr-000033"]
        assert len(caller.ids("users")) == second.counts["users"]
        server.serve(first.folder, at=datetime(2026, 11, 25, 6, 30, tzinfo=UTC))
        assert caller.ids("users", **since) == []
        server.habits = Habits(tombstones=True)
        (gone,) = caller.records("users", **since)
        assert (gone["sourcedId"], gone["status"]) == ("usr-000033", "tobedeleted")
        assert gone["dateLastModified"] == "2026-11-25T06:30:00.000Z"


def test_the_files_are_read_once(tmp_path: Path) -> None:
    made = districts.generate(tmp_path, students=26)
    with ApiServer(made.folder, "powerschool") as server, Caller(server) as caller:
        for file in tmp_path.iterdir():
            file.unlink()
        caller.behave(sort_ignored=True)
        assert len(caller.ids("users")) == made.counts["users"]
    with pytest.raises(FileNotFoundError):
        ApiServer(tmp_path, "powerschool")


def test_it_is_seen_what_was_asked_and_never_with_which_secret(caller: Caller) -> None:
    caller.log_in()
    caller.server.reset()
    caller.get("users", limit=3, sort="sourcedId")
    caller.get("demographics")
    users, demographics = caller.server.requests
    assert (users.method, users.query, users.status) == ("GET", {"limit": "3", "sort": "sourcedId"}, 200)
    assert users.path == httpx.URL(caller.address("users")).raw_path.decode()
    assert "authorization" in users.headers
    assert demographics.path.endswith("/demographics")
    assert not any(secret in repr(caller.server.requests) for secret in caller.server.secrets)


def test_tokens_and_secrets_are_all_known(caller: Caller) -> None:
    caller.log_in()
    assert str(caller.http.headers["Authorization"]).removeprefix("Bearer ") in caller.server.secrets
    secrets = [name for name, value in caller.server.settings().items() if str(value).startswith("file:")]
    assert secrets
    assert {caller.setting(name) for name in secrets} <= set(caller.server.secrets)


def test_requests_at_the_same_time_are_counted(powerschool: Caller) -> None:
    powerschool.log_in()
    powerschool.server.reset()
    powerschool.behave(latency_seconds=0.5)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: powerschool.get("orgs").status_code, range(4)))
    assert answers == [200] * 4
    assert powerschool.server.most_parallel == 4
    assert 0 < powerschool.server.served_seconds < 0.5


@pytest.mark.parametrize(("limit", "refused"), [(None, 1), (2, 4), (0, 0)])
def test_more_requests_at_once_than_allowed_are_refused(campus: Caller, limit: int | None, refused: int) -> None:
    """Unless told otherwise, the sixth by Infinite Campus."""
    campus.log_in()
    campus.behave(latency_seconds=0.5, parallel_limit=limit)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: campus.get("orgs").status_code, range(6)))
    assert answers.count(429) == refused
    assert answers.count(200) == 6 - refused


def test_it_keeps_port_and_secrets_when_it_is_started_again(files: Path) -> None:
    server = ApiServer(files, "powerschool")
    with server, Caller(server) as caller:
        before = (server.url, server.settings(), caller.setting("client_secret"))
        folder = Path(server.settings()["client_secret"].removeprefix("file:")).parent
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=5)
    with server, Caller(server) as caller:
        assert (server.url, server.settings(), caller.setting("client_secret")) == before
        assert caller.get("orgs").status_code == 200


def test_secrets_in_a_folder_of_ones_own_outlive_the_server(files: Path, tmp_path: Path) -> None:
    for provider in ("classlink", "infinite_campus"):
        kept = []
        for _ in range(2):
            with ApiServer(files, provider, secrets=tmp_path / provider) as server, Caller(server) as caller:
                kept.append(caller.setting("partner_key" if provider == "classlink" else "client_secret"))
                assert caller.get("orgs").status_code == 200
        assert kept[0] == kept[1]


def test_a_port_in_use_raises_os_error_and_leaves_no_thread(files: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        threads = threading.active_count()
        server = ApiServer(files, "classlink", port=taken.getsockname()[1])
        with pytest.raises(OSError, match="in use"):
            server.start()
        assert threading.active_count() == threads
        server.stop()


def test_stopping_does_not_wait_for_who_waits(files: Path) -> None:
    server = ApiServer(files, "powerschool")
    with server, Caller(server) as caller:
        caller.log_in()
        caller.behave(slow_every=1)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(caller.get, "users")
            while not server.most_parallel:
                pass
            server.stop()  # which would wait for 90 seconds
            assert waiting.result(timeout=5).status_code == 500


def test_settings_may_be_added_to(caller: Caller) -> None:
    assert caller.server.settings(page_size=5) == {**caller.server.settings(), "page_size": 5}


def test_only_infinite_campus_serves_1_2(files: Path) -> None:
    with pytest.raises(ValueError, match=r"1\.1 only"):
        ApiServer(files, "classlink", version="1.2")
