"""What the guide promises, once more in plain Python: it shares nothing with the SQL but the words."""

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from roster_pipelines_tests.rostering.world import DAY, Row, World

PLACEHOLDERS = ("", "0", "none", "none@none")
FAMILY = ("guardian", "parent", "relative", "student")
AS_STAFF = (("aide", "proctor"), ("administrator", "administrator"))

Who = Mapping[int, str | None]


class Access(NamedTuple):
    """A teacher may use a product in a class: by which account (None: one is to be opened), and by whose licence."""

    in_class: str
    person: str
    product: str
    account: int | None
    school: str | None


def there(row: Row) -> bool:
    return row.get("status") != "tobedeleted"


def enabled(row: Row) -> bool:
    return row.get("enabledUser") is not False


def folded(value: str | None) -> str:
    return (value or "").strip().lower()


# Who is who


def members(world: World) -> dict[str, list[Row]]:
    """The rows of each person of the roster: adults with one username and one name are one."""
    alike: dict[Any, list[Row]] = {}
    for row in filter(there, world.rows["users"]):
        known_by = tuple(folded(row.get(name)) for name in ("username", "givenName", "familyName"))
        is_adult = row["role"] != "student" and all(known_by)
        alike.setdefault(known_by if is_adult else row["sourcedId"], []).append(row)
    for known_by, rows in list(alike.items()):
        others = [
            other for other in alike.values() if other is not rows and any(is_child_of(rows[0], o) for o in other)
        ]
        if others:
            min(others, key=lambda other: first(other)["sourcedId"]).extend(alike.pop(known_by))
    return {first(rows)["sourcedId"]: rows for rows in alike.values()}


def is_child_of(row: Row, adult: Row) -> bool:
    """A student's row that is an adult's other one: the same number behind the role's letter, names and address."""
    numbers = [re.fullmatch("[a-z]([0-9]+)", each["sourcedId"]) for each in (row, adult)]
    same = [tuple(folded(each.get(name)) for name in ("givenName", "familyName", "email")) for each in (row, adult)]
    return (
        (row["role"], adult["role"] == "student") == ("student", False)
        and all(numbers)
        and numbers[0][1] == numbers[1][1]  # type: ignore[index]
        and same[0] == same[1]
        and all(same[0])
    )


def first(rows: list[Row]) -> Row:
    return min(rows, key=lambda row: (row["role"] != "teacher", row["sourcedId"]))


def keys(world: World, row: Row, kind: str) -> set[str]:
    """The keys of one kind that a roster's row has."""
    if kind.startswith("user_id:"):
        start = f"{{{kind.removeprefix('user_id:')}:"
        return {i.removeprefix(start)[:-1] for i in row.get("userIds") or () if i.startswith(start)}
    value = row.get({"sourced_id": "sourcedId"}.get(kind, kind))
    found = folded(value) if kind in ("email", "username") else value
    if not found or folded(found) in PLACEHOLDERS:
        return set()
    own = world.sso is not None and found.split("@")[-1] in world.sso.email_domains
    return {found} if kind != "email" or own else set()


def fitting(world: World, sign_in: Row) -> list[tuple[str, set[str]]]:
    """Each usable claim, in the district's order, with the persons whom it fits."""
    if world.sso is None or sign_in["provider"] != world.sso.provider:
        return []
    found = []
    for kind in world.sso.match:
        claim = sign_in.get("user_id" if kind.startswith("user_id:") else kind)
        if folded(claim) not in PLACEHOLDERS:
            value = folded(claim) if kind in ("email", "username") else claim
            people = members(world).items()
            found.append((kind, {p for p, rows in people if any(value in keys(world, row, kind) for row in rows)}))
    return found


def at_first_sight(world: World, sign_in: Row) -> str | None:
    """Whom a sign-in is whose subject nobody knows yet: whom its first claim that fits anybody fits alone."""
    for kind, persons in fitting(world, sign_in):
        if persons or kind == "sourced_id":
            return persons.pop() if len(persons) == 1 else None
    return None


