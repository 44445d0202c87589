"""What the district's administrator is sent: what did not work, and what would help, each remedy once."""

from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from roster_pipelines.connections.check.letter import letter
from roster_pipelines.connections.check.remedies import PROVIDERS, Cause, Way, remedy, way_of
from roster_pipelines.connections.check.step import Step
from roster_pipelines.district import District

NOW = datetime(2026, 11, 23, 16, 5, tzinfo=UTC)
KEYS = {"client_id": "c", "client_secret": "env:S", "base_url": "https://sis.example"}
CONNECTIONS: dict[Way, dict[str, Any]] = {
    "sftp": {"kind": "sftp", "host": "h", "username": "u", "password": "env:S"},
    "classlink": {"kind": "classlink", "partner_key": "env:S", "tenant_id": "1"},
    "classlink_direct": {"kind": "classlink", "consumer_key": "k", "consumer_secret": "env:S"},
    "infinite_campus": {"kind": "infinite_campus", "token_url": "https://sis.example?appName=a", **KEYS},
    "powerschool": {"kind": "powerschool", **KEYS},
}


def district(way: Way = "powerschool") -> District:
    return District.model_validate(
        {"district": "maple", "name": "Maple Valley", "time_zone": "America/Denver", "connection": CONNECTIONS[way]}
    )


def test_it_says_who_when_what_and_what_would_help() -> None:
    steps = [
        Step("server", "ok", "it answers"),
        Step("users", "failed", "users: the server answers 404", 1, "Please let us."),
        Step("classes", "failed", "classes: the server answers 404", 1, "Please let us."),
        Step("secrets", "failed", "a secret is not set", 1, "Set it.", ours=True),
        Step("orgs", "skipped", "not tried"),
    ]
    assert letter(district(), steps, NOW) == (
        "Hello, we have tried to read the roster of Maple Valley from PowerSchool, on\n"
        "2026-11-23 at 09:05 MST. This is what did not work, and what would help:\n\n"
        "- users: the server answers 404\n"
        "- classes: the server answers 404\n"
        "  Please let us.\n\n"
        "Please write to us when it is done; then we try again. Thank you!"
    )


def test_where_all_that_failed_is_ours_there_is_no_letter() -> None:
    assert letter(district(), [Step("secrets", "failed", "not set", 1, "Set it.", ours=True)], NOW) == ""


@pytest.mark.parametrize("way", get_args(Way))
def test_each_way_has_a_remedy_for_each_cause(way: Way) -> None:
    assert way_of(district(way).connection) == way
    asked = set(get_args(Cause)) - (set() if way == "sftp" else {"host_key", "login", "folder", "files"})
    asked -= (
        {"credentials", "address", "certificate", "ill", "permission", "empty", "fields"} if way == "sftp" else set()
    )
    for cause in asked:
        words, ours = remedy(way, cause, "do this")
        assert ours == (words == "do this")
        assert "{" not in words
        assert ours or words.startswith("Please ")


def test_what_an_administrator_cannot_mend_is_ours() -> None:
    assert remedy("powerschool", "ours", "set it") == ("set it", True)
    assert remedy("classlink", "certificate", "ask") == ("ask", True)
    assert remedy("classlink_direct", "certificate", "ask")[1] is False
    assert remedy("sftp", "login", "compare") == ("compare", True)
    assert PROVIDERS.keys() == set(get_args(Way))
