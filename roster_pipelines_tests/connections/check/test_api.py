"""A OneRoster API is checked step by step; what is amiss is found at its step, and what rests on it is not tried."""

import csv
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest

from roster_pipelines.connections.check import letter, steps
from roster_pipelines.connections.check.api import SAMPLE
from roster_pipelines.connections.check.hosts import Host
from roster_pipelines.connections.check.remedies import remedy, way_of
from roster_pipelines.simulators.districts import District
from roster_pipelines.simulators.oneroster_api import ApiServer
from roster_pipelines_tests.connections.api import COLLECTIONS, NOW, REQUIRED, Api
from roster_pipelines_tests.connections.check.told import by_name, checked, failed, states

BEFORE = ["secrets", "name resolution", "server", "credentials", "address"]


def tokens(api: Api) -> int:
    return sum(request.method == "POST" for request in api.server.requests)


def test_a_healthy_api_is_well_in_every_step(api: Api) -> None:
    found = checked(api.record())
    assert [step.name for step in found][: len(BEFORE)] == BEFORE
    assert set(states(found)) >= {*BEFORE, *COLLECTIONS}
    assert {step.state for step in found} == {"ok"}
    assert all(step.seconds > 0 and not step.remedy for step in found)
    assert letter(api.record(), found, NOW) == ""


def test_each_collection_is_counted(api: Api) -> None:
    found = checked(api.record())
    for name in COLLECTIONS:
        extra = by_name(found, name).extra
        assert (extra["count"], extra["count_is"]) == (len(api.ids(name)), "exact")
        assert extra["sampled"] == min(SAMPLE, len(api.ids(name)))


def test_where_the_server_counts_nothing_it_is_told_how_many_there_are_at_least(powerschool: Api) -> None:
    powerschool.behave(total_count=False)
    step = by_name(checked(powerschool.record()), "enrollments")
    assert (step.detail, step.extra["count_is"]) == (f"at least {SAMPLE} records", "at least")


def test_a_count_that_is_less_than_what_came_is_not_believed(powerschool: Api) -> None:
    powerschool.behave(total_off_by=-5)
    step = by_name(checked(powerschool.record()), "users")
    assert step.detail == f"at least {len(powerschool.ids('users'))} records"


def test_each_step_that_begins_is_told_before_it_ends(campus: Api) -> None:
    begun: list[str] = []
    for step in steps(campus.record(), NOW, begun.append):
        assert begun[-1] == step.name


def test_only_the_fields_in_some_and_in_no_record_are_named(powerschool: Api) -> None:
    powerschool.behave(no_email=True)
    step = by_name(checked(powerschool.record()), "users")
    count = len(powerschool.ids("users"))
    fields: Any = step.extra["fields"]
    assert 0 < fields["email"]["present"] < count
    assert fields["givenName"] == {"present": count, "required": True, "needed": False}
    assert f"email {fields['email']['present']}" in step.lines[0]
    assert "in none: userIds, middleName" in step.lines[0]
    assert "givenName" not in step.lines[0]
    assert "password" not in fields


# Credentials


def test_the_credentials_are_tried_with_a_new_token_each_time(powerschool: Api) -> None:
    checked(powerschool.record())
    before = tokens(powerschool)
    powerschool.behave(secret_rotated=True)
    found = checked(powerschool.record())
    assert before > 0
    assert failed(found).name == "credentials"
    assert tokens(powerschool) == 1


@pytest.mark.parametrize(("takes", "told"), [("basic", "Basic"), ("body", "the form's body")])
def test_it_is_told_which_way_worked_and_how_long_the_token_lives(campus: Api, takes: str, told: str) -> None:
    campus.behave(token_auth=takes, token_seconds=900)
    step = by_name(checked(campus.record()), "credentials")
    assert step.detail == f"a new token was given, by {told}; it lives for 15 min"
    assert step.extra == {"way": takes, "token_seconds": 900}


def test_an_expired_connection_is_told_to_the_administrator_with_what_to_renew(campus: Api) -> None:
    campus.behave(connection="expired")
    found = checked(campus.record())
    assert (failed(found).name, failed(found).ours) == ("credentials", False)
    assert "past its expiry date" in failed(found).remedy
    assert {step.state for step in found[len(BEFORE) - 1 :]} == {"skipped"}
    assert "Digital Learning Applications" in letter(campus.record(), found, NOW)


