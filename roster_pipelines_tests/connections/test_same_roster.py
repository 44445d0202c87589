"""The same district gives the same roster, whether its files are dropped or it is pulled from any of the three APIs.

Compared are all accepted rows of all tables, without what cannot be the same: where a row came from (`_line` and
`_delivery`); `status` and `dateLastModified`, which bulk files leave blank and every record of an API has; and the
`sourcedId` and `title` of a row that links a resource, which in an API is an item of a list and has neither.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from roster_pipelines.connections.gather import Gathered, gather_local
from roster_pipelines.district import District as Record
from roster_pipelines.oneroster.shape import Registration
from roster_pipelines.rostering.current import opened
from roster_pipelines.simulators.districts import District
from roster_pipelines.staging.build import build
from roster_pipelines.staging.summary import Summary
from roster_pipelines_tests.connections.api import NOW, Api

BESIDE = {"_line", "_delivery", "status", "dateLastModified"}
OF_LINKS = {"sourcedId", "title"}
LINKS = ("classResources", "courseResources")
OF_RESOURCES = {"resources", *LINKS}
DERIVED = ("member", "class_state", "current_class", "current_enrollment", "teaching")
Rows = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Staged:
    """A delivery, staged."""

    database: Path
    summary: Summary

    def accepted(self) -> Rows:
        """Every table's rows."""
        with duckdb.connect(str(self.database), read_only=True) as con:
            return {table: _rows(con, f'main."{table}"') for table in self.summary.tables}

    def derived(self, record: Record) -> Rows:
        """What rostering makes of it: who there is, which classes, and who teaches what."""
        with opened(self.database, NOW.date(), record) as con:
            return {table: _rows(con, table) for table in DERIVED}


def _rows(con: duckdb.DuckDBPyConnection, table: str) -> list[tuple[Any, ...]]:
    names = [name for name, *_ in con.execute(f"DESCRIBE {table}").fetchall()]
    aside = BESIDE | (OF_LINKS if any(link in table for link in LINKS) else set())
    kept = ", ".join(f'"{name}"' for name in names if name not in aside)
    return con.execute(f"SELECT {kept} FROM {table} ORDER BY ALL").fetchall()


def staged(gathered: Gathered, database: Path, registration: Registration) -> Staged:
    summary = build(gathered.files, gathered.findings, database, registration, today=NOW.date())
    assert summary.verdict != "refused"
    return Staged(database, summary)


@pytest.fixture(scope="module")
def by_file(api_district: District, tmp_path_factory: pytest.TempPathFactory) -> Staged:
    """The district as an sFTP delivery."""
    folder = tmp_path_factory.mktemp("dropped")
    return staged(gather_local(api_district.folder, folder), folder / "files.duckdb", "auto_by_resource")


def test_the_same_district_is_the_same_roster_by_files_and_by_each_api(
    api: Api, by_file: Staged, tmp_path: Path
) -> None:
    api.behave(page_cap=90)
    has_resources = api.server.settings()["kind"] == "classlink"
    registration: Registration = "auto_by_resource" if has_resources else "auto_by_school"
    pulled = api.pull(registration=registration, page_size=500)
    by_api = staged(pulled.gathered, tmp_path / "api.duckdb", registration)
    assert by_api.summary.findings == by_file.summary.findings == ()
    there = {name for name in by_file.summary.tables if has_resources or name not in OF_RESOURCES}
    files, apis = by_file.accepted(), by_api.accepted()
    assert {name for name, rows in apis.items() if rows} == there
    for name in there:
        assert apis[name] == files[name], name
        assert len(apis[name]) > 0
    derived = by_api.derived(api.record())
    assert derived == by_file.derived(api.record())
    assert all(derived[name] for name in DERIVED)


def test_a_teacher_who_is_a_student_under_another_id_is_one_person_with_both(campus: Api, tmp_path: Path) -> None:
    campus.behave(role_prefixed_ids=True)
    roster = staged(campus.pull(page_size=500).gathered, tmp_path / "campus.duckdb", "access_code")
    with opened(roster.database, NOW.date(), campus.record()) as con:
        twice = con.execute(
            """SELECT list_sort(list("sourcedId"[1])), list(DISTINCT email) FROM member
               GROUP BY person HAVING count(*) > 1"""
        ).fetchall()
    assert [letters for letters, _ in twice] == [["s", "t"], ["s", "t"]]
    assert all(len(emails) == 1 for _, emails in twice)
