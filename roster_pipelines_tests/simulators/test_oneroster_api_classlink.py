"""ClassLink as it is simulated: the proxy with its list, signed requests, revisions."""

import re
import time
from urllib.parse import quote

import httpx
import pytest

from roster_pipelines.simulators.oneroster_api import NEVER_LANDS, Habits
from roster_pipelines.simulators.oneroster_api.asking import Ask
from roster_pipelines.simulators.oneroster_api.oauth import CLOCK_SECONDS, Signatures
from roster_pipelines_tests.simulators.caller import Caller

VECTOR = (
    "https://sim-v2.rosterserver.test/ims/oneroster/v1p1/users?limit=100&offset=0"
    "&filter=dateLastModified%3E%272026-01-02T03%3A04%3A05.000Z%27"
)
SIGNED_AT = 1767323045
SIGNED = {
    "HMAC-SHA256": "npNuiXARXV4hQEKb6CV81SUvW3g9XHWAP1Q1j8gNKe4=",
    "HMAC-SHA1": "U4BR5ylk62JxL8C2Id7mTdtbi1I=",
}


def direct(caller: Caller, path: str = "users?limit=2&offset=1") -> str:
    """An address of direct mode, which the settings now are for."""
    caller.behave(direct=True)
    return f"{caller.setting('base_url')}/ims/oneroster/v1p1/{path}"


def asked(method: str, signature: str, url: str = VECTOR) -> Ask:
    """A request as one of ClassLink's own libraries signs it: without version, realm or token."""
    values = {
        "oauth_consumer_key": "key-0001",
        "oauth_signature_method": method,
        "oauth_timestamp": str(SIGNED_AT),
        "oauth_nonce": "abcDEF1234",
        "oauth_signature": signature,
    }
    header = ",".join(f'{key}="{quote(value, safe="-._~")}"' for key, value in values.items())
    return Ask("GET", url, httpx.URL(url).path, {}, {"authorization": f"OAuth {header}"})


@pytest.mark.parametrize("method", SIGNED)
def test_known_signatures_are_good_in_their_time_and_once(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    signatures = Signatures("key-0001", "s3cr3t/+&x")
    assert not signatures.are_good(asked(method, SIGNED[method]))
    monkeypatch.setattr(time, "time", lambda: SIGNED_AT + CLOCK_SECONDS)
    assert signatures.are_good(asked(method, SIGNED[method]))
    assert not signatures.are_good(asked(method, SIGNED[method]))


def test_a_known_signature_is_bad_for_another_query_or_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: SIGNED_AT)
    request = asked("HMAC-SHA256", SIGNED["HMAC-SHA256"], VECTOR.replace("offset=0", "offset=100"))
    assert not Signatures("key-0001", "s3cr3t/+&x").are_good(request)
    assert not Signatures("key-0001", "another").are_good(asked("HMAC-SHA256", SIGNED["HMAC-SHA256"]))
    assert not Signatures("key-0002", "s3cr3t/+&x").are_good(asked("HMAC-SHA256", SIGNED["HMAC-SHA256"]))


@pytest.mark.parametrize("method", SIGNED)
def test_direct_mode_answers_signed_requests(classlink: Caller, method: str) -> None:
    url = direct(classlink)
    answer = classlink.http.get(url, headers=classlink.signed(url, signature_method=method))
    assert answer.status_code == 200
    assert len(answer.json()["users"]) == 2
    assert answer.links["next"]["url"] == url.replace("offset=1", "offset=3")


def test_direct_mode_takes_a_filter_whose_signs_are_escaped(classlink: Caller) -> None:
    url = direct(
        classlink, f"users?filter={quote(chr(39).join(['dateLastModified>', '2026-01-02T03:04:05.000Z', '']))}"
    )
    assert classlink.http.get(url, headers=classlink.signed(url)).status_code == 200


def test_direct_mode_refuses_a_signature_without_the_query(classlink: Caller) -> None:
    url = direct(classlink)
    assert classlink.http.get(url, headers=classlink.signed(url.partition("?")[0])).status_code == 401


def test_direct_mode_refuses_the_header_of_another_page(classlink: Caller) -> None:
    url = direct(classlink)
    assert classlink.http.get(url, headers=classlink.signed(url.replace("offset=1", "offset=3"))).status_code == 401


def test_direct_mode_refuses_a_header_that_was_used(classlink: Caller) -> None:
    url = direct(classlink)
    headers = classlink.signed(url)
    assert [classlink.http.get(url, headers=headers).status_code for _ in range(2)] == [200, 401]


