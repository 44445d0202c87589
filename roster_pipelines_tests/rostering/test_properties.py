"""What holds for any roster, sign-ins, accounts and licences, however odd, on the first day and on later ones."""

from collections import Counter, defaultdict
from copy import deepcopy
from functools import cache
from random import Random
from typing import get_args

import pytest

from roster_pipelines.oneroster.shape import Registration
from roster_pipelines.rostering.reasons import GATES
from roster_pipelines_tests.effort import cases
from roster_pipelines_tests.rostering.odd import (
    ODD,
    ROSTER_ODD,
    VENDOR_ODD,
    Day,
    change,
    open_world,
    play,
    rekey,
    reuse,
    share,
    swap,
)
from roster_pipelines_tests.rostering.promise import (
    Access,
    at_first_sight,
    folded,
    keys,
    members,
    promised,
    said,
    students_of,
)
from roster_pipelines_tests.rostering.world import DAY, Product, World

STORIES = cases(11, 60)
REGISTRATIONS: tuple[Registration, ...] = get_args(Registration)
EVENTS = (rekey, reuse, swap, rekey)
COMES_BACK = range(1, 4)


def sharing_an_account() -> World:
    """Two teachers of one class have linked the same account."""
    world = World().teacher("t1").teacher("t2").school_class("c1", "t1", "t2").licence().account(1, "lessons")
    return world.signed_in("t1", account=1).signed_in("t2", account=1)


@cache
def story(number: int) -> list[Day]:
    """A first day, a second on which much has changed, and the second once more; some end with the first one's roster.

    The tests of this file look at the same stories, so that each is played once.
    """
    pick = Random(number)
    world, product = sharing_an_account(), Product()
    if number:
        world = open_world(pick, REGISTRATIONS[number % len(REGISTRATIONS)])
        change(world, pick, ODD, pick.choice((0, 5, 10, 20)))
        if number % 5 == 0:
            share(world, pick)
    roster = {name: deepcopy(world.rows[name]) for name in world.rows if name not in (*VENDOR_ODD, "known_key")}
    days = [play(world, product)]
    if number:
        change(world, pick, pick.choice((ODD, ROSTER_ODD, VENDOR_ODD)), pick.choice((1, 6, 12)))
        EVENTS[number % len(EVENTS)](world, pick)
        world.today += pick.choice((0, 1, 15)) * DAY
    days += [play(world, product), play(world, product)]
    if number in COMES_BACK:
        world.rows |= {name: rows for name, rows in roster.items() if name != "known_seat"}
        days.append(play(world, product))
    return days


stories = pytest.mark.parametrize("number", range(STORIES))


def may(day: Day) -> set[Access]:
    """Who may use what in which class by every rule, and has a seat for it."""
    today = {row["sourcedId"] for rows in members(day.world).values() for row in rows}
    subjects = {(value, last): person for person, kind, value, _, last in day.keys if kind == "subject"}
    former = defaultdict(set)
    for person, kind, value, _, _ in day.keys:
        if kind == "subject" and person not in today and (value, None) in subjects:
            former[subjects[value, None]].add(person)
    seated = day.seats["seat"]
    return {
        access
        for access in promised(day.world, day.who, former)
        if (access.person, access.product, access.school or "") in seated
    }


@stories
def test_no_class_without_all_gates_and_none_is_missing_where_all_are_open(number: int) -> None:
    for day in story(number):
        allowed = may(day)
        assert day.planned == {(access.in_class, access.person) for access in allowed}
        classes = {access.in_class for access in allowed}
        tables = day.tables
        assert {row[0] for row in tables["rostered_class"]} == classes
        assert {row[:2] for row in tables["rostered_class_teacher"]} == {
            (access.in_class, access.account or day.opened[access.person]) for access in allowed
        }
        assert tables["rostered_class_student"] == {
            (name, student) for name in classes for student in students_of(day.world, name)
        }


@stories
def test_a_sign_in_is_whom_its_claims_name_alone_or_whom_its_subject_was(number: int) -> None:
    for day in story(number):
        world = day.world
        people = {row["sourcedId"]: person for person, rows in members(world).items() for row in rows}
        known = {
            row["value"]: row["person_sourced_id"]
            for row in world.rows["known_key"]
            if row["kind"] == "subject" and row["last_seen"] is None
        }
        for sign_in in world.rows["sign_in"]:
            found, named = day.who[sign_in["sign_in_id"]], said(world, sign_in)
            was = known.get(f"{sign_in['provider']}|{sign_in['subject']}")
            if sign_in["provider"] != "classlink":
                assert found is None
            elif was is None:
                assert found == at_first_sight(world, sign_in)
            elif was in people:
                assert found == (people[was] if named in (None, people[was]) else None)
            elif found is not None:
                assert named in (None, found)
                assert is_proved(world, sign_in["sourced_id"], was, found)


