"""In how many records a field has a value: whatever shape a provider gives it, and never which one."""

from typing import Any

import pytest

from roster_pipelines.connections.check.presence import Presence, has_value, presence, told
from roster_pipelines.oneroster.standard import TABLES


@pytest.mark.parametrize(
    "value",
    [
        "x", 0, False, True, 7, ["x"], [{"sourcedId": "7"}], {"sourcedId": "7", "type": "org"}, {"href": "x"},
        [{"type": "SIS", "identifier": "7"}],
    ],
)  # fmt: skip
def test_a_value_is_there(value: Any) -> None:
    assert has_value(value)


@pytest.mark.parametrize(
    "value",
    [
        None, "", "  ", [], [""], [None], {}, {"sourcedId": "", "href": "x"}, [{"sourcedId": None, "type": "org"}],
        [{"type": "SIS", "identifier": ""}],
    ],
)  # fmt: skip
def test_a_value_is_not_there(value: Any) -> None:
    assert not has_value(value)


def test_each_stored_column_of_the_declaration_is_counted_under_its_key() -> None:
    fields = presence([], "classes", "1.1", "access_code")
    assert len(fields) == len(TABLES["classes"].of("1.1")) + 1
    assert {"course", "school", "terms", "resources"} <= {field.name for field in fields}


def test_what_is_never_stored_is_not_even_counted() -> None:
    for version in ("1.1", "1.2"):
        names = {field.name for field in presence([], "users", version, "access_code")}
        assert not names & {"password", "pronouns", "userProfiles"}


def test_the_roles_of_1_2_are_needed() -> None:
    people = [{"sourcedId": "1", "roles": [{"role": "student", "org": {"sourcedId": "7"}}]}, {"sourcedId": "2"}]
    fields = {field.name: field for field in presence(people, "users", "1.2", "access_code")}
    assert fields["roles"] == Presence("roles", 1, required=True, needed=True)
    assert "role" not in fields


def test_it_is_told_what_is_in_some_in_none_and_what_the_standard_requires() -> None:
    fields = [
        Presence("sourcedId", 1200, required=True, needed=True),
        Presence("email", 1100, required=False, needed=False),
        Presence("familyName", 0, required=True, needed=False),
        Presence("sms", 0, required=False, needed=False),
    ]
    assert told(fields, 1200) == (
        "1,200 sampled; in some: email 1,100; in none: familyName, sms; in each: everything else",
        "the standard requires familyName",
    )
    assert told(fields[:1], 1200) == ("1,200 sampled; in each: everything",)
