"""Who may use what: by code or by auto-registration, where a licence is in force for the district or their school."""

from datetime import date
from typing import Any

import pytest

from roster_pipelines.oneroster.shape import Registration
from roster_pipelines_tests.rostering.world import DAY, NORTH, SOUTH, TODAY, World

WHOLE_DISTRICT = {("ada", "lessons", None)}
NAMED = {"givenName": "Ada", "familyName": "May", "email": "ada@maple.example"}
AUTO: tuple[Registration, ...] = ("auto_by_school", "auto_by_resource")


def by_accounts(world: World) -> dict[str, set[int | None]]:
    """By person, the accounts by which they may use something."""
    with world.gated() as con:
        rows = con.execute("SELECT person_sourced_id, account_id FROM entitlement").fetchall()
        return {name: {account for person, account in rows if person == name} for name, _ in rows}


def in_classes(world: World) -> set[tuple[str, str | None, str | None]]:
    """Product, the one school and the one class it holds for."""
    with world.gated() as con:
        return set(con.execute("SELECT product_id, school_sourced_id, class_sourced_id FROM entitlement").fetchall())


# licences


def test_a_licence_entitles_for_the_whole_district_or_for_its_school_if_the_teacher_belongs_to_it() -> None:
    world = World().teacher("of-two", school="north,south").teacher("of-north")
    world.ready("of-two", 1).ready("of-north", 2).licence("lessons", school=SOUTH).licence("lessons")
    assert world.entitled() == {
        ("of-two", "lessons", "south"),
        ("of-two", "lessons", None),
        ("of-north", "lessons", None),
    }


@pytest.mark.parametrize(
    "org",
    [{"nces_id": None}, {"nces_id": "530000000009", "status": "tobedeleted"}, {"nces_id": "42"}],
    ids=["no NCES id", "gone", "a number of its own"],
)
def test_a_school_that_is_gone_or_has_no_nces_id_is_covered_by_no_school_licence(org: dict[str, Any]) -> None:
    world = World().school("east", **org).teacher(school="east").ready()
    assert world.licence(school="530000000009").licence(school="42").entitled() == set()


def test_a_licence_holds_from_its_first_day_until_before_its_end() -> None:
    world = World().teacher()
    terms = {
        "its one day is today": (TODAY, TODAY + DAY),
        "its end is today": (TODAY - DAY, TODAY),
        "it begins tomorrow": (TODAY + DAY, TODAY + 2 * DAY),
        "it has expired": (TODAY - 9 * DAY, TODAY - 8 * DAY),
    }
    for name, (starts, ends) in terms.items():
        world.licence(name, starts=starts, ends=ends)
    world.account(1, *terms).signed_in("ada", account=1)
    assert world.entitled() == {("ada", "its one day is today", None)}


def test_a_parents_row_does_not_give_the_teacher_the_schools_of_the_children() -> None:
    same = {"username": "ada.may", "givenName": "Ada", "familyName": "May"}
    world = World().teacher("t-1", **same).person("p-1", "parent", school="south", **same).ready("p-1")
    assert world.licence(school=NORTH).licence(school=SOUTH).entitled() == {("t-1", "lessons", "north")}


def test_all_the_schools_of_a_united_persons_staff_rows_count() -> None:
    same = {"username": "ada.may", "givenName": "Ada", "familyName": "May"}
    world = World().teacher("t-1", **same).person("a-1", "administrator", school="south", **same).ready("a-1")
    assert world.licence(school=SOUTH).entitled() == {("t-1", "lessons", "south")}


# access codes


def test_only_an_active_account_of_the_district_with_a_code_for_the_product_entitles() -> None:
    world = World().licence("lessons").licence("health")
    world.teacher("inactive").account(1, "lessons", status="inactive").signed_in("inactive", account=1)
    world.teacher("closed").account(2, "lessons", status="closed").signed_in("closed", account=2)
    world.teacher("no-code").account(3).signed_in("no-code", account=3)
    world.teacher("no-link").account(4, "lessons").signed_in("no-link")
    # Only accounts of the district are ever read, so this one is not there.
    world.teacher("elsewhere").signed_in("elsewhere", account=99)
    world.account(5, "lessons").signed_in("stranger", account=5)
    world.student("kim").account(6, "lessons").signed_in("kim", account=6)
    world.teacher("both").account(7, "lessons", "health").signed_in("both", account=7)
    assert world.entitled() == {("both", "lessons", None), ("both", "health", None)}


