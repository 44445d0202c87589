"""PowerSchool: its host alone is enough, a token's life is a text, secrets are made anew; what its records are like."""

import pytest

from roster_pipelines.connections import http
from roster_pipelines.errors import CallSomebody, TryAgain
from roster_pipelines_tests.connections.api import Api

PLUGIN = "ask the district's administrator for the plugin's Client ID and Secret"


def test_the_life_of_a_token_may_be_a_text_and_one_token_is_enough(powerschool: Api) -> None:
    assert powerschool.is_whole(powerschool.pull())
    assert len(powerschool.asked("access_token")) == 1


def test_the_hosted_product_has_another_token_url_and_takes_id_and_secret_in_the_body(powerschool: Api) -> None:
    powerschool.behave(hosted=True)
    assert powerschool.is_whole(powerschool.pull(), "orgs", "users")
    with pytest.raises(CallSomebody, match=PLUGIN):
        powerschool.pull(token_auth="basic")


@pytest.mark.parametrize("variant", ["api", "bare", "ws"])
def test_the_host_alone_is_enough_wherever_its_api_is(powerschool: Api, variant: str) -> None:
    powerschool.behave(variant=variant)
    assert powerschool.is_whole(powerschool.pull(base_url=powerschool.server.url), "orgs", "users")


@pytest.mark.parametrize("variant", ["api", "bare", "ws"])
@pytest.mark.parametrize("end", ["", "/", "/users"])
def test_the_whole_address_is_taken_as_it_was_pasted(powerschool: Api, variant: str, end: str) -> None:
    path = {"api": "/api/ims/oneroster/v1p1", "bare": "/ims/oneroster/v1p1", "ws": "/ws/v1p1/ims/oneroster/v1p1"}[
        variant
    ]
    powerschool.behave(variant=variant)
    pasted = powerschool.server.url + path
    assert powerschool.is_whole(powerschool.pull(base_url=pasted + end), "orgs", "users")
    assert not [query for query in powerschool.asked("orgs") if "offset" not in query]
    if variant == "api":
        assert powerschool.is_whole(powerschool.pull_anew(base_url=pasted.removesuffix("/v1p1") + end), "orgs")


def test_a_server_that_sends_people_to_log_in_where_it_has_no_api_is_looked_at_elsewhere(
    powerschool: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    powerschool.behave(variant="ws")
    provider = powerschool.server._provider
    elsewhere = provider.elsewhere

    def log_in(ask: object) -> object:
        answer = elsewhere(ask)
        if answer.status_code == 404:
            answer.status_code, answer.headers["Location"] = 302, "/public/home.html"
        return answer

    monkeypatch.setattr(provider, "elsewhere", log_in)
    assert powerschool.is_whole(powerschool.pull(base_url=powerschool.server.url), "orgs", "users")
    assert powerschool.statuses()[302] == 2


def test_where_no_address_answers_the_likeliest_one_says_why(powerschool: Api) -> None:
    powerschool.behave(missing=("orgs",))
    with pytest.raises(http.NotOffered, match=r"^PowerSchool, orgs: the server answers 404: check base_url"):
        powerschool.pull()
    powerschool.behave(missing=(), body="login")
    with pytest.raises(TryAgain, match="the server answers 302, a redirect"):
        powerschool.pull()
    powerschool.behave(body="html")
    with pytest.raises(TryAgain, match="the answer is no JSON, such as a page for people to log in"):
        powerschool.pull()
    assert not powerschool.kept()


def test_a_token_that_is_revoked_during_a_pull_is_fetched_again(powerschool: Api) -> None:
    powerschool.behave(token_requests=9)
    assert powerschool.is_whole(powerschool.pull())
    assert len(powerschool.asked("access_token")) >= 3


def test_a_secret_made_anew_is_noticed_when_the_next_token_is_fetched(powerschool: Api) -> None:
    def make_anew(_: str) -> None:
        powerschool.behave(secret_rotated=True)

    # While the token lives, nothing is amiss.
    assert powerschool.is_whole(powerschool.pull(progress=make_anew, parallel=1))
    with pytest.raises(CallSomebody, match=f"^PowerSchool, token: the server answers 401: {PLUGIN}"):
        powerschool.pull_anew()
    assert powerschool.statuses() == {401: 1}


def test_credentials_that_die_late_in_a_pull_are_no_absent_collection(powerschool: Api) -> None:
    """Courses may be absent, and are all that is left to fetch: still they must not be taken for that."""
    whole = f"{powerschool.server.url}/api/ims/oneroster/v1p1"
    powerschool.pull(base_url=whole)
    for path in powerschool.folder_of_pages().glob("courses.*"):
        path.unlink()
    powerschool.behave(secret_rotated=True)
    with pytest.raises(CallSomebody, match=PLUGIN):
        powerschool.pull(base_url=whole)


def test_an_interval_that_the_administrator_has_set_is_kept_by_coming_again(
    powerschool: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "FIRST_PAUSE", 0.004)
    monkeypatch.setattr(http, "LONGEST_PAUSE", 0.1)
    powerschool.behave(throttle_seconds=0.003)
    assert powerschool.is_whole(powerschool.pull(parallel=1, page_size=200))
    assert powerschool.statuses()[429]


def test_ids_with_blanks_nulls_and_missing_keys_land_as_they_came(powerschool: Api) -> None:
    for style in ("everywhere", "trimmed_references"):
        powerschool.behave(padded_ids=style, no_email=True, roaming_teacher=True)
        pulled = powerschool.pull_anew()
        ids = pulled.ids("users")
        assert [each for each in ids if each.startswith(" ") and each.endswith(" ")]
        assert sorted(each.strip() for each in ids) == powerschool.ids("users")
        referred = {each["user"]["sourcedId"] for each in pulled.records("enrollments")}
        assert (referred <= set(ids)) == (style == "everywhere")
    users = pulled.records("users")
    assert any("email" in user and user["email"] is None for user in users)
    assert any("email" not in user for user in users)
    assert any(len(user["orgs"]) == 3 for user in users)
