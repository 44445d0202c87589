"""Which classes there should be, and what publishing would change."""

from typing import Any

import pytest

from roster_pipelines.district import Filters
from roster_pipelines.rostering.plan import ACTIONS, PUBLISHED, Counts
from roster_pipelines_tests.rostering.world import DAY, NORTH, TODAY, Product, World

NOTHING = dict.fromkeys(ACTIONS, 0)
BY_REGISTRATION = ("account", "account_product")
"""What is written only where teachers need no code."""


def in_every_table(**actions: int) -> Counts:
    return {table.name: {**NOTHING, **({} if table.name in BY_REGISTRATION else actions)} for table in PUBLISHED}


def music() -> World:
    """One class that should be there: its teacher has every gate open, and one student."""
    return World().teacher().student().school_class("music", "ada", students="kim").ready().licence()


def test_a_class_of_a_teacher_with_every_gate_open_comes_with_its_students() -> None:
    assert music().classes() == {"music": ({"ada"}, {"kim"})}


def test_a_class_of_a_teacher_who_still_waits_is_not_created() -> None:
    world = music().teacher("bea").school_class("art", "bea", students="kim").signed_in("bea")
    assert world.classes().keys() == {"music"}


@pytest.mark.parametrize("waits", [{"stage": "testing"}, {"enabledUser": False}])
def test_an_entitlement_alone_does_not_bring_a_class(waits: dict[str, Any]) -> None:
    """The teacher is entitled, and yet one of the other gates does not hold."""
    world = World(stage=waits.get("stage", "live")).teacher(enabledUser=waits.get("enabledUser"))
    world.student().school_class("music", "ada", students="kim").ready().licence()
    assert world.entitled()
    assert world.classes() == {}


def test_a_class_without_a_teacher_is_not_created() -> None:
    assert music().school_class("art", students="kim").classes().keys() == {"music"}


def test_a_co_teacher_is_in_the_class_only_with_every_gate_of_their_own_open() -> None:
    world = music().teacher("bea").enrolled("bea", "music", "teacher")
    assert world.classes() == {"music": ({"ada"}, {"kim"})}
    assert world.ready("bea", account=2).classes() == {"music": ({"ada", "bea"}, {"kim"})}


def test_a_licence_of_one_school_brings_the_classes_of_that_school_only() -> None:
    world = World().teacher(school="north,south").ready().licence(school=NORTH)
    world.school_class("music", "ada").school_class("art", "ada", school="south")
    assert world.classes().keys() == {"music"}


def test_an_administrator_who_teaches_a_class_does_not_bring_it() -> None:
    world = World().person("pat", "administrator").school_class("music", "pat").ready("pat").licence()
    assert world.classes() == {}


def test_a_teacher_enrolled_as_something_else_does_not_bring_the_class() -> None:
    world = World().teacher().school_class("music").enrolled("ada", "music", "proctor").ready().licence()
    assert world.classes() == {}


@pytest.mark.parametrize("left_out", [{"enabledUser": False}, {"status": "tobedeleted"}])
def test_a_student_who_is_not_enabled_or_to_be_deleted_is_left_out(left_out: dict[str, object]) -> None:
    assert music().student("lee", **left_out).enrolled("lee", "music", "student").classes()["music"][1] == {"kim"}


def test_a_student_with_a_blank_enabled_user_is_in_the_class() -> None:
    world = music().student("lee", enabledUser=None).enrolled("lee", "music", "student")
    assert world.classes()["music"][1] == {"kim", "lee"}


@pytest.mark.parametrize("person", ["nobody", "bea"])
def test_only_students_of_the_roster_are_students_of_a_class(person: str) -> None:
    assert music().teacher("bea").enrolled(person, "music", "student").classes()["music"][1] == {"kim"}


@pytest.mark.parametrize("role", ["teacher", "proctor", "administrator"])
def test_a_student_enrolled_as_something_else_is_no_student_of_the_class(role: str) -> None:
    assert music().student("lee").enrolled("lee", "music", role).classes() == {"music": ({"ada"}, {"kim"})}


def test_an_enrollment_ends_on_its_end_date() -> None:
    world = music()
    for person, ends in (("past", TODAY - DAY), ("today", TODAY), ("tomorrow", TODAY + DAY)):
        world.student(person).enrolled(person, "music", "student", endDate=ends)
    assert world.classes()["music"][1] == {"kim", "tomorrow"}


def test_a_teacher_whose_enrollment_has_ended_no_longer_brings_the_class() -> None:
    world = World().teacher().school_class("music").enrolled("ada", "music", "teacher", endDate=TODAY)
    assert world.ready().licence().classes() == {}


def test_an_enrollment_or_class_to_be_deleted_is_gone() -> None:
    world = music().student("lee").enrolled("lee", "music", "student", status="tobedeleted")
    world.school_class("art", "ada", students="kim", status="tobedeleted")
    assert world.classes() == {"music": ({"ada"}, {"kim"})}