def test_each_account_that_a_teacher_has_linked_entitles() -> None:
    world = World().teacher().ready("ada", 1).ready("ada", 2).account(3, status="inactive").signed_in("ada", account=3)
    assert by_accounts(world.licence()) == {"ada": {1, 2}}


# auto-registration


@pytest.mark.parametrize("registration", AUTO)
def test_auto_registration_needs_a_teacher_with_first_name_last_name_and_email_and_a_sign_in(
    registration: Registration,
) -> None:
    world = (
        World(registration=registration)
        .licence()
        .product("lessons", "Q-1")
        .course("crs")
        .resource("Q-1", in_course="crs")
    )
    people: dict[str, dict[str, Any]] = {
        "complete": NAMED,
        "no-sign-in": NAMED,
        "no-first": {**NAMED, "givenName": None},
        "no-last": {**NAMED, "familyName": " "},
        "no-email": {**NAMED, "email": ""},
    }
    for name, values in people.items():
        world.teacher(name, **values).school_class(f"class-{name}", name, courseSourcedId="crs")
        if name != "no-sign-in":
            world.signed_in(name)
    world.person("head", "administrator", **NAMED).school_class("class-head", "head", courseSourcedId="crs")
    assert {person for person, _, _ in world.signed_in("head").entitled()} == {"complete"}


def test_auto_by_school_gives_every_product_of_the_teachers_schools() -> None:
    world = World(registration="auto_by_school").teacher(school="north,south", **NAMED).signed_in("ada")
    world.licence("lessons", school=NORTH).licence("health", school=SOUTH).licence("songs").licence("gone", ends=TODAY)
    world.licence("far", school="530000000077")
    assert world.entitled() == {("ada", "lessons", "north"), ("ada", "health", "south"), ("ada", "songs", None)}


def test_auto_registration_takes_the_account_that_is_there_and_none_that_is_closed() -> None:
    world = World(registration="auto_by_school").licence()
    people: dict[str, tuple[set[int | None], dict[str, Any]]] = {
        "to-open": ({None}, NAMED),
        "linked": ({31}, NAMED),
        "to-activate": ({2}, NAMED),
        "provisioned": ({3}, NAMED),
        "closed": (set(), NAMED),
        "active-without-names": ({5}, {}),
        "inactive-without-names": (set(), {}),
        "two": ({8}, NAMED),
    }
    for name, (_, values) in people.items():
        world.teacher(name, **values)
    world.signed_in("to-open")
    world.account(31).signed_in("linked", account=31).account(1, provisioned_for="linked")
    world.account(2, status="inactive").signed_in("to-activate", account=2)
    world.account(3, provisioned_for="provisioned").signed_in("provisioned")
    world.account(4, status="closed", provisioned_for="closed").signed_in("closed")
    world.account(5).signed_in("active-without-names", account=5)
    world.account(6, status="inactive").signed_in("inactive-without-names", account=6)
    world.account(7, status="closed").account(8).signed_in("two", account=7).signed_in("two", account=8)
    assert by_accounts(world) == {name: accounts for name, (accounts, _) in people.items() if accounts}


def test_an_account_that_was_opened_for_another_of_the_persons_ids_is_theirs() -> None:
    same = {"username": "ada.may", **NAMED}
    world = World(registration="auto_by_school").teacher("t-1", **same).person("a-1", "administrator", **same)
    world.account(1, provisioned_for="a-1").signed_in("t-1")
    assert by_accounts(world.licence()) == {"t-1": {1}}


def test_an_account_that_was_opened_for_an_id_that_is_gone_stays_its_persons_by_the_subject() -> None:
    world = World(registration="auto_by_school").teacher("t-1", identifier="77", **NAMED).signed_in("t-1").licence()
    world.account(1, provisioned_for="t-1").remembering()
    world.rows["users"][0]["sourcedId"] = "t-2"
    assert by_accounts(world) == {"t-2": {1}}


