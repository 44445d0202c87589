"""Every gate, each with its reasons; and which is named where several do not hold."""

from itertools import product
from typing import Any

import pytest

from roster_pipelines.district import Stage
from roster_pipelines.duck import one
from roster_pipelines.rostering.gates import GATES
from roster_pipelines.rostering.reasons import REASONS
from roster_pipelines_tests.rostering.world import DAY, NORTH, SOUTH, SSO, TODAY, World

NAMED = {"givenName": "Ada", "familyName": "May", "email": "ada@maple.example"}


def music(**settings: Any) -> World:
    """A teacher with a class who waits for nothing."""
    return World(**settings).teacher().school_class("music", "ada").ready().licence()


def reasons(world: World, gate: str) -> dict[str, str | None]:
    """By teacher, the reason of one gate; with everybody's every class the same."""
    with world.gated() as con:
        return dict(con.execute(f"SELECT DISTINCT person_sourced_id, {gate} FROM gate").fetchall())


# the ladder


def test_a_teacher_who_signed_in_with_an_active_account_and_a_licence_waits_for_nothing() -> None:
    world = music()
    assert world.waiting() == {"ada": None}
    assert world.ladder() == {}


def test_the_gates_are_passed_in_their_order_and_each_is_answered_whatever_the_ones_before_say() -> None:
    """One teacher fails every gate and then opens one after the other."""
    world = World(stage="testing").person("ada", "aide", enabledUser=False)
    world.session("past", TODAY - 90 * DAY, TODAY - 60 * DAY).school_class("music", "ada", termSourcedIds=["past"])
    expected = {
        "in_roster": "not-enabled",
        "role": "role-not-teaching",
        "signed_in": "no-sign-in",
        "account_active": "no-account",
        "entitled": "no-licence",
        "stage": "not-pilot",
        "class_current": "over",
    }
    assert list(expected) == list(GATES)

    def opens_next(world: World) -> None:
        match next(iter(expected)):
            case "in_roster":
                world.rows["users"][0]["enabledUser"] = True
            case "role":
                world.rows["users"][0]["role"] = "teacher"
            case "signed_in":
                world.signed_in("ada", account=1)
            case "account_active":
                world.account(1, "lessons")
            case "entitled":
                world.licence()
            case "stage":
                world.pilots = ("ada",)
            case "class_current":
                world.rows["academicSessions"][0]["endDate"] = TODAY

    while expected:
        with world.gated() as con:
            first = one(con, "SELECT waiting_for, reason FROM gate")
            answers = one(con, f"SELECT {', '.join(GATES)} FROM gate")
        assert {gate: reason for gate, reason in zip(GATES, answers, strict=True) if reason} == expected
        assert first == next(iter(expected.items()))
        opens_next(world)
        expected.pop(first[0])
    assert world.ladder() == {}


def test_every_reason_belongs_to_a_gate_and_every_gate_has_one() -> None:
    assert [gate for gate in GATES if gate not in {reason.gate for reason in REASONS.values()}] == []
    order = [GATES.index(reason.gate) for reason in REASONS.values()]
    assert order == sorted(order)


def test_a_teacher_waits_for_what_the_class_that_gets_furthest_waits_for() -> None:
    world = (
        World().teacher(school="north,south").school_class("music", "ada").school_class("art", "ada", school="south")
    )
    world.ready().licence(school=SOUTH, starts=TODAY + DAY)
    assert world.reasons() == {("ada", "music"): "no-licence", ("ada", "art"): "licence-not-begun"}
    assert world.waiting() == {"ada": "entitled"}
    assert world.licence(school=SOUTH).waiting() == {"ada": None}


# who has gates


def test_there_is_a_row_for_every_class_that_somebody_teaches_and_for_every_teacher_without_one() -> None:
    world = music().teacher("bea").student("kim").person("pat", "administrator").person("gus", "guardian")
    world.school_class("gone", "ada", status="tobedeleted").enrolled("ada", "music", "teacher")
    world.school_class("art", "ada").person("aide", "aide").enrolled("aide", "art", "proctor")
    assert world.reasons().keys() == {("ada", "music"), ("ada", "art"), ("aide", "art"), ("bea", None)}


