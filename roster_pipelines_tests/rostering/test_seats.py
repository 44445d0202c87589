"""Who has a seat where a licence has a limited number of them, and who waits."""

from typing import Any

import pytest

from roster_pipelines_tests.rostering.world import DAY, NORTH, SOUTH, TODAY, World

Seats = dict[str, set[int]]
Use = dict[int, tuple[str, int | None, int, int]]


def crowd(names: str, **settings: Any) -> World:
    """Teachers of a class each at `north`, who have signed in, in this order, and hold a code."""
    world = World(**settings)
    for number, name in enumerate(names.split(), 1):
        world.teacher(name).school_class(f"class-{name}", name).ready(name, number)
    return world


def seats(world: World) -> Seats:
    """By person, the licences of which they have a seat."""
    with world.gated() as con:
        rows = con.execute("SELECT person_sourced_id, licence_id FROM entitlement WHERE licence_id > 0").fetchall()
        return {name: {licence for person, licence in rows if person == name} for name, _ in rows}


def without_seat(world: World) -> set[str]:
    """Who waits for a seat."""
    with world.gated() as con:
        rows = con.execute("SELECT person_sourced_id FROM entitlement WHERE NOT seated").fetchall()
        return {person for (person,) in rows}


def use(world: World) -> Use:
    """By licence: its scope, how many seats it has, how many are used, how many teachers wait."""
    with world.gated() as con:
        return {row[0]: row[2:] for row in con.execute("FROM licence_use").fetchall()}


def test_who_signed_in_first_is_served_first_and_the_others_wait() -> None:
    world = crowd("zoe bea ada").licence(seats=2)
    assert seats(world) == {"zoe": {1}, "bea": {1}}
    assert world.reasons() == {("zoe", "class-zoe"): None, ("bea", "class-bea"): None, ("ada", "class-ada"): "no-seat"}
    assert use(world) == {1: ("whole district", 2, 2, 1)}


def test_where_two_signed_in_at_the_same_moment_the_id_decides() -> None:
    world = crowd("bea ada").licence(seats=1)
    for row in world.rows["sign_in"]:
        row["first_signed_in_at"] = TODAY
    assert seats(world) == {"ada": {1}}


def test_the_first_of_a_persons_sign_ins_counts() -> None:
    assert seats(crowd("ada bea").signed_in("ada", account=1).licence(seats=1)) == {"ada": {1}}


def test_without_a_number_of_seats_everybody_has_one() -> None:
    assert seats(crowd("ada bea zoe").licence()) == {"ada": {1}, "bea": {1}, "zoe": {1}}


def test_one_seat_is_enough_for_all_of_a_teachers_classes_and_accounts() -> None:
    world = crowd("ada bea").licence(seats=2).school_class("choir", "ada").school_class("art", "ada")
    assert seats(world.ready("ada", 3)) == {"ada": {1}, "bea": {1}}


def test_co_teachers_of_a_class_need_a_seat_each() -> None:
    world = crowd("ada bea").enrolled("bea", "class-ada", "teacher").licence(seats=1)
    assert world.reasons()[("bea", "class-ada")] == "no-seat"
    assert world.reasons()[("ada", "class-ada")] is None


@pytest.mark.parametrize("lacks", ["enabled", "role", "pilot", "account", "class", "term", "code"])
def test_who_waits_for_another_gate_takes_no_seat_and_does_not_wait_for_one(lacks: str) -> None:
    world = crowd("ada bea").licence(seats=1)
    if lacks == "enabled":
        world.rows["users"][0]["enabledUser"] = False
    elif lacks == "role":
        world.rows["users"][0]["role"] = "aide"
    elif lacks == "pilot":
        world.stage, world.pilots = "testing", ("bea",)
    elif lacks == "account":
        world.rows["account"][0]["status"] = "inactive"
    elif lacks == "class":
        world.rows["enrollments"].pop(0)
    elif lacks == "term":
        world.session("past", TODAY - 90 * DAY, TODAY - 60 * DAY).rows["classes"][0]["termSourcedIds"] = ["past"]
    else:
        world.rows["access_code"].pop(0)
    assert seats(world) == {"bea": {1}}
    assert use(world) == {1: ("whole district", 1, 1, 0)}


def test_in_a_district_that_is_being_set_up_seats_are_given_as_they_will_be() -> None:
    assert seats(crowd("ada bea", stage="onboarding").licence(seats=1)) == {"ada": {1}}


def test_who_has_a_seat_keeps_it_though_another_signed_in_earlier() -> None:
    world = crowd("ada bea").licence(seats=1)
    world.rows["account"][0]["status"] = "inactive"
    world.remembering().rows["account"][0]["status"] = "active"
    assert seats(world) == {"bea": {1}}
    world.rows["licence"][0]["seats"] = 2
    assert seats(world) == {"ada": {1}, "bea": {1}}


