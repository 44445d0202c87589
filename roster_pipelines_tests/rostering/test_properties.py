"""What holds for any roster, sign-ins, accounts and licences, however odd."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from roster_pipelines_tests.rostering.world import DAY, NORTH, SOUTH, SSO, TODAY, Product, Row, World, desired_rows

PEOPLE = ("p1", "p2", "p3", "p4")
CLASSES = ("c1", "c2", "c3")
SCHOOLS = {"north": NORTH, "south": SOUTH}
PRODUCTS = ("lessons", "health")
ACCOUNTS = (1, 2, 3)
# Every example works a district out twice or more, in a DuckDB of its own.
few = settings(max_examples=25)

statuses = st.sampled_from((None, None, None, "active", "tobedeleted"))
days = st.sampled_from((-400, -1, 0, 1, 200)).map(lambda n: TODAY + n * DAY)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    world = World(
        stage=draw(st.sampled_from(("live", "live", "testing", "onboarding", "paused"))),
        sso=draw(st.sampled_from((SSO, SSO, SSO.model_copy(update={"match": ("email",)})))),
        pilots=tuple(draw(st.sets(st.sampled_from(PEOPLE)))),
    )
    for person in PEOPLE:
        world.person(
            person,
            draw(st.sampled_from(("teacher", "teacher", "student", "student", "administrator"))),
            ",".join(draw(st.sets(st.sampled_from(tuple(SCHOOLS)), min_size=1))),
            enabledUser=draw(st.sampled_from((None, True, True, False))),
            status=draw(statuses),
            givenName=draw(st.sampled_from((None, "Kim", "Lee"))),
        )
    for name in CLASSES:
        world.school_class(name, school=draw(st.sampled_from(tuple(SCHOOLS))), status=draw(statuses))
    for person, name in draw(st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(CLASSES)), max_size=8)):
        world.enrolled(
            person,
            name,
            draw(st.sampled_from(("teacher", "teacher", "student"))),
            status=draw(statuses),
            endDate=draw(st.none() | days),
            primary=draw(st.none() | st.booleans()),
        )
    for account in ACCOUNTS:
        codes = draw(st.sets(st.sampled_from(PRODUCTS)))
        world.account(account, *codes, status=draw(st.sampled_from(("active", "active", "inactive"))))
    for person in draw(st.lists(st.sampled_from((*PEOPLE, "stranger", None)), max_size=5)):
        provider = draw(st.sampled_from(("classlink", "classlink", "google")))
        world.signed_in(person, account=draw(st.sampled_from((*ACCOUNTS, 99, None))), provider=provider)
    for product in draw(st.lists(st.sampled_from(PRODUCTS), max_size=3)):
        starts = draw(days)
        school = draw(st.sampled_from((None, NORTH, SOUTH)))
        world.licence(product, school, starts, starts + draw(st.sampled_from((1, 300))) * DAY)
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
        and sign_in["provider"] == world.district.sign_in.provider  # type: ignore[union-attr]
        and "sourced_id" in world.district.sign_in.match  # type: ignore[union-attr]
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


@few
@given(worlds())
@example(sharing_an_account())
def test_a_class_is_there_exactly_when_all_gates_of_one_of_its_teachers_hold(world: World) -> None:
    expected = {
        school_class["sourcedId"]: students_of(world, school_class)
        for school_class in world.rows["classes"]
        if any(brings(world, person, school_class) for person in world.rows["users"])
    }
    assert {name: students for name, (_, students) in world.classes().items()} == expected


@few
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
