"""What a declaration of the standard is made of: columns and tables, in OneRoster's two CSV versions."""

from dataclasses import dataclass
from typing import Literal

Version = Literal["1.1", "1.2"]
Format = Literal[
    "id", "text", "enumeration", "boolean", "date", "datetime", "year", "reference",
    "grades", "user_ids", "email", "nces_id",
]  # fmt: skip
Registration = Literal["access_code", "auto_by_school", "auto_by_resource"]
Needed = Literal["always", "auto_registration", "auto_by_resource", "auto_by_resource_link", "never"]

SOURCED_ID = "sourcedId"


@dataclass(frozen=True)
class Column:
    """One column of a OneRoster CSV file.

    Attributes:
        name: The header, in the standard's case.
        format: What a value looks like.
        meaning: One phrase for people.
        required: The standard wants a value in every row of a bulk file.
        needed: This product cannot use a row without a good value here; the row is rejected.
        many: The cell is a comma-separated list.
        values: The legal values of an enumeration.
        extensible: From 1.2 on, values that begin with `ext:` are legal too.
        references: The table whose sourcedId the value names.
        stored: False for what must never reach a database of ours.
        only: The one version that has the column; None: both.
        first_release_only: Only the first release of that version had it, so that it may be missing.
    """

    name: str
    format: Format
    meaning: str
    required: bool = False
    needed: bool = False
    many: bool = False
    values: tuple[str, ...] = ()
    extensible: bool = False
    references: str = ""
    stored: bool = True
    only: Version | None = None
    first_release_only: bool = False


@dataclass(frozen=True)
class Table:
    """One OneRoster CSV file, or what an API has in its place.

    Attributes:
        name: The standard's name, without `.csv`.
        meaning: One phrase for people.
        columns: Of both versions, in the standard's order.
        needed: When a delivery must hold it: `always`; under either auto-registration (the guide's footnote on orgs
            and courses); under auto-registration by resource, a link file also without rows; or `never`.
        only: The one version that has the file; None: both.
        into: The roster's table that its rows belong to: its own, or for 1.2's new files the one they add to.
        api: Its rows come from a OneRoster API, not from a file; whoever reads a delivery sets it.
    """

    name: str
    meaning: str
    columns: tuple[Column, ...]
    needed: Needed = "always"
    only: Version | None = None
    into: str = ""
    api: bool = False

    @property
    def file(self) -> str:
        """What findings call it: the file's name as the standard writes it, or just the name that an API has for it."""
        return self.name if self.api else f"{self.name}.csv"

    def of(self, version: Version) -> tuple[Column, ...]:
        """The columns that the file has in a version, in the standard's order."""
        return tuple(column for column in self.columns if column.only in (None, version))

    def needs_file(self, registration: Registration) -> bool:
        """Say whether a delivery without the file is refused."""
        return self.needs_data(registration) or (
            self.needed == "auto_by_resource_link" and registration == "auto_by_resource"
        )

    def needs_data(self, registration: Registration) -> bool:
        """Say whether a delivery without rows here is refused."""
        return {
            "always": True,
            "auto_registration": registration != "access_code",
            "auto_by_resource": registration == "auto_by_resource",
        }.get(self.needed, False)

    def can_refuse(self, registration: Registration) -> bool:
        """Say whether the file, where it is there, can refuse a delivery; one that nobody uses only warns."""
        return self.needed in ("always", "auto_registration") or registration == "auto_by_resource"
