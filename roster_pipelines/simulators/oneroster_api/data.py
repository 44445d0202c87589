"""The CSV files of a district as they were read, and when each of their records was changed."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

Row = dict[str, str]

UNCHANGED_SINCE = "2026-07-01T06:00:00.000Z"
"""When every record of the first delivery was changed, unless its file says so itself."""


@dataclass
class Data:
    """A delivery's files.

    Attributes:
        files: Each file's bytes, by its table. A habit that changes records reads them again, whatever has become of
            the folder.
        changed: When a record was changed, by table and sourcedId; what is not here has not been since the first.
        gone: The last state of records that are in the files no longer.
    """

    files: dict[str, bytes]
    changed: dict[str, dict[str, str]] = field(default_factory=dict)
    gone: dict[str, dict[str, Row]] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path) -> "Data":
        """Read a folder.

        Raises:
            FileNotFoundError: There is no users.csv in it.
        """
        if not (folder / "users.csv").exists():
            raise FileNotFoundError(2, "no OneRoster files", str(folder))
        return cls({path.stem: path.read_bytes() for path in sorted(folder.glob("*.csv")) if path.stem != "manifest"})

    def rows(self, table: str) -> Iterator[Row]:
        """Give a file's rows, with the status and the time that every record of an API has."""
        changed = self.changed.get(table, {})
        for row in self._raw(table):
            row["status"] = row.get("status") or "active"
            row["dateLastModified"] = row.get("dateLastModified") or changed.get(row["sourcedId"], UNCHANGED_SINCE)
            yield row

    def tombstones(self, table: str) -> Iterator[Row]:
        """Give the records that are gone, as what is to be deleted."""
        for sourced_id, row in self.gone.get(table, {}).items():
            yield row | {"status": "tobedeleted", "dateLastModified": self.changed[table][sourced_id]}

    def followed_by(self, folder: Path, at: datetime) -> "Data":
        """Read the next delivery: what differs from this one was changed at a moment."""
        later = Data.of(folder)
        moment = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
        for table in self.files.keys() | later.files.keys():
            before = {row["sourcedId"]: row for row in self._raw(table)}
            after = {row["sourcedId"]: row for row in later._raw(table)}
            differs = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
            later.changed[table] = self.changed.get(table, {}) | dict.fromkeys(differs, moment)
            gone = self.gone.get(table, {}) | {key: before[key] for key in before.keys() - after.keys()}
            later.gone[table] = {key: row for key, row in gone.items() if key not in after}
        return later

    def _raw(self, table: str) -> Iterator[Row]:
        lines = csv.reader(io.TextIOWrapper(io.BytesIO(self.files.get(table, b"")), "utf-8-sig", newline=""))
        header = next(lines, [])
        return (dict(zip(header, line, strict=True)) for line in lines)
