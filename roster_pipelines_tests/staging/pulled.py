"""A delivery's CSV files as an API would give them: by the keys of the standard's JSON, as servers write values."""

import csv
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import zstandard

Row = dict[str, str]
Record = dict[str, Any]

COLLECTIONS = ("orgs", "academicSessions", "courses", "classes", "users", "enrollments", "resources")
LISTS_IN = {
    "classResources": ("classes", "resources", "classSourcedId"),
    "courseResources": ("courses", "resources", "courseSourcedId"),
    "roles": ("users", "roles", "userSourcedId"),
}
"""What has a file of its own in CSV: the collection whose records have it as a list, its key, the column of the id."""
_REFERENCES = {
    "parentSourcedId": "parent", "schoolYearSourcedId": "schoolYear", "orgSourcedId": "org",
    "courseSourcedId": "course", "schoolSourcedId": "school", "classSourcedId": "class", "userSourcedId": "user",
    "primaryOrgSourcedId": "primaryOrg",
}  # fmt: skip
_LISTS_OF_REFERENCES = {"orgSourcedIds": "orgs", "agentSourcedIds": "agents", "termSourcedIds": "terms"}
_LISTS = ("grades", "subjects", "subjectCodes", "periods", "roles")
_RENAMED = {"preferredGivenName": "preferredFirstName", "preferredFamilyName": "preferredLastName"}
_USER_ID = re.compile(r"\{([^{}:,]+):([^{}:,]+)\}")
_OF_AN_ITEM = ("roleType", "role", "beginDate", "endDate", "orgSourcedId")


def pulled(folder: Path, into: Path) -> dict[str, Path]:
    """Write the files of a pull that gives what a folder's CSV files hold.

    Values take turns at the ways in which servers write them: booleans or texts, null, "" or no key for nothing, a list
    of one as its item, a reference as a bare id. A bulk file's blank status is `active`.

    Returns:
        The files by their names in a delivery.
    """
    into.mkdir()
    lists: defaultdict[str, defaultdict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for name, (collection, _, owner) in LISTS_IN.items():
        for number, row in enumerate(rows(folder, name)):
            of_it = {column: row[column] for column in _OF_AN_ITEM if column in row}
            item = _record(number, of_it) if name == "roles" else _reference(number, row["resourceSourcedId"])
            lists[collection][row[owner]].append(item)
    files = {"manifest.csv": folder / "manifest.csv"}
    manifest = files["manifest.csv"].read_text()
    for name in COLLECTIONS:
        if (folder / f"{name}.csv").exists():
            records = [_record(number, row) for number, row in enumerate(rows(folder, name))]
            for record in records:
                if f"file.{name},delta" not in manifest:
                    record |= {"status": "active", "dateLastModified": "2026-11-22T08:00:00.000Z"}
                if found := lists[name].get(record.get("sourcedId", "")):
                    record["roles" if name == "users" else "resources"] = found
            files[f"{name}.ndjson.zst"] = write(into / f"{name}.ndjson.zst", records)
    return files


def write(path: Path, records: Iterable[Any]) -> Path:
    """Write a collection's file, with a frame for each fifty records."""
    lines = [msgspec.json.encode(record) + b"\n" for record in records]
    frames = [b"".join(lines[first : first + 50]) for first in range(0, len(lines), 50)]
    path.write_bytes(b"".join(map(zstandard.ZstdCompressor().compress, frames)))
    return path


def rows(folder: Path, name: str) -> list[Row]:
    """Read a CSV file's rows; none where it did not come."""
    path = folder / f"{name}.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _record(number: int, row: Row) -> Record:
    record = dict(_value(number, column, text) for column, text in row.items() if text.strip())
    for column, text in row.items():
        key = _value(number, column, "x")[0]
        if not text.strip() and number % 3:
            record[key] = text or (None, "")[number % 2]
    return record


def _value(number: int, column: str, text: str) -> tuple[str, Any]:
    if column in _REFERENCES:
        return _REFERENCES[column], _reference(number, text)
    if column in _LISTS_OF_REFERENCES:
        return _LISTS_OF_REFERENCES[column], _list(number, [_reference(number, item) for item in text.split(",")])
    if column in _LISTS:
        return column, _list(number, list(text.split(",")))
    if column == "userIds":
        items = [(_USER_ID.fullmatch(item), item) for item in text.split(",")]
        return column, _list(number, [{"type": m[1], "identifier": m[2]} if m else item for m, item in items])
    if text in ("true", "false") and number % 2:
        return column, text == "true"
    return _RENAMED.get(column, column), text


def _list(number: int, items: list[Any]) -> Any:
    return items[0] if len(items) == 1 and number % 2 else items


def _reference(number: int, sourced_id: str) -> Any:
    if number % 5 == 4:
        return sourced_id
    return {"href": f"https://elsewhere.example/{number}", "sourcedId": sourced_id, "type": "any"}
