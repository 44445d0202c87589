"""Which person of the roster a sign-in is at first sight, and which it never is."""

from typing import Any

import pytest

from roster_pipelines.district import SignIn
from roster_pipelines.rostering.identity import CANDIDATES, OUTCOMES
from roster_pipelines.rostering.keys import PLACEHOLDERS
from roster_pipelines_tests.rostering.world import World

ADA = "ada@maple.example"
Decision = tuple[str | None, str, str | None, list[str]]


def sso(*match: str, provider: str = "classlink") -> SignIn:
    return SignIn(provider=provider, match=match, email_domains=("maple.example",))


def by(key: str, person: str = "ada") -> list[Decision]:
    return [(person, "matched", key, [])]


def unmatched(outcome: str, key: str | None = None, *candidates: str) -> list[Decision]:
    assert outcome in OUTCOMES
    return [(None, outcome, key, [*candidates])]


def test_a_sign_in_is_the_person_whose_sourced_id_it_claims() -> None:
    assert World().teacher("ada").signed_in("ada").decisions() == by("sourced_id")


ID_CLAIMS = {"sourced_id": "sourced_id", "identifier": "identifier", "user_id:SIS": "user_id"}
OF_OTHER_BYTES = {
    # in the roster, and what is claimed
    "Bea-01": "bea-01",
    "0042": "42",
    "ada": " ada",
    "ben": "ben ",
    "José": "Jose",
    "Jos\u00e9e": "Jose\u0301e",
    "abc": "ab%",
    "cleo": "cleo\x00",
    "4711|dan": "dan",
    "4712|eve": "4712",
}


def with_ids(key: str, values: list[str], claimed: list[str], provider: str = "classlink") -> World:
    """Teachers who have such an id in the roster, and sign-ins that claim one."""
    world = World(sso=sso(key, provider=provider))
    for number, value in enumerate(values):
        keys: dict[str, Any] = {"identifier": value, "userIds": [f"{{SIS:{value}}}"]}
        world.teacher(value if key == "sourced_id" else f"t{number}", **keys)
    for claim in claimed:
        claims: dict[str, Any] = {ID_CLAIMS[key]: claim}
        world.signed_in(claims.pop("sourced_id", None), provider=provider, **claims)
    return world


@pytest.mark.parametrize("key", ID_CLAIMS)
def test_an_id_that_differs_in_one_byte_is_anothers_and_no_part_of_it_counts(key: str) -> None:
    world = with_ids(key, [*OF_OTHER_BYTES], [*OF_OTHER_BYTES.values()])
    assert world.decisions() == unmatched("nobody") * len(OF_OTHER_BYTES)


@pytest.mark.parametrize("key", ID_CLAIMS)
def test_the_very_same_id_matches_whatever_is_in_it(key: str) -> None:
    values = [*OF_OTHER_BYTES, "O'Neil", "a:b", "bea-01"]
    people = values if key == "sourced_id" else [f"t{number}" for number in range(len(values))]
    assert with_ids(key, values, values).decisions() == [(person, "matched", key, []) for person in people]


@pytest.mark.parametrize("key", ID_CLAIMS)
def test_powerschools_ids_alone_are_freed_of_blanks_on_both_sides(key: str) -> None:
    values = [" 12", "13", "\t14"]
    people = values if key == "sourced_id" else ["t0", "t1", "t2"]
    world = with_ids(key, values, ["12", "13 ", "14\u00a0"], provider="PowerSchool")
    assert world.decisions() == [(person, "matched", key, []) for person in people]


@pytest.mark.parametrize("asked", ["user_id:ldap", "user_id:LDAP"])
def test_a_user_id_counts_for_its_own_type_only_and_the_types_case_does_not_matter(asked: str) -> None:
    world = World(sso=sso(asked)).teacher("bea", userIds=["{SIS:1}", "{SIS:2}", "{LDAP}", "3"])
    for number, held in enumerate(("{LDAP:1}", "{ldap:2}", "{ Ldap :3}"), start=1):
        world.teacher(f"ada-{number}", userIds=[f"{{SIS:{number + 1}}}", held]).signed_in(user_id=str(number))
    assert world.decisions() == [*by(asked, "ada-1"), *by(asked, "ada-2"), *by(asked, "ada-3")]


def test_the_legacy_user_id_of_lti_is_a_type_like_any_other() -> None:
    key = "user_id:lti11_legacy_user_id"
    world = World(sso=sso(key)).teacher("ada", userIds=["{lti11_legacy_user_id:9f}"]).signed_in(user_id="9f")
    assert world.decisions() == by(key)