def test_what_the_product_shows_of_a_class_and_a_student_comes_from_the_roster() -> None:
    world = World().teacher().ready().licence()
    world.school_class("music", "ada", students="kim", grades=["KG", "01"], subjects=["Music"])
    world.student("kim", username="kim.k", givenName="Kim", familyName="Kay", grades=["01"])
    rows = world.desired()
    assert rows["rostered_class"] == {("music", "Music", "KG,01", "Music", "north")}
    assert rows["student_account"] == {("kim", "kim.k", "Kim", "Kay", "01")}
    assert rows["rostered_class_student"] == {("music", "kim")}


@pytest.mark.parametrize("primary", [True, False, None])
def test_whether_a_teacher_is_primary_comes_from_the_enrollment(primary: bool | None) -> None:
    world = (
        World().teacher().ready().licence().school_class("music").enrolled("ada", "music", "teacher", primary=primary)
    )
    assert world.desired()["rostered_class_teacher"] == {("music", 1, "ada", primary)}


def test_a_teacher_enrolled_twice_in_a_class_is_there_once_and_primary_if_one_says_so() -> None:
    world = music().enrolled("ada", "music", "teacher", primary=True).licence().licence(school=NORTH)
    assert world.desired()["rostered_class_teacher"] == {("music", 1, "ada", True)}


def test_two_teachers_who_share_an_account_are_one_teacher_of_the_class() -> None:
    world = music().teacher("bea").signed_in("bea", account=1).enrolled("bea", "music", "teacher", primary=True)
    assert world.desired()["rostered_class_teacher"] == {("music", 1, "bea", True)}


def test_the_first_plan_creates_everything_and_the_second_changes_nothing() -> None:
    world, product = music(), Product()
    assert world.plan(product) == in_every_table(create=1)
    assert product.active() == world.desired()
    assert world.plan(product) == in_every_table()


def test_a_value_that_differs_is_a_change_of_that_row_alone() -> None:
    world, product = music(), Product()
    world.plan(product)
    world.rows["classes"][0]["title"] = "Choir"
    assert world.plan(product) == {**in_every_table(), "rostered_class": {**NOTHING, "change": 1}}
    assert product.active() == world.desired()


def test_a_value_that_goes_blank_is_a_change_and_blank_stays_blank_without_one() -> None:
    world, product = music(), Product()
    world.plan(product)
    world.rows["classes"][0]["title"] = None
    assert world.plan(product)["rostered_class"] == {**NOTHING, "change": 1}
    assert world.plan(product)["rostered_class"] == NOTHING


def test_what_should_not_be_any_more_is_deactivated_and_coming_back_is_a_change() -> None:
    world, product = music(), Product()
    world.plan(product)
    before = product.active()
    world.rows["account"][0]["status"] = "inactive"
    assert world.plan(product) == in_every_table(deactivate=1)
    assert not any(product.active().values())
    assert world.plan(product) == in_every_table()
    world.rows["account"][0]["status"] = "active"
    assert world.plan(product) == in_every_table(change=1)
    assert product.active() == before


def test_a_student_who_leaves_one_of_two_classes_stays_in_the_other() -> None:
    world, product = music().school_class("art", "ada", students="kim"), Product()
    world.plan(product)
    world.rows["enrollments"] = [row for row in world.rows["enrollments"] if row["classSourcedId"] != "art"]
    counts = world.plan(product)
    assert counts["student_account"] == NOTHING
    assert counts["rostered_class_student"] == {**NOTHING, "deactivate": 1}
    assert product.active()["rostered_class_student"] == {("music", "kim")}


# Auto-registration: accounts are opened, activated and follow the roster; they are never taken away.

ADA = {"givenName": "Ada", "familyName": "Byron", "email": "ada@maple.example"}
OPENED = (1001, "active", "auto_registration", "ada", "Ada", "Byron", "ada@maple.example")


def automatic(**signed_in: Any) -> World:
    """The same class in a district where teachers need no code; its teacher has signed in."""
    world = World(registration="auto_by_school").teacher(**ADA).student().licence(school=NORTH)
    return world.school_class("music", "ada", students="kim").signed_in("ada", **signed_in)


def test_auto_registration_opens_an_account_with_the_class_once_and_lets_it_use_the_product() -> None:
    world, product = automatic(), Product()
    assert world.plan(product) == {table.name: {**NOTHING, "create": 1} for table in PUBLISHED}
    assert product.active()["account_product"] == {(1001, "lessons", "auto_by_school")}
    assert product.active()["rostered_class_teacher"] == {("music", 1001, "ada", None)}
    assert world.accounts() == {OPENED}
    assert world.plan(product) == in_every_table()


@pytest.mark.parametrize("waits", ["for a class", "for a licence", "for a sign-in"])
def test_nothing_is_written_of_a_teacher_without_an_entitled_class(waits: str) -> None:
    world = automatic()
    if waits == "for a class":
        world.rows["enrollments"] = []
    elif waits == "for a licence":
        world.rows["licence"] = []
    else:
        world.rows["sign_in"] = []
    assert world.plan(Product()) == in_every_table()


