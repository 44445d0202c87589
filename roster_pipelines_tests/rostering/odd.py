"""Odd districts, by number: a day on which nearly every gate is open, and then things change, here and there."""

from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from typing import Any

import duckdb

from roster_pipelines.district import Filters, SignIn
from roster_pipelines.oneroster.shape import Registration
from roster_pipelines.rostering.plan import Counts
from roster_pipelines_tests.rostering.world import (
    ACCOUNT,
    DAY,
    NORTH,
    SOUTH,
    TODAY,
    VENDOR,
    Product,
    Row,
    Rows,
    World,
    desired_rows,
)

TEACHERS = tuple(f"t{number}" for number in range(1, 7))
STUDENTS = tuple(f"s{number}" for number in range(1, 5))
PEOPLE = (*TEACHERS, *STUDENTS, "aide", "head")
ROLES = {"aide": "aide", "head": "administrator"} | dict.fromkeys(STUDENTS, "student")
CLASSES = tuple(f"c{number}" for number in range(1, 9))
ACCOUNTS = tuple(range(1, len(PEOPLE) + 1))
PRODUCTS = {"lessons": "Q-LESSONS", "health": "Q-HEALTH"}
MATCHES = (
    ("sourced_id", "email"),
    ("email", "username"),
    ("user_id:StateID", "identifier"),
    ("identifier", "username", "email"),
    ("username", "sourced_id"),
)
SEATS = (None, None, None, 1, 3)
FILTERS = (
    *(Filters(),) * 4,
    Filters(schools=("north", SOUTH)),
    Filters(grades=("0*", "!06"), subjects=("*music*",)),
    Filters(courses=("!*lunch*",)),
)


def claims_of(person: str) -> Row:
    """What the provider says of a person, in its own spelling."""
    return {
        "sourced_id": person,
        "user_id": f"state-{person}",
        "identifier": f"no-{person}",
        "email": f" {person.upper()}@Maple.example",
        "username": f"{person.upper()}.May ",
    }


CLAIMS = {
    key: (*(claims_of(person)[key] for person in PEOPLE), *others)
    for key, others in {
        "sourced_id": ("T1", "parent", "stranger", "", None),
        "user_id": ("0", None),
        "identifier": (None, "none"),
        "email": (None, "none@none", "t1@mail.example", "shared@maple.example"),
        "username": (None, "shared"),
    }.items()
}

ROSTER_ODD: dict[str, dict[str, tuple[Any, ...]]] = {
    # by table and column, what may stand there instead
    "orgs": {"identifier": (None, "42", NORTH, SOUTH), "status": ("active", "tobedeleted")},
    "academicSessions": {"startDate": (TODAY, TODAY + 15 * DAY), "status": ("active", "tobedeleted")},
    "users": {
        "role": ("teacher", "student", "administrator", "aide", "parent"),
        "enabledUser": (None, True, False),
        "status": ("active", "tobedeleted", "tobedeleted"),
        "orgSourcedIds": (["south"], ["north", "south"], ["east"], []),
        "givenName": (None, "Kim", "May"),
        "email": (None, "none@none", "t1@mail.example", "shared@maple.example", "t1@maple.example"),
        "username": (None, "shared", "T1.may"),
        "identifier": (None, "no-t1"),
        "userIds": (None, ["{StateID:state-t1}", "{Other:7}"]),
    },
    "classes": {
        "schoolSourcedId": ("south", "east"),
        "status": ("active", "tobedeleted"),
        "title": (None, "Lunch"),
        "courseSourcedId": ("k1", "k2", None),
        "termSourcedIds": (["past"], ["ahead"], ["past", "now"], ["nowhere"], None),
        "grades": (["06"], ["06", "07"], None),
        "subjects": (["Art"], ["Art", "Music"], None),
    },
    "courses": {"title": ("k1", "Early Lunch"), "grades": (["05"], ["06"], None)},
    "enrollments": {
        "role": ("teacher", "student", "proctor", "administrator"),
        "status": ("active", "tobedeleted"),
        "beginDate": tuple(TODAY + n * DAY for n in (0, 14, 15)),
        "endDate": tuple(TODAY + n * DAY for n in (-1, 0, 1)),
        "userSourcedId": (*PEOPLE, "stranger"),
        "primary": (True, False),
    },
    "resources": {"vendorResourceId": ("OTHER", "Q-HEALTH"), "status": ("active", "tobedeleted")},
    "classResources": {"classSourcedId": CLASSES, "status": ("active", "tobedeleted")},
    "courseResources": {"courseSourcedId": ("k1", "k2"), "status": ("active", "tobedeleted")},
}
VENDOR_ODD: dict[str, dict[str, tuple[Any, ...]]] = {
    "sign_in": {
        **CLAIMS,
        "provider": ("google", "classlink"),
        "account_id": (*ACCOUNTS, 99, None),
        "first_signed_in_at": (TODAY,),
    },
    "account": {"status": ("active", "inactive", "closed")},
    "access_code": {"product_id": ("health",), "account_id": ACCOUNTS},
    "licence": {
        "product_id": tuple(PRODUCTS),
        "school_nces_id": (NORTH, SOUTH, None),
        "seats": (None, 1, 2),
        "starts_on": (TODAY, TODAY + DAY),
        "ends_on": (TODAY, TODAY + DAY),
    },
    "school_choice": {"school_nces_id": (NORTH, SOUTH)},
}
ODD = ROSTER_ODD | VENDOR_ODD