def test_a_teacher_to_be_deleted_is_named_and_waits_for_nothing_else_that_the_roster_could_give() -> None:
    world = World().teacher(status="tobedeleted").school_class("music", "ada").ready().licence(ends=TODAY)
    assert world.waiting() == {"ada": "in_roster"}
    assert world.ladder(in_class=None)["in_roster"] == "to-be-deleted"
    assert "entitled" not in world.ladder(in_class=None)
    assert world.if_signed_in() == set()


def test_the_rows_of_one_person_are_answered_together() -> None:
    same = {"username": "ada.may", "givenName": "Ada", "familyName": "May"}
    world = World(stage="testing", pilots=("p-1",)).teacher("t-1", **same).person("p-1", "parent", **same)
    assert world.school_class("music", "t-1").ready("p-1").licence().reasons() == {("t-1", "music"): None}


# in_roster, role


def test_enabled_counts_for_the_rows_that_teach() -> None:
    same = {"username": "ada.may", "givenName": "Ada", "familyName": "May"}
    world = World().teacher("blank", enabledUser=None).teacher("no", enabledUser=False)
    world.teacher("t-1", enabledUser=False, **same).person("p-1", "parent", **same)
    world.person("aide", "aide").school_class("art").enrolled("aide", "art", "proctor")
    world.person("past-aide", "aide", enabledUser=False).enrolled("past-aide", "art", "proctor")
    assert reasons(world, "in_roster") == {
        "blank": None,
        "no": "not-enabled",
        "t-1": "not-enabled",
        "aide": None,
        "past-aide": "not-enabled",
    }


@pytest.mark.parametrize("policy", [(), ("aide",), ("administrator",), ("aide", "administrator")])
def test_aides_and_administrators_get_the_classes_that_they_are_enrolled_in_by_the_districts_policy(
    policy: tuple[str, ...],
) -> None:
    world = World(teaching_roles=("teacher", *policy)).licence().school_class("music")
    enrolled = [("teacher", "teacher"), ("aide", "proctor"), ("aide", "teacher")]
    enrolled += [("administrator", "administrator"), ("administrator", "teacher"), ("guardian", "teacher")]
    for number, (role, as_role) in enumerate(enrolled, 1):
        name = f"{role}-as-{as_role}"
        world.person(name, role).enrolled(name, "music", as_role).ready(name, number)
    assert reasons(world, "role") == {
        f"{role}-as-{as_role}": None if role in ("teacher", *policy) else "role-not-teaching"
        for role, as_role in enrolled
    }
    assert {person for (person, _), reason in world.reasons().items() if reason is None} == {
        f"{role}-as-{as_role}" for role, as_role in enrolled if role in ("teacher", *policy)
    }


# signed_in


def test_a_sign_in_that_is_held_is_said_to_everybody_whom_it_may_be() -> None:
    world = World().teacher("ada", email="may@maple.example").teacher("bea", email="may@maple.example").teacher("zoe")
    assert reasons(world.signed_in(email="may@maple.example"), "signed_in") == {
        "ada": "sign-in-ambiguous",
        "bea": "sign-in-ambiguous",
        "zoe": "no-sign-in",
    }


def test_a_sign_in_that_is_held_stops_nobody_who_has_another() -> None:
    world = World().teacher("ada", email="may@maple.example").teacher("bea", email="may@maple.example")
    world.signed_in(email="may@maple.example").signed_in("ada")
    assert reasons(world, "signed_in") == {"ada": None, "bea": "sign-in-ambiguous"}


def test_a_sign_in_whose_claims_fit_another_by_now_is_held_for_both() -> None:
    world = World(sso=SSO).teacher("ada").teacher("bea").signed_in("ada").remembering()
    world.rows["sign_in"][0]["sourced_id"] = "bea"
    assert reasons(world, "signed_in") == {"ada": "sign-in-moved", "bea": "sign-in-moved"}


# account_active


def accounts(world: World) -> World:
    """Teachers with every kind of account, each of whom has signed in."""
    people: dict[str, tuple[str | None, dict[str, Any]]] = {
        f"{status or 'none'}-{'named' if values else 'unnamed'}": (status, values)
        for status, values in product((None, "active", "inactive", "closed"), (NAMED, {}))
    }
    for number, (name, (status, values)) in enumerate(people.items(), 1):
        world.teacher(name, **values).signed_in(name, account=number)
        if status:
            world.account(number, "lessons", status=status)
    world.teacher("two").account(20, "lessons", status="closed").account(21, "lessons")
    world.signed_in("two", account=20).signed_in("two", account=21)
    return world.licence()


