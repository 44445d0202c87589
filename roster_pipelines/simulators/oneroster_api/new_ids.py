"""Habits that give records other ids than their files do: wherever an id is, it changes in the same way."""

import uuid
from collections.abc import Callable

from roster_pipelines.oneroster.standard import TABLES
from roster_pipelines.simulators.oneroster_api.data import Row

Rows = dict[str, list[Row]]
_NAMESPACE = uuid.UUID("6f6e6572-6f73-4465-8220-726f73746572")
_REPLACED = ("|", "/", " ")


def guid(table: str, sourced_id: str) -> str:
    """Give the GUID that a record has in Infinite Campus' 1.2."""
    return str(uuid.uuid5(_NAMESPACE, f"{table}/{sourced_id}"))


def odd(_: str, sourced_id: str) -> str:
    """Put a pipe, a slash or a blank into an id, by its number."""
    return sourced_id.replace("-", _REPLACED[_number(sourced_id) % len(_REPLACED)], 1)


def next_year(table: str, sourced_id: str) -> str:
    """Give the id of what takes a record's place after the rollover."""
    return f"{sourced_id}-next" if table in ("academicSessions", "classes", "enrollments") else sourced_id


def rename(rows: Rows, new: Callable[[str, str], str], *, only: str | None = None) -> None:
    """Give every record another id, here and in all references.

    Args:
        rows: All tables, changed in place.
        new: From the table and the old id to the new one.
        only: The one table whose records are renamed; None: all.
    """
    for name, table in TABLES.items():
        ids = [
            (each.name, each.references or name) for each in table.of("1.1") if each.references or each.format == "id"
        ]
        renamed = [(column, of) for column, of in ids if only in (None, of)]
        for row in rows.get(name, ()):
            for column, of in renamed:
                if row.get(column):
                    row[column] = ",".join(new(of, each) for each in row[column].split(","))
    for row in rows.get("demographics", ()) if only in (None, "users") else ():
        row["sourcedId"] = new("users", row["sourcedId"])


def pad(rows: Rows, *, references: bool) -> None:
    """Put blanks around every third id; in references too, or not."""
    if references:
        rename(rows, lambda _, sourced_id: _padded(sourced_id))
        return
    for table in rows.values():
        for row in table:
            row["sourcedId"] = _padded(row["sourcedId"])


def _padded(sourced_id: str) -> str:
    return sourced_id if _number(sourced_id) % 3 else f" {sourced_id} "


def _number(sourced_id: str) -> int:
    return int("".join(each for each in sourced_id if each.isdigit()) or 0)
