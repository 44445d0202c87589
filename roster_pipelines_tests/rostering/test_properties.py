"""What holds for any roster, sign-ins, accounts and licences, however odd."""

from random import Random
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from roster_pipelines_tests.rostering.world import DAY, NORTH, SOUTH, TODAY, Product, Row, World, desired_rows

TEACHERS = tuple(f"t{number}" for number in range(1, 7))
STUDENTS = tuple(f"s{number}" for number in range(1, 7))
PEOPLE = (*TEACHERS, *STUDENTS)
ACCOUNTS = tuple(range(1, len(PEOPLE) + 1))
CLASSES = tuple(f"c{number}" for number in range(1, 9))
SCHOOLS = {"north": NORTH, "south": SOUTH}

ODD: dict[str, dict[str, tuple[Any, ...]]] = {
    # by table and column, what may stand there instead
    "users": {
        "role": ("teacher", "student", "administrator"),
        "enabledUser": (None, True, False),
        "status": ("active", "tobedeleted"),
        "orgSourcedIds": (["south"], ["north", "south"], []),
        "givenName": (None, "Kim"),
    },
    "classes": {"schoolSourcedId": ("south",), "status": ("active", "tobedeleted"), "title": (None, "Other")},
    "enrollments": {
        "role": ("teacher", "student"),
        "status": ("active", "tobedeleted"),
        "endDate": tuple(TODAY + n * DAY for n in (-1, 0, 1)),
        "userSourcedId": (*PEOPLE, "stranger"),
        "primary": (True, False),
    },
    "sign_in": {
        "sourced_id": (*PEOPLE, "stranger", None),
        "provider": ("google",),
        "account_id": (*ACCOUNTS, 99, None),
    },
    "account": {"status": ("inactive",)},
    "access_code": {"product_id": ("health",), "account_id": ACCOUNTS},
    "licence": {
        "product_id": ("health",),
        "school_nces_id": (NORTH, SOUTH),
        "starts_on": (TODAY, TODAY + DAY),
        "ends_on": (TODAY, TODAY + DAY),
    },
}


def world_of(seed: int, changes: int) -> World:
    """A district in which nearly every gate is open; then some things change, here and there."""
    pick = Random(seed)
    world = World(stage=pick.choice(("live", "live", "testing")), pilots=tuple(pick.sample(PEOPLE, 5)))
    for number, person in enumerate(PEOPLE):
        world.person(person, "teacher" if person in TEACHERS else "student").ready(person, ACCOUNTS[number])
    for name in CLASSES:
        students = " ".join(pick.sample(STUDENTS, 2))
        world.school_class(name, *pick.sample(TEACHERS, pick.choice((1, 1, 2))), students=students)
    for school in pick.choice(((None,), (NORTH,), (NORTH, SOUTH), (NORTH, NORTH))):
        world.licence(school=school)
    for _ in range(changes):
        table = pick.choice(tuple(ODD))
        column = pick.choice(tuple(ODD[table]))
        pick.choice(world.rows[table])[column] = pick.choice(ODD[table][column])
    return world


worlds = st.builds(world_of, seed=st.integers(0, 10**6), changes=st.integers(0, 40))


def sharing_an_account() -> World:
    """Two teachers of one class have linked the same account."""
    world = World().teacher("t1").teacher("t2").school_class("c1", "t1", "t2").licence().account(1, "lessons")
    return world.signed_in("t1", account=1).signed_in("t2", account=1)


# The promise once more, in plain Python: it shares nothing with the SQL but the words.


def there(row: Row) -> bool:
    return row.get("status") != "tobedeleted"


def counts_today(world: World, enrollment: Row) -> bool:
    ends = enrollment.get("endDate")
    return there(enrollment) and (ends is None or world.today < ends)


def entitled(world: World, person: Row, school: str) -> bool:
    """An active account that the person's sign-in is linked to has a code whose licence covers the school today."""
    return any(
        sign_in["sourced_id"] == person["sourcedId"]
        and sign_in["provider"] == "classlink"
        and sign_in["account_id"] == account["account_id"] == code["account_id"]
        and account["status"] == "active"
        and code["product_id"] == licence["product_id"]
        and licence["starts_on"] <= world.today < licence["ends_on"]
        and (
            licence["school_nces_id"] is None
            or (licence["school_nces_id"] == SCHOOLS[school] and school in person["orgSourcedIds"])
        )
        for sign_in in world.rows["sign_in"]
        for account in world.rows["account"]
        for code in world.rows["access_code"]
        for licence in world.rows["licence"]
    )


def brings(world: World, person: Row, school_class: Row) -> bool:
    """Every gate of this person holds, and they teach this class today."""
    return (
        person["role"] == "teacher"
        and there(person)
        and person.get("enabledUser") is not False
        and (world.stage != "testing" or person["sourcedId"] in world.pilots)
        and there(school_class)
        and entitled(world, person, school_class["schoolSourcedId"])
        and any(
            row["userSourcedId"] == person["sourcedId"]
            and row["classSourcedId"] == school_class["sourcedId"]
            and row["role"] == "teacher"
            and counts_today(world, row)
            for row in world.rows["enrollments"]
        )
    )


def students_of(world: World, school_class: Row) -> set[str]:
    return {
        person["sourcedId"]
        for person in world.rows["users"]
        for row in world.rows["enrollments"]
        if person["role"] == "student"
        and there(person)
        and person.get("enabledUser") is not False
        and (row["userSourcedId"], row["classSourcedId"]) == (person["sourcedId"], school_class["sourcedId"])
        and row["role"] == "student"
        and counts_today(world, row)
    }


@settings(max_examples=50)
@given(worlds)
@example(sharing_an_account())
def test_a_class_is_there_exactly_when_all_gates_of_one_of_its_teachers_hold(world: World) -> None:
    expected = {
        school_class["sourcedId"]: students_of(world, school_class)
        for school_class in world.rows["classes"]
        if any(brings(world, person, school_class) for person in world.rows["users"])
    }
    assert {name: students for name, (_, students) in world.classes().items()} == expected


@settings(max_examples=15)
@given(worlds, worlds)
@example(sharing_an_account(), World())
def test_published_twice_changes_nothing_and_what_was_taken_away_comes_back_for_nothing_is_deleted(
    before: World, after: World
) -> None:
    product = Product()
    for world in (before, after, before):
        rows = {name: set(rows) for name, rows in product.tables.items()}
        with world.solved() as con:
            product.publish(con)
            assert product.active() == desired_rows(con)
            again = product.publish(con)
        assert not any(sum(actions.values()) for actions in again.values())
        assert all(rows[name] <= set(product.tables[name]) for name in rows)
