"""What must hold for an accepted row against the whole roster. All of it costs a warning and nothing else.

The rules read the roster's typed tables: rows that this delivery brought are held against all that are there, also
against those that came with earlier deliveries.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache

import ibis
import ibis.expr.types as ir

from roster_pipelines.oneroster.shape import SOURCED_ID, Table
from roster_pipelines.oneroster.standard import ROSTER
from roster_pipelines.staging.expressions import active, first_of, ids, not_in, of_roster, true
from roster_pipelines.staging.forms import all_distinct
from roster_pipelines.staging.rejects import TEACHER
from roster_pipelines.staging.schema import KEPT, RowRule

LONG_ENDED = timedelta(days=365)

Roster = frozenset[str]
"""The names of the tables of the roster that have rows, and of 1.2's new files."""
Holds = Callable[[ir.Table], ir.BooleanValue]


def parent_cycles(table: Table) -> str:
    """Write the SQL that finds the records from which parents lead back to themselves; gives `cycle_<table>`."""
    # UNION, not UNION ALL: a walk that comes to where it was ends.
    return f"""
CREATE TEMP TABLE cycle_{table.name} AS
WITH RECURSIVE up AS (
    SELECT "sourcedId" AS began, "parentSourcedId" AS reached FROM main."{table.name}"
    WHERE "parentSourcedId" IS NOT NULL
    UNION
    SELECT up.began, t."parentSourcedId" FROM up JOIN main."{table.name}" t ON t."sourcedId" = up.reached
    WHERE t."parentSourcedId" IS NOT NULL
)
SELECT began AS "sourcedId" FROM up WHERE began = reached
"""


@lru_cache(KEPT)
def rows_across(table: Table) -> ir.Table:
    """The rows that `rules_across` are held against; those of earlier deliveries have line 0."""
    rows = of_roster(table.name)
    rows = rows.filter((rows.status != "tobedeleted").fill_null(True))
    return rows.mutate(_line=rows._delivery.isnull().ifelse(rows._line, 0))


@lru_cache(KEPT)
def rules_across(table: Table, roster: Roster, today: date) -> tuple[RowRule, ...]:
    """Give the rules for a table's accepted rows; `parent_cycles` are to be there, where the table has parents.

    Args:
        table: The standard's table.
        roster: What else there is to hold them against.
        today: The date, for what has ended long ago.
    """
    names = {column.name for column in table.columns}
    rules: list[RowRule] = []
    if table.name in ROSTER:
        for column in table.of("1.1"):
            if column.references == table.name:
                rules.append(_to_itself(column.name, many=column.many, table=table.name))
    if "parentSourcedId" in names:
        cycles = ibis.table({SOURCED_ID: "string"}, name=f"cycle_{table.name}")
        rules.append(_warning("parent-cycle", "parentSourcedId", lambda t: ~t[SOURCED_ID].isin(cycles[SOURCED_ID])))
    for begin, end in (("startDate", "endDate"), ("beginDate", "endDate")):
        if {begin, end} <= names:
            rules.append(_in_order(begin, end))
    if table.name in _OF_TABLE:
        rules += _OF_TABLE[table.name](roster, today)
    return tuple(replace(rule if rule.of_earlier_rows else _of_new_rows(rule), alone=True) for rule in rules)


def _of_new_rows(rule: RowRule) -> RowRule:
    return replace(rule, holds=lambda t: rule.holds(t) | (t._line == 0))


def _in_order(begin: str, end: str) -> RowRule:
    return _warning("dates-reversed", end, lambda t: (t[begin] < t[end]).fill_null(True))


def _not_deleted(column: str, deleted: ir.Value) -> RowRule:
    return RowRule("reference-deleted", "warning", column, lambda t: ~t[column].isin(deleted), of_earlier_rows=True)


def _warning(rule: str, column: str, holds: Holds, refers_to: str = "") -> RowRule:
    return RowRule(rule, "warning", column, holds, refers_to)


