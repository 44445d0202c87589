"""What the form of a delivered text must be, by the format of its column; each rule is one Ibis expression."""

from collections.abc import Callable
from functools import reduce

import ibis
import ibis.expr.types as ir

from roster_pipelines.findings import Severity
from roster_pipelines.oneroster.shape import Column, Format, Table, Version
from roster_pipelines.staging.schema import Holds
from roster_pipelines.staging.values import duckdb_type, macro, reads

Value = Callable[[ir.Table], ir.Value]
"""From a raw table, what each text of a column stands for."""
Form = tuple[str, Severity, Holds]
"""A rule's id, its severity, and whether it holds."""

CHARACTERS_OF_AN_ID = r"^[0-9A-Za-z._/@-]+$"
MOST_CHARACTERS_OF_AN_ID = 255
GRADES = (
    "IT", "PR", "PK", "TK", "KG", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13",
    "PS", "UG", "Other",
)  # fmt: skip
"""The grade codes that 1.1 takes from CEDS."""
_USER_ID = r"^\{[^{}:,]+:[^{}:,]+\}$"


def forms(column: Column, serious: Severity, value: Value, version: Version) -> list[Form]:
    """Give the rules of a column's form.

    Args:
        column: The column.
        serious: How bad it is where there is no value then.
        value: What the texts stand for.
        version: The OneRoster version.
    """
    if column.many:
        return _OF_LISTS.get(column.format, _list)(column, serious, value)
    found = _OF_FORMAT.get(column.format, _text)(column, serious, value)
    if may_be_extended(column, version):
        found.append(("value-extension", "info", lambda t: value(t).isnull() | ~value(t).startswith("ext:")))
    return found


def value_of(table: Table, column: Column) -> Value:
    """Give what a column's texts stand for, as an expression; `values` defines it."""
    kinds = {"boolean": "string", "date": "date", "datetime": "timestamp('UTC')", "year": "int32"}
    kind = "array<string>" if duckdb_type(column) == "VARCHAR[]" else kinds.get(column.format, "string")
    call = _call(macro(table, column), kind, len(reads(column)))
    return lambda t: call(*(t[name] for name in reads(column)))


def may_be_extended(column: Column, version: Version) -> bool:
    """Say whether the standard allows `ext:` values that the product can do without."""
    return column.extensible and version == "1.2" and not column.needed


def blank(value: ir.Value) -> ir.BooleanValue:
    """Say whether a text has nothing in it but blanks."""
    return tidy(value).isnull()


def all_distinct(t: ir.Table, *keys: ir.Value) -> ir.BooleanValue:
    """Say of every row alike whether no two rows have the same keys, all of them; a quick look that may say no wrongly.

    Numbers are quicker to count than texts, and two texts that differ hardly ever have the same hash.
    """
    # A key that is NULL makes the whole NULL, and so it does not count.
    rows = t.select(whole=reduce(lambda one, other: one + "," + other, keys)).drop_null()
    rows = rows.select(key=rows.whole.hash())
    return t._line.notnull() & rows.aggregate(distinct=rows.key.nunique() == rows.key.count()).as_scalar()


def _call(name: str, returns: str, arguments: int = 1) -> Callable[..., ir.Value]:
    """Make a DuckDB function of one or two texts known to Ibis."""

    def of_one(v: object) -> None: ...
    def of_two(v: object, kind: object) -> None: ...

    of = of_one if arguments == 1 else of_two
    call: Callable[..., ir.Value] = ibis.udf.scalar.builtin(of, name=name, signature=(("string",) * arguments, returns))
    return call


tidy = _call("tidy", "string")
items = _call("items", "array<string>")
_of_a_spreadsheet = _call("of_a_spreadsheet", "boolean")
_nces_id = _call("nces_id", "string", 2)


def _readable(column: Column, value: Value) -> Holds:
    return lambda t: blank(t[column.name]) | value(t).notnull()


def _as_written(column: Column, value: Value) -> Holds:
    return lambda t: value(t).isnull() | (value(t).cast("string") == t[column.name].fill_null(""))


def _whole(column: Column) -> Holds:
    return lambda t: ~_of_a_spreadsheet(tidy(t[column.name]))


def _each(value: Value, item: Callable[[ir.Value], ir.BooleanValue]) -> Holds:
    return lambda t: value(t).filter(lambda i: ~item(i)).length().fill_null(0) == 0