@pytest.mark.parametrize("key", ["email", "username"])
def test_an_address_and_a_username_match_without_case_and_outer_blanks(key: str) -> None:
    names: list[dict[str, Any]] = [{key: ADA}, {key: " BEA@maple.example"}]
    world = World(sso=sso(key)).teacher("ada", **names[0]).teacher("bea", **names[1])
    for claim in (ADA, "Ada@Maple.Example", "  ADA@MAPLE.EXAMPLE ", "bea@maple.example\t"):
        claims: dict[str, Any] = {key: claim}
        world.signed_in(**claims)
    assert world.decisions() == by(key) * 3 + by(key, "bea")


def test_the_districts_own_domains_count_without_case() -> None:
    own = SignIn(provider="classlink", match=("email",), email_domains=("elsewhere.example", "MAPLE.example"))
    assert World(sso=own).teacher("ada", email=ADA).signed_in(email=ADA).decisions() == by("email")


def test_an_address_of_a_foreign_domain_matches_nobody_even_if_the_roster_has_it() -> None:
    world = World()
    foreign = ("gmail.example", "sub.maple.example", "maple.example.org", "maple.example@gmail.example", "")
    for number, address in enumerate((*(f"ada@{domain}" for domain in foreign), "ada", "@")):
        world.teacher(f"t{number}", email=address).signed_in(email=address)
    assert world.decisions() == unmatched("foreign-domain") * 7


def test_a_username_that_is_an_address_is_one_of_the_districts_own_domains_or_nobodys() -> None:
    world = World(sso=sso("username")).teacher("ada", username="ada@gmail.example").teacher("bea", username=ADA)
    world.signed_in(username="ada@gmail.example").signed_in(username=ADA)
    assert world.decisions() == unmatched("foreign-domain") + by("username", "bea")


def test_of_the_many_who_share_an_address_ten_are_kept_and_one_more_that_tells_of_the_others() -> None:
    world = World()
    for number in range(CANDIDATES + 5):
        world.student(f"s-{number:02}", email=ADA)
    (decision,) = world.signed_in(email=ADA).decisions()
    assert decision == unmatched("ambiguous", "email", *(f"s-{number:02}" for number in range(CANDIDATES + 1)))[0]


def test_without_own_domains_no_address_matches() -> None:
    world = World(sso=SignIn(provider="classlink", match=("email",))).teacher("ada", email=ADA).signed_in(email=ADA)
    assert world.decisions() == unmatched("foreign-domain")


def test_behind_a_foreign_address_another_claim_may_still_decide() -> None:
    world = World(sso=sso("email", "username")).teacher("ada", username="ada")
    world.signed_in(email="ada@gmail.example", username="ada").signed_in(email="ada@gmail.example", username="bea")
    assert world.decisions() == by("username") + unmatched("foreign-domain")


@pytest.mark.parametrize("other", ["teacher", "student", "guardian"])
def test_what_two_people_share_is_ambiguous_whoever_they_are_and_ends_the_search(other: str) -> None:
    shared: dict[str, Any] = {"email": ADA, "username": "family", "identifier": "7"}
    world = World(sso=sso(*shared, "sourced_id")).teacher("ada", **shared).person("bea", other, **shared)
    for key, value in shared.items():
        claims: dict[str, Any] = {key: value}
        world.signed_in("ada", **claims)
    assert world.decisions() == [decision for key in shared for decision in unmatched("ambiguous", key, "ada", "bea")]


def test_an_exact_id_decides_where_the_address_is_shared() -> None:
    world = World().teacher("ada", email=ADA).teacher("bea", email=ADA)
    assert world.signed_in("bea", email=ADA).decisions() == by("sourced_id", "bea")


def test_a_teacher_who_is_a_parent_too_is_one_person_with_two_ids() -> None:
    """Infinite Campus sends one user per role in OneRoster 1.1."""
    same: dict[str, Any] = {"username": "ada", "givenName": "Ada", "familyName": "Lovelace", "email": ADA}
    world = World().person("a-parent", "guardian", **same).teacher("ada", **same)
    world.signed_in(email=ADA).signed_in("ada").signed_in("a-parent")
    assert world.decisions() == by("email") + by("sourced_id") * 2


