"""Infinite Campus as it is simulated: tokens for an app, two ages of base URLs, one person as several users."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from roster_pipelines.simulators.oneroster_api import NEVER_LANDS, ApiServer, Habits
from roster_pipelines_tests.simulators.caller import Caller

GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
def campus_1_2(files: Path) -> Iterator[Caller]:
    with ApiServer(files, "infinite_campus", version="1.2") as server, Caller(server) as caller:
        yield caller


def in_body(caller: Caller) -> httpx.Response:
    pair = {"client_id": caller.setting("client_id"), "client_secret": caller.setting("client_secret")}
    return caller.http.post(caller.setting("token_url"), data={**GRANT, **pair})


def test_a_token_lives_for_a_number_of_seconds(campus: Caller) -> None:
    token = campus.token().json()
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)


@pytest.mark.parametrize("query", ["", "?appName=", "?appName=another"])
def test_without_the_app_there_is_only_a_sentence(campus: Caller, query: str) -> None:
    url = campus.setting("token_url").partition("?")[0] + query
    pair = (campus.setting("client_id"), campus.setting("client_secret"))
    answer = campus.http.post(url, data=GRANT, auth=pair)
    assert (answer.status_code, answer.text) == (400, "No Campus Application selected")
    assert answer.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(("habit", "basic", "body"), [("either", 200, 200), ("basic", 200, 401), ("body", 401, 200)])
def test_id_and_secret_are_taken_as_the_habit_says(campus: Caller, habit: str, basic: int, body: int) -> None:
    campus.behave(token_auth=habit)
    assert campus.token().status_code == basic
    assert in_body(campus).status_code == body


def test_a_grant_in_the_query_is_taken(campus: Caller) -> None:
    url = f"{campus.setting('token_url')}&grant_type=client_credentials"
    pair = (campus.setting("client_id"), campus.setting("client_secret"))
    assert campus.http.post(url, auth=pair).status_code == 200
    assert campus.http.post(campus.setting("token_url"), auth=pair).status_code == 400


def test_a_wrong_secret_gets_no_token(campus: Caller) -> None:
    answer = campus.http.post(campus.setting("token_url"), data=GRANT, auth=(campus.setting("client_id"), "wrong"))
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})


def test_a_token_is_posted_for(campus: Caller) -> None:
    assert campus.http.get(campus.setting("token_url")).status_code == 405


def test_a_scope_may_be_needed(campus: Caller) -> None:
    campus.behave(needs_scope=True)
    assert campus.token().json() == {"error": "invalid_scope"}
    assert campus.token(scope="https://purl.imsglobal.org/spec/or/v1p1/scope/roster-core.readonly").status_code == 200


@pytest.mark.parametrize("state", ["disabled", "expired"])
def test_a_connection_that_is_over_gets_neither_token_nor_data(campus: Caller, state: str) -> None:
    campus.log_in()
    campus.behave(connection=state)
    assert campus.token().json() == {"error": "invalid_client"}
    assert campus.get("orgs").status_code == 401


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_over_is_refused(campus: Caller, status: int) -> None:
    campus.behave(token_seconds=0, expired_status=status)
    assert campus.token().json()["expires_in"] == 0
    assert campus.get("orgs").status_code == status


def test_a_token_may_die_after_some_requests(campus: Caller) -> None:
    campus.behave(token_requests=2)
    assert [campus.get("orgs").status_code for _ in range(3)] == [200, 200, 401]
    campus.log_in()
    assert campus.get("orgs").status_code == 200


def test_a_cookie_may_be_needed(campus: Caller) -> None:
    campus.behave(cookie_needed=True)
    assert campus.get("orgs").status_code == 200
    campus.http.cookies.clear()
    assert campus.get("orgs").status_code == 401
    assert campus.http.get(campus.address("orgs"), headers={"Cookie": "JSESSIONID=guessed"}).status_code == 401


def test_both_ages_of_the_base_url_are_served_until_the_older_is_gone(campus: Caller) -> None:
    current = campus.setting("base_url")
    campus.behave(base="legacy")
    legacy = campus.setting("base_url")
    assert legacy != current
    campus.log_in()
    assert [campus.http.get(f"{base}/orgs").status_code for base in (current, legacy)] == [200, 200]
    campus.behave(legacy_gone=True)
    assert [campus.http.get(f"{base}/orgs").status_code for base in (current, legacy)] == [200, 404]


def test_links_are_healthy(campus: Caller) -> None:
    links = campus.get("users", limit=10).links
    assert links.keys() == {"first", "last", "next"}
    assert campus.http.get(links["last"]["url"]).links.keys() == {"first", "last", "prev"}


def test_links_may_be_malformed_and_end_in_themselves(campus: Caller) -> None:
    campus.behave(link="campus")
    answer = campus.get("users", limit=10)
    assert "?&offset=10&limit=10>" in answer.headers["Link"]
    last = campus.http.get(answer.links["last"]["url"])
    assert last.links["next"]["url"] == answer.links["last"]["url"]
    assert campus.http.get(last.links["next"]["url"]).json() == last.json()


def test_there_are_no_resources(campus: Caller) -> None:
    assert campus.get("resources").status_code == 404
    assert "resources" not in campus.records("classes")[0]
    assert campus.get("demographics").status_code == 200


def test_records_are_as_campus_writes_them(campus: Caller) -> None:
    user = campus.records("students")[0]
    assert user["enabledUser"] is True
    assert not {"sms", "phone", "agents", "password", "middleName", "userIds"} & user.keys()
    teaching = [each for each in campus.records("enrollments") if each["role"] == "teacher"]
    assert teaching[0]["primary"] is True
    assert "metadata" not in user


def test_one_person_is_a_user_for_each_role(campus: Caller) -> None:
    before = campus.records("users")
    campus.behave(role_prefixed_ids=True)
    users = {each["sourcedId"]: each for each in campus.records("users")}
    assert len(users) == len(before) + 2
    assert {each[0] for each in users} == {"a", "s", "t"}
    assert all(each["role"][0] == sourced_id[0] for sourced_id, each in users.items())
    twice = [each for each in users if each.startswith("t") and f"s{each[1:]}" in users]
    assert len(twice) == 2
    for teacher in twice:
        pair = (users[teacher], users[f"s{teacher[1:]}"])
        assert len({(each["email"], each["identifier"], each["username"]) for each in pair}) == 1
    enrolled = {each["user"]["sourcedId"] for each in campus.records("enrollments")}
    assert {f"s{each[1:]}" for each in twice} <= enrolled <= users.keys()


def test_a_disabled_account_is_absent(campus: Caller) -> None:
    before = campus.ids("users")
    campus.behave(account_disabled=True)
    (gone,) = set(before) - set(campus.ids("users"))
    assert gone not in {each["user"]["sourcedId"] for each in campus.records("enrollments")}


def test_kindergarten_may_have_two_names(campus: Caller) -> None:
    campus.behave(campus_grades=True)
    grades = [tuple(each["grades"]) for each in campus.records("students")]
    assert {("KG", "K4"), ("K4",), ("01",)} <= set(grades)


def test_enrollments_may_dangle(campus: Caller) -> None:
    campus.behave(dangling_enrollments=True)
    users = {each["sourcedId"]: each["status"] for each in campus.records("users")}
    states = {users.get(each["user"]["sourcedId"]) for each in campus.records("enrollments")}
    assert states == {"active", "tobedeleted", None}


def test_a_guardian_may_be_enrolled_as_student(campus: Caller) -> None:
    campus.behave(guardian_enrolled=True)
    guardians = {each["sourcedId"] for each in campus.records("users") if each["role"] == "guardian"}
    roles = {each["role"] for each in campus.records("enrollments") if each["user"]["sourcedId"] in guardians}
    assert (len(guardians), roles) == (1, {"student"})


def test_at_the_rollover_classes_sessions_and_enrollments_are_others_and_people_stay(caller: Caller) -> None:
    names = ("academicSessions", "classes", "enrollments", "users", "orgs")
    before = {each: set(caller.ids(each)) for each in names}
    caller.behave(rollover=True)
    after = {each: set(caller.ids(each)) for each in names}
    assert [before[each].isdisjoint(after[each]) for each in names] == [True, True, True, False, False]
    assert {each["class"]["sourcedId"] for each in caller.records("enrollments")} == after["classes"]
    terms = {term["sourcedId"] for each in caller.records("classes") for term in each["terms"]}
    assert terms < after["academicSessions"]
    (year,) = [each for each in caller.records("academicSessions") if each["type"] == "schoolYear"]
    assert (year["startDate"], year["endDate"], year["schoolYear"]) == ("2027-08-15", "2028-06-15", "2028")


def test_guids_replace_every_id_and_users_tell_the_old_one(campus: Caller) -> None:
    old = {each["sourcedId"] for each in campus.records("users")}
    campus.behave(guids=True)
    users = campus.records("users")
    assert {each["metadata"]["ic"]["legacysourceId"] for each in users} == old
    assert not old & {each["sourcedId"] for each in users}
    assert {each["user"]["sourcedId"] for each in campus.records("enrollments")} <= {
        each["sourcedId"] for each in users
    }


def test_1_2_has_roles_in_place_of_role_and_orgs(campus_1_2: Caller) -> None:
    assert "/rostering/v1p2" in campus_1_2.setting("base_url")
    users = campus_1_2.records("users")
    assert not {"role", "orgs", "password"} & {key for each in users for key in each}
    (role,) = users[0]["roles"]
    assert (role["roleType"], role["role"], role["org"]["type"]) == ("primary", "siteAdministrator", "org")
    assert users[0]["primaryOrg"] == role["org"]
    assert users[0]["enabledUser"] == "true"
    assert len(campus_1_2.ids("students")) == 26
    assert campus_1_2.get("nope").json()["imsx_CodeMinor"]


def test_1_2_plants_what_must_never_be_stored(campus_1_2: Caller) -> None:
    user = campus_1_2.records("users")[0]
    assert user["pronouns"] == NEVER_LANDS
    assert user["userProfiles"][0]["credentials"][0]["password"] == NEVER_LANDS


def test_1_2_has_both_ages_of_the_base_url(campus_1_2: Caller) -> None:
    campus_1_2.server.habits = Habits(base="legacy")
    assert campus_1_2.get("orgs").status_code == 200
    assert campus_1_2.setting("base_url").endswith("/campus/api/ims/oneroster/rostering/v1p2")
