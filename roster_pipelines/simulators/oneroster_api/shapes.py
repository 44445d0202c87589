"""From a row of CSV to a JSON record, as each provider writes it; which column is what, the declaration says."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from roster_pipelines.oneroster.shape import Column, Version
from roster_pipelines.oneroster.standard import TABLES
from roster_pipelines.simulators.oneroster_api.data import Row

NEVER_LANDS = "planted-and-never-to-land"
"""What stands in the keys of people that must never be stored."""

_TYPES = {
    "orgs": "org", "academicSessions": "academicSession", "courses": "course", "classes": "class", "users": "user",
    "resources": "resource",
}  # fmt: skip
_RENAMED_IN_1_2 = {"preferredGivenName": "preferredFirstName", "preferredFamilyName": "preferredLastName"}
_USER_ID = re.compile(r"\{([^{}:]*):([^{}]*)\}")


@dataclass(frozen=True)
class Style:
    """What differs between providers in every record.

    Attributes:
        empty: What becomes of an optional value that is not there: an empty text, a missing key, or in turns null
            and a missing key.
        booleans: Whether a boolean is one in JSON, too; else it is the text `true` or `false`.
        password: Whether users have the key.
        resources: Whether there are resources, and classes and courses that name them.
    """

    empty: Literal["text", "missing", "in_turns"]
    booleans: bool = False
    password: bool = False
    resources: bool = False


@dataclass(frozen=True)
class _Field:
    column: str
    key: str
    convert: Callable[[str], Any]
    many: bool
    reference: bool


class Shaper:
    """Makes records.

    Args:
        style: The provider's.
        version: The OneRoster version that they are in; rows are always those of 1.1.
        href: The address before `/users/...` in references.
    """

    def __init__(self, style: Style, version: Version, href: str) -> None:
        self._style = style
        self._version = version
        self._href = href
        self._known: dict[tuple[str, str], msgspec.Raw] = {}

    def records(
        self,
        table: str,
        rows: Iterable[Row],
        children: Mapping[str, Sequence[str]] | None = None,
        *,
        resources: Mapping[str, Sequence[str]] | None = None,
    ) -> Iterator[tuple[str, bytes]]:
        """Make the records of a table.

        Args:
            table: Its name.
            rows: Its rows.
            children: The ids below each id, where the table has such.
            resources: The resources of each id, where the provider offers them.

        Yields:
            Each record's sourcedId and its JSON.
        """
        fields = [self._field(column) for column in TABLES[table].of(self._version) if column.stored]
        plan = [
            (field.column, field.key, field.convert, field) for field in fields
        ]  # the inner loop's, a million times
        for number, row in enumerate(rows):
            record: dict[str, Any] = {}
            for column, key, convert, field in plan:
                value = row.get(column)
                if value:
                    record[key] = convert(value)
                else:
                    self._leave_empty(record, field, number)
            sourced_id = row["sourcedId"]
            if children is not None and sourced_id in children:
                record["children"] = [self._reference(table, child) for child in children[sourced_id]]
            if resources is not None:
                record["resources"] = [self._reference("resources", each) for each in resources.get(sourced_id, ())]
            if table == "users":
                self._complete_user(record, row)
            yield sourced_id, msgspec.json.encode(record)

    def _field(self, column: Column) -> _Field:
        key, convert = column.name, self._converter(column)
        if column.references:
            key = f"{column.name.removesuffix('s').removesuffix('SourcedId')}{'s' if column.many else ''}"
        elif self._version == "1.2":
            key = _RENAMED_IN_1_2.get(key, key)
        return _Field(column.name, key, convert, column.many, bool(column.references))

    def _converter(self, column: Column) -> Callable[[str], Any]:
        if column.format == "user_ids":
            return lambda text: [{"type": kind, "identifier": value} for kind, value in _USER_ID.findall(text)]
        if column.format == "boolean" and self._style.booleans and self._version == "1.1":
            return lambda text: text == "true"
        if column.references and column.many:
            return lambda text: [self._reference(column.references, each) for each in text.split(",")]
        if column.references:
            return lambda text: self._reference(column.references, text)
        return (lambda text: text.split(",")) if column.many else str

    def _reference(self, table: str, sourced_id: str) -> msgspec.Raw:
        key = (table, sourced_id)
        found = self._known.get(key)
        if found is None:
            href = f"{self._href}/{table}/{quote(sourced_id, safe='')}"
            found = msgspec.Raw(msgspec.json.encode({"href": href, "sourcedId": sourced_id, "type": _TYPES[table]}))
            self._known[key] = found
        return found

    def _leave_empty(self, record: dict[str, Any], field: _Field, number: int) -> None:
        if self._style.empty == "text" and not (field.reference and not field.many):
            record[field.key] = [] if field.many else ""
        elif self._style.empty == "in_turns" and number % 2:
            record[field.key] = None

    def _complete_user(self, record: dict[str, Any], row: Row) -> None:
        """Add what has no column of its own in 1.1, and what must never be stored."""
        if self._style.password:
            record["password"] = NEVER_LANDS
        if legacy := row.get("metadata.ic.legacysourceId"):
            record["metadata"] = {"ic": {"legacysourceId": legacy}}
        if self._version == "1.1":
            return
        orgs = [self._reference("orgs", org) for org in row["orgSourcedIds"].split(",")]
        role = "siteAdministrator" if row["role"] == "administrator" else row["role"]
        record["roles"] = [
            {"roleType": "secondary" if place else "primary", "role": role, "org": org}
            for place, org in enumerate(orgs)
        ]
        record["primaryOrg"] = orgs[0]
        record["pronouns"] = NEVER_LANDS
        credentials = [{"type": "campus", "username": NEVER_LANDS, "password": NEVER_LANDS}]
        profile = {"profileId": "urn:profile:1", "profileType": "login", "vendorId": "sim", "credentials": credentials}
        record["userProfiles"] = [profile]
