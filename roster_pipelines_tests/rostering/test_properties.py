"""What holds for any roster, sign-ins, accounts and licences, however odd."""

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from roster_pipelines_tests.rostering.world import DAY, NORTH, SOUTH, TODAY, Product, Row, World, desired_rows

PEOPLE = ("p1", "p2", "p3", "p4")
CLASSES = ("c1", "c2", "c3")
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
        "account_id": (1, 2, 3, 99, None),
    },
    "account": {"status": ("inactive",)},
    "access_code": {"product_id": ("health",), "account_id": (1, 2, 3)},
    "licence": {
        "product_id": ("health",),
        "school_nces_id": (NORTH, SOUTH),
        "starts_on": (TODAY, TODAY + DAY),
        "ends_on": (TODAY, TODAY + DAY),
    },
}
changes = st.one_of(
    st.tuples(st.just(table), st.just(column), st.integers(0, 7), st.sampled_from(values))
    for table, columns in ODD.items()
    for column, values in columns.items()
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Two teachers and two students in three classes, with every gate open; then some things change."""
    world = World(
        stage=draw(st.sampled_from(("live", "live", "live", "testing", "onboarding"))),
        pilots=tuple(draw(st.sets(st.sampled_from(PEOPLE)))),
    )
    world.teacher("p1").teacher("p2").student("p3").student("p4")
    for person in PEOPLE[:3]:
        world.ready(person, int(person[1]))
    for name in CLASSES:
        world.school_class(name, *draw(st.sets(st.sampled_from(("p1", "p2")))))
        for student in draw(st.sets(st.sampled_from(("p3", "p4")))):
            world.enrolled(student, name, "student")
    for school in draw(st.sampled_from(((None,), (None,), (NORTH,), (SOUTH, NORTH)))):
        world.licence(school=school)
    for table, column, number, value in draw(st.lists(changes, max_size=5)):
        if rows := world.rows[table]:
            rows[number % len(rows)][column] = value
    return world


def sharing_an_account() -> World:
    """Two teachers of one class have linked the same account."""
    world = World().teacher("p1").teacher("p2").school_class("c1", "p1", "p2").licence().account(1, "lessons")
    return world.signed_in("p1", account=1).signed_in("p2", account=1)


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


@settings(max_examples=60)
@given(worlds())
@example(sharing_an_account())
def test_a_class_is_there_exactly_when_all_gates_of_one_of_its_teachers_hold(world: World) -> None:
    expected = {
        school_class["sourcedId"]: students_of(world, school_class)
        for school_class in world.rows["classes"]
        if any(brings(world, person, school_class) for person in world.rows["users"])
    }
    assert {name: students for name, (_, students) in world.classes().items()} == expected


@settings(max_examples=20)
@given(worlds(), worlds())
@example(sharing_an_account(), World())
def test_published_twice_changes_nothing_and_nothing_is_ever_deleted(before: World, after: World) -> None:
    product = Product()
    for world in (before, after):
        rows = {name: set(rows) for name, rows in product.tables.items()}
        with world.solved() as con:
            product.publish(con)
            assert product.active() == desired_rows(con)
            again = product.publish(con)
        assert not any(sum(actions.values()) for actions in again.values())
        assert all(rows[name] <= set(product.tables[name]) for name in rows)