@pytest.mark.parametrize(("opened_for", "ended"), [("t-1", None), ("gone", TODAY)])
def test_an_account_of_somebody_who_is_there_or_whose_subject_is_not_the_persons_any_more_is_not_theirs(
    opened_for: str, ended: date | None
) -> None:
    world = World(registration="auto_by_school").teacher("t-1", **NAMED).teacher("t-2", **NAMED).signed_in("t-2")
    subject = {"kind": "subject", "value": f"classlink|subject-{2 if ended else 1}", "first_seen": TODAY}
    world.add("known_key", person_sourced_id=opened_for, last_seen=TODAY, **subject)
    world.add("known_key", person_sourced_id="t-2", last_seen=ended, **subject)
    assert by_accounts(world.account(1, provisioned_for=opened_for).licence()) == {"t-2": {None}}


def by_resource() -> World:
    """A teacher of three classes at two schools; the product's resource belongs to the course of one of them."""
    world = World(registration="auto_by_resource").teacher(school="north,south", **NAMED).signed_in("ada")
    world.product("lessons", "Q-LESSONS").product("health", "Q-HEALTH").course("crs")
    world.school_class("music", "ada").school_class("art", "ada", school="south", courseSourcedId="crs")
    return world.school_class("choir", "ada").resource("Q-LESSONS", in_class="music", in_course="crs")


def test_auto_by_resource_gives_the_product_in_the_classes_that_its_resource_is_linked_to() -> None:
    assert in_classes(by_resource().licence("lessons").licence("health")) == {
        ("lessons", None, "music"),
        ("lessons", None, "art"),
    }


def test_auto_by_resource_needs_the_licence_at_the_school_of_the_class() -> None:
    assert in_classes(by_resource().licence(school=NORTH)) == {("lessons", "north", "music")}


def test_auto_by_resource_gives_nothing_to_whoever_is_not_enrolled_as_a_teacher_of_the_class() -> None:
    world = by_resource().teacher("bea", **NAMED).signed_in("bea").enrolled("bea", "music", "proctor").licence()
    assert {person for person, _, _ in world.entitled()} == {"ada"}


@pytest.mark.parametrize("table", ["resources", "classResources"])
def test_a_resource_or_a_link_that_is_to_be_deleted_gives_nothing(table: str) -> None:
    world = by_resource().licence(school=NORTH)
    for row in world.rows[table]:
        row["status"] = "tobedeleted"
    assert world.entitled() == set()


def test_a_resource_of_somebody_elses_product_gives_nothing() -> None:
    assert in_classes(by_resource().resource("OTHER", in_class="choir").licence()) == in_classes(
        by_resource().licence()
    )


# school choice


def choosing(school_choice: bool = True) -> World:
    """A teacher who picks the school, as that of the roster carries no NCES id."""
    world = World(registration="auto_by_school", school_choice=school_choice).school("east", None)
    return world.teacher(school="east", **NAMED).school_class("music", "ada", school="east").licence(school=NORTH)


def test_the_school_that_a_teacher_picks_counts_where_the_roster_names_no_nces_id() -> None:
    assert choosing().signed_in("ada", school=NORTH).entitled() == {("ada", "lessons", "east")}
    assert choosing().signed_in("ada", school=SOUTH).entitled() == set()
    assert choosing(school_choice=False).signed_in("ada", school=NORTH).entitled() == set()


def test_a_picked_school_counts_for_the_classes_where_no_orgs_are_supplied() -> None:
    world = choosing().signed_in("ada", school=NORTH)
    world.rows["orgs"].clear()
    world.rows["users"][0]["orgSourcedIds"] = []
    assert world.entitled() == {("ada", "lessons", "east")}


def test_a_picked_school_counts_for_nothing_where_one_of_the_teachers_orgs_carries_an_nces_id() -> None:
    world = choosing().signed_in("ada", school=NORTH)
    world.rows["users"][0]["orgSourcedIds"] = ["east", "south"]
    assert world.entitled() == set()


def test_a_picked_school_covers_no_class_at_a_school_with_another_nces_id() -> None:
    world = choosing().signed_in("ada", school=NORTH).school_class("art", "ada", school="south")
    assert world.entitled() == {("ada", "lessons", "east")}


def test_nobody_is_entitled_by_what_another_has_picked() -> None:
    world = choosing().signed_in("bea", school=NORTH).signed_in("ada")
    assert world.teacher("bea", school="south", **NAMED).entitled() == set()


def test_a_picked_school_counts_with_access_codes_too() -> None:
    world = choosing().account(1, "lessons").signed_in("ada", account=1, school=NORTH)
    world.registration = "access_code"
    assert world.entitled() == {("ada", "lessons", "east")}