def _orgs(_: Roster, __: date) -> list[RowRule]:
    def of_its_district(t: ir.Table) -> ir.BooleanValue:
        schools, parents = of_roster("orgs"), of_roster("orgs").view()
        astray = schools.join(parents, schools.parentSourcedId == parents.sourcedId).filter(
            (schools.type == "school")
            & (parents.type == "district")
            & schools.identifier.re_search(r"^\d{12}$")
            & parents.identifier.re_search(r"^\d{7}$")
            & (schools.identifier.substr(0, 7) != parents.identifier)
        )
        return ~t[SOURCED_ID].isin(astray[SOURCED_ID])

    return [_warning("nces-id-elsewhere", "identifier", of_its_district)]


def _courses(roster: Roster, _: date) -> list[RowRule]:
    if "academicSessions" not in roster:
        return []
    others = ids(of_roster("academicSessions").filter(~true(ibis._.type == "schoolYear")))
    return [_warning("session-not-a-year", "schoolYearSourcedId", lambda t: not_in(t.schoolYearSourcedId, others))]


def _users(roster: Roster, _: date) -> list[RowRule]:
    rules = [
        _warning("username-doubled", "username", lambda t: first_of(t, t.username.lower())),
        _warning("email-doubled", "email", lambda t: first_of(t, t.email.lower())),
    ]
    if "roles" in roster:
        rules.append(_warning("primary-org-without-role", "primaryOrgSourcedId", _has_role))
    return rules


def _classes(roster: Roster, _: date) -> list[RowRule]:
    rules = []
    if "orgs" in roster:
        others = ids(of_roster("orgs").filter(~true((ibis._.type == "school") | ibis._.type.startswith("ext:"))))
        rules.append(_warning("org-not-a-school", "schoolSourcedId", lambda t: not_in(t.schoolSourcedId, others)))
    if "enrollments" in roster:
        taught = active(of_roster("enrollments")).filter(ibis._.role == "teacher").classSourcedId
        rules.append(
            RowRule(
                "class-without-teacher",
                "warning",
                "",
                lambda t: t[SOURCED_ID].isin(taught),
                refers_to=TEACHER,
                refers_by=SOURCED_ID,
                of_earlier_rows=True,
            )
        )
    return rules


def _enrollments(roster: Roster, today: date) -> list[RowRule]:
    pairs = ("classSourcedId", "userSourcedId", "role")
    rules = [
        RowRule(
            "enrollment-doubled",
            "warning",
            "",
            lambda t: first_of(t, *(t[name] for name in pairs)),
            quick=lambda t: all_distinct(t, *(t[name] for name in pairs)),
        ),
        _warning("primary-not-a-teacher", "primary", lambda t: ~true(t.primary) | (t.role == "teacher")),
        _warning("primary-doubled", "primary", _first_primary),
        _warning(
            "enrollment-long-ended",
            "endDate",
            lambda t: t.endDate.isnull() | (t.endDate >= ibis.literal(today - LONG_ENDED)),
        ),
    ]
    if "users" in roster:
        students = ids(of_roster("users").filter(ibis._.role == "student"))
        rules.append(
            _warning("staff-as-student", "role", lambda t: (t.role != "student") | t.userSourcedId.isin(students))
        )
    for column, name in (("classSourcedId", "classes"), ("userSourcedId", "users")):
        if name in roster:
            deleted = ids(of_roster(name).filter(true(ibis._.status == "tobedeleted")))
            rules.append(_not_deleted(column, deleted))
    if "classes" in roster:
        rules.append(_at_its_school("schoolSourcedId", roster))
    if {"classes", "academicSessions"} <= roster:
        rules.append(_warning("enrollment-outside-term", "", _within_term))
    return rules


def _roles(roster: Roster, _: date) -> list[RowRule]:
    def first_primary(t: ir.Table) -> ir.BooleanValue:
        primary = t.filter(ibis._.roleType == "primary")
        return (t.roleType != "primary").fill_null(True) | first_of(
            primary, primary.userSourcedId, primary.orgSourcedId, of=t
        )

    rules = [_warning("role-primary-doubled", "roleType", first_primary)]
    if "userProfiles" in roster:
        profiles = of_roster("userProfiles")
        owners = profiles.select(profile=profiles[SOURCED_ID], owner=profiles.userSourcedId)
        rules.append(
            _warning(
                "profile-of-another",
                "userProfileSourcedId",
                lambda t: (
                    ~t._line.isin(
                        t.join(owners, t.userProfileSourcedId == owners.profile)
                        .filter(ibis._.owner != ibis._.userSourcedId)
                        ._line
                    )
                ),
            )
        )
    return rules


