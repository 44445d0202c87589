"""What may go wrong at every provider, each by its habit."""

import gzip
import time
from email.utils import parsedate_to_datetime

import httpx
import pytest

from roster_pipelines_tests.simulators.caller import Caller


def statuses(caller: Caller, count: int) -> list[int]:
    """What so many requests for a page get, one after the other."""
    return [caller.get("orgs").status_code for _ in range(count)]


def test_the_first_requests_are_too_many(caller: Caller) -> None:
    caller.behave(busy_first=2)
    assert statuses(caller, 3) == [429, 429, 200]
    caller.behave(busy_first=1)
    assert statuses(caller, 2) == [429, 200]


def test_a_busy_server_may_say_when_to_come_again(caller: Caller) -> None:
    caller.behave(busy_first=1)
    assert "Retry-After" not in caller.get("orgs").headers
    caller.behave(retry_after="7")
    assert caller.get("orgs").headers["Retry-After"] == "7"
    caller.behave(retry_after="date")
    ahead = parsedate_to_datetime(caller.get("orgs").headers["Retry-After"]).timestamp() - time.time()
    assert -1 <= ahead <= 2


def test_in_school_hours_everything_is_too_much(caller: Caller) -> None:
    caller.behave(school_hours=True)
    assert statuses(caller, 2) == [429, 429]


def test_who_comes_too_soon_is_refused(caller: Caller) -> None:
    caller.log_in()
    caller.behave(throttle_seconds=30)
    assert statuses(caller, 2) == [200, 429]


def test_each_nth_request_fails(caller: Caller) -> None:
    caller.behave(error_every=3)
    assert statuses(caller, 6) == [200, 200, 500, 200, 200, 500]
    caller.behave(error_every=1, error_status=503)
    assert statuses(caller, 1) == [503]


def test_a_page_may_be_too_heavy(caller: Caller) -> None:
    caller.behave(heavy_page=50)
    assert caller.get("users", limit=51).status_code == 502
    assert caller.get("users", limit=50).status_code == 200
    caller.behave(heavy_status=504)
    assert caller.get("users", limit=51).status_code == 504


def test_each_nth_request_is_slow(classlink: Caller) -> None:
    classlink.log_in()
    classlink.behave(slow_every=2, slow_seconds=0.5)
    took = []
    for _ in range(2):
        began = time.monotonic()
        classlink.get("orgs")
        took.append(time.monotonic() - began)
    assert took[1] >= 0.5 > took[0]


def test_every_answer_comes_later_by_the_latency(caller: Caller) -> None:
    caller.log_in()
    caller.behave(latency_seconds=0.1)
    began = time.monotonic()
    caller.get("orgs")
    assert time.monotonic() - began >= 0.1


def test_after_a_cut_answers_break_off_until_the_habit_ends(caller: Caller) -> None:
    caller.behave(cut_after=2)
    assert statuses(caller, 2) == [200, 200]
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError):
            caller.get("orgs")
    assert [seen.status for seen in caller.server.requests[-4:]] == [200, 200, 0, 0]
    caller.behave(cut_after=None)
    assert statuses(caller, 1) == [200]


def test_a_body_may_hold_a_message_and_no_array(caller: Caller) -> None:
    caller.behave(body="message")
    answer = caller.get("users")
    assert answer.status_code == 200
    assert list(answer.json()) == ["message"]


def test_a_body_may_be_a_bare_array(caller: Caller) -> None:
    whole = caller.records("orgs")
    caller.behave(body="bare_array")
    assert caller.get("orgs").json() == whole


def test_a_body_may_be_html_after_some_pages(caller: Caller) -> None:
    caller.behave(body="html", body_after=1)
    assert caller.get("orgs").json()["orgs"]
    answer = caller.get("orgs")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")


def test_an_answer_may_lead_to_a_login_page(caller: Caller) -> None:
    caller.behave(body="login")
    answer = caller.get("orgs")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login")


def test_a_page_of_one_record_may_hold_it_as_an_object(caller: Caller) -> None:
    caller.behave(single_as_object=True)
    assert caller.get("orgs", limit=1).json()["orgs"]["sourcedId"] == "org-0000"
    assert isinstance(caller.get("orgs", limit=2).json()["orgs"], list)