def said(world: World, sign_in: Row) -> str | None:
    """Whom the first claim names that fits one person alone."""
    return next((min(persons) for _, persons in fitting(world, sign_in) if len(persons) == 1), None)


# What must hold


def counts_today(world: World, enrollment: Row) -> bool:
    begins, ends = enrollment.get("beginDate"), enrollment.get("endDate")
    return (
        there(enrollment)
        and (begins is None or begins <= world.today + world.terms.opens_days_before * DAY)
        and (ends is None or world.today < ends)
    )


def passes(found: list[str | None], patterns: tuple[str, ...]) -> bool:
    def fits(pattern: str) -> bool:
        return any(fnmatchcase(value.lower(), pattern.lower()) for value in found if value is not None)

    wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
    return (not wanted or any(map(fits, wanted))) and not any(fits(p[1:]) for p in patterns if p.startswith("!"))


def taken(world: World, school_class: Row) -> bool:
    """The class is in its terms, and one that the district takes."""
    sessions = [
        row
        for row in filter(there, world.rows["academicSessions"])
        if row["sourcedId"] in (school_class.get("termSourcedIds") or ())
    ]
    if sessions and not (
        min(row["startDate"] for row in sessions) - world.terms.opens_days_before * DAY
        <= world.today
        < max(row["endDate"] for row in sessions) + world.terms.archived_days_after * DAY
    ):
        return False
    courses = [row for row in world.rows["courses"] if row["sourcedId"] == school_class.get("courseSourcedId")]
    course = courses[0] if courses else {}
    orgs = [row for row in world.rows["orgs"] if row["sourcedId"] == school_class["schoolSourcedId"]]
    titles = [course.get("title"), course.get("courseCode")] if courses else [school_class.get("title")]
    return (
        there(school_class)
        and passes([school_class["schoolSourcedId"], *(org["identifier"] for org in orgs)], world.filters.schools)
        and passes(school_class.get("grades") or course.get("grades") or [], world.filters.grades)
        and passes(school_class.get("subjects") or course.get("subjects") or [], world.filters.subjects)
        and passes(titles, world.filters.courses)
    )


def teaches(world: World, rows: list[Row], school_class: Row) -> bool:
    return any(
        (n["userSourcedId"], n["classSourcedId"]) == (row["sourcedId"], school_class["sourcedId"])
        and (n["role"] == "teacher" or (row["role"], n["role"]) in AS_STAFF)
        and counts_today(world, n)
        for n in world.rows["enrollments"]
        for row in rows
    )


def students_of(world: World, in_class: str) -> set[str]:
    return {
        row["sourcedId"]
        for row in world.rows["users"]
        for n in world.rows["enrollments"]
        if (row["role"], n["role"]) == ("student", "student")
        and (n["userSourcedId"], n["classSourcedId"]) == (row["sourcedId"], in_class)
        and there(row)
        and enabled(row)
        and counts_today(world, n)
    }


def accounts_of(world: World, person: str, ids: set[str], who: Who) -> list[Row]:
    """The accounts that a person has linked; else those that were opened for them, by whatever id."""
    links = {row["account_id"] for row in world.rows["sign_in"] if who[row["sign_in_id"]] == person}
    linked = [row for row in world.rows["account"] if row["account_id"] in links]
    opened = [row for row in world.rows["account"] if row.get("provisioned_for") in ids]
    return linked or [{**row, "status": "closed"} if anothers(world, row) else row for row in opened]


def anothers(world: World, account: Row) -> bool:
    """The sourcedId that it was opened for is somebody else's now: neither first name nor address is the same."""
    return any(
        row["sourcedId"] == account["provisioned_for"]
        and there(row)
        and bool(account.get("given_name") and row.get("givenName"))
        and account["given_name"].strip().lower().split()[:1] != row["givenName"].strip().lower().split()[:1]
        and not (
            account.get("email")
            and row.get("email")
            and account["email"].strip().lower() == row["email"].strip().lower()
        )
        for row in world.rows["users"]
    )


