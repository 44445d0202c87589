"""Infinite Campus: tokens, addresses of two ages, school hours, and what its records are like."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from roster_pipelines.connections.infinite_campus import school_is_on
from roster_pipelines.errors import CallSomebody, TryAgain
from roster_pipelines.simulators.districts import District
from roster_pipelines.simulators.oneroster_api import ApiServer, Habits
from roster_pipelines.simulators.oneroster_api.shapes import NEVER_LANDS
from roster_pipelines_tests.connections.api import COLLECTIONS, SCHOOL_TIME, Api

RENEWED = "Digital Learning Applications Configuration: it may be disabled or past its expiry date"


@pytest.fixture(scope="module")
def _server_1_2(api_district: District) -> Iterator[ApiServer]:
    with ApiServer(api_district.folder, "infinite_campus", version="1.2") as server:
        yield server


@pytest.fixture
def campus_1_2(_server_1_2: ApiServer, api_district: District, tmp_path: Path, _at_once: None) -> Api:
    """The server that speaks 1.2."""
    _server_1_2.habits = Habits()
    _server_1_2.reset()
    (tmp_path / "1.2").mkdir()
    return Api(_server_1_2, api_district.folder, tmp_path / "1.2")


# Tokens


@pytest.mark.parametrize("way", ["either", "basic", "body"])
def test_id_and_secret_are_sent_as_the_server_wants_them(campus: Api, way: str) -> None:
    campus.behave(token_auth=way)
    assert campus.is_whole(campus.pull(), "orgs", "users")
    assert len(campus.asked("token")) == (2 if way == "body" else 1)


def test_where_the_record_says_how_nothing_else_is_tried(campus: Api) -> None:
    campus.behave(token_auth="basic")
    with pytest.raises(CallSomebody, match=RENEWED):
        campus.pull(token_auth="body", parallel=1)
    assert {each.status for each in campus.server.requests} == {401}


@pytest.mark.parametrize("state", ["disabled", "expired"])
def test_a_connection_that_is_not_active_is_the_districts_to_renew(campus: Api, state: str) -> None:
    campus.behave(connection=state)
    with pytest.raises(CallSomebody, match=f"^Infinite Campus, token: the server answers 401: ask the .* in {RENEWED}"):
        campus.pull()
    assert {each.path for each in campus.server.requests} == {"/campus/oauth2/token"}


def test_a_connection_that_ends_during_a_pull_is_no_absent_collection(campus: Api) -> None:
    def end(_: str) -> None:
        campus.behave(connection="expired")

    with pytest.raises(CallSomebody, match=RENEWED):
        campus.pull(progress=end, parallel=1, page_size=5000)


def test_another_app_name_is_said_to_be_what_is_wrong(campus: Api) -> None:
    url = campus.server.settings()["token_url"].replace("maple-valley", "another")
    with pytest.raises(
        CallSomebody, match=r"^Infinite Campus, token: none is given .*: copy token_url whole, with its app"
    ):
        campus.pull(token_url=url)
    with pytest.raises(CallSomebody, match=r"token: the server answers 404: check token_url"):
        campus.pull(token_url=url.replace("/token", "/tokens"))


def test_a_scope_is_sent_where_the_record_has_one(campus: Api) -> None:
    campus.behave(needs_scope=True)
    with pytest.raises(CallSomebody, match=r"none is given \(invalid_scope\): set scope"):
        campus.pull()
    assert campus.is_whole(campus.pull(scope="roster-core.readonly"), "orgs")


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_dies_during_a_pull_is_fetched_again_by_either_status(campus: Api, status: int) -> None:
    campus.behave(token_requests=9, expired_status=status)
    assert campus.is_whole(campus.pull())
    assert 3 <= len(campus.asked("token")) <= campus.statuses()[status] + 1


def test_a_token_of_no_length_is_fetched_for_each_request(campus: Api) -> None:
    campus.behave(token_seconds=0, expired_status=403)
    with pytest.raises(CallSomebody, match="the credentials are good, but may not read this"):
        campus.pull()


def test_the_cookie_that_came_with_the_token_is_sent_with_every_request(campus: Api) -> None:
    campus.behave(cookie_needed=True, token_requests=9)
    assert campus.is_whole(campus.pull())
    data = [each for each in campus.server.requests if "/ims/" in each.path]
    assert all("cookie" in each.headers for each in data)


# Addresses


@pytest.mark.parametrize("base", ["current", "legacy"])
@pytest.mark.parametrize("end", ["", "/", "/users"])
def test_a_base_url_of_either_age_in_any_shape(campus: Api, base: str, end: str) -> None:
    campus.behave(base=base)
    pasted = campus.server.settings()["base_url"] + end
    assert campus.is_whole(campus.pull(base_url=pasted), "orgs", "users")
    campus.server.reset()
    short = pasted.partition("/v1p1/users")[0].removesuffix("/").removesuffix("/v1p1") + "/"
    assert campus.is_whole(campus.pull_anew(base_url=short), "orgs", "users")
    # The newer version is tried first, as the address does not say which it is.
    assert [each.status for each in campus.server.requests[:3]] == [200, 404, 200]


def test_on_the_day_on_which_legacy_addresses_end_it_is_said_that_the_address_is_wrong(campus: Api) -> None:
    campus.behave(base="legacy", legacy_gone=True)
    with pytest.raises(CallSomebody, match=r"^Infinite Campus, \w+: the server answers 404: check base_url"):
        campus.pull()


@pytest.mark.parametrize("base", ["current", "legacy"])
@pytest.mark.parametrize("end", ["", "/", "/orgs?limit=1", None])
def test_the_address_of_1_2_is_found_too(campus_1_2: Api, base: str, end: str | None) -> None:
    campus_1_2.behave(base=base)
    whole = campus_1_2.server.settings()["base_url"]
    pasted = whole.removesuffix("/rostering/v1p2") if end is None else whole + end
    pulled = campus_1_2.pull(base_url=pasted)
    assert campus_1_2.is_whole(pulled)
    assert "oneroster.version,1.2" in pulled.gathered.files["manifest.csv"].read_text()
    assert pulled.modes.keys() == {*COLLECTIONS, "roles"}
    user = pulled.records("users")[0]
    assert user["roles"][0]["roleType"] == "primary"
    assert not {"userProfiles", "password", "pronouns"} & user.keys()
    assert NEVER_LANDS.encode() not in pulled.everything()


# Its rules


@pytest.mark.parametrize(
    ("local", "on"),
    [
        ("2026-11-23T05:59", False), ("2026-11-23T06:00", True), ("2026-11-23T17:59", True),
        ("2026-11-23T18:00", False), ("2026-11-27T12:00", True), ("2026-11-28T12:00", False),
        ("2026-11-29T12:00", False),
    ],
)  # fmt: skip
def test_school_is_on_from_six_to_six_on_weekdays_where_the_district_is(local: str, on: bool) -> None:
    # Denver is seven hours behind UTC in November.
    now = datetime.fromisoformat(f"{local}:00-07:00").astimezone(UTC)
    assert school_is_on(now, "America/Denver") is on


def test_while_school_is_on_there_is_one_request_at_a_time(campus: Api) -> None:
    campus.behave(latency_seconds=0.001, parallel_limit=1)
    assert campus.is_whole(campus.pull(now=SCHOOL_TIME))
    assert campus.server.most_parallel == 1
    assert campus.statuses().keys() == {200}


def test_at_night_there_are_five_at_most_as_the_server_refuses_the_sixth(campus: Api) -> None:
    campus.behave(latency_seconds=0.005)
    assert campus.is_whole(campus.pull(parallel=5))
    assert 1 < campus.server.most_parallel <= 5
    assert campus.statuses()[429] == 0


def test_a_server_that_reads_to_nobody_in_school_hours_is_tried_again_later(campus: Api) -> None:
    campus.behave(school_hours=True)
    with pytest.raises(TryAgain, match="429"):
        campus.pull(now=SCHOOL_TIME)
    campus.behave(school_hours=False)
    assert campus.is_whole(campus.pull())


# Records


def test_one_person_under_several_ids_comes_under_all_of_them(campus: Api) -> None:
    campus.behave(role_prefixed_ids=True)
    users = campus.pull().records("users")
    emails = Counter(user["email"] for user in users)
    twice = {email for email, count in emails.items() if count == 2}
    assert len(twice) == 2
    for email in twice:
        assert {user["sourcedId"][0] for user in users if user["email"] == email} == {"s", "t"}


def test_who_has_no_account_is_not_there_and_what_dangles_lands_as_it_came(campus: Api) -> None:
    before = campus.pull_anew()
    campus.behave(account_disabled=True)
    assert len(campus.pull_anew().ids("users")) == len(before.ids("users")) - 1
    campus.behave(account_disabled=False, dangling_enrollments=True, guardian_enrolled=True, campus_grades=True)
    pulled = campus.pull_anew()
    users = {user["sourcedId"]: user for user in pulled.records("users")}
    enrolled = {each["user"]["sourcedId"] for each in pulled.records("enrollments") if each["role"] == "student"}
    assert enrolled - users.keys() == {"usr-absent"}
    assert users["usr-left"]["status"] == "tobedeleted"
    assert users["usr-guardian"]["role"] == "guardian"
    assert "usr-guardian" in enrolled
    assert isinstance(users["usr-guardian"]["enabledUser"], bool)


def test_a_rollover_and_a_change_of_version_bring_other_ids_and_all_of_them(campus: Api, campus_1_2: Api) -> None:
    campus.behave(rollover=True)
    after = campus.pull()
    for name in ("academicSessions", "classes", "enrollments"):
        assert after.ids(name) == sorted(f"{one}-next" for one in campus.ids(name))
    campus_1_2.behave(guids=True)
    users = campus_1_2.pull_anew().records("users")
    assert sorted(user["metadata"]["ic"]["legacysourceId"] for user in users) == campus.ids("users")
    assert not {user["sourcedId"] for user in users} & set(campus.ids("users"))


def test_resources_and_demographics_are_not_asked_for_where_there_are_none(campus: Api) -> None:
    campus.behave(missing=("resources", "demographics"), forbidden=("demographics",))
    assert campus.is_whole(campus.pull(registration="auto_by_school"))
    assert not [each for each in campus.server.requests if "resources" in each.path or "demographics" in each.path]