def test_in_a_purge_all_collections_are_empty(caller: Caller) -> None:
    caller.behave(purged=True)
    answer = caller.get("users")
    assert (answer.status_code, answer.json(), answer.headers["X-Total-Count"]) == (200, {"users": []}, "0")


def test_single_collections_may_be_empty_missing_or_forbidden(caller: Caller) -> None:
    caller.behave(empty=("orgs",), missing=("courses", "demographics"), forbidden=("users",))
    assert caller.records("orgs") == []
    assert caller.get("courses").status_code == caller.get("demographics").status_code == 404
    assert caller.get("users").status_code == 403
    assert caller.get("classes").status_code == 200


def test_pages_are_compressed_only_by_habit(caller: Caller) -> None:
    assert "Content-Encoding" not in caller.get("users").headers
    whole = caller.records("users")
    caller.behave(gzip=True)
    answer = caller.get("users", limit=1000)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.json()["users"] == whole
    with caller.http.stream("GET", caller.address("users")) as raw:
        assert len(gzip.decompress(b"".join(raw.iter_raw()))) > int(raw.headers["Content-Length"])
    plain = caller.http.get(caller.address("users"), headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers


def test_an_error_may_repeat_the_secrets_that_were_sent(caller: Caller) -> None:
    caller.log_in()
    caller.behave(leaky_errors=True, error_every=1)
    assert caller.http.headers["Authorization"] in caller.get("orgs").text
    caller.behave(leaky_errors=False)
    assert caller.http.headers["Authorization"] not in caller.get("orgs").text


def test_a_total_may_say_anything_or_count_what_a_filter_leaves_out(caller: Caller) -> None:
    caller.behave(total_text="\u00b2")
    assert caller.get("users").headers["X-Total-Count"] == "\u00b2"
    none = "dateLastModified>'2999-01-01T00:00:00.000Z'"
    caller.behave(total_text=None, total_unfiltered=True)
    answer = caller.get("orgs", filter=none)
    assert (answer.json()["orgs"], answer.headers["X-Total-Count"]) == ([], "3")


@pytest.mark.parametrize("status", [401, 403, 404, 500, 200])
def test_beyond_the_end_may_be_an_error_or_html(caller: Caller, status: int) -> None:
    caller.behave(beyond_status=status)
    assert len(caller.ids("orgs", offset=2)) == 1
    beyond = caller.get("orgs", offset=3)
    assert beyond.status_code == status
    assert (status == 200) is beyond.text.startswith("<!DOCTYPE html>")
    caller.behave(empty=("orgs",))
    assert caller.ids("orgs", offset=3) == []


def test_offset_may_be_passed_over(caller: Caller) -> None:
    caller.behave(offset_ignored=True)
    first = caller.ids("users", limit=5)
    assert caller.ids("users", limit=5, offset=5) == caller.ids("users", limit=5, offset=1000) == first
    caller.behave(offset_ignored=False, offset_cap=3)
    assert caller.ids("users", limit=5, offset=3) == caller.ids("users", limit=5, offset=1000) != first
    assert caller.ids("users", limit=5) == first


def test_records_may_come_in_another_order_each_time(caller: Caller) -> None:
    usual = caller.ids("users")
    caller.behave(order_moves=True)
    one, other = caller.ids("users"), caller.ids("users")
    assert usual != one != other
    assert sorted(one) == sorted(other) == usual
    filtered = {"filter": "email~'.7@'"}
    assert caller.ids("users", **filtered) == ["usr-000007"]


def test_a_user_may_be_there_twice(caller: Caller) -> None:
    usual = caller.ids("users")
    caller.behave(doubled_id=3)
    assert caller.ids("users") == [*usual[:3], *usual[2:]]
    assert caller.get("users").headers["X-Total-Count"] == str(len(usual) + 1)


@pytest.mark.parametrize(("habit", "written"), [("day", "2026-07-01"), ("naive", "2026-07-01T06:00:00.000")])
def test_times_may_be_days_or_of_no_zone_and_filters_know_what_is_meant(
    caller: Caller, habit: str, written: str
) -> None:
    caller.behave(modified=habit)
    assert {each["dateLastModified"] for each in caller.records("users")} == {written}
    assert len(caller.ids("orgs", filter="dateLastModified>'2026-07-01T05:59:59.000Z'")) == 3
    assert caller.ids("orgs", filter="dateLastModified>'2026-07-02T00:00:00.000Z'") == []
