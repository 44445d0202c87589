"""All that a server serves: each collection's records, as its provider writes them under the habits of the day."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

import msgspec

from roster_pipelines.oneroster.shape import Version
from roster_pipelines.simulators.oneroster_api.changes import asked
from roster_pipelines.simulators.oneroster_api.data import Data, Row
from roster_pipelines.simulators.oneroster_api.habits import Habits, ProviderName
from roster_pipelines.simulators.oneroster_api.records import Records
from roster_pipelines.simulators.oneroster_api.shapes import Shaper, Style

_TABLES = ("orgs", "academicSessions", "courses", "classes", "users", "enrollments", "resources")
_LINKS = {"classes": ("classResources", "classSourcedId"), "courses": ("courseResources", "courseSourcedId")}

_VIEWS = {
    "schools": "orgs", "terms": "academicSessions", "gradingPeriods": "academicSessions", "students": "users",
    "teachers": "users",
}  # fmt: skip


class Library:
    """Every record of a district, rendered once.

    Args:
        data: The district's files.
        habits: Those of the server.
        provider: Whose records.
        style: How the provider writes them.
        version: The OneRoster version of the records.
        href: The address in references.
    """

    def __init__(
        self, data: Data, habits: Habits, provider: ProviderName, style: Style, version: Version, href: str
    ) -> None:
        self._habits = habits
        tables = _tables(data, habits, provider)
        shaper = Shaper(style, version, href)
        links = {name: _links(tables.get(file, ()), column) for name, (file, column) in _LINKS.items()}
        students: list[Row] = []
        self._collections: dict[str, Records] = {}
        for name in _TABLES if style.resources else _TABLES[:-1]:
            rows = _noting(tables.get(name, ()), students) if name == "users" else tables.get(name, ())
            of_these = links.get(name) if style.resources else None
            self._keep(name, shaper.records(name, *_with_children(name, rows), resources=of_these))
        self._keep("demographics", ((row["sourcedId"], _demographics(row)) for row in students))

    def records(self, name: str) -> Records | None:
        """Give a collection, or a part of one such as `students`; None: there is no such."""
        whole = self._collections.get(_VIEWS.get(name, ""))
        if name not in self._collections and whole is not None:
            records = (msgspec.json.decode(whole.page(place, place + 1)) for place in range(len(whole)))
            learning = self._learning() if name == "students" and self._habits.teaching_student else ()
            chosen = (each for each in records if _belongs(each, name) or each["sourcedId"] in learning)
            self._keep(name, ((each["sourcedId"], msgspec.json.encode(each)) for each in chosen), key=whole.key)
        return self._collections.get(name)

    def _keep(self, name: str, rendered: Iterable[tuple[str, bytes]], *, key: str | None = None) -> None:
        self._collections[name] = Records(key or name, rendered, scrambled=self._habits.sort_ignored)

    def _learning(self) -> set[str]:
        """Say who is enrolled as student, whatever they are besides."""
        enrollments = self._collections["enrollments"]
        records = (msgspec.json.decode(enrollments.page(place, place + 1)) for place in range(len(enrollments)))
        return {each["user"]["sourcedId"] for each in records if each["role"] == "student"}


def _belongs(record: dict[str, Any], view: str) -> bool:
    if view in ("students", "teachers"):
        roles = {record.get("role"), *(each["role"] for each in record.get("roles", ()))}
        return view.removesuffix("s") in roles
    types = {"schools": ("school",), "terms": ("term", "semester"), "gradingPeriods": ("gradingPeriod",)}
    return record["type"] in types[view]


def _tables(data: Data, habits: Habits, provider: ProviderName) -> Mapping[str, Iterable[Row]]:
    """Give each table's rows: as a stream, unless a habit must see them all at once."""
    stream = {name: chain(data.rows(name), data.tombstones(name) if habits.tombstones else ()) for name in data.files}
    changes = asked(habits, provider)
    if not changes:
        return stream
    rows = {name: list(stream.get(name, ())) for name in (*_TABLES, *(file for file, _ in _LINKS.values()))}
    for change in changes:
        change(rows)
    return rows


def _links(rows: Iterable[Row], column: str) -> dict[str, list[str]]:
    links: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        links[row[column]].append(row["resourceSourcedId"])
    return links


def _with_children(name: str, rows: Iterable[Row]) -> tuple[Iterable[Row], dict[str, list[str]] | None]:
    """Say who is below whom, in the tables that are trees."""
    if name not in ("orgs", "academicSessions"):
        return rows, None
    kept = list(rows)
    children: dict[str, list[str]] = defaultdict(list)
    for row in kept:
        children[row["parentSourcedId"]].append(row["sourcedId"])
    return kept, children


def _noting(rows: Iterable[Row], students: list[Row]) -> Iterator[Row]:
    """Note who is a student on the way: of them there are demographics."""
    for row in rows:
        if row["role"] == "student":
            students.append({key: row[key] for key in ("sourcedId", "status", "dateLastModified")})
        yield row


def _demographics(student: Row) -> bytes:
    """Invent what nobody should ask for."""
    return msgspec.json.encode(student | {"birthDate": "2012-02-29", "sex": "unspecified"})