def _no_empty_item(column: Column) -> Form:
    def holds(t: ir.Table) -> ir.BooleanValue:
        text = t[column.name]
        return blank(text) | (text.fill_null("").split(",").length() == items(text).length())

    return ("list-item-empty", "warning", holds)


def _text(column: Column, serious: Severity, value: Value) -> list[Form]:  # noqa: ARG001 - one of many alike
    return [("value-spreadsheet", serious, _whole(column))]


def _id(column: Column, serious: Severity, value: Value) -> list[Form]:
    short = MOST_CHARACTERS_OF_AN_ID
    return [
        *_reference(column, serious, value),
        ("id-characters", "warning", lambda t: value(t).isnull() | value(t).re_search(CHARACTERS_OF_AN_ID)),
        ("id-length", "warning", lambda t: value(t).isnull() | (value(t).length() <= short)),
    ]


def _reference(column: Column, serious: Severity, value: Value) -> list[Form]:
    return [("value-spreadsheet", serious, _whole(column)), ("value-blanks", "warning", _as_written(column, value))]


def _enumeration(column: Column, serious: Severity, value: Value) -> list[Form]:
    return [
        ("value-unknown", serious, _readable(column, value)),
        ("value-case", "warning", _as_written(column, value)),
    ]


def _date(column: Column, serious: Severity, value: Value) -> list[Form]:
    return [
        ("date-unreadable", serious, _readable(column, value)),
        ("date-form", "warning", _as_written(column, value)),
    ]


def _datetime(column: Column, serious: Severity, value: Value) -> list[Form]:
    return [("datetime-unreadable", serious, _readable(column, value))]


def _year(column: Column, serious: Severity, value: Value) -> list[Form]:
    return [("year-unreadable", serious, _readable(column, value))]


def _email(column: Column, serious: Severity, value: Value) -> list[Form]:
    return [("email-unlikely", serious, _readable(column, value))]


def _nces(column: Column, serious: Severity, value: Value) -> list[Form]:
    """An NCES id is asked of schools and districts only; whatever else stands there is kept."""

    def meant(t: ir.Table) -> ir.BooleanValue:
        return ~blank(t[column.name]) & _whole(column)(t) & tidy(t.type).lower().isin(("school", "district"))

    def is_one(t: ir.Table) -> ir.BooleanValue:
        return _nces_id(tidy(t[column.name]), t.type).notnull()

    return [
        ("value-spreadsheet", serious, _whole(column)),
        ("nces-id-unlikely", "warning", lambda t: ~meant(t).fill_null(False) | is_one(t)),
        ("nces-id-form", "warning", lambda t: ~is_one(t) | (value(t) == tidy(t[column.name])).fill_null(True)),
    ]


def _list(column: Column, serious: Severity, value: Value) -> list[Form]:  # noqa: ARG001 - one of many alike
    return [_no_empty_item(column)]


def _references(column: Column, serious: Severity, value: Value) -> list[Form]:
    def no_blanks(t: ir.Table) -> ir.BooleanValue:
        return blank(t[column.name]) | ~t[column.name].re_search(r"(^|,)\s|\s(,|$)")

    return [("value-blanks", "warning", no_blanks), *_list(column, serious, value)]


def _enumerations(column: Column, serious: Severity, value: Value) -> list[Form]:
    return [("value-unknown", serious, _each(value, lambda i: i.notnull())), _no_empty_item(column)]


def _grades(column: Column, serious: Severity, value: Value) -> list[Form]:
    return [
        ("grade-form", serious, lambda t: value(t).join(",") == items(t[column.name]).join(",")),
        ("grade-unknown", serious, _each(value, lambda i: i.isin(GRADES))),
        _no_empty_item(column),
    ]


def _user_ids(column: Column, serious: Severity, value: Value) -> list[Form]:
    return [("user-ids-form", serious, _each(value, lambda i: i.re_search(_USER_ID))), _no_empty_item(column)]


_Forms = Callable[[Column, Severity, Value], list[Form]]
_OF_FORMAT: dict[Format, _Forms] = {
    "id": _id,
    "reference": _reference,
    "enumeration": _enumeration,
    "boolean": _enumeration,
    "date": _date,
    "datetime": _datetime,
    "year": _year,
    "email": _email,
    "nces_id": _nces,
}
_OF_LISTS: dict[Format, _Forms] = {
    "reference": _references,
    "enumeration": _enumerations,
    "grades": _grades,
    "user_ids": _user_ids,
}