@pytest.mark.parametrize("off", [-CLOCK_SECONDS - 5, CLOCK_SECONDS + 5])
def test_direct_mode_refuses_a_clock_that_is_wrong(classlink: Caller, off: int) -> None:
    url = direct(classlink)
    headers = classlink.signed(url, timestamp=str(int(time.time()) + off))
    assert classlink.http.get(url, headers=headers).status_code == 401


@pytest.mark.parametrize("change", [{"client_secret": "wrong"}, {"signature_method": "PLAINTEXT"}])
def test_direct_mode_refuses_other_secrets_and_plain_text(classlink: Caller, change: dict[str, str]) -> None:
    url = direct(classlink)
    assert classlink.http.get(url, headers=classlink.signed(url, **change)).status_code == 401


def test_direct_mode_takes_no_bearer(classlink: Caller) -> None:
    classlink.log_in()
    assert classlink.http.get(direct(classlink)).status_code == 401


def test_the_secret_of_direct_mode_must_be_escaped_to_sign(classlink: Caller) -> None:
    classlink.behave(direct=True)
    assert {"/", "+", "&"} <= set(classlink.setting("consumer_secret"))


def test_the_proxy_tells_what_direct_mode_needs(classlink: Caller) -> None:
    classlink.log_in()
    url = f"{classlink.base.removesuffix('/ims/oneroster/v1p1').replace(classlink.server.url, '')}"
    headers = {"Authorization": f"Bearer {classlink.setting('partner_key')}"}
    answer = classlink.http.get(f"{classlink.server.url}/applications{url}/server", headers=headers).json()
    classlink.behave(direct=True)
    assert answer["server"]["endpoint_url"] == classlink.setting("base_url")
    assert answer["server"]["client_secret"] == classlink.setting("consumer_secret")


def test_the_list_has_districts_that_are_not_usable_and_no_counts(classlink: Caller) -> None:
    answer = classlink.applications()
    listed = answer.json()["applications"]
    assert {each["enabled"] for each in listed} == {"true", "false"}
    assert [each["bearer"] for each in listed].count(None) == 1
    assert [each["tenant_status"] for each in listed].count("Inactive") == 1
    assert not {"x-total-count", "link", "x-count"} & answer.headers.keys()


def test_the_list_comes_in_pages_of_a_hundred(classlink: Caller) -> None:
    classlink.behave(more_tenants=120)
    ours = int(classlink.setting("tenant_id"))
    pages = [
        classlink.applications(**query).json()["applications"] for query in ({}, {"offset": 100}, {"limit": 10_000})
    ]
    assert [len(page) for page in pages] == [100, 24, 124]
    assert [ours in {each["tenant_id"] for each in page} for page in pages] == [False, True, True]


def test_the_list_may_be_the_one_district(classlink: Caller) -> None:
    classlink.behave(applications_object=True)
    assert str(classlink.applications().json()["applications"]["tenant_id"]) == classlink.setting("tenant_id")


def test_the_list_is_for_partners_only(classlink: Caller) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        assert classlink.http.get(f"{classlink.server.url}/applications", headers=headers).status_code == 401


def test_the_districts_path_is_taken_byte_for_byte(classlink: Caller) -> None:
    assert classlink.get("orgs").status_code == 200
    assert "%2FgVa0ed75Gs%43" in classlink.base
    for other in ("%2FgVa0ed75GsC", "%252FgVa0ed75Gs%2543", "%2fgVa0ed75Gs%43"):
        address = classlink.address("orgs").replace("%2FgVa0ed75Gs%43", other)
        assert classlink.http.get(address).status_code == 404
    older = classlink.address("orgs").replace("/%2F", "/proxy/v1p0/%2F")
    assert classlink.http.get(older).status_code == 200


def test_a_bearer_that_was_rotated_is_refused_until_the_list_is_read_again(classlink: Caller) -> None:
    classlink.behave(rotate_bearer_after=2)
    assert [classlink.get("orgs").status_code for _ in range(4)] == [200, 200, 401, 401]
    classlink.log_in()
    assert [classlink.get("orgs").status_code for _ in range(4)] == [200] * 4


@pytest.mark.parametrize("state", ["removed", "disabled", "inactive", "no_bearer"])
def test_a_district_that_left_is_refused_for_ever(classlink: Caller, state: str) -> None:
    classlink.log_in()
    classlink.behave(tenant=state)
    assert classlink.get("orgs").status_code == 401
    ours = [each for each in classlink.applications().json()["applications"] if each["tenant_id"] == 4711]
    usable = [
        each for each in ours if each["enabled"] == "true" and each["tenant_status"] == "Active" and each["bearer"]
    ]
    assert len(ours) == (0 if state == "removed" else 1)
    assert usable == []