def test_with_codes_no_account_is_opened_and_no_product_given() -> None:
    world = music()
    rows = world.desired()
    assert (world.accounts(), rows["account_product"]) == (set(), set())


def test_a_linked_account_that_was_never_activated_becomes_active_and_keeps_what_its_owner_wrote() -> None:
    world, product = automatic(account=7), Product()
    world.account(7, status="inactive").rows["account"][0].update(given_name="A.", email="ada@home.example")
    assert world.plan(product)["account"] == {**NOTHING, "change": 1}
    owned = world.rows["account"]
    assert [(row["status"], row["activated_by"], row["provisioned_for"]) for row in owned] == [
        ("active", "auto_registration", None)
    ]
    assert [(row["given_name"], row["email"]) for row in owned] == [("A.", "ada@home.example")]
    assert world.plan(product) == in_every_table()


@pytest.mark.parametrize("opened_for", ["ada", None])
def test_a_closed_account_is_never_written_nor_another_opened_in_its_place(opened_for: str | None) -> None:
    world = automatic(account=7).account(7, status="closed", provisioned_for=opened_for)
    assert world.accounts() == set()
    assert world.plan(Product()) == in_every_table()


def test_an_opened_account_stays_when_its_teachers_licence_ends_and_only_the_product_goes() -> None:
    world, product = automatic(), Product()
    world.plan(product)
    world.rows["licence"][0]["ends_on"] = TODAY
    counts = world.plan(product)
    assert counts["account"] == NOTHING
    assert counts["account_product"] == {**NOTHING, "deactivate": 1}
    assert [row["status"] for row in world.rows["account"]] == ["active"]


def test_an_opened_account_follows_its_teachers_row_of_the_roster() -> None:
    world, product = automatic(), Product()
    world.plan(product)
    world.rows["users"][0].update(familyName="Lovelace", email=None)
    assert world.plan(product) == {**in_every_table(), "account": {**NOTHING, "change": 1}}
    assert world.accounts() == {(1001, "active", "auto_registration", "ada", "Ada", "Lovelace", None)}


def rekeyed(world: World, old: str, new: str) -> World:
    """The next delivery gives the same teacher, who signs in with the same subject, another sourcedId."""
    world.remembering()
    for row in (*world.rows["users"], *world.rows["enrollments"], *world.rows["sign_in"]):
        row.update({key: new for key, value in row.items() if value == old})
    return world


def test_the_account_of_a_re_keyed_teacher_goes_on_under_the_new_id() -> None:
    world, product = automatic(), Product()
    world.plan(product)
    counts = rekeyed(world, "ada", "t-100").plan(product)
    assert counts["account"] == {**NOTHING, "change": 1}
    assert world.accounts() == {(*OPENED[:3], "t-100", *OPENED[4:])}
    assert product.active()["rostered_class_teacher"] == {("music", 1001, "t-100", None)}
    assert world.plan(product) == in_every_table()


def test_of_several_accounts_of_one_teacher_only_one_is_known_by_the_teachers_id() -> None:
    """The closed one was opened for the new id already; so the old one stays what it is, and is used."""
    world, product = automatic(), Product()
    world.plan(product)
    rekeyed(world, "ada", "t-100").account(7, status="closed", provisioned_for="t-100")
    assert world.accounts() == {OPENED}
    assert world.desired()["rostered_class_teacher"] == {("music", 1001, "t-100", None)}


def test_an_account_that_somebody_else_has_linked_stays_that_of_the_teacher_it_was_opened_for() -> None:
    world, product = automatic(), Product()
    world.plan(product)
    world.teacher("bea", givenName="Bea", familyName="Beh", email="bea@maple.example")
    world.school_class("art", "bea").signed_in("bea", account=1001)
    assert world.accounts() == {OPENED}
    assert world.desired()["rostered_class_teacher"] == {("music", 1001, "ada", None), ("art", 1001, "bea", None)}


def test_a_product_is_given_only_to_whoever_has_a_seat_of_it() -> None:
    world = automatic().teacher("bea", **{**ADA, "givenName": "Bea"}).school_class("art", "bea").signed_in("bea")
    world.licence("health", seats=1)
    given = {(account, product) for account, product, _ in world.desired()["account_product"]}
    assert given == {(1001, "lessons"), (1001, "health"), (1002, "lessons")}


def test_by_resource_only_the_class_that_is_linked_comes_with_its_product() -> None:
    world = automatic().school_class("art", "ada").product("lessons", "res-1").resource("res-1", in_class="art")
    world.school_class("drama", "ada").licence("health").product("health", "res-2").resource("res-2", in_class="drama")
    world.registration, world.filters = "auto_by_resource", Filters(courses=("!drama",))
    rows = world.desired()
    assert rows["rostered_class"] == {("art", "Art", None, None, "north")}
    assert rows["account_product"] == {(1001, "lessons", "auto_by_resource")}
