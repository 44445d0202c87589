"""Removals, from the roster to what the product shows: never too many at once, and what stays, stays whole."""

from random import Random

import duckdb
import pytest

from roster_pipelines.rostering import guard
from roster_pipelines.rostering.plan import differences
from roster_pipelines_tests.rostering.world import Product, Rows, World, desired_rows

CLASS, TEACHER, STUDENT = "rostered_class", "rostered_class_teacher", "rostered_class_student"


def big(pick: Random, teachers: int = 30, classes: int = 70) -> World:
    """Teachers with an account by auto-registration, some of them two in a class; students in a few classes each."""
    world = World(registration="auto_by_school").licence()
    for number in range(teachers):
        name = f"t{number}"
        world.teacher(name, givenName=name, familyName="May", email=f"{name}@maple.example")
        world.account(number, provisioned_for=name).signed_in(name)
    for number in range(2 * classes):
        world.student(f"s{number}")
    for number in range(classes):
        staff = [f"t{n}" for n in pick.sample(range(teachers), pick.choice((1, 1, 2)))]
        world.school_class(f"c{number}", *staff, students=" ".join(f"s{n}" for n in pick.sample(range(2 * classes), 4)))
    return world


def lose(world: World, pick: Random, classes: float, users: float, enrollments: float) -> None:
    """Leave out so much of each file."""
    for name, share in (("classes", classes), ("users", users), ("enrollments", enrollments)):
        rows = world.rows[name]
        world.rows[name] = pick.sample(rows, round(len(rows) * (1 - share)))


def guarded(con: duckdb.DuckDBPyConnection, product: Product) -> dict[str, dict[str, set[tuple[object, ...]]]]:
    """Plan, guard and publish; by action and table, the keys of the rows."""
    product.show(con)
    con.execute("ATTACH ':memory:' AS plan")
    differences(con, into="plan")
    guard.guard(con, into="plan")
    product.take(con)
    found = {
        action: {
            table.name: {
                row[1 : len(table.keys) + 1]
                for row in con.execute(f"FROM plan.{table.name} WHERE action = ?", [action]).fetchall()
            }
            for table in guard.GUARDED
        }
        for action in ("deactivate", "hold")
    }
    for name in found["hold"]:
        con.execute(f"INSERT INTO decided_{name} BY NAME SELECT *, 'approve' AS decision FROM ({_held(name)})")
    con.execute("DETACH plan")
    return found


def _held(name: str) -> str:
    keys = next(", ".join(table.keys) for table in guard.GUARDED if table.name == name)
    return f"SELECT {keys} FROM plan.{name} WHERE action = 'hold'"


def assert_whole(rows: Rows) -> None:
    """No class without a teacher; nobody in a class that is not there; accounts for just those who have a class."""
    classes = {row[0] for row in rows[CLASS]}
    assert {row[0] for row in rows[TEACHER]} == classes
    assert {row[0] for row in rows[STUDENT]} <= classes
    assert {row[1] for row in rows[STUDENT]} == {row[0] for row in rows["student_account"]}
    assert {row[1] for row in rows[TEACHER]} == {row[0] for row in rows["account_product"]}


@pytest.mark.parametrize(
    ("classes", "users", "enrollments", "holds"),
    [(0.5, 0, 0, True), (0.02, 0.08, 0.05, True), (0.02, 0.01, 0.01, False)],
)
def test_no_more_than_a_tenth_or_twenty_of_a_type_go_unless_approved_and_what_is_held_stays_whole(
    classes: float, users: float, enrollments: float, holds: bool
) -> None:
    pick = Random(f"{classes} {users} {enrollments}")
    world, product = big(pick), Product()
    with world.solved() as con:
        product.publish(con)
    before = product.active()
    lose(world, pick, classes, users, enrollments)
    with world.solved() as con:
        guard.decisions(con)
        plan, should = guarded(con, product), desired_rows(con)
        after = product.active()
        for name, rows in before.items():
            assert len(plan["deactivate"][name]) <= max(20, len(rows) / 10), name
        assert any(plan["hold"].values()) == holds
        assert_whole(after)
        held = {key[0] for key in plan["hold"][CLASS]}
        for name in (CLASS, TEACHER, STUDENT):
            assert {row for row in before[name] if row[0] in held} <= after[name], "a held class stays as it was"
        guarded(con, product)
        assert product.active() == should, "approved, all of it goes"
        assert_whole(product.active())
