"""PowerSchool as it is simulated: tokens by Basic, small pages, ids with blanks, no resources."""

from pathlib import Path

import httpx
import pytest

from roster_pipelines.simulators import districts
from roster_pipelines.simulators.oneroster_api import ApiServer
from roster_pipelines_tests.simulators.caller import Caller


def in_body(caller: Caller, url: str) -> httpx.Response:
    pair = {"client_id": caller.setting("client_id"), "client_secret": caller.setting("client_secret")}
    return caller.http.post(url, data={"grant_type": "client_credentials", **pair})


def test_a_token_says_in_text_how_long_it_lives(powerschool: Caller) -> None:
    token = powerschool.token().json()
    assert (token["token_type"], token["expires_in"]) == ("Bearer", "2592000")


def test_id_and_secret_come_by_basic_only(powerschool: Caller) -> None:
    answer = in_body(powerschool, f"{powerschool.server.url}/oauth/access_token")
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})


def test_a_slash_after_the_tokens_address_does_not_matter(powerschool: Caller) -> None:
    pair = (powerschool.setting("client_id"), powerschool.setting("client_secret"))
    url = f"{powerschool.server.url}/oauth/access_token/"
    assert powerschool.http.post(url, data={"grant_type": "client_credentials"}, auth=pair).status_code == 200
    assert powerschool.http.post(url, data={"grant_type": "password"}, auth=pair).status_code == 400


def test_a_dead_token_is_refused_in_a_header_and_without_a_body(powerschool: Caller) -> None:
    powerschool.behave(token_seconds=0)
    answer = powerschool.get("orgs")
    assert (answer.status_code, answer.content) == (401, b"")
    assert 'error="invalid_token",realm="PowerSchool"' in answer.headers["WWW-Authenticate"]


def test_a_token_may_be_revoked_in_the_middle(powerschool: Caller) -> None:
    powerschool.behave(token_requests=2)
    assert [powerschool.get("orgs").status_code for _ in range(3)] == [200, 200, 401]
    powerschool.log_in()
    assert powerschool.get("orgs").status_code == 200


def test_tokens_live_on_when_the_secret_is_another(powerschool: Caller) -> None:
    powerschool.log_in()
    powerschool.behave(secret_rotated=True)
    assert powerschool.token().status_code == 401
    assert powerschool.get("orgs").status_code == 200


def test_the_hosted_product_has_another_address_for_tokens_and_wants_a_form(powerschool: Caller) -> None:
    powerschool.behave(hosted=True)
    settings = powerschool.server.settings()
    assert settings["token_auth"] == "body"
    assert in_body(powerschool, settings["token_url"]).status_code == 200
    assert powerschool.token().status_code == 401
    assert in_body(powerschool, f"{powerschool.server.url}/oauth/access_token").status_code == 404


@pytest.mark.parametrize(
    ("variant", "base"),
    [("api", "/api/ims/oneroster/v1p1"), ("bare", "/ims/oneroster/v1p1"), ("ws", "/ws/v1p1/ims/oneroster/v1p1")],
)
def test_only_the_base_of_the_habit_is_there(powerschool: Caller, variant: str, base: str) -> None:
    powerschool.behave(variant=variant)
    powerschool.log_in()
    bases = ("/api/ims/oneroster/v1p1", "/ims/oneroster/v1p1", "/ws/v1p1/ims/oneroster/v1p1")
    answers = {each: powerschool.http.get(f"{powerschool.server.url}{each}/orgs").status_code for each in bases}
    assert answers == {each: 200 if each == base else 404 for each in bases}
    assert powerschool.setting("base_url") == powerschool.server.url + ("" if variant == "api" else base)


def test_a_page_has_a_thousand_records_at_most(tmp_path: Path) -> None:
    made = districts.generate(tmp_path, students=130)
    with ApiServer(tmp_path, "powerschool") as server, Caller(server) as caller:
        answer = caller.get("enrollments", limit=5000)
        assert len(answer.json()["enrollments"]) == 1000
        assert int(answer.headers["X-Total-Count"]) == made.counts["enrollments"] > 1000


def test_there_are_no_resources_and_no_links(powerschool: Caller) -> None:
    assert powerschool.get("resources").status_code == 404
    assert "Link" not in powerschool.get("users", limit=2).headers


def test_what_is_empty_is_null_on_some_rows_and_missing_on_others(powerschool: Caller) -> None:
    users = powerschool.records("users")
    assert {user.get("sms", "missing") for user in users} == {None, "missing"}
    assert {user.get("agents", "missing") for user in users} == {None, "missing"}
    assert {user["enabledUser"] for user in users} == {"true"}
    assert not any("password" in user for user in users)


@pytest.mark.parametrize("habit", ["everywhere", "trimmed_references"])
def test_ids_may_have_blanks_around_them_and_references_or_not(powerschool: Caller, habit: str) -> None:
    plain = set(powerschool.ids("users"))
    powerschool.behave(padded_ids=habit)
    users = set(powerschool.ids("users"))
    assert {each.strip() for each in users} == plain
    assert 0 < len(users - plain) < len(users)
    enrolled = {each["user"]["sourcedId"] for each in powerschool.records("enrollments")}
    assert (enrolled <= users) == (habit == "everywhere")
    assert (enrolled <= plain) == (habit == "trimmed_references")


def test_some_users_may_have_no_email(powerschool: Caller) -> None:
    powerschool.behave(no_email=True)
    emails = [each.get("email") for each in powerschool.records("users")]
    assert 0 < emails.count(None) < len(emails)


def test_a_teacher_may_be_in_three_orgs(powerschool: Caller) -> None:
    powerschool.behave(roaming_teacher=True)
    assert [len(each["orgs"]) for each in powerschool.records("teachers")].count(3) == 1


def test_a_class_may_have_two_teachers(powerschool: Caller) -> None:
    teaching = [each["class"]["sourcedId"] for each in powerschool.records("enrollments") if each["role"] == "teacher"]
    assert len(teaching) > len(set(teaching))
