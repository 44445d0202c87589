"""The same tables through a OneRoster API: which collections give them, and what a CSV would hold for a JSON record.

All of it comes from the declaration. Facts: sections 4 of 1EdTech's REST bindings of 1.1 and 1.2. A reference `org` is
the column `orgSourcedId`, a list `terms` is `termSourcedIds`, and what has a file of its own in CSV may be a list in
the records of another collection. Servers differ from the standard in how they write values: booleans and numbers for
texts, one value for a list of one, a bare id for a reference, null, nothing or "" where there is no value.
"""

from dataclasses import dataclass

from roster_pipelines.oneroster.shape import SOURCED_ID, Column, Registration, Table
from roster_pipelines.oneroster.standard import TABLES

SUFFIX = ".ndjson.zst"
"""A collection's file: one record a line, compressed by Zstandard, in as many frames as it came in pages."""

COMMA_IN_ITEM = "\x1f"
"""What stands for a comma inside an item of a list, where a comma would end it; a CSV cannot say that at all."""

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


def _key(column: Column) -> str:
    """Name the key that holds a column's value."""
    if column.format == "reference":
        return column.name.replace("SourcedIds", "s").replace("SourcedId", "")
    return _KEYS.get(column.name, column.name)
