"""In how many of some records each field has a value. Pure; no value leaves it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from roster_pipelines.oneroster import rest
from roster_pipelines.oneroster.shape import Registration, Version
from roster_pipelines.oneroster.standard import tables


@dataclass(frozen=True)
class Presence:
    """One field of some records.

    Attributes:
        name: Its key.
        present: In how many of them it has a value.
        required: Whether the standard wants it in every record.
        needed: Whether a record without it cannot be used.
    """

    name: str
    present: int
    required: bool
    needed: bool


def presence(
    records: Sequence[dict[str, Any]], collection: str, version: Version, registration: Registration
) -> tuple[Presence, ...]:
    """Count what is there.

    Args:
        records: Some records of a collection.
        collection: Its name.
        version: The API's version.
        registration: By whose rules a list in the records is needed.

    Returns:
        The fields that the declaration has of the collection, in its order, those that are never stored left out.
    """
    found: list[Presence] = []
    for table in tables(version).values():
        source = rest.source(table)
        if source is None or source.collection != collection:
            continue
        if source.list:
            wanted = table.needs_data(registration)
            found.append(Presence(source.list, _count(records, source.list), wanted, wanted))
            continue
        columns = [column for column in table.of(version) if column.stored]
        found += [
            Presence(key, _count(records, key), column.required, column.needed)
            for column, key in zip(columns, rest.keys(table, version), strict=True)
        ]
    return tuple(found)


def _count(records: Sequence[dict[str, Any]], key: str) -> int:
    return sum(has_value(record.get(key)) for record in records)


def has_value(value: object) -> bool:
    """Say whether there is one: null, blanks, an empty list and a reference to nothing are none."""
    if isinstance(value, str):
        return bool(value.strip())
    if isinstance(value, list):
        return any(map(has_value, value))
    if isinstance(value, dict):
        ids = [value[key] for key in ("sourcedId", "identifier") if key in value]
        return any(map(has_value, ids or value.values()))
    return value is not None


def told(fields: Sequence[Presence], sampled: int) -> tuple[str, ...]:
    """Tell it in lines: which fields are in some of the records, and which in none."""
    some = [f"{one.name} {one.present:,}" for one in fields if 0 < one.present < sampled]
    none = [one.name for one in fields if not one.present]
    wanted = [one.name for one in fields if one.required and not one.present]
    parts = [
        f"{sampled:,} sampled",
        f"in some: {', '.join(some)}" if some else "",
        f"in none: {', '.join(none)}" if none else "",
        "in each: everything else" if some or none else "in each: everything",
    ]
    line = "; ".join(part for part in parts if part)
    return (line, f"the standard requires {', '.join(wanted)}") if wanted else (line,)