def test_a_teacher_who_is_a_student_too_is_one_person_where_number_names_and_address_agree() -> None:
    same: dict[str, Any] = {"givenName": "Ada", "familyName": "Lovelace", "email": ADA}
    world = World().teacher("t17", **same).student("s17", **same)
    assert world.signed_in(email=ADA).signed_in("s17").decisions() == by("email", "t17") + by("sourced_id", "t17")


@pytest.mark.parametrize("other", [{"givenName": "Bea"}, {"email": "b@maple.example"}, {"sourcedId": "s18"}])
def test_a_child_is_never_taken_for_a_parent_of_the_same_address_or_name(other: dict[str, str]) -> None:
    same = {"givenName": "Ada", "familyName": "Lovelace", "email": ADA}
    child = {"sourcedId": "s17", **same, **other}
    world = World().teacher("t17", **same).student(child.pop("sourcedId"), **child)
    expected = by("email", "t17") if "email" in other else unmatched("ambiguous", "email", "s17", "t17")
    if "sourcedId" in other:
        expected = unmatched("ambiguous", "email", "s18", "t17")
    assert world.signed_in(email=ADA).decisions() == expected


def test_a_placeholder_matches_nobody_even_if_the_roster_holds_the_same_one() -> None:
    world = World(sso=sso("sourced_id", "identifier", "user_id:SIS", "email", "username"))
    placeholders = [*PLACEHOLDERS, "NULL", " None ", "N/A", "\t", "\u00a0"]
    for value in placeholders:
        keys: dict[str, Any] = {"identifier": value, "email": value, "username": value}
        world.teacher(value, **keys, userIds=[f"{{SIS:{value}}}", value, "{}", "{:}"])
        world.signed_in(value, user_id=value, **keys)
    assert world.decisions() == unmatched("no-claim") * len(placeholders)


def test_a_sign_in_without_claims_matches_nobody() -> None:
    assert World().teacher("ada").signed_in().decisions() == unmatched("no-claim")


@pytest.mark.parametrize(("order", "person"), [(("sourced_id", "email"), "ada"), (("email", "sourced_id"), "bea")])
def test_where_two_claims_name_two_people_the_districts_order_counts(order: tuple[str, ...], person: str) -> None:
    world = World(sso=sso(*order)).teacher("ada").teacher("bea", email="bea@maple.example")
    assert world.signed_in("ada", email="bea@maple.example").decisions() == by(order[0], person)


def test_a_sourced_id_that_names_nobody_ends_the_search_as_the_address_may_be_anothers_by_now() -> None:
    world = World().teacher("ada", email=ADA).signed_in("left-id", email=ADA)
    world.signed_in("left-id", email="ada@gmail.example")
    assert world.decisions() == unmatched("nobody") * 2


def test_the_next_claim_counts_where_there_is_no_id_or_a_number_names_nobody() -> None:
    world = World(sso=sso("sourced_id", "identifier", "email")).teacher("ada", email=ADA)
    world.signed_in("", email=ADA).signed_in(identifier="1", email=ADA)
    assert world.decisions() == by("email") * 2


def test_a_claim_that_the_district_did_not_choose_is_not_looked_at() -> None:
    world = World(sso=sso("sourced_id")).teacher("ada", email=ADA, username="ada", identifier="1")
    assert world.signed_in(email=ADA, username="ada", identifier="1").decisions() == unmatched("no-claim")


def test_a_sign_in_through_another_provider_is_never_matched() -> None:
    world = World().teacher("ada", email=ADA).signed_in("ada", email=ADA, provider="google")
    assert world.decisions() == unmatched("other-provider")


def test_without_an_sso_integration_nobody_is_anybody() -> None:
    world = World(stage="onboarding", sso=None).teacher("ada").signed_in("ada")
    assert world.decisions() == unmatched("other-provider")


def test_a_person_to_be_deleted_is_never_matched_and_makes_no_address_ambiguous() -> None:
    world = World().teacher("old", email=ADA, status="tobedeleted").signed_in("old", email=ADA).signed_in(email=ADA)
    assert world.decisions() == unmatched("nobody") * 2
    assert world.teacher("ada", email=ADA).decisions() == unmatched("nobody") + by("email")


def test_a_person_who_is_not_enabled_is_matched_and_a_gate_keeps_them_out() -> None:
    assert World().teacher("ada", enabledUser=False).signed_in("ada").decisions() == by("sourced_id")


def test_one_person_may_sign_in_in_two_ways() -> None:
    world = World().teacher("ada", email=ADA).signed_in("ada").signed_in(email=ADA)
    assert world.decisions() == by("sourced_id") + by("email")