def open_world(pick: Random, registration: Registration) -> World:
    """A district in which nearly every gate is open."""
    world = World(
        stage=pick.choice(("live", "live", "live", "testing")),
        pilots=tuple(pick.sample(PEOPLE, 8)),
        registration=registration,
        school_choice=pick.random() < 0.5,
        teaching_roles=pick.choice((("teacher",), ("teacher", "aide"), ("teacher", "aide", "administrator"))),
        filters=pick.choice(FILTERS),
        sso=SignIn(
            provider="classlink",
            match=pick.choice(MATCHES),
            email_domains=("maple.example",),
        ),
    )
    world.school("east", None)
    for name, starts, ends in (("past", -90, -13), ("now", -30, 60), ("ahead", 15, 90)):
        world.session(name, TODAY + starts * DAY, TODAY + ends * DAY)
    for course in ("k1", "k2"):
        world.course(course, title=course, grades=["05"], subjects=["General Music"])
    for product, resource in PRODUCTS.items():
        world.product(product, resource)
    _people(world, pick)
    for name in CLASSES:
        teachers = pick.sample(TEACHERS, pick.choice((1, 1, 2)))
        students = " ".join(pick.sample(STUDENTS, 2))
        course = pick.choice(("k1", "k2"))
        world.school_class(name, *teachers, students=students, courseSourcedId=course, termSourcedIds=["now"])
    world.enrolled("aide", pick.choice(CLASSES), "proctor").enrolled("head", pick.choice(CLASSES), "administrator")
    world.resource("Q-LESSONS", in_course="k1", in_class=pick.choice(CLASSES))
    for school in pick.choice(((None,), (NORTH,), (NORTH, SOUTH), (NORTH, NORTH, None))):
        world.licence("lessons", school, seats=pick.choice(SEATS))
    if pick.random() < 0.5:
        world.licence("health", pick.choice((NORTH, SOUTH, None)), seats=pick.choice(SEATS))
    world.licence(ends=TODAY)
    if pick.random() < 0.5:
        world.licence(starts=TODAY + DAY)
    if pick.random() < 0.3:
        # Infinite Campus: a teacher who is a parent, too, has a row for each role.
        same = {"username": "t1.May", "givenName": "t1", "familyName": "May"}
        world.person("parent", pick.choice(("parent", "administrator")), "south", **same)
        world.enrolled("parent", pick.choice(CLASSES), "teacher")
    return world


def _people(world: World, pick: Random) -> None:
    for number, person in zip(ACCOUNTS, PEOPLE, strict=True):
        world.person(
            person,
            ROLES.get(person, "teacher"),
            pick.choice(("north", "north", "north", "east")),
            givenName=person,
            familyName="May",
            email=f"{person}@maple.example",
            username=f"{person}.may",
            identifier=f"no-{person}",
            userIds=[f"{{StateID:state-{person}}}"],
            enabledUser=False if person == STUDENTS[-1] else None,
        )
        linked = pick.random() < (0.9 if world.registration == "access_code" else 0.5)
        opened = not linked and world.registration != "access_code" and pick.random() < 0.4
        if linked or opened:
            codes = ("lessons", "health") if pick.random() < 0.3 else ("lessons",)
            status = pick.choice(("active", "active", "active", "inactive"))
            world.account(number, *codes, status=status, provisioned_for=person if opened else None)
        school = pick.choice((None, NORTH, SOUTH))
        world.signed_in(account=number if linked else None, school=school, **claims_of(person))


