"""ClassLink: both modes, its list of districts, bearers that change, data that move, and what its records are like."""

import time
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from roster_pipelines.connections import credentials
from roster_pipelines.connections.pull import BEGINNINGS
from roster_pipelines.errors import CallSomebody, TryAgain
from roster_pipelines_tests.connections.api import COLLECTIONS, Api


def applications(api: Api) -> int:
    """How often the list of districts was read from its beginning."""
    return len([query for query in api.asked("applications") if query["offset"] == "0"])


def test_the_proxy_lists_the_district_among_others_and_is_asked_once(classlink: Api) -> None:
    classlink.behave(more_tenants=3)
    assert classlink.is_whole(classlink.pull())
    assert applications(classlink) == 1
    # The district's part of the path has escapes that no client would make; the server knows only these.
    paths = {each.path.partition("/ims/")[0] for each in classlink.server.requests}
    assert paths == {"/applications", "/%2FgVa0ed75Gs%43"}


def test_a_list_of_districts_is_read_to_its_end_though_nothing_tells_how_long_it_is(classlink: Api) -> None:
    classlink.behave(more_tenants=2100)
    assert classlink.is_whole(classlink.pull())
    assert [query["offset"] for query in classlink.asked("applications")] == ["0", "1000", "2000", "2104"]


def test_a_list_of_one_district_may_be_no_list(classlink: Api) -> None:
    classlink.behave(applications_object=True)
    assert classlink.is_whole(classlink.pull())


@pytest.mark.parametrize("end", ["/", "/applications", "/applications/"])
def test_the_proxys_address_as_people_paste_it(classlink: Api, end: str) -> None:
    assert classlink.is_whole(classlink.pull(base_url=classlink.server.url + end), "orgs", "users")


@pytest.mark.parametrize(
    ("tenant", "told"),
    [
        ("removed", "does not list the tenant_id of the record: the district has turned the application off, or"),
        ("disabled", "lists the district, but not as one that can be read: ask the district's administrator to turn"),
        ("inactive", "lists the district, but not as one that can be read"),
        ("no_bearer", "lists the district, but not as one that can be read"),
    ],
)
def test_a_district_that_cannot_be_used_is_somebodys_to_call_before_and_during_a_pull(
    classlink: Api, tenant: str, told: str
) -> None:
    classlink.behave(tenant=tenant)
    with pytest.raises(CallSomebody, match=f"^ClassLink {told}"):
        classlink.pull()
    assert {each.path for each in classlink.server.requests} == {"/applications"}


def test_a_tenant_that_is_removed_during_a_pull_ends_it_and_nothing_loops(classlink: Api) -> None:
    told = list[str]()

    def remove(line: str) -> None:
        told.append(line)
        classlink.server.habits = replace(classlink.server.habits, tenant="removed")

    with pytest.raises(CallSomebody, match="ask its administrator"):
        classlink.pull(progress=remove, parallel=1)
    assert told
    assert applications(classlink) <= 3
    assert classlink.statuses()[401] <= 2


