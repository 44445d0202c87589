"""Every gate, in its order, with the one that is named when several do not hold."""

from typing import get_args

import pytest

from roster_pipelines.district import Stage
from roster_pipelines.rostering.gates import REASONS, Gate
from roster_pipelines_tests.rostering.world import SOUTH, World


def test_a_teacher_who_signed_in_with_an_active_account_and_a_licence_waits_for_nothing() -> None:
    assert World().teacher().ready().licence().waiting() == {"ada": None}


def test_the_gates_are_passed_in_their_order() -> None:
    """One teacher fails every gate and then opens one after the other."""
    world = World(stage="testing").teacher(enabledUser=False)
    seen = [world.waiting()["ada"]]
    world.rows["users"][0]["enabledUser"] = True
    seen.append(world.waiting()["ada"])
    world.account(1, status="inactive").signed_in("ada", account=1)
    seen.append(world.waiting()["ada"])
    world.rows["account"][0]["status"] = "active"
    seen.append(world.waiting()["ada"])
    world.add("access_code", account_id=1, product_id="lessons").licence()
    seen.append(world.waiting()["ada"])
    world.pilots = ("ada",)
    seen.append(world.waiting()["ada"])
    assert seen == ["enabled", "signed_in", "account_active", "entitled", "stage", None]
    assert seen[:-1] == list(REASONS) == list(get_args(Gate))


def test_a_teacher_who_is_not_enabled_waits_for_that_first_whatever_else_holds() -> None:
    assert World().teacher(enabledUser=False).ready().licence().waiting() == {"ada": "enabled"}


@pytest.mark.parametrize("enabled", [True, None])
def test_a_blank_enabled_user_counts_as_enabled(enabled: bool | None) -> None:
    assert World().teacher(enabledUser=enabled).ready().licence().waiting() == {"ada": None}


def test_a_sign_in_without_a_linked_account_waits_for_an_account() -> None:
    assert World().teacher().signed_in("ada").licence().waiting() == {"ada": "account_active"}


def test_an_account_of_another_district_counts_as_none() -> None:
    assert World().teacher().signed_in("ada", account=99).licence().waiting() == {"ada": "account_active"}


def test_one_active_account_of_two_is_enough() -> None:
    world = World().teacher().account(1, status="inactive").signed_in("ada", account=1)
    assert world.account(2, "lessons").signed_in("ada", account=2).licence().waiting() == {"ada": None}


def test_a_licence_of_another_school_leaves_the_teacher_waiting_for_an_entitlement() -> None:
    assert World().teacher().ready().licence(school=SOUTH).waiting() == {"ada": "entitled"}


def test_a_licence_of_a_school_where_the_teacher_teaches_no_class_leaves_them_waiting() -> None:
    world = World().teacher(school="north,south").school_class("music", "ada", school="north").ready()
    assert world.licence(school=SOUTH).waiting() == {"ada": "entitled"}
    assert world.school_class("art", "ada", school="south").waiting() == {"ada": None}


def test_a_teacher_without_classes_waits_for_none() -> None:
    assert World().teacher(school="north,south").ready().licence(school=SOUTH).waiting() == {"ada": None}


def test_in_testing_only_pilot_teachers_pass() -> None:
    world = World(stage="testing", pilots=("ada",)).teacher("ada").teacher("Ada")
    assert world.ready("ada", 1).ready("Ada", 2).licence().waiting() == {"ada": None, "Ada": "stage"}


@pytest.mark.parametrize("stage", ["onboarding", "live", "paused"])
def test_in_every_other_stage_the_pilots_mean_nothing(stage: Stage) -> None:
    assert World(stage=stage, pilots=("bea",)).teacher().ready().licence().waiting() == {"ada": None}


def test_only_teachers_have_gates() -> None:
    world = World().teacher("ada").student("kim").person("pat", "administrator").person("gus", "guardian")
    assert world.waiting().keys() == {"ada"}


def test_a_teacher_to_be_deleted_has_no_gates() -> None:
    assert World().teacher(status="tobedeleted").ready().licence().waiting() == {}


def test_the_classes_that_a_teacher_teaches_today_are_counted() -> None:
    world = World().teacher("ada").teacher("bea").school_class("music", "ada").school_class("art", "ada")
    world.school_class("gone", "ada", status="tobedeleted").enrolled("ada", "art", "teacher")
    with world.solved() as con:
        assert dict(con.execute("SELECT person_sourced_id, classes FROM gate").fetchall()) == {"ada": 2, "bea": 0}
