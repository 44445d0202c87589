"""Expressions that several rules are made of, over the typed rows of a roster."""

from functools import cache

import ibis
import ibis.expr.types as ir

from roster_pipelines.oneroster.shape import SOURCED_ID
from roster_pipelines.oneroster.standard import TABLES
from roster_pipelines.staging.values import duckdb_type

_TYPES = {
    "VARCHAR": "string",
    "VARCHAR[]": "array<string>",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP WITH TIME ZONE": "timestamp('UTC')",
    "INTEGER": "int32",
}
"""Of DuckDB's types, what Ibis calls them."""


@cache
def of_roster(name: str) -> ir.Table:
    """A table of the roster, of any staging: rules over it are the same for every delivery."""
    types = {column.name: _TYPES[duckdb_type(column)] for column in TABLES[name].columns if column.stored}
    return ibis.table({"_line": "int64", "_delivery": "string", **types}, name=name, database="main")


def true(value: ir.BooleanValue) -> ir.BooleanValue:
    """Read a boolean that is not known as false."""
    return value.fill_null(False)


def ids(table: ir.Table) -> ir.Value:
    """The ids of a table's records."""
    return table[SOURCED_ID]


def active(table: ir.Table) -> ir.Table:
    """The records that are not marked as deleted."""
    return table.filter(~true(ibis._.status == "tobedeleted"))


def not_in(value: ir.Value, others: ir.Value) -> ir.BooleanValue:
    """Say that a value is none of these, or not there."""
    return value.isnull() | ~value.fill_null("").isin(others)


def first_of(t: ir.Table, *keys: ir.Value, own: ir.Value | None = None, of: ir.Table | None = None) -> ir.BooleanValue:
    """Say of each row that no earlier one has the same keys; with `own`, no earlier one that differs in it."""
    named = {f"key_{number}": key for number, key in enumerate(keys)}
    rows = t.select("_line", **named, **({} if own is None else {"own": own})).drop_null(list(named))
    groups = rows.group_by(list(named)).agg(
        first=ibis._._line.min(), n=ibis._._line.count() if own is None else ibis._.own.nunique()
    )
    crowded = groups.filter(ibis._.n > 1)
    later = rows.join(crowded, list(named)).filter(ibis._._line > ibis._.first)
    return ~(t if of is None else of)._line.isin(later._line)
