"""Removals that are too many wait for a person; everything else goes on."""

from collections.abc import Iterable
from pathlib import Path
from random import Random

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roster_pipelines.rostering import guard
from roster_pipelines.rostering.plan import PUBLISHED, Counts
from roster_pipelines_tests.effort import cases
from roster_pipelines_tests.rostering.world import insert

CLASS, TEACHER, STUDENT = "rostered_class", "rostered_class_teacher", "rostered_class_student"
KEYS = {table.name: tuple(table.keys) for table in guard.GUARDED}

Key = tuple[str | int, ...]
Keys = dict[str, set[Key]]


def school(classes: int, students: int = 1) -> Keys:
    """Classes of one teacher each, each with so many students of its own; each teacher may use a product."""
    names = [f"c{number:03d}" for number in range(classes)]
    return {
        "account_product": {(number, "lessons") for number in range(classes)},
        CLASS: {(name,) for name in names},
        "student_account": {(f"{name}-s{n}",) for name in names for n in range(students)},
        TEACHER: {(name, number) for number, name in enumerate(names)},
        STUDENT: {(name, f"{name}-s{n}") for name in names for n in range(students)},
    }


def without(rows: Keys, gone: Iterable[str]) -> Keys:
    """The same without some classes, and all that is there by them."""
    left = {key for key in rows[TEACHER] if key[0] not in set(gone)}
    pupils = {key for key in rows[STUDENT] if key[0] not in set(gone)}
    return {
        "account_product": {key for key in rows["account_product"] if key[0] in {account for _, account in left}},
        CLASS: {key for key in rows[CLASS] if key[0] not in set(gone)},
        "student_account": {(student,) for _, student in pupils},
        TEACHER: left,
        STUDENT: pupils,
    }


class Guarded:
    """A plan that takes away what is active and should not be, and what the guard makes of it."""

    def __init__(self, active: Keys, desired: Keys, *earlier: tuple[Path, str], file: Path | None = None) -> None:
        with duckdb.connect(config={"threads": 1}) as con:
            con.execute(f"ATTACH '{file or ':memory:'}' AS plan")
            guard.decisions(con)
            for plan, decision in earlier:
                guard.remember(con, plan, decision)
            for table in PUBLISHED:
                keys = ", ".join(f"{name} {kind}" for name, kind in table.keys.items())
                con.execute(f"CREATE TABLE current_{table.name} ({keys}, active BOOLEAN)")
                con.execute(f"CREATE TABLE plan.{table.name} (action VARCHAR, {keys})")
                if table in guard.GUARDED:
                    now, gone = active[table.name], active[table.name] - desired[table.name]
                    insert(con, f"current_{table.name}", [[*key, True] for key in sorted(now)])
                    insert(con, f"plan.{table.name}", [["deactivate", *key] for key in sorted(gone)])
                    new = sorted(desired[table.name] - now)
                    insert(con, f"plan.{table.name}", [["create", *key] for key in new])
            self.counts: Counts = guard.guard(con, into="plan")
            self.rows = {
                action: {
                    name: {row[1:] for row in con.execute(f"FROM plan.{name}").fetchall() if row[0] == action}
                    for name in KEYS
                }
                for action in ("create", "deactivate", "hold", "keep")
            }
            self.fingerprint = guard.fingerprint(con, "plan")
            self.reason = guard.reason({name: self.counts[name]["hold"] for name in KEYS}, guard.active(con))
            self.classes = guard.held_classes(con, "plan")

    def number(self, action: str) -> int:
        return sum(len(keys) for keys in self.rows[action].values())


def names(*numbers: int) -> list[str]:
    return [f"c{number:03d}" for number in numbers]


@pytest.mark.parametrize(
    ("active", "gone", "held"),
    [
        (20, 20, False),  # all of a small district: 20 rows are not more than 20
        (21, 21, True),
        (210, 21, False),  # 10 % is not more than 10 %
        (209, 21, True),
    ],
)
def test_only_more_than_a_tenth_and_more_than_twenty_rows_are_held(active: int, gone: int, held: bool) -> None:
    rows = school(active)
    plan = Guarded(rows, without(rows, names(*range(gone))))
    assert (plan.number("hold") > 0, plan.number("deactivate") > 0) == (held, not held)
    assert (plan.fingerprint is not None) == held


def test_what_is_new_flows_while_removals_are_held() -> None:
    rows = school(30)
    other = {name: {(f"new-{key[0]}" if name != "account_product" else 99, *key[1:]) for key in keys}
             for name, keys in rows.items()}  # fmt: skip
    plan = Guarded(rows, other)
    assert plan.rows["create"] == other
    assert plan.rows["hold"] == rows
    assert plan.number("deactivate") == 0


def test_a_type_that_loses_few_rows_goes_on_while_another_is_held() -> None:
    """Thirty students leave a class each, of which four are in it, and no class goes."""
    rows = school(100, students=4)
    gone = {(f"c{number:03d}", f"c{number:03d}-s0") for number in range(50)}
    leave = {**rows, STUDENT: rows[STUDENT] - gone, TEACHER: rows[TEACHER] - {("c099", 99)}}
    plan = Guarded(rows, leave)
    assert plan.rows["hold"][STUDENT] == gone
    assert plan.rows["deactivate"][TEACHER] == {("c099", 99)}
    assert plan.reason == "50 of 400 students in classes (12 %) would go"


