"""What must hold for a row, each rule one Ibis expression that comes from the declaration of the standard.

The same expression is the pandera check and, only where that check fails, what finds the failing rows in DuckDB.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from roster_pipelines.oneroster.standard import SOURCED_ID, Column, Table
from roster_pipelines.staging.findings import Severity

DATE = "^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$"
YEAR = "^\\d{4}$"
NCES_ID = "^(\\d{7}|\\d{12})$"


@dataclass(frozen=True)
class RowRule:
    """One rule for the rows of one table.

    Attributes:
        rule: The rule's id, a key of `findings.RULES`.
        severity: `error` rejects the failing rows, `warning` keeps them.
        column: The column it is about.
        holds: From the raw table, a boolean per row, never NULL: the rule holds.
    """

    rule: str
    severity: Severity
    column: str
    holds: Callable[[ir.Table], ir.BooleanValue]

    @property
    def name(self) -> str:
        """The name of the pandera check."""
        return f"{self.rule}:{self.column}"


def rules_for(table: Table, accepted: Mapping[str, ir.Table]) -> list[RowRule]:
    """Derive a table's rules from its declaration.

    Args:
        table: The standard's table.
        accepted: The accepted rows by table name, of the tables that references are checked against. A table that
            is not in it came without rows: either it may (the guide's footnote on orgs and courses), or the delivery
            is refused for it. References to it check nothing.

    Returns:
        The rules, in the order of the columns.
    """
    rules: list[RowRule] = []
    for column in table.columns:
        if column.stored:
            rules += _column_rules(table, column, accepted)
    return rules + _table_rules(table)


def _column_rules(table: Table, column: Column, accepted: Mapping[str, ir.Table]) -> list[RowRule]:
    name = column.name
    serious: Severity = "error" if column.needed else "warning"
    rules: list[RowRule] = []
    if name in ("status", "dateLastModified"):
        rules.append(RowRule("delta-field-in-bulk", "warning", name, lambda t: _blank(t[name])))
    if column.required:
        rules.append(RowRule("value-missing", serious, name, lambda t: ~_blank(t[name])))
    if name == SOURCED_ID:
        rules.append(RowRule("id-doubled", "error", name, _first_of_its_id))
    match column.format:
        case "enumeration" | "boolean":
            rules.append(RowRule("value-unknown", serious, name, lambda t: _known(t[name], column, fold=True)))
            rules.append(
                RowRule(
                    "value-case",
                    "warning",
                    name,
                    lambda t: _known(t[name], column, fold=False) | ~_known(t[name], column, fold=True),
                )
            )
        case "date":
            rules.append(RowRule("date-unreadable", serious, name, lambda t: _is_date(t[name])))
        case "year":
            rules.append(RowRule("year-unreadable", serious, name, lambda t: _like(t[name], YEAR)))
        case "reference" if column.references == table.name:
            rules.append(RowRule("reference-nowhere", serious, name, lambda t: _resolves(t, column, t)))
        case "reference" if column.references in accepted:
            target = accepted[column.references]
            rules.append(RowRule("reference-nowhere", serious, name, lambda t: _resolves(t, column, target)))
        case _:
            pass
    return rules


def _table_rules(table: Table) -> list[RowRule]:
    names = {column.name for column in table.columns}
    if table.name == "orgs":
        return [
            RowRule(
                "nces-id-unlikely",
                "warning",
                "identifier",
                lambda t: _like(t.identifier, NCES_ID) | ~t.type.isin(("school", "district")).fill_null(False),
            )
        ]
    if {"subjects", "subjectCodes"} <= names:
        return [RowRule("subject-codes-length", "warning", "subjectCodes", _as_many_codes_as_subjects)]
    return []


def _blank(value: ir.StringValue) -> ir.BooleanValue:
    return value.fill_null("").strip() == ""


def _known(value: ir.StringValue, column: Column, *, fold: bool) -> ir.BooleanValue:
    text = value.fill_null("").strip().lower() if fold else value.fill_null("")
    values = [v.lower() for v in column.values] if fold else list(column.values)
    return _blank(value) | text.isin(values)


def _like(value: ir.StringValue, pattern: str) -> ir.BooleanValue:
    return _blank(value) | value.fill_null("").strip().re_search(pattern)


def _is_date(value: ir.StringValue) -> ir.BooleanValue:
    text = value.fill_null("").strip()
    return _blank(value) | (text.re_search(DATE) & text.try_cast("date").notnull())


def _first_of_its_id(t: ir.Table) -> ir.BooleanValue:
    firsts = t.filter(t[SOURCED_ID].notnull()).group_by(SOURCED_ID).agg(first=ibis._._line.min())
    return _blank(t[SOURCED_ID]) | t._line.isin(firsts.first)


def _resolves(t: ir.Table, column: Column, target: ir.Table) -> ir.BooleanValue:
    known = target.filter(target[SOURCED_ID].notnull())[SOURCED_ID]
    if not column.many:
        return _blank(t[column.name]) | t[column.name].fill_null("").isin(known)
    items = t.filter(~_blank(t[column.name])).select("_line", item=t[column.name].split(",").unnest())
    astray = items.filter(~items.item.strip().isin(known) & (items.item.strip() != ""))
    return ~t._line.isin(astray._line)


def _as_many_codes_as_subjects(t: ir.Table) -> ir.BooleanValue:
    subjects, codes = (
        t.subjects.fill_null("").split(",").length(),
        t.subjectCodes.fill_null("").split(",").length(),
    )
    return (_blank(t.subjects) & _blank(t.subjectCodes)) | (
        ~_blank(t.subjects) & ~_blank(t.subjectCodes) & (subjects == codes)
    )