def is_proved(world: World, claimed: str | None, was: str, found: str) -> bool:
    """Something but an e-mail address says that who is gone has another sourcedId now."""
    theirs = {
        (row["kind"], row["value"])
        for row in world.rows["known_key"]
        if row["person_sourced_id"] == was and row["last_seen"] is None
    }
    return any(
        claimed == row["sourcedId"]
        or ("name", f"{folded(row['givenName'])} {folded(row['familyName'])}") in theirs
        or any(kind not in ("email", "subject", "name") and value in keys(world, row, kind) for kind, value in theirs)
        for row in members(world)[found]
    )


@stories
def test_seats_are_never_more_than_sold_nor_free_while_somebody_waits_nor_taken_from_who_had_one(number: int) -> None:
    for day in story(number):
        sold: Counter[tuple[str, str]] = Counter()
        for licence in day.world.rows["licence"]:
            if licence["starts_on"] <= day.world.today < licence["ends_on"]:
                unlimited = licence["seats"] is None
                sold[licence["product_id"], licence["school_nces_id"] or ""] += 999 if unlimited else licence["seats"]
        scope = {row["licence_id"]: (row["product_id"], row["school_nces_id"] or "")
                 for row in day.world.rows["licence"]}  # fmt: skip
        had = {(row["person_sourced_id"], *scope[row["licence_id"]]) for row in day.world.rows["known_seat"]}
        used = Counter(row[1:] for row in day.seats["seat"])
        waiting = day.seats["wish"] - day.seats["seat"]
        assert all(used[pool] <= sold[pool] for pool in used)
        assert all(used[row[1:]] == sold[row[1:]] for row in waiting)
        newly = {row[1:] for row in day.seats["seat"] - had}
        assert not any(row[1:] in newly for row in waiting & had)


@stories
def test_who_has_no_class_is_in_none_of_the_products_tables(number: int) -> None:
    for day in story(number):
        allowed = may(day)
        by_account = {access.account or day.opened[access.person] for access in allowed}
        assert {row[0] for row in day.accounts} <= by_account
        assert set(day.opened) == {access.person for access in allowed if access.account is None}
        assert {row[:2] for row in day.tables["account_product"]} == {
            (access.account or day.opened[access.person], access.product)
            for access in allowed
            if day.world.registration != "access_code"
        }
        assert {row[0] for row in day.tables["student_account"]} == {
            student for _, student in day.tables["rostered_class_student"]
        }
        closed = {row["account_id"] for row in day.world.rows["account"] if row["status"] == "closed"}
        assert not closed & by_account


@stories
def test_running_again_changes_nothing(number: int) -> None:
    before, again = story(number)[1:3]
    assert not any(sum(actions.values()) for actions in again.counts.values())
    assert again.keys == before.keys
    assert again.gates == before.gates
    assert again.seats == before.seats
    assert again.entitlements == {
        (*right[:5], right[5] or before.opened.get(right[0]), *right[6:]) for right in before.entitlements
    }
    assert not again.opened


@stories
def test_what_is_shown_is_what_should_be_and_nothing_that_ever_was_is_deleted(number: int) -> None:
    shown: dict[str, set[object]] = {}
    for day in story(number):
        assert day.shown.active() == day.tables
        assert all(rows <= set(day.shown.tables[name]) for name, rows in shown.items())
        shown = {name: set(rows) for name, rows in day.shown.tables.items()}


def test_the_stories_have_classes_and_every_gate_keeps_somebody_waiting() -> None:
    """Otherwise the promises above would be kept by doing nothing, or by looking at nothing."""
    days = [day for number in range(1, STORIES) for day in story(number)[:2]]
    with_classes = Counter(day.world.registration for day in days if day.planned)
    assert min(with_classes[registration] for registration in REGISTRATIONS) > 2, with_classes
    reasons = [{gate[name] for day in days for gate in day.gates if gate[name]} for name in GATES]
    assert all(reasons), reasons
    assert sum(map(len, reasons)) > 15, reasons
    assert sum(day.world.school_choice and bool(day.planned) for day in days) > 1
    assert sum(len(day.opened) for day in days) > 6
    assert sum(bool(day.seats["wish"] - day.seats["seat"]) for day in days) > 1
    assert any(gate["signed_in"] == "sign-in-moved" for day in days for gate in day.gates)
    assert any(len(rows) > 1 for day in days for rows in members(day.world).values())
