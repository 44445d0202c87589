"""The same tables through a OneRoster API: which collections give them, and what a CSV would hold for a JSON record.

All of it comes from the declaration. Facts: sections 4 of 1EdTech's REST bindings of 1.1 and 1.2. A reference `org` is
the column `orgSourcedId`, a list `terms` is `termSourcedIds`, and what has a file of its own in CSV may be a list in
the records of another collection. Servers differ from the standard in how they write values: booleans and numbers for
texts, one value for a list of one, a bare id for a reference, null, nothing or "" where there is no value.
"""

from dataclasses import dataclass

from roster_pipelines.oneroster.shape import SOURCED_ID, Column, Registration, Table, Version
from roster_pipelines.oneroster.standard import TABLES

SUFFIX = ".ndjson.zst"
"""A collection's file: one record a line, compressed by Zstandard, in as many frames as it came in pages."""

COMMA_IN_ITEM = "\x1f"
"""What stands for a comma within an item of a list, which a comma would end. In a CSV no item can have one."""

OF_THE_RECORD = (SOURCED_ID, "status", "dateLastModified")
"""What every record has. A row of a list in it has no id of its own, and takes the others from the record."""


@dataclass(frozen=True)
class Source:
    """Where an API has the rows of a table.

    Attributes:
        collection: The collection.
        list: The key of the list in its records that has a row in each item; blank where each record is a row.
        owner: The column that names the record whose list it is.
        known_by: With the owner, the columns by which a row is told from the others.
    """

    collection: str
    list: str = ""
    owner: str = ""
    known_by: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """The name of the file in a delivery."""
        return f"{self.collection}{SUFFIX}"


_LISTS = {
    "userProfiles": Source("users", "userProfiles", "userSourcedId"),
    "roles": Source("users", "roles", "userSourcedId", ("orgSourcedId", "role", "beginDate")),
    "classResources": Source("classes", "resources", "classSourcedId", ("resourceSourcedId",)),
    "courseResources": Source("courses", "resources", "courseSourcedId", ("resourceSourcedId",)),
    "userResources": Source("users", "resources", "userSourcedId"),
}
_KEYS = {"preferredGivenName": "preferredFirstName", "preferredFamilyName": "preferredLastName"}
"""Columns that 1.2's JSON knows by another name."""
# Without its schools a district cannot be rostered; that exporters leave orgs.csv empty is a habit of CSV only.
_ALWAYS = "orgs"


def collections(registration: Registration) -> dict[str, bool]:
    """Name the collections to pull, in order; by each, whether a district cannot do without it."""
    return {
        table.name: table.name == _ALWAYS or table.needs_file(registration)
        for table in TABLES.values()
        if table.name not in _LISTS
    }


def dropped(collection: str) -> frozenset[str]:
    """Name the keys of a collection's records that must never be stored: what is secret, and what nobody uses."""
    of_columns = {_key(column) for column in TABLES[collection].columns if not column.stored}
    of_lists = {
        source.list
        for name, source in _LISTS.items()
        if source.collection == collection and TABLES[name].needed == "never"
    }
    return frozenset(of_columns | of_lists)


def source(table: Table) -> Source | None:
    """Say where a table's rows are; None for one that is not read through an API."""
    return None if table.needed == "never" else _LISTS.get(table.name, Source(table.name))


def in_lists(table: Table) -> Source | None:
    """Say where a table's rows are if they are items of lists in an API's records, so that such a row has no id."""
    of = source(table)
    return of if table.api and of and of.list else None


def keys(table: Table, version: Version) -> dict[str, str]:
    """Name the keys of a record that a table needs, with the type that DuckDB's `read_json` takes each as.

    Args:
        table: One with a `source`.
        version: The API's version.
    """
    of = _LISTS.get(table.name)
    if of:
        return {**dict.fromkeys(OF_THE_RECORD, "VARCHAR"), of.list: "JSON"}
    return {_key(c): "JSON" if _is_taken_apart(c) else "VARCHAR" for c in table.of(version) if c.stored}


# json_extract and not ->, which within a call could be the arrow of a lambda.
MACROS = r"""
CREATE OR REPLACE TEMP MACRO as_text(v) AS
    nullif(if(regexp_matches(v, '[\n\r\x00]'), translate(v, chr(10) || chr(13) || chr(0), '  '), v), '');
CREATE OR REPLACE TEMP MACRO value_at(v, path) AS json_extract_string(v, path);
CREATE OR REPLACE TEMP MACRO id_of(v) AS
    if(starts_with(v, '{'), value_at(v, '$.sourcedId'), value_at(v, '$'));
CREATE OR REPLACE TEMP MACRO user_id_of(v) AS if(json_type(v) = 'OBJECT',
    '{' || coalesce(value_at(v, '$.type'), '') || ':' || coalesce(value_at(v, '$.identifier'), '') || '}',
    value_at(v, '$'));
CREATE OR REPLACE TEMP MACRO items_of(v) AS if(json_type(v) = 'ARRAY', json_extract(v, '$[*]'), [v]);
CREATE OR REPLACE TEMP MACRO as_list(l) AS as_text(array_to_string(
    list_filter(list_transform(l, lambda i: replace(i, ',', chr(31))), lambda i: i <> ''), ','));
"""
"""What `values` call. A text becomes what the CSV's reader gives: blank is NULL, a line break a blank, no NUL."""


def values(table: Table, version: Version) -> dict[str, str]:
    """Write the SQL that gives the text of each stored column.

    Args:
        table: One with a `source`.
        version: The API's version.

    Returns:
        By column, SQL over a record's `keys`; where the rows are a list's items, `item` is one of them, and the columns
        `OF_THE_RECORD` are left out.
    """
    columns = [column for column in table.of(version) if column.stored]
    of = _LISTS.get(table.name)
    if of is None:
        return {c.name: _value(c, f'"{_key(c)}"', f'"{_key(c)}"') for c in columns}
    return {c.name: _of_item(c, of) for c in columns if c.name not in OF_THE_RECORD}


def _of_item(column: Column, of: Source) -> str:
    if column.name == of.owner:
        return f'as_text("{SOURCED_ID}")'
    if column.format == "reference" and f"{_key(column)}s" == of.list:
        return _value(column, "item", "item")  # the list is one of references
    return _value(column, f"json_extract(item, '$.{_key(column)}')", f"value_at(item, '$.{_key(column)}')")


def _value(column: Column, json: str, text: str) -> str:
    """Write the SQL of a column's text, given that of its value as JSON and as text."""
    if not _is_taken_apart(column):
        return f"as_text({text})"
    one = {"reference": "id_of({})", "user_ids": "user_id_of({})"}.get(column.format, "value_at({}, '$')")
    if not column.many:
        return f"as_text({one.format(json)})"
    # A text where a list should be is taken for a list as a CSV has it.
    items = f"list_transform(items_of({json}), lambda i: {one.format('i')})"
    return f"if(json_type({json}) IN ('ARRAY', 'OBJECT'), as_list({items}), as_text(value_at({json}, '$')))"


def _is_taken_apart(column: Column) -> bool:
    return column.many or column.format == "reference"


def _key(column: Column) -> str:
    """Name the key that holds a column's value."""
    if column.format == "reference":
        return column.name.replace("SourcedIds", "s").replace("SourcedId", "")
    return _KEYS.get(column.name, column.name)