def _user_resources(roster: Roster, _: date) -> list[RowRule]:
    rules = []
    if "enrollments" in roster:
        rules.append(_warning("resource-outside-class", "classSourcedId", _enrolled))
    if "classes" in roster:
        rules.append(_at_its_school("orgSourcedId", roster))
    return rules


_OF_TABLE: dict[str, Callable[[Roster, date], list[RowRule]]] = {
    "orgs": _orgs,
    "courses": _courses,
    "users": _users,
    "classes": _classes,
    "enrollments": _enrollments,
    "roles": _roles,
    "userResources": _user_resources,
}


def _first_primary(t: ir.Table) -> ir.BooleanValue:
    primary = t.filter(true(ibis._.primary) & (ibis._.role == "teacher"))
    return ~true(t.primary) | first_of(primary, primary.classSourcedId, own=primary.userSourcedId, of=t)


def _to_itself(name: str, *, many: bool, table: str) -> RowRule:
    def holds(t: ir.Table) -> ir.BooleanValue:
        known = t.view()[SOURCED_ID]
        if not many:
            return t[name].isnull() | t[name].fill_null("").isin(known)
        items = t.filter(ibis._[name].length() > 0).select("_line", item=ibis._[name].unnest())
        return ~t._line.isin(items.filter(~items.item.isin(known))._line)

    return _warning("reference-nowhere", name, holds, table)


def _at_its_school(school: str, roster: Roster) -> RowRule:
    """The school that a row names must be that of the class that it names."""

    def holds(t: ir.Table) -> ir.BooleanValue:
        classes = of_roster("classes")
        schools = classes.select(class_id=classes[SOURCED_ID], school=classes.schoolSourcedId)
        elsewhere = t.join(schools, t.classSourcedId == schools.class_id).filter(ibis._.school != ibis._[school])
        if "orgs" in roster:
            # That a school is not there is told already.
            elsewhere = elsewhere.filter(elsewhere[school].isin(ids(of_roster("orgs"))))
        return ~t._line.isin(elsewhere._line)

    return _warning("school-differs", school, holds)


def _within_term(t: ir.Table) -> ir.BooleanValue:
    """The enrollment's dates within the first and the last day of its class's sessions."""
    classes, sessions = of_roster("classes"), of_roster("academicSessions")
    terms = classes.select(class_id=classes[SOURCED_ID], term=classes.termSourcedIds.unnest())
    spans = (
        terms.join(sessions, terms.term == sessions.sourcedId)
        .group_by("class_id")
        .agg(first=ibis._.startDate.min(), after=ibis._.endDate.max())
    )
    outside = t.join(spans, t.classSourcedId == spans.class_id).filter(
        true(ibis._.beginDate < ibis._.first) | true(ibis._.endDate > ibis._.after)
    )
    return ~t._line.isin(outside._line)


def _has_role(t: ir.Table) -> ir.BooleanValue:
    roles = of_roster("roles")
    held = roles.select(person=roles.userSourcedId, org=roles.orgSourcedId).distinct()
    there = t.join(held, (t[SOURCED_ID] == held.person) & (t.primaryOrgSourcedId == held.org))
    return t.primaryOrgSourcedId.isnull() | t._line.isin(there._line)


def _enrolled(t: ir.Table) -> ir.BooleanValue:
    enrollments = of_roster("enrollments")
    seats = enrollments.select(person=enrollments.userSourcedId, seat=enrollments.classSourcedId).distinct()
    there = t.join(seats, (t.userSourcedId == seats.person) & (t.classSourcedId == seats.seat))
    return t.classSourcedId.isnull() | t._line.isin(there._line)