def test_with_access_codes_the_account_must_be_there_and_active() -> None:
    assert reasons(accounts(World()), "account_active") == {
        "none-named": "no-account",
        "none-unnamed": "no-account",
        "active-named": None,
        "active-unnamed": None,
        "inactive-named": "account-inactive",
        "inactive-unnamed": "account-inactive",
        "closed-named": "account-closed",
        "closed-unnamed": "account-closed",
        "two": None,
    }


def test_auto_registration_opens_and_activates_accounts_of_those_who_have_a_name_and_an_email() -> None:
    assert reasons(accounts(World(registration="auto_by_school")), "account_active") == {
        "none-named": None,
        "none-unnamed": "name-or-email-missing",
        "active-named": None,
        "active-unnamed": None,
        "inactive-named": None,
        "inactive-unnamed": "name-or-email-missing",
        "closed-named": "account-closed",
        "closed-unnamed": "account-closed",
        "two": None,
    }


# entitled

LATER = {"starts": TODAY + DAY}
ENDED = {"ends": TODAY}


@pytest.mark.parametrize(
    ("reason", "licences"),
    [
        ("no-licence", []),
        ("no-licence", [{"school": SOUTH}]),
        ("licence-ended", [{"school": NORTH, **ENDED}]),
        ("licence-not-begun", [{**ENDED}, {**LATER}]),
        ("licence-ended", [{"product": "health"}, {**ENDED}]),
        ("no-code", [{"product": "health"}]),
        ("no-code", [{"product": "health"}, {"product": "health", **ENDED}, {"school": SOUTH}]),
        (None, [{**ENDED}, {}, {**LATER}, {"product": "health"}]),
    ],
)
def test_what_the_licence_that_comes_nearest_lacks_is_the_reason(
    reason: str | None, licences: list[dict[str, Any]]
) -> None:
    """The teacher has a code for `lessons`."""
    world = World().teacher().school_class("music", "ada").ready()
    for licence in licences:
        world.licence(**licence)
    assert world.ladder() == ({"entitled": reason} if reason else {})


def test_as_long_as_there_is_no_active_account_the_code_is_unknown_where_a_licence_is_in_force() -> None:
    world = World().teacher("ada").teacher("bea").account(1, "lessons", status="inactive").signed_in("ada", account=1)
    assert reasons(world.licence(), "entitled") == {"ada": "code-unknown", "bea": "code-unknown"}


def test_the_classes_school_counts_and_the_teacher_must_belong_to_it() -> None:
    world = World().school("east", None).teacher(school="north,east").ready().licence(school=SOUTH)
    world.school_class("music", "ada").school_class("art", "ada", school="south").school_class(
        "math", "ada", school="east"
    )
    assert world.reasons() == {
        ("ada", "music"): "no-licence",
        ("ada", "art"): "not-at-school",
        ("ada", "math"): "no-nces-id",
    }


def test_without_an_nces_id_there_is_no_licence_where_none_is_in_force_for_any_school() -> None:
    world = World().school("east", None).teacher(school="east").school_class("music", "ada", school="east").ready()
    assert world.licence(school=SOUTH, **ENDED).ladder() == {"entitled": "no-licence"}


def test_a_picked_school_without_licence_has_none_and_one_that_is_not_picked_yet_has_no_nces_id() -> None:
    world = World(school_choice=True).school("east", None).licence(school=NORTH)
    for number, (name, picked) in enumerate({"ada": SOUTH, "bea": None, "zoe": NORTH}.items(), 1):
        world.teacher(name, school="east").school_class(f"class-{name}", name, school="east")
        world.account(number, "lessons").signed_in(name, account=number, school=picked)
    assert reasons(world, "entitled") == {"ada": "no-licence", "bea": "no-nces-id", "zoe": None}


def test_a_teacher_without_a_class_is_answered_by_all_of_their_schools() -> None:
    world = World().licence(school=SOUTH).teacher("of-two", school="north,south").teacher("of-north")
    world.ready("of-two", 1).ready("of-north", 2)
    assert world.reasons() == {("of-two", None): "no-class", ("of-north", None): "no-licence"}