def change(world: World, pick: Random, odd: dict[str, dict[str, tuple[Any, ...]]], changes: int) -> None:
    """Let something else stand here and there."""
    for _ in range(changes):
        table = pick.choice(tuple(odd))
        column = pick.choice(tuple(odd[table]))
        if world.rows[table]:
            pick.choice(world.rows[table])[column] = pick.choice(odd[table][column])


def share(world: World, pick: Random) -> None:
    """Two have the same address, username and numbers."""
    one, other = pick.sample(world.rows["users"], 2)
    other |= {name: one.get(name) for name in ("email", "username", "identifier", "userIds")}


def rekey(world: World, pick: Random) -> None:
    """Somebody has another sourcedId in the next delivery; their claim says so sooner or later."""
    user = pick.choice([row for row in world.rows["users"] if row["sourcedId"] in TEACHERS])
    old, user["sourcedId"] = user["sourcedId"], f"new-{user['sourcedId']}"
    for row in world.rows["enrollments"]:
        if row["userSourcedId"] == old:
            row["userSourcedId"] = user["sourcedId"]
    for row in world.rows["sign_in"]:
        if row["sourced_id"] == old and pick.random() < 0.5:
            row["sourced_id"] = user["sourcedId"]


def reuse(world: World, pick: Random) -> None:
    """Somebody leaves, and another gets their address and username."""
    left = world.rows["users"].pop(pick.randrange(len(TEACHERS)))
    pick.choice(world.rows["users"]).update(email=left["email"], username=left["username"])


def swap(world: World, pick: Random) -> None:
    """The provider says of each of two what it said of the other."""
    one, other = pick.sample(world.rows["sign_in"], 2)
    for claim in CLAIMS:
        one[claim], other[claim] = other[claim], one[claim]


@dataclass
class Day:
    """What a run has found and published; `world` is as the run has found it."""

    world: World
    who: dict[int, str | None]
    keys: set[tuple[Any, ...]]
    gates: list[Row]
    entitlements: set[tuple[Any, ...]]
    opened: dict[str, int]
    accounts: set[tuple[Any, ...]]
    tables: Rows
    seats: dict[str, set[tuple[Any, ...]]]
    counts: Counts = field(default_factory=dict)
    shown: Product = field(default_factory=Product)

    @property
    def planned(self) -> set[tuple[str, str]]:
        """Class and teacher for whom every gate is open."""
        return {(gate["class_sourced_id"], gate["person_sourced_id"]) for gate in self.gates if gate["planned"]}


def play(world: World, product: Product) -> Day:
    """Run the district, publish what follows, and leave in the world what the next run finds of this one."""
    with world.solved() as con:
        day = Day(
            deepcopy(world),
            dict(con.execute("SELECT sign_in_id, person_sourced_id FROM identity").fetchall()),
            set(con.execute("FROM identity_key").fetchall()),
            _rows(con, "FROM gate"),
            set(con.execute("FROM entitlement").fetchall()),
            dict(con.execute("FROM new_account").fetchall()),
            set(con.execute("FROM desired_account").fetchall()),
            desired_rows(con),
            {
                table: set(con.execute(f"SELECT person_sourced_id, product_id, pool FROM {table}").fetchall())
                for table in ("wish", "seat")
            },
        )
        day.counts = product.publish(con)
        day.shown = deepcopy(product)
        changed = _rows(con, "FROM plan_account")
        world.rows["known_key"] = _rows(con, "FROM identity_key")
        seats = f"SELECT DISTINCT {', '.join(_names('known_seat'))} FROM entitlement WHERE licence_id IS NOT NULL"
        world.rows["known_seat"] = _rows(con, seats)
    ids = {row["account_id"] for row in changed}
    world.rows["account"] = [row for row in world.rows["account"] if row["account_id"] not in ids] + changed
    assert all(set(row) <= set(ACCOUNT.columns) for row in changed)
    return day


def _names(table: str) -> list[str]:
    return [column.split()[0] for column in VENDOR[table].split(", ")]


def _rows(con: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    found = con.execute(query)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