def test_a_held_class_is_held_whole_with_accounts_and_products() -> None:
    """25 of 100 classes are too many; their 25 of 1,000 students alone would not be."""
    rows = school(100)
    crowd = {(f"c{number:03d}", f"c{number:03d}-x{n}") for number in range(25, 100) for n in range(12)}
    rows[STUDENT] |= crowd
    rows["student_account"] |= {(student,) for _, student in crowd}
    gone = without(rows, names(*range(25)))
    plan = Guarded(rows, gone)
    assert plan.rows["hold"] == {name: rows[name] - gone[name] for name in rows}
    assert plan.number("deactivate") == 0
    assert plan.classes == [(name, True, 1, 1) for name in names(*range(25))]


def test_a_class_stays_while_one_of_its_students_is_held() -> None:
    """Too many students leave, among them those of a class that goes altogether: it would stay without them."""
    rows = school(100, students=2)
    leavers = {(f"c{number:03d}", f"c{number:03d}-s0") for number in range(40)}
    gone = without({**rows, STUDENT: rows[STUDENT] - leavers}, names(0))
    plan = Guarded(rows, {**gone, "student_account": rows["student_account"]})
    assert plan.rows["hold"][CLASS] == {("c000",)}
    assert plan.rows["hold"][TEACHER] == {("c000", 0)}
    assert plan.rows["hold"]["account_product"] == {(0, "lessons")}
    assert plan.rows["hold"][STUDENT] == leavers | {("c000", "c000-s1")}


@pytest.fixture
def half_gone(tmp_path: Path) -> tuple[Keys, Keys, Path]:
    """What is active, what should be, and the plan that holds the 30 classes between them."""
    rows = school(60)
    left = without(rows, names(*range(30)))
    Guarded(rows, left, file=tmp_path / "1.duckdb")
    return rows, left, tmp_path / "1.duckdb"


def test_what_was_approved_goes_and_what_was_discarded_is_kept(half_gone: tuple[Keys, Keys, Path]) -> None:
    rows, left, first = half_gone
    gone = {name: rows[name] - left[name] for name in rows}
    for decision, action in (("approve", "deactivate"), ("discard", "keep"), ("hold", "hold")):
        plan = Guarded(rows, left, (first, decision))
        assert plan.rows[action] == gone, decision
        assert plan.number(action) == sum(len(keys) for keys in gone.values())


def test_of_two_decisions_on_a_row_the_later_one_counts(half_gone: tuple[Keys, Keys, Path]) -> None:
    rows, left, first = half_gone
    assert Guarded(rows, left, (first, "hold"), (first, "approve")).number("hold") == 0


def test_a_decision_says_nothing_of_rows_that_nobody_has_seen(half_gone: tuple[Keys, Keys, Path]) -> None:
    """After the approval, further classes vanish: they are looked at for themselves."""
    rows, left, first = half_gone
    few = Guarded(rows, without(rows, names(*range(35))), (first, "approve"))
    assert (few.number("deactivate"), few.number("hold")) == (35 * 5, 0)
    many = Guarded(rows, without(rows, names(*range(55))), (first, "approve"))
    assert many.rows["deactivate"] == {name: rows[name] - left[name] for name in rows}
    assert many.rows["hold"][CLASS] == {(name,) for name in names(*range(30, 55))}


def test_what_is_held_stays_held_however_many_rows_have_come_since(half_gone: tuple[Keys, Keys, Path]) -> None:
    _, _, first = half_gone
    grown = school(400)
    left = without(grown, names(*range(30)))
    assert Guarded(grown, left).number("hold") == 0
    plan = Guarded(grown, left, (first, "hold"))
    assert plan.rows["hold"] == {name: grown[name] - left[name] for name in grown}
    back = Guarded(grown, without(grown, names(0)), (first, "hold"))
    assert (back.number("hold"), back.number("deactivate")) == (5, 0)
    assert back.reason == "an earlier plan of the same delivery has held them"


def test_two_plans_that_hold_the_same_rows_can_be_told_from_others(half_gone: tuple[Keys, Keys, Path]) -> None:
    rows, left, _ = half_gone
    held = Guarded(rows, left).fingerprint
    assert (
        held
        == Guarded({**rows, CLASS: rows[CLASS] | {("new",)}}, {**left, CLASS: left[CLASS] | {("new",)}}).fingerprint
    )
    assert held != Guarded(rows, without(rows, names(*range(1, 31)))).fingerprint


def odd(seed: int) -> tuple[Keys, Keys]:
    """A school of which something vanishes: whole classes, and single rows of every kind."""
    pick = Random(seed)
    rows = school(pick.choice((5, 30, 60)), students=pick.choice((0, 1, 2)))
    left = without(rows, pick.sample([key[0] for key in sorted(rows[CLASS])], pick.randint(0, 5)))  # type: ignore[misc]
    for name, keys in left.items():
        left[name] = set(pick.sample(sorted(keys), round(len(keys) * pick.choice((1, 1, 0.95, 0.8, 0.5)))))
    return rows, left


@settings(max_examples=cases(8, 200))
@given(st.integers(0, 10**6))
def test_never_are_more_rows_of_a_type_taken_away_than_a_tenth_or_twenty_and_no_class_in_part(seed: int) -> None:
    rows, left = odd(seed)
    plan = Guarded(rows, left)
    for name, keys in rows.items():
        assert len(plan.rows["deactivate"][name]) <= max(guard.ROWS, guard.PERCENT * len(keys) / 100), name
        assert plan.rows["deactivate"][name] | plan.rows["hold"][name] == keys - left[name], "nothing is lost"
    gone = {key[0] for key in plan.rows["deactivate"][CLASS]}
    held = {key[0] for key in plan.rows["hold"][CLASS]}
    for name in (TEACHER, STUDENT):
        assert not gone & {key[0] for key in plan.rows["hold"][name]}, "a row of a class that goes is held"
        assert not held & {key[0] for key in plan.rows["deactivate"][name]}, "a row of a class that is held goes"