def test_with_auto_registration_a_licence_in_force_is_enough_also_before_the_sign_in() -> None:
    world = World(registration="auto_by_school").teacher("ada", **NAMED).teacher("bea").licence(school=NORTH)
    assert reasons(world, "entitled") == {"ada": None, "bea": None}


def test_by_resource_the_products_of_the_classes_resources_count() -> None:
    world = World(registration="auto_by_resource").teacher(**NAMED).signed_in("ada").licence("lessons")
    world.product("lessons", "Q-1").product("health", "Q-2").resource("OTHER", in_class="choir")
    world.resource("Q-1", in_class="music").resource("Q-2", in_class="art")
    for name in ("music", "art", "choir"):
        world.school_class(name, "ada")
    assert world.reasons() == {
        ("ada", "music"): None,
        ("ada", "art"): "no-licence",
        ("ada", "choir"): "no-resource",
    }


def test_by_resource_a_teacher_without_a_class_waits_for_a_class() -> None:
    world = World(registration="auto_by_resource").teacher(**NAMED).signed_in("ada").licence()
    assert world.product("lessons", "Q-1").reasons() == {("ada", None): "no-class"}


# stage


@pytest.mark.parametrize(
    ("stage", "reasons"),
    [
        ("onboarding", {"ada": "onboarding", "Ada": "onboarding"}),
        ("testing", {"ada": None, "Ada": "not-pilot"}),
        ("live", {"ada": None, "Ada": None}),
        ("paused", {"ada": "paused", "Ada": "paused"}),
    ],
)
def test_the_stage_says_whose_classes_are_created_and_ids_are_byte_exact(
    stage: Stage, reasons: dict[str, str | None]
) -> None:
    world = music(stage=stage, pilots=("ada",)).teacher("Ada").school_class("art", "Ada").ready("Ada", 2)
    assert {person: reason for (person, _), reason in world.reasons().items()} == reasons
    with world.gated() as con:
        planned = dict(con.execute("SELECT person_sourced_id, planned FROM gate").fetchall())
    # Onboarding and paused keep the whole district waiting when a plan is applied: the plan is made all the same.
    assert planned == {person: reason != "not-pilot" for person, reason in reasons.items()}


# what if everybody signed in


@pytest.mark.parametrize("registration", ["access_code", "auto_by_school"])
def test_a_class_would_be_there_if_its_teacher_only_has_to_act_themselves(registration: Any) -> None:
    world = World(registration=registration).licence(school=NORTH).licence(school=SOUTH, **ENDED)
    for name, more in {
        "signs-in": {},
        "opens-account": {},
        "activates": {},
        "redeems": {},
        "is-ready": {},
        "is-disabled": {"enabledUser": False},
        "is-unnamed": {"email": None},
        "is-closed": {},
        "is-held": {"email": "may@maple.example"},
        "is-held-too": {"email": "may@maple.example"},
        "is-unlicensed": {"school": "south"},
    }.items():
        world.teacher(name, **{**NAMED, "email": f"{name}@maple.example", **more})
        world.school_class(f"class-of-{name}", name, school=more.get("school", "north"))
    world.signed_in("opens-account").account(1, status="inactive").signed_in("activates", account=1)
    world.account(2).signed_in("redeems", account=2).ready("is-ready", 3)
    world.account(4, status="closed").signed_in("is-closed", account=4).signed_in(email="may@maple.example")
    world.signed_in("is-unnamed")
    would_be = {"signs-in", "opens-account", "activates", "redeems", "is-ready"}
    would_be |= {"is-unnamed"} if registration == "access_code" else set()
    assert world.if_signed_in() == {(name, f"class-of-{name}") for name in would_be}


def test_no_class_would_be_there_without_a_seat_a_term_or_the_stage_for_it() -> None:
    waits = music().licence(seats=1)
    waits.rows["licence"].pop(0)
    waits.teacher("bea").school_class("art", "bea").ready("bea", 2)
    assert waits.if_signed_in() == {("ada", "music")}
    waits.stage, waits.pilots = "testing", ("bea",)
    assert waits.if_signed_in() == {("bea", "art")}
    over = World().teacher().session("past", TODAY - 90 * DAY, TODAY - 60 * DAY)
    over.school_class("music", "ada", termSourcedIds=["past"]).school_class("art", "ada").licence()
    assert over.if_signed_in() == {("ada", "art")}