def test_a_bearer_that_is_refused_though_it_is_listed_is_not_sent_again(
    classlink: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = classlink.server._provider
    monkeypatch.setattr(provider, "refusal", lambda _: provider.error(401, "Unauthorized"))
    with pytest.raises(CallSomebody, match=r"the server answers 401: the district has turned the application off"):
        classlink.pull(parallel=1)
    # The worker may have begun with the next collection before it was told to stop.
    assert classlink.statuses()[401] <= 2
    assert {query["offset"] for query in classlink.asked("academicSessions")} == {"0"}
    assert len(classlink.asked("academicSessions")) == 1


def test_a_bearer_that_changes_during_a_pull_is_read_again_for_all_requests_at_once(classlink: Api) -> None:
    classlink.behave(rotate_bearer_after=5, latency_seconds=0.001)
    assert classlink.is_whole(classlink.pull())
    assert applications(classlink) == 2
    assert 1 <= classlink.statuses()[401] <= 4


def test_a_wrong_partner_key_is_said_and_asked_for_once(classlink: Api, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("another-key\n")
    with pytest.raises(CallSomebody, match=r"ClassLink, applications: the server answers 401: .* check the secrets"):
        classlink.pull(partner_key=f"file:{tmp_path / 'key'}")
    assert len(classlink.server.requests) == 1


@pytest.mark.parametrize("pasted", ["", "“quoted”", "two\nlines", "with blanks", "Zoë"])
def test_a_key_that_no_header_can_hold_is_said_before_it_is_sent(classlink: Api, tmp_path: Path, pasted: str) -> None:
    (tmp_path / "key").write_text(pasted, "utf-8")
    with pytest.raises(CallSomebody, match=r"^the secret file:\S+ is empty, or holds blanks") as told:
        classlink.pull(partner_key=f"file:{tmp_path / 'key'}")
    assert not pasted or pasted not in str(told.value)
    assert not classlink.server.requests


# Direct mode


@pytest.mark.parametrize("signature", ["HMAC-SHA256", "HMAC-SHA1"])
def test_a_districts_own_server_is_asked_by_signed_requests(classlink: Api, signature: str) -> None:
    classlink.behave(direct=True)
    pulled = classlink.pull(signature=signature, changes_only=True)
    assert classlink.is_whole(pulled)
    assert "resources" in pulled.collections
    assert classlink.statuses().keys() == {200}
    assert {each.path.rpartition("/")[0] for each in classlink.server.requests} == {"/ims/oneroster/v1p1"}


@pytest.mark.parametrize(
    "end", ["/", "/ims/oneroster", "/ims/oneroster/", "/ims/oneroster/v1p1/", "/ims/oneroster/v1p1/users"]
)
def test_a_districts_own_address_as_people_paste_it(classlink: Api, end: str) -> None:
    classlink.behave(direct=True)
    assert classlink.is_whole(classlink.pull(base_url=classlink.server.url + end), "orgs", "users")


def test_each_attempt_is_signed_afresh_as_a_nonce_counts_once(classlink: Api) -> None:
    classlink.behave(direct=True, error_every=3)
    assert classlink.is_whole(classlink.pull(parallel=1))
    assert classlink.statuses().keys() == {200, 500}


def test_a_wrong_secret_or_a_clock_that_is_wrong_is_refused_once(
    classlink: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classlink.behave(direct=True)
    (tmp_path / "secret").write_text("another")
    with pytest.raises(CallSomebody, match=r"the server answers 401: .* check the secrets that the record names"):
        classlink.pull(consumer_secret=f"file:{tmp_path / 'secret'}", parallel=1)
    assert len(classlink.asked("academicSessions")) == 1
    monkeypatch.setattr(credentials, "time", SimpleNamespace(time=lambda: time.time() - 3600))
    with pytest.raises(CallSomebody, match="the server answers 401"):
        classlink.pull()


# Data that move


def test_data_that_move_between_two_pages_are_pulled_anew_and_hang_together(classlink: Api) -> None:
    classlink.behave(perm_rev_moves_after=4)
    pulled = classlink.pull()
    assert classlink.is_whole(pulled)
    assert pulled.gathered.pull is not None
    assert pulled.gathered.pull.repeated == 0
    assert len([query for query in classlink.asked("orgs") if query["offset"] == "0"]) == 2


def test_data_that_never_stand_still_are_given_up_and_nothing_is_kept(
    classlink: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    revisions = count()
    provider = classlink.server._provider
    monkeypatch.setattr(provider, "page_headers", lambda *_: {"x-perm-rev": f"rev-{next(revisions)}"})
    with pytest.raises(TryAgain, match="ClassLink: while the data were pulled, they changed: it is tried again"):
        classlink.pull()
    assert not classlink.kept()
    assert len([query for query in classlink.asked("academicSessions") if query["offset"] == "0"]) == BEGINNINGS


def test_without_a_revision_a_total_that_changes_is_noticed_just_so(classlink: Api) -> None:
    classlink.behave(perm_rev=False, perm_rev_moves_after=12)
    assert classlink.is_whole(classlink.pull(parallel=1))
    assert len([query for query in classlink.asked("orgs") if query["offset"] == "0"]) == 2


def test_pages_of_another_revision_are_not_gone_on_with(classlink: Api, api_district: Any) -> None:
    classlink.behave(cut_after=6)
    with pytest.raises(TryAgain):
        classlink.pull()
    kept = classlink.kept()
    assert kept
    classlink.behave(cut_after=None)
    classlink.server.serve(api_district.folder)
    assert classlink.is_whole(classlink.pull())
    assert len([query for query in classlink.asked("academicSessions") if query["offset"] == "0"]) == 1


# Records


def test_resources_come_and_where_they_are_not_offered_neither_do_their_tables(classlink: Api) -> None:
    pulled = classlink.pull_anew()
    assert [each["sourcedId"] for each in pulled.records("resources")] == classlink.ids("resources")
    assert {"resources", "classResources", "courseResources"} <= pulled.modes.keys()
    assert "userResources" not in pulled.modes
    classlink.behave(missing=("resources",))
    pulled = classlink.pull_anew()
    assert pulled.modes.keys() == {*COLLECTIONS}
    with pytest.raises(CallSomebody, match="ClassLink, resources: the server answers 404"):
        classlink.pull_anew(registration="auto_by_resource")


def test_odd_ids_and_texts_land_as_they_came(classlink: Api) -> None:
    classlink.behave(odd_ids=True, unreadable_org=True, teaching_student=True)
    pulled = classlink.pull()
    found = set("".join(pulled.ids("users") + pulled.ids("classes")))
    assert {"|", "/", " "} <= found
    assert len(pulled.ids("orgs")) == len(classlink.ids("orgs")) - 1
    assert {each["school"]["sourcedId"] for each in pulled.records("classes")} - set(pulled.ids("orgs"))
    user = pulled.records("users")[0]
    assert (user["enabledUser"], user["sms"]) == ("true", "")


def test_data_that_have_not_changed_are_the_same_delivery(classlink: Api) -> None:
    assert classlink.pull_anew().content == classlink.pull_anew().content