def registered(world: World, rows: list[Row], accounts: list[Row]) -> set[tuple[str, int | None]]:
    """Product and account: by code, or by auto-registration for all that is licensed."""
    if world.registration == "access_code":
        active = {row["account_id"] for row in accounts if row["status"] == "active"}
        return {
            (code["product_id"], code["account_id"])
            for code in world.rows["access_code"]
            if code["account_id"] in active
        }
    order = ("active", "inactive", "closed")
    best = min(accounts, key=lambda row: (order.index(row["status"]), row["account_id"]), default=None)
    named = all(folded(first(rows).get(name)) for name in ("givenName", "familyName", "email"))
    if best and (best["status"] == "closed" or (best["status"] == "inactive" and not named)):
        return set()
    if best is None and not named:
        return set()
    account = best["account_id"] if best else None
    return {(licence["product_id"], account) for licence in world.rows["licence"]}


def covers(world: World, licence: Row, school: str, rows: list[Row], picked: set[str]) -> bool:
    """The licence is in force for the class's school, which is one of the teacher's."""
    nces = {
        org["sourcedId"]: org["identifier"]
        for org in filter(there, world.rows["orgs"])
        if org["identifier"] and len(org["identifier"]) == 12
    }
    own = {s for row in rows if row["role"] not in FAMILY for s in row["orgSourcedIds"]}
    by_choice = world.school_choice and not own & set(nces) and school not in nces
    return licence["starts_on"] <= world.today < licence["ends_on"] and (
        licence["school_nces_id"] is None
        or (school in own and nces.get(school) == licence["school_nces_id"])
        or (by_choice and licence["school_nces_id"] in picked)
    )


def linked(world: World, school_class: Row, product: str) -> bool:
    """A resource of the product is linked to the class, or to its course."""
    resources = {
        row["resourceSourcedId"]
        for table, key, of in (
            ("classResources", "classSourcedId", school_class["sourcedId"]),
            ("courseResources", "courseSourcedId", school_class.get("courseSourcedId")),
        )
        for row in filter(there, world.rows[table])
        if row[key] == of
    }
    vendors = {r["vendor_resource_id"] for r in world.rows["product_resource"] if r["product_id"] == product}
    return any(
        row["sourcedId"] in resources and row["vendorResourceId"] in vendors
        for row in filter(there, world.rows["resources"])
    )


def promised(world: World, who: Who, former: Mapping[str, set[str]]) -> Iterator[Access]:
    """Who may use what in which class, if seats were without number.

    Args:
        world: The district.
        who: The person that each sign-in is.
        former: By person, the ids by which they were known before, and which nobody has today.
    """
    for person, rows in members(world).items():
        signed_in = {sign_in for sign_in, found in who.items() if found == person}
        serves = world.stage != "testing" or any(row["sourcedId"] in world.pilots for row in rows)
        if not (signed_in and serves and any(enabled(r) and r["role"] in world.teaching_roles for r in rows)):
            continue
        ids = {row["sourcedId"] for row in rows} | former.get(person, set())
        picked = {r["school_nces_id"] for r in world.rows["school_choice"] if r["sign_in_id"] in signed_in}
        rights = registered(world, rows, accounts_of(world, person, ids, who))
        for school_class in world.rows["classes"]:
            if taken(world, school_class) and teaches(world, rows, school_class):
                for product, account in rights:
                    if world.registration == "auto_by_resource" and not linked(world, school_class, product):
                        continue
                    for licence in world.rows["licence"]:
                        if licence["product_id"] == product and covers(
                            world, licence, school_class["schoolSourcedId"], rows, picked
                        ):
                            pool = licence["school_nces_id"]
                            yield Access(school_class["sourcedId"], person, product, account, pool)