def test_a_seat_becomes_free_when_its_teacher_leaves() -> None:
    world = crowd("ada bea").licence(seats=1).remembering()
    world.rows["users"][0]["status"] = "tobedeleted"
    assert seats(world) == {"bea": {1}}


def test_where_seats_become_fewer_the_holders_who_signed_in_first_keep_theirs() -> None:
    world = crowd("ada bea zoe").licence(seats=3).remembering()
    world.rows["licence"][0]["seats"] = 2
    assert seats(world) == {"ada": {1}, "bea": {1}}


def test_a_seat_is_kept_where_the_licence_is_renewed_by_another() -> None:
    world = crowd("ada bea").licence(seats=1)
    world.add("known_seat", person_sourced_id="bea", licence_id=1)
    world.rows["licence"][0]["ends_on"] = TODAY
    assert seats(world.licence(seats=1)) == {"bea": {2}}


def test_licences_of_the_same_product_and_scope_add_up_in_their_order_and_the_unlimited_comes_last() -> None:
    assert seats(crowd("ada bea zoe").licence().licence(seats=1).licence(seats=1)) == {
        "ada": {2},
        "bea": {3},
        "zoe": {1},
    }


def test_who_holds_a_seat_keeps_the_licence_that_it_is_of() -> None:
    world = crowd("ada bea zoe").licence(seats=1).licence(seats=2)
    world.add("known_seat", person_sourced_id="zoe", licence_id=1).add(
        "known_seat", person_sourced_id="ada", licence_id=2
    )
    assert seats(world) == {"zoe": {1}, "ada": {2}, "bea": {2}}


def test_a_schools_seats_are_used_before_those_of_the_whole_district() -> None:
    world = crowd("ada bea zoe").licence(seats=1).licence(school=NORTH, seats=1)
    assert seats(world) == {"ada": {2}, "bea": {1}}
    assert use(world) == {1: ("whole district", 1, 1, 1), 2: (NORTH, 1, 1, 1)}
    assert world.waiting() == {"ada": None, "bea": None, "zoe": "entitled"}
    assert without_seat(world) == {"zoe"}


def test_a_seat_is_needed_only_at_schools_where_the_teacher_has_a_class() -> None:
    world = crowd("ada bea").licence(school=SOUTH, seats=1)
    for row in world.rows["users"]:
        row["orgSourcedIds"] = ["north", "south"]
    assert seats(world.school_class("art", "bea", school="south")) == {"bea": {1}}


def test_a_class_without_a_schools_seat_takes_the_districts_besides() -> None:
    """And a teacher all of whose classes have the school's takes none."""
    world = crowd("bea ada").licence(school=NORTH, seats=2).licence(seats=1)
    assert seats(world.school_class("art", "ada", school="south")) == {"bea": {1}, "ada": {1, 2}}


def test_each_product_has_seats_of_its_own() -> None:
    world = crowd("ada bea").licence("lessons", seats=1).licence("health", seats=1)
    world.add("access_code", account_id=2, product_id="health")
    assert seats(world) == {"ada": {1}, "bea": {2}}
    assert set(world.waiting().values()) == {None}


def test_with_auto_registration_no_seat_is_taken_where_no_account_can_be_opened() -> None:
    world = World(registration="auto_by_school").licence(seats=1)
    world.teacher("ada").school_class("music", "ada").signed_in("ada")
    world.teacher("bea", givenName="Bea", familyName="May", email="bea@maple.example").school_class("art", "bea")
    assert seats(world.signed_in("bea")) == {"bea": {1}}


def test_by_resource_a_seat_is_needed_only_for_a_class_with_the_resource_that_is_there_today() -> None:
    world = World(registration="auto_by_resource").product("lessons", "Q-1").licence(seats=1)
    world.session("past", TODAY - 90 * DAY, TODAY - 60 * DAY).course("crs").resource("Q-1", in_course="crs")
    for name, term in (("ada", ["past"]), ("bea", None)):
        world.teacher(name, givenName=name, familyName="May", email=f"{name}@maple.example").signed_in(name)
        world.school_class(f"{name}-music", name, courseSourcedId="crs", termSourcedIds=term)
        world.school_class(f"{name}-art", name)
    assert seats(world) == {"bea": {1}}


def test_with_two_picked_schools_a_seat_of_either_will_do() -> None:
    world = World(school_choice=True).school("east", None).licence(school=NORTH, seats=1).licence(school=SOUTH, seats=1)
    for number, name in enumerate(("ada", "bea"), 1):
        world.teacher(name, school="east").school_class(f"class-{name}", name, school="east")
        world.account(number, "lessons").signed_in(name, account=number, school=NORTH)
    assert seats(world.add("school_choice", sign_in_id=2, school_nces_id=SOUTH)) == {"ada": {1}, "bea": {2}}
    assert without_seat(world) == set()
