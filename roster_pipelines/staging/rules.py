"""What must hold for a delivered row by itself and towards the tables before it: rules from the declaration.

They read the delivered texts. What is held against the whole roster is in `across`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import ibis
import ibis.expr.types as ir

from roster_pipelines.findings import Severity
from roster_pipelines.oneroster.manifest import Mode
from roster_pipelines.oneroster.rest import COMMA_IN_ITEM
from roster_pipelines.oneroster.shape import SOURCED_ID, Column, Table, Version
from roster_pipelines.staging.expressions import of_roster
from roster_pipelines.staging.forms import (
    CHARACTERS_OF_AN_ID,
    GRADES,
    MOST_CHARACTERS_OF_AN_ID,
    Value,
    all_distinct,
    blank,
    forms,
    items,
    may_be_extended,
    tidy,
    value_of,
)
from roster_pipelines.staging.roles import ROLE
from roster_pipelines.staging.schema import KEPT, Holds, RowRule


@dataclass(frozen=True)
class Delivered:
    """What a table's rules depend on beside its declaration.

    Attributes:
        version: The OneRoster version.
        mode: Bulk or delta.
        absent: Columns that the file lacks; that was told once, so that nothing is told of their rows.
        roster: The names of the roster's tables so far. A table that is not in it came without rows: either it may (the
            guide's footnote on orgs and courses), or the delivery is refused for it. References to it check nothing.
    """

    version: Version
    mode: Mode
    absent: frozenset[str] = frozenset()
    roster: frozenset[str] = frozenset()


@lru_cache(KEPT)
def rules_for(table: Table, delivered: Delivered) -> tuple[RowRule, ...]:
    """Derive a table's rules from its declaration, in the order of the columns.

    They are kept, as the SQL of rules is: that is found again by the very same rules only.
    """
    rules: list[RowRule] = []
    for column in table.of(delivered.version):
        if column.stored:
            found = _rules(table, column, delivered)
            rules += [r for r in found if r.severity == "error" or column.name not in delivered.absent]
    if {"subjects", "subjectCodes"} <= {column.name for column in table.columns} - delivered.absent:
        rules.append(RowRule("subject-codes-length", "warning", "subjectCodes", _as_many_codes_as_subjects, alone=True))
    if table.name == "users" and delivered.version == "1.2" and "role" not in delivered.absent:
        has_role = _unless_deleted(table, lambda t: ~blank(t.role))
        rules.append(RowRule("role-missing", "error", "", has_role, refers_to=ROLE, refers_by=SOURCED_ID))
    if table.name == "enrollments" and "users" in delivered.roster:
        students = of_roster("users").filter(ibis._.role == "student")[SOURCED_ID]
        rules.append(
            RowRule("student-as-teacher", "error", "role", lambda t: _no_teacher_among(t, students), alone=True)
        )
    return tuple(rules)


@lru_cache(KEPT)
def plain_columns(table: Table, delivered: Delivered) -> Mapping[str, Holds]:
    """Say of each column what a text is that breaks none of its rules, but for those about other rows and tables.

    It is written exactly as its value, a list has one item, or it is not there where it need not be. Hardly a column of
    a good file is anything else, which saves looking at its rules one by one.
    """
    return {column.name: _plain(table, column, delivered) for column in table.of(delivered.version) if column.stored}


def _plain(table: Table, column: Column, delivered: Delivered) -> Holds:
    name, as_it_is = column.name, _as_it_is(table, column, delivered)
    must_be_there = column.required or (delivered.mode == "delta" and name in ("status", "dateLastModified"))

    def plain(t: ir.Table) -> ir.BooleanValue:
        found = (t[name].isnull() & t[name].notnull()) if as_it_is is None else as_it_is(t).fill_null(False)
        return found if must_be_there else found | t[name].isnull()

    return plain


def _as_it_is(table: Table, column: Column, delivered: Delivered) -> Holds | None:
    """Say of a text that is there whether it is plain; None where only the rules can tell."""
    name, value = column.name, value_of(table, column)
    if column.references in delivered.roster and column.references != table.name:
        known = of_roster(column.references)[SOURCED_ID]
        return lambda t: t[name].isin(known)  # the known ids are clean
    if (name == "status" and not table.api) or may_be_extended(column, delivered.version):
        return None
    if column.many:
        return {
            "grades": lambda t: t[name].isin(GRADES),
            "text": lambda t: ~t[name].contains(",") & ~t[name].contains(COMMA_IN_ITEM) & (tidy(t[name]) == t[name]),
        }.get(column.format)
    short = MOST_CHARACTERS_OF_AN_ID
    return {
        "id": lambda t: t[name].re_search(CHARACTERS_OF_AN_ID) & (t[name].length() <= short),
        "enumeration": lambda t: t[name].isin(column.values),
        "boolean": lambda t: t[name].isin(column.values),
        "date": lambda t: t[name].try_cast("date").cast("string") == t[name],
        **dict.fromkeys(("text", "reference", "email"), lambda t: value(t) == t[name]),
    }.get(column.format)


def _rules(table: Table, column: Column, delivered: Delivered) -> list[RowRule]:
    """The rules of one column: its presence, its form, its reference."""
    name, value = column.name, value_of(table, column)
    serious: Severity = "error" if column.needed else "warning"
    rules: list[RowRule] = []

    def rule(rule_id: str, severity: Severity, holds: Holds) -> None:
        rules.append(RowRule(rule_id, severity, name, holds))

    if name in ("status", "dateLastModified") and delivered.mode == "delta":
        rule("delta-field-missing", "warning", lambda t: ~blank(t[name]))
    elif name in ("status", "dateLastModified") and not table.api:
        rule("delta-field-in-bulk", "warning", lambda t: blank(t[name]))
    if column.required:
        rule("value-missing", serious, lambda t: ~blank(t[name]))
    if name != "dateLastModified" or delivered.mode == "delta":
        for form in forms(column, serious, value, delivered.version):
            rule(*form)
    if name == SOURCED_ID:
        return rules + _distinct(value)
    if column.format == "reference" and column.references in delivered.roster and column.references != table.name:
        rules.append(_resolving(column, serious, value, of_roster(column.references)))
    if name == "status":
        return rules
    # A record that is to be deleted needs its id and nothing else.
    return [_exempt(table, r) for r in rules]


def _exempt(table: Table, rule: RowRule) -> RowRule:
    return RowRule(**{**vars(rule), "holds": _unless_deleted(table, rule.holds)})


def _unless_deleted(table: Table, holds: Holds) -> Holds:
    status = value_of(table, next(column for column in table.columns if column.name == "status"))
    return lambda t: holds(t) | (status(t) == "tobedeleted").fill_null(False)


def _distinct(value: Value) -> list[RowRule]:
    """Ids must be distinct, and should be so but for case; where they are without case, both hold."""

    def without_case(t: ir.Table) -> ir.BooleanValue:
        return _first_of_its_kind(t, value(t).lower())

    def with_case(t: ir.Table) -> ir.BooleanValue:
        return _first_of_its_kind(t, value(t))

    def surely_distinct(t: ir.Table) -> ir.BooleanValue:
        return all_distinct(t, value(t).lower())

    def by_case_only(t: ir.Table) -> ir.BooleanValue:
        return without_case(t) | ~with_case(t)

    return [
        RowRule("id-doubled", "error", SOURCED_ID, with_case, alone=True, quick=surely_distinct),
        RowRule("id-case", "warning", SOURCED_ID, by_case_only, alone=True, quick=surely_distinct),
    ]


def _first_of_its_kind(t: ir.Table, ids: ir.Value) -> ir.BooleanValue:
    rows = t.select("_line", id=ids).drop_null("id")
    crowded = rows.group_by("id").agg(first=ibis._._line.min(), n=ibis._._line.count()).filter(ibis._.n > 1)
    return ~t._line.isin(rows.join(crowded, "id").filter(ibis._._line > ibis._.first)._line)


def _resolving(column: Column, serious: Severity, value: Value, target: ir.Table) -> RowRule:
    """A reference must name a record. The known ids have no blanks: a text that is one needs no second look."""
    name, known = column.name, target[SOURCED_ID]

    def quick(t: ir.Table) -> ir.BooleanValue:
        return t[name].isnull() if column.many else t[name].isnull() | t[name].fill_null("").isin(known)

    def one(t: ir.Table) -> ir.BooleanValue:
        return value(t).isnull() | value(t).fill_null("").isin(known)

    def each(t: ir.Table) -> ir.BooleanValue:
        # Few texts are different: a school's people share its id.
        texts = t.filter(~blank(t[name])).select(text=t[name]).distinct()
        found = texts.mutate(item=items(texts.text).unnest())
        return ~t[name].fill_null("").isin(found.filter(~found.item.isin(known)).text)

    holds = each if column.many else one
    return RowRule("reference-nowhere", serious, name, holds, refers_to=column.references, alone=True, quick=quick)


def _no_teacher_among(t: ir.Table, students: ir.Value) -> ir.BooleanValue:
    teachers = t.filter((tidy(t.role).lower() == "teacher").fill_null(False))
    return ~t._line.isin(teachers.filter(tidy(teachers.userSourcedId).isin(students))._line)


def _as_many_codes_as_subjects(t: ir.Table) -> ir.BooleanValue:
    return items(t.subjects).length() == items(t.subjectCodes).length()