def test_what_only_our_record_gets_wrong_is_not_told_to_the_administrator(campus: Api) -> None:
    campus.behave(needs_scope=True)
    token_url = campus.server.settings()["token_url"]
    wrong = (token_url.replace("oauth2/token", "oauth2/other"), token_url + "-another-app")
    for record in (campus.record(), *(campus.record(token_url=url, scope="roster") for url in wrong)):
        found = checked(record)
        assert (failed(found).name, failed(found).ours) == ("credentials", True)
        assert letter(record, found, NOW) == ""


def test_a_district_that_turned_the_application_off_is_told_so(classlink: Api) -> None:
    for tenant in ("removed", "disabled", "inactive", "no_bearer"):
        classlink.behave(tenant=tenant)
        found = checked(classlink.record())
        assert (failed(found).name, failed(found).ours) == ("credentials", False)
        assert "whether our application is turned on" in " ".join(letter(classlink.record(), found, NOW).split())


def test_a_partner_key_that_is_refused_is_ours_to_mend(classlink: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANOTHER_KEY", "another-key")
    found = checked(classlink.record(partner_key="env:ANOTHER_KEY"))
    assert (failed(found).name, failed(found).ours) == ("credentials", True)


def test_a_signature_is_tried_by_a_request(classlink: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    classlink.behave(direct=True)
    assert {step.state for step in checked(classlink.record())} == {"ok"}
    monkeypatch.setenv("ANOTHER_SECRET", "another-secret")
    found = checked(classlink.record(consumer_secret="env:ANOTHER_SECRET"))
    assert (failed(found).name, failed(found).ours) == ("credentials", False)


def test_a_secret_that_is_not_there_stops_what_needs_it_and_nothing_else(
    powerschool: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOT_SET", raising=False)
    found = checked(powerschool.record(client_secret="env:NOT_SET"))
    assert (failed(found).name, failed(found).ours) == ("secrets", True)
    assert states(found)["server"] == "ok"
    assert {step.state for step in found[3:]} == {"skipped"}
    assert powerschool.server.requests == []


def test_an_empty_secret_and_one_with_a_blank_are_told(powerschool: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "pasted ")
    step = by_name(checked(powerschool.record(client_secret="env:A_SECRET")), "secrets")
    assert step.detail == "client_secret can be read, and has a blank at one end"
    monkeypatch.setenv("A_SECRET", "  ")
    assert by_name(checked(powerschool.record(client_secret="env:A_SECRET")), "secrets").state == "failed"


# Server and address


def test_a_port_at_which_nobody_listens_is_not_reached(powerschool: Api) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        free = nobody.getsockname()[1]
    found = checked(powerschool.record(base_url=f"http://127.0.0.1:{free}"))
    assert failed(found).name == "server"
    assert {step.state for step in found[3:]} == {"skipped"}
    assert "firewall" in letter(powerschool.record(), found, NOW)


def test_a_name_that_nobody_knows_is_told(powerschool: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "no")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    record = powerschool.record(base_url="https://sis.maple.invalid")
    found = checked(record)
    assert failed(found).name == "name resolution"
    assert {step.state for step in found[2:]} == {"skipped"}
    assert "sis.maple.invalid is no name that is known" in letter(record, found, NOW)


def test_a_server_behind_a_proxy_is_left_to_the_proxy(powerschool: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Host, "proxied", True)
    found = checked(powerschool.record())
    assert {step.state for step in found} == {"ok"}
    assert "name resolution" not in states(found)
    assert "through the proxy" in by_name(found, "server").detail


def test_every_server_of_a_record_is_looked_at(campus: Api, powerschool: Api) -> None:
    elsewhere = campus.server.settings()["token_url"]
    found = checked(powerschool.record(token_url=elsewhere))
    assert [step.name for step in found].count("server") == 2


def test_the_address_that_answers_is_told(powerschool: Api) -> None:
    for variant, path in (("api", "/api/ims"), ("ws", "/ws/v1p1/ims")):
        powerschool.behave(variant=variant)
        step = by_name(checked(powerschool.record()), "address")
        assert step.detail == f"{powerschool.server.url}{path}/oneroster/v1p1, OneRoster 1.1"


def test_an_address_that_is_not_there_is_asked_for_again(campus: Api) -> None:
    campus.behave(base="legacy", legacy_gone=True)
    found = checked(campus.record())
    assert failed(found).name == "address"
    assert "Base URL" in letter(campus.record(), found, NOW)


@pytest.mark.parametrize("body", ["html", "login", "message"])
def test_a_page_for_people_in_place_of_data_is_found_at_the_address(classlink: Api, body: str) -> None:
    classlink.behave(body=body)
    found = checked(classlink.record())
    assert failed(found).name == "address"
    assert "under maintenance" in failed(found).remedy
    assert not any("/login" in request.path for request in classlink.server.requests)


def test_a_token_with_which_nothing_may_be_read_is_a_matter_of_the_credentials(api: Api) -> None:
    api.behave(forbidden=("orgs", "users"))
    found = checked(api.record())
    assert failed(found).name == "address"
    assert failed(found).remedy == remedy(way_of(api.record().connection), "credentials", "")[0]


def test_nothing_is_tried_again_while_somebody_waits(classlink: Api) -> None:
    classlink.behave(busy_first=1)
    assert failed(checked(classlink.record())).detail == "orgs: the server answers 429"
    assert len(classlink.asked("orgs")) == 1


# Collections


@pytest.mark.parametrize("habit", ["missing", "forbidden"])
def test_a_collection_that_is_needed_and_may_not_be_read_fails_alone(api: Api, habit: str) -> None:
    api.behave(**{habit: ("users",)})
    found = checked(api.record())
    assert failed(found).name == "users"
    assert "Please let our application read this" in failed(found).remedy
    assert states(found)["enrollments"] == "ok"


def test_orgs_that_may_not_be_read_are_not_taken_for_a_wrong_address(api: Api) -> None:
    api.behave(missing=("orgs",))
    assert failed(checked(api.record(base_url=_whole(api.server)))).name == "orgs"


def _whole(server: ApiServer) -> str:
    base: str = server.settings()["base_url"]
    return base if "ims" in base or "classlink" in server.settings()["kind"] else f"{base}/api/ims/oneroster/v1p1"


@pytest.mark.parametrize("habit", ["missing", "forbidden", "empty"])
def test_a_collection_that_nobody_needs_may_be_absent(api: Api, habit: str) -> None:
    api.behave(**{habit: ("courses", "resources")})
    found = checked(api.record())
    assert {step.state for step in found} == {"ok"}
    assert "need" in by_name(found, "courses").detail


def test_what_the_registration_needs_must_be_there(powerschool: Api) -> None:
    powerschool.behave(empty=("courses",))
    assert failed(checked(powerschool.record(registration="auto_by_school"))).name == "courses"


def test_collections_that_were_emptied_are_told_in_one_breath(campus: Api) -> None:
    campus.behave(purged=True)
    found = checked(campus.record())
    assert {step.name for step in found if step.state == "failed"} == set(REQUIRED)
    assert letter(campus.record(), found, NOW).count("loaded anew") == 1


def test_records_that_lack_what_they_cannot_be_used_without_are_told(api_district: District, tmp_path: Path) -> None:
    shutil.copytree(api_district.folder, tmp_path / "files")
    path = tmp_path / "files" / "users.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, rows[0])
        writer.writeheader()
        writer.writerows({**row, "role": "", "familyName": ""} for row in rows)
    with ApiServer(tmp_path / "files", "powerschool") as server:
        step = failed(checked(Api(server, tmp_path / "files", tmp_path).record()))
    assert (step.name, step.detail) == ("users", "no record of users has role")
    assert step.lines[1] == "the standard requires role, familyName"


# What never shows


def test_no_secret_shows_even_where_the_server_repeats_it(api: Api) -> None:
    told = ""
    for habits in ({}, {"missing": ("users",)}, {"error_every": 1}, {"parallel_limit": -1}):
        api.behave(leaky_errors=True, **habits)
        found = checked(api.record())
        told += repr(found) + letter(api.record(), found, NOW)
    assert len(api.server.secrets) > 1
    assert [secret for secret in api.server.secrets if secret in told] == []
