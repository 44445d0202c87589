"""Which person of the roster a sign-in is, and which it never is."""

import pytest

from roster_pipelines.district import SignIn
from roster_pipelines.rostering.identity import PLACEHOLDERS
from roster_pipelines_tests.rostering.world import SSO, World

NOBODY = [(None, "nobody in the roster")]
UNUSABLE = [(None, "no usable claim")]
BY_EMAIL = SSO.model_copy(update={"match": ("email",)})


def test_a_sign_in_is_the_person_whose_sourced_id_it_claims() -> None:
    assert World().teacher("ada").signed_in("ada").identities() == [("ada", "matched by sourced_id")]


@pytest.mark.parametrize(
    ("in_roster", "claimed"),
    [
        ("Ada-01", "ada-01"),
        ("0042", "42"),
        ("ada", " ada"),
        ("ada", "ada "),
        ("José", "Jose"),
        ("Jos\u00e9", "Jose\u0301"),
        ("ada", "ad%"),
        ("ada", "ada\x00"),
    ],
)
def test_a_sourced_id_that_differs_in_one_byte_is_another(in_roster: str, claimed: str) -> None:
    assert World().teacher(in_roster).signed_in(claimed).identities() == NOBODY


@pytest.mark.parametrize("claimed", ["ada@maple.example", "Ada@Maple.Example", "  ADA@MAPLE.EXAMPLE "])
@pytest.mark.parametrize("in_roster", ["ada@maple.example", " ADA@maple.example"])
def test_an_email_matches_without_case_and_outer_blanks(in_roster: str, claimed: str) -> None:
    world = World().teacher("ada", email=in_roster).signed_in(email=claimed)
    assert world.identities() == [("ada", "matched by email")]


def test_the_districts_own_domains_count_without_case() -> None:
    sso = BY_EMAIL.model_copy(update={"email_domains": ("elsewhere.example", "MAPLE.example")})
    world = World(sso=sso).teacher("ada", email="ada@maple.example").signed_in(email="ada@maple.example")
    assert world.identities() == [("ada", "matched by email")]


@pytest.mark.parametrize(
    "email", ["ada@gmail.example", "ada@sub.maple.example", "ada@maple.example.org", "ada", "ada@", "@"]
)
def test_an_email_of_a_foreign_domain_matches_nobody_even_if_the_roster_has_it(email: str) -> None:
    assert World().teacher("ada", email=email).signed_in(email=email).identities() == NOBODY


def test_without_own_domains_no_email_matches() -> None:
    sso = SignIn(provider="classlink", match=("email",))
    world = World(sso=sso).teacher("ada", email="ada@maple.example").signed_in(email="ada@maple.example")
    assert world.identities() == NOBODY


@pytest.mark.parametrize("other", ["teacher", "student", "guardian"])
def test_an_email_that_two_people_share_is_ambiguous_whoever_they_are(other: str) -> None:
    world = World().teacher("ada", email="family@maple.example").person("bea", other, email="Family@Maple.example")
    assert world.signed_in(email="family@maple.example").identities() == [(None, "ambiguous email")]


def test_an_exact_id_decides_where_the_email_is_shared() -> None:
    world = World().teacher("ada", email="family@maple.example").teacher("bea", email="family@maple.example")
    assert world.signed_in("bea", email="family@maple.example").identities() == [("bea", "matched by sourced_id")]


@pytest.mark.parametrize("placeholder", [*PLACEHOLDERS, "NULL", " None ", "N/A"])
def test_a_placeholder_matches_nobody_even_if_the_roster_holds_the_same_one(placeholder: str) -> None:
    world = World().teacher(placeholder, email=placeholder)
    assert world.signed_in(placeholder, email=placeholder).identities() == UNUSABLE


def test_a_sign_in_without_claims_matches_nobody() -> None:
    assert World().teacher("ada").signed_in().identities() == UNUSABLE


@pytest.mark.parametrize(
    ("order", "person", "key"),
    [(("sourced_id", "email"), "ada", "sourced_id"), (("email", "sourced_id"), "bea", "email")],
)
def test_where_two_claims_name_two_people_the_districts_order_counts(
    order: tuple[str, ...], person: str, key: str
) -> None:
    world = World(sso=SSO.model_copy(update={"match": order})).teacher("ada").teacher("bea", email="bea@maple.example")
    assert world.signed_in("ada", email="bea@maple.example").identities() == [(person, f"matched by {key}")]


def test_an_id_that_names_nobody_ends_the_search_as_the_address_may_be_another_persons_by_now() -> None:
    world = World().teacher("ada", email="ada@maple.example").signed_in("left-id", email="ada@maple.example")
    assert world.identities() == NOBODY


def test_the_next_claim_counts_where_there_is_no_id() -> None:
    world = World().teacher("ada", email="ada@maple.example").signed_in("", email="ada@maple.example")
    assert world.identities() == [("ada", "matched by email")]


def test_a_claim_that_the_district_did_not_choose_is_not_looked_at() -> None:
    world = World(sso=SignIn(provider="classlink", email_domains=("maple.example",)))
    world.teacher("ada", email="ada@maple.example").signed_in("old-id", email="ada@maple.example")
    assert world.identities() == NOBODY


def test_a_sign_in_through_another_provider_is_never_matched() -> None:
    world = World().teacher("ada", email="ada@maple.example")
    assert world.signed_in("ada", email="ada@maple.example", provider="google").identities() == UNUSABLE


def test_a_person_to_be_deleted_is_never_matched() -> None:
    world = World().teacher("ada", email="ada@maple.example", status="tobedeleted")
    assert world.signed_in("ada", email="ada@maple.example").identities() == NOBODY


def test_a_person_to_be_deleted_makes_no_email_ambiguous() -> None:
    world = World().teacher("old", email="ada@maple.example", status="tobedeleted")
    world.teacher("ada", email="ada@maple.example").signed_in(email="ada@maple.example")
    assert world.identities() == [("ada", "matched by email")]


def test_without_an_sso_integration_nobody_is_anybody() -> None:
    assert World(stage="onboarding", sso=None).teacher("ada").signed_in("ada").identities() == UNUSABLE


def test_one_person_may_sign_in_in_two_ways() -> None:
    world = World().teacher("ada", email="ada@maple.example").signed_in("ada").signed_in(email="ada@maple.example")
    assert world.identities() == [("ada", "matched by sourced_id"), ("ada", "matched by email")]
