"""Who may use what: an active account with a code, and a licence in force for the district or the teacher's school."""

import pytest

from roster_pipelines_tests.rostering.world import DAY, NORTH, SOUTH, TODAY, World

WHOLE_DISTRICT = {("ada", "lessons", None)}


def test_a_code_and_a_licence_of_the_whole_district_entitle() -> None:
    assert World().teacher().ready().licence().entitled() == WHOLE_DISTRICT


def test_a_licence_of_the_teachers_school_entitles_for_that_school() -> None:
    assert World().teacher().ready().licence(school=NORTH).entitled() == {("ada", "lessons", "north")}


def test_a_licence_of_another_school_does_not_entitle() -> None:
    assert World().teacher().ready().licence(school=SOUTH).entitled() == set()


def test_a_teacher_of_two_schools_is_entitled_for_the_licensed_one_only() -> None:
    world = World().teacher(school="north,south").ready().licence(school=SOUTH)
    assert world.entitled() == {("ada", "lessons", "south")}


@pytest.mark.parametrize("org", [{"nces_id": None}, {"nces_id": "530000000009", "status": "tobedeleted"}])
def test_a_school_that_is_gone_or_has_no_nces_id_is_covered_by_no_school_licence(org: dict[str, str | None]) -> None:
    world = World().school("east", **org).teacher(school="east").ready().licence(school="530000000009")
    assert world.entitled() == set()


@pytest.mark.parametrize(
    ("starts", "ends", "in_force"),
    [
        (TODAY, TODAY + DAY, True),
        (TODAY - DAY, TODAY, False),
        (TODAY + DAY, TODAY + 2 * DAY, False),
        (TODAY - 9 * DAY, TODAY - 8 * DAY, False),
    ],
    ids=["its one day is today", "its end is today", "it begins tomorrow", "it has expired"],
)
def test_a_licence_holds_from_its_first_day_until_before_its_end(starts: object, ends: object, in_force: bool) -> None:
    world = World().teacher().ready().licence(starts=starts, ends=ends)  # type: ignore[arg-type]
    assert world.entitled() == (WHOLE_DISTRICT if in_force else set())


def test_an_inactive_account_entitles_to_nothing_even_with_a_code() -> None:
    world = World().teacher().account(1, "lessons", status="inactive").signed_in("ada", account=1).licence()
    assert world.entitled() == set()


def test_an_active_account_without_a_code_entitles_to_nothing() -> None:
    assert World().teacher().account(1).signed_in("ada", account=1).licence().entitled() == set()


def test_a_code_for_one_product_gives_no_other() -> None:
    assert World().teacher().account(1, "health").signed_in("ada", account=1).licence("lessons").entitled() == set()


def test_a_sign_in_linked_to_an_account_that_is_not_the_districts_gives_nothing() -> None:
    # Only accounts of the district are ever read, so the linked one is not there.
    assert World().teacher().signed_in("ada", account=99).licence().entitled() == set()


def test_a_sign_in_that_matches_nobody_gives_nothing() -> None:
    assert World().teacher().account(1, "lessons").signed_in("stranger", account=1).licence().entitled() == set()


def test_every_product_of_a_teacher_is_an_entitlement_of_its_own() -> None:
    world = World().teacher().account(1, "lessons", "health").signed_in("ada", account=1)
    world.licence("lessons").licence("health", school=NORTH)
    assert world.entitled() == {("ada", "lessons", None), ("ada", "health", "north")}