def test_pages_carry_count_and_revision(classlink: Caller) -> None:
    answer = classlink.get("users", limit=3)
    assert answer.headers["x-count"] == "3"
    assert answer.headers["x-perm-rev"]
    assert "Link" not in answer.headers
    classlink.behave(perm_rev=False, total_count=False)
    assert not {"x-count", "x-perm-rev"} & classlink.get("users", limit=3).headers.keys()


def test_when_the_revision_moves_all_rows_do(classlink: Caller) -> None:
    whole = classlink.ids("users")
    classlink.behave(perm_rev_moves_after=1)
    first, second = classlink.get("users", limit=10), classlink.get("users", limit=100, offset=10)
    assert first.headers["x-perm-rev"] != second.headers["x-perm-rev"]
    assert int(first.headers["x-total-count"]) + 1 == int(second.headers["x-total-count"])
    seen = [record["sourcedId"] for page in (first, second) for record in page.json()["users"]]
    assert len(seen) == len(set(seen)) + 1
    assert set(whole) - set(seen) == {whole[0]}
    assert classlink.ids("users") == whole


def test_records_are_as_classlink_writes_them(classlink: Caller) -> None:
    user = classlink.records("students")[0]
    assert user["enabledUser"] == "true"
    assert (user["sms"], user["phone"], user["middleName"], user["agents"]) == ("", "", "", [])
    assert user["password"] == NEVER_LANDS
    assert not {"metadata", "birthDate", "parent"} & user.keys()
    assert re.fullmatch(r".*T.*\.000Z", user["dateLastModified"])
    (org,) = user["orgs"]
    assert org["type"] == "org"
    assert httpx.URL(org["href"]).host != "127.0.0.1"
    assert classlink.records("classes")[0]["periods"] == []
    assert "parent" not in classlink.records("orgs")[0]


def test_hrefs_lead_here_only_by_habit(classlink: Caller) -> None:
    classlink.behave(own_href=True)
    (org,) = classlink.records("users")[0]["orgs"]
    assert org["href"].startswith(classlink.server.url)


def test_resources_and_their_links_are_served(classlink: Caller) -> None:
    assert [each["vendorResourceId"] for each in classlink.records("resources")] == ["lessons"]
    linked = [each["resources"] for each in classlink.records("classes") if each["resources"]]
    assert [reference["sourcedId"] for resources in linked for reference in resources] == ["res-01"] * 3
    assert any(each["resources"] for each in classlink.records("courses"))
    assert linked[0][0]["type"] == "resource"


def test_ids_may_hold_any_sign_and_references_follow(classlink: Caller) -> None:
    classlink.behave(odd_ids=True)
    users = set(classlink.ids("users"))
    assert {sign for sign in "|/ " if any(sign in each for each in users)} == set("|/ ")
    enrollments = classlink.records("enrollments")
    assert {each["user"]["sourcedId"] for each in enrollments} <= users
    assert {each["class"]["sourcedId"] for each in enrollments} == set(classlink.ids("classes"))
    assert all(" " not in each["user"]["href"] for each in enrollments)


def test_a_class_may_be_of_an_org_that_cannot_be_read(classlink: Caller) -> None:
    classlink.behave(unreadable_org=True)
    schools = {each["school"]["sourcedId"] for each in classlink.records("classes")}
    assert schools - set(classlink.ids("orgs")) == {"org-0002"}


def test_a_teacher_may_be_among_the_students(classlink: Caller) -> None:
    classlink.behave(teaching_student=True)
    (both,) = set(classlink.ids("students")) & set(classlink.ids("teachers"))
    roles = {each["role"] for each in classlink.records("enrollments") if each["user"]["sourcedId"] == both}
    assert roles == {"student", "teacher"}


def test_a_disabled_account_is_said_to_be(classlink: Caller) -> None:
    classlink.behave(account_disabled=True)
    assert [each["enabledUser"] for each in classlink.records("students")].count("false") == 1


def test_errors_carry_a_message(classlink: Caller) -> None:
    classlink.log_in()
    assert classlink.get("nope").json().keys() == {"message"}


def test_the_habits_of_others_are_none_of_classlinks(classlink: Caller) -> None:
    classlink.server.habits = Habits(token_requests=0, connection="expired", secret_rotated=True)
    assert classlink.get("orgs").status_code == 200
