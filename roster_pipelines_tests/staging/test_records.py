"""What was pulled from an API is read as a CSV with the same values would be, however a server writes them."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from roster_pipelines.oneroster import rest
from roster_pipelines.oneroster.shape import Registration, Version
from roster_pipelines.oneroster.standard import TABLES, tables
from roster_pipelines.oneroster.templates import data_files
from roster_pipelines.staging import records
from roster_pipelines.staging.build import build
from roster_pipelines.staging.read import Loaded
from roster_pipelines_tests.staging.conftest import TODAY, Staged
from roster_pipelines_tests.staging.pulled import write

SECRET = "Ada Acorn"


class Loader:
    """Loads the records of one collection."""

    def __init__(self, folder: Path, con: duckdb.DuckDBPyConnection) -> None:
        self.folder = folder
        self.con = con

    def load(self, name: str, *found: Any, version: Version = "1.1") -> Loaded:
        """Load them into the table of that name."""
        table = replace(TABLES[name], api=True)
        source = rest.source(table)
        assert source
        path = write(self.folder / source.file, found)
        self.con.execute(f'DROP TABLE IF EXISTS raw."{name}"')
        return records.load(self.con, table, version, path, can_refuse=True)

    def texts(self, column: str, *values: Any, name: str = "users", version: Version = "1.1") -> list[str | None]:
        """Give what a column holds where a key has each of these values."""
        key = {"orgSourcedIds": "orgs", "schoolSourcedId": "school"}.get(column, column)
        self.load(name, *({"sourcedId": "a", key: value} for value in values), version=version)
        return [text for (text,) in self.con.execute(f'SELECT "{column}" FROM raw."{name}" ORDER BY _line').fetchall()]


@pytest.fixture
def loader(tmp_path: Path) -> Loader:
    con = duckdb.connect()
    con.execute("CREATE SCHEMA raw")
    return Loader(tmp_path, con)


def test_each_record_is_a_row_with_its_place_across_pages(loader: Loader) -> None:
    found = loader.load("orgs", *({"sourcedId": f"org-{n}"} for n in range(1, 121)))
    assert found == Loaded(120, readable=True, absent=frozenset(), findings=())
    assert loader.con.execute("SELECT count(*) FROM raw.orgs WHERE \"sourcedId\" <> 'org-' || _line").fetchone() == (0,)


def test_a_text_may_be_a_number_or_a_boolean_and_nothing_may_be_null_or_blank(loader: Loader) -> None:
    assert loader.texts("identifier", "007", 530123400456, "", None) == ["007", "530123400456", None, None]
    assert loader.texts("enabledUser", True, "true", False, "false") == ["true", "true", "false", "false"]


def test_breaks_and_nul_within_a_text_are_what_they_are_in_a_csv(loader: Loader) -> None:
    assert loader.texts("givenName", "Ada\nMay", "Ada\0") == ["Ada May", "Ada"]


def test_a_reference_may_be_an_object_or_a_bare_id_of_text_or_number(loader: Loader) -> None:
    references: tuple[Any, ...] = (
        {"href": "x", "sourcedId": "s", "type": "org"},
        {"sourcedId": 7},
        "s",
        7,
        None,
        {},
        {"href": "x"},
    )
    assert loader.texts("schoolSourcedId", *references, name="classes") == ["s", "7", "s", "7", None, None, None]


def test_a_list_may_be_its_one_item_and_blank_items_are_none(loader: Loader) -> None:
    lists: tuple[Any, ...] = (["05", "06"], "05", 5, "05,06", ["05", None, ""], [], None, "")
    assert loader.texts("grades", *lists) == ["05,06", "05", "5", "05,06", "05", None, None, None]
    orgs: tuple[Any, ...] = ([{"sourcedId": "a"}, "b", {"sourcedId": 3}], {"sourcedId": "a"}, "a", [{}])
    assert loader.texts("orgSourcedIds", *orgs) == ["a,b,3", "a", "a", None]
    ids = ([{"type": "Fed", "identifier": 5}, {"type": "L", "identifier": "x"}], {"type": "Fed", "identifier": "5"})
    assert loader.texts("userIds", *ids, ["{A:b}"]) == ["{Fed:5},{L:x}", "{Fed:5}", "{A:b}"]


def test_the_names_that_only_json_has_are_read(loader: Loader) -> None:
    one = {"sourcedId": "a", "preferredFirstName": "F", "preferredLastName": "L", "primaryOrg": {"sourcedId": "o"}}
    loader.load("users", one, version="1.2")
    columns = '"preferredGivenName", "preferredFamilyName", "primaryOrgSourcedId"'
    assert loader.con.execute(f"SELECT {columns} FROM raw.users").fetchall() == [("F", "L", "o")]


def test_what_is_no_object_costs_its_row_and_keeps_its_place(loader: Loader) -> None:
    assert loader.load("orgs", {"sourcedId": "a"}, "b", ["c"], {"sourcedId": "d"}).read == 4
    found = loader.con.execute('SELECT _line, "sourcedId" FROM raw.orgs ORDER BY _line').fetchall()
    assert found == [(1, "a"), (2, None), (3, None), (4, "d")]


def links(*resources: Any, **more: Any) -> dict[str, Any]:
    return {"sourcedId": "cls-1", "resources": list(resources), **more}


def of_links(loader: Loader, *found: Any) -> list[tuple[Any, ...]]:
    loader.load("classResources", *found)
    sql = 'SELECT "classSourcedId", "resourceSourcedId", "sourcedId" FROM raw."classResources" ORDER BY _line'
    return loader.con.execute(sql).fetchall()


def test_items_of_lists_have_ids_of_their_own_that_stay_wherever_they_stand(loader: Loader) -> None:
    (one, other) = of_links(loader, links({"sourcedId": "r1"}, "r2"))
    assert one[:2] == ("cls-1", "r1")
    assert other[:2] == ("cls-1", "r2")
    assert one[2] != other[2]
    assert of_links(loader, {"sourcedId": "cls-0"}, links("r2", {"sourcedId": " r1", "href": "x"}))[0] == other
    assert of_links(loader, links("r1", {"sourcedId": "r1"}, None)) == [one]
    assert of_links(loader, links("r1") | {"sourcedId": "cls-2"})[0][2] != one[2]


@pytest.mark.parametrize("resources", [None, "", [], {}, "missing"])
def test_without_items_there_are_no_rows(resources: object, loader: Loader) -> None:
    one = {"sourcedId": "cls-1"} if resources == "missing" else {"sourcedId": "cls-1", "resources": resources}
    assert of_links(loader, one) == []


def test_a_record_that_is_deleted_or_has_no_id_has_no_items(loader: Loader) -> None:
    assert of_links(loader, links("r1", status="tobedeleted"), links("r1", sourcedId=" ")) == []


def test_roles_that_differ_in_little_are_kept_apart(loader: Loader) -> None:
    role = {"roleType": "primary", "role": "teacher", "org": {"sourcedId": "o"}, "beginDate": "2026-08-01"}
    roles = [role, role | {"roleType": "secondary"}, role | {"beginDate": "2027-01-01"}, role]
    loader.load("roles", {"sourcedId": "usr-1", "roles": roles}, version="1.2")
    found = loader.con.execute('SELECT "sourcedId", "userSourcedId", "orgSourcedId" FROM raw.roles').fetchall()
    assert len({sourced_id for sourced_id, *_ in found}) == len(found) == 3
    assert {tuple(row) for _, *row in found} == {("usr-1", "o")}


@pytest.mark.parametrize("spoil", [lambda data: data[:-9], lambda data: b"x" + data, lambda data: data[:7]])
def test_a_damaged_file_refuses_the_delivery_and_shows_nothing_of_it(spoil: Any, tmp_path: Path) -> None:
    pull = Pull(tmp_path)
    path = pull.folder / "users.ndjson.zst"
    path.write_bytes(spoil(path.read_bytes()))
    staged = pull.stage()
    assert staged.summary.verdict == "refused"
    assert ("lines-lost", "fatal", "users", None, "") in staged.found
    assert SECRET not in staged.everything()


class Pull:
    """A small district as an API gives it, to change before it is staged."""

    def __init__(self, folder: Path, version: Version = "1.1") -> None:
        self.version: Version = version
        self.folder = folder
        year = {"startDate": "2026-08-01", "endDate": "2027-07-01", "schoolYear": "2027", "type": "schoolYear"}
        teacher = {"enabledUser": True, "givenName": SECRET, "familyName": "A", "username": "ada"}
        own = {"role": "teacher", "orgs": ["org"]} if version == "1.1" else {"roles": [role("teacher")]}
        self.write("orgs", {"sourcedId": "org", "name": "North", "type": "school"})
        self.write("academicSessions", {"sourcedId": "year", "title": "2026", **year})
        self.write("courses", {"sourcedId": "crs", "title": "Music", "org": "org"})
        self.write("users", {"sourcedId": "ada", **teacher, **own})
        self.write("classes", *(self.school_class(f"cls-{n}", "r1") for n in (1, 2)))
        self.write("enrollments", *(self.enrollment(f"cls-{n}") for n in (1, 2)))
        self.write("resources", {"sourcedId": "r1", "vendorResourceId": "lessons"})

    def write(self, collection: str, *found: dict[str, Any]) -> None:
        """Write a collection's records, active unless they say otherwise."""
        dated = {"status": "active", "dateLastModified": "2026-11-22T08:00:00.000Z"}
        write(self.folder / f"{collection}{rest.SUFFIX}", [dated | record for record in found])

    def school_class(self, name: str, *resources: Any, **more: Any) -> dict[str, Any]:
        place = {"course": "crs", "school": "org", "terms": ["year"], "classType": "scheduled"}
        return {"sourcedId": name, "title": name, **place, "resources": resources, **more}

    def enrollment(self, of: str) -> dict[str, Any]:
        return {"sourcedId": f"enr-{of}", "user": "ada", "class": of, "school": "org", "role": "teacher"}

    def stage(
        self, registration: Registration = "access_code", *, base: Staged | None = None, delta: Iterable[str] = ()
    ) -> Staged:
        """Stage it; what is in `delta` came as changes, and other collections then did not come."""
        modes = {
            name: "absent" if (source := rest.source(table)) is None or (base and source.collection not in delta)
            else "delta" if base else "bulk" for name, table in tables(self.version).items()
        }  # fmt: skip
        rows = [f"file.{name},{modes.get(name, 'absent')}" for name in data_files(self.version)]
        head = ["propertyName,value", "manifest.version,1.0", f"oneroster.version,{self.version}"]
        (self.folder / "manifest.csv").write_text("\n".join([*head, *rows]))
        files = {path.name: path for path in self.folder.glob(f"*{rest.SUFFIX}")}
        if base:
            files = {name: path for name, path in files.items() if name.removesuffix(rest.SUFFIX) in delta}
        database = self.folder / f"{'after' if base else 'before'}.duckdb"
        found = build(
            files | {"manifest.csv": self.folder / "manifest.csv"}, [], database, registration,
            today=TODAY, base=base.database if base else None,
        )  # fmt: skip
        return Staged(database, found)


def role(name: str, **more: Any) -> dict[str, Any]:
    return {"roleType": "primary", "role": name, "org": "org", **more}


def test_a_pull_with_nothing_wrong_in_it_has_no_finding(tmp_path: Path) -> None:
    assert Pull(tmp_path).stage("auto_by_resource").summary.verdict == "accepted"


def test_nobody_is_told_of_a_collection_that_nobody_needs(tmp_path: Path) -> None:
    pull = Pull(tmp_path)
    pull.write("resources")
    pull.write("classes", pull.school_class("cls-1"), pull.school_class("cls-2"))
    assert pull.stage().summary.findings == ()


def test_without_resources_auto_registration_by_resource_is_refused_in_words_for_an_api(tmp_path: Path) -> None:
    pull = Pull(tmp_path)
    pull.write("resources")
    found = pull.stage("auto_by_resource").summary.fatal
    assert [(f.rule, f.file, f.message) for f in found] == [("file-empty", "resources", "there is not one record")]


def test_a_broken_link_is_rejected_alone_and_named_by_its_record(tmp_path: Path) -> None:
    pull = Pull(tmp_path)
    pull.write("classes", pull.school_class("cls-1"), pull.school_class("cls-2", "r1", "gone", {"href": "x"}))
    staged = pull.stage("auto_by_resource")
    assert staged.found == {
        ("reference-nowhere", "error", "classResources", 2, "resourceSourcedId"),
        ("value-missing", "error", "classResources", 2, "resourceSourcedId"),
    }
    assert {f.sourced_id for f in staged.summary.listed} == {"cls-2"}
    assert staged.rows('SELECT _line, "resourceSourcedId" FROM "classResources"') == [(2, "r1")]
    assert staged.rows('SELECT _line, rules FROM rejected."classResources" ORDER BY ALL') == [
        (2, ["reference-nowhere:resourceSourcedId"]), (2, ["value-missing:resourceSourcedId"]),
    ]  # fmt: skip
    counts = staged.summary.tables["classResources"]
    assert (counts.read, counts.accepted, counts.rejected) == (3, 1, 2)


def test_a_link_that_falls_with_its_class_says_so(tmp_path: Path) -> None:
    pull = Pull(tmp_path)
    pull.write("classes", pull.school_class("cls-1", "r1"), pull.school_class("cls-2", "r1", school=None))
    (found,) = (f for f in pull.stage().summary.listed if f.file == "classResources")
    assert found.caused_by
    assert (found.line, found.caused_by.file, found.caused_by.line) == (2, "classes", 2)


def test_what_comes_from_an_item_names_its_record(tmp_path: Path) -> None:
    pull = Pull(tmp_path, "1.2")
    person = {"enabledUser": "true", "givenName": SECRET, "familyName": "A"}
    pull.write("users", {"sourcedId": "ada", "username": "ada", **person, "roles": [role("teacher")]},
               {"sourcedId": "bo", "username": "bo", **person, "roles": [role("wizard")]})  # fmt: skip
    (found,) = (f for f in pull.stage().summary.listed if f.rule == "role-missing")
    assert found.message == "none of the person's roles is known"
    assert found.caused_by
    assert (found.line, found.caused_by.file, found.caused_by.line) == (2, "roles", 2)


def test_a_comma_within_an_item_does_not_end_it(tmp_path: Path) -> None:
    pull = Pull(tmp_path)
    names = {"subjects": ["English, Grade 5", "Art"], "subjectCodes": ["1,2", "3"], "periods": ["a,b"]}
    pull.write("academicSessions", *(
        {"sourcedId": name, "title": "T", "type": "term", "startDate": "2026-08-01", "endDate": "2027-01-15",
         "schoolYear": "2027"} for name in ("2026,Fall", "year")))  # fmt: skip
    pull.write("classes", pull.school_class("cls-1", **names, terms=[{"sourcedId": "2026,Fall"}, "year"]),
               pull.school_class("cls-2"))  # fmt: skip
    staged = pull.stage()
    assert {f.rule for f in staged.summary.listed} == {"id-characters"}
    columns = 'subjects, "subjectCodes", periods, "termSourcedIds"'
    assert staged.rows(f"SELECT {columns} FROM classes WHERE _line = 1") == [
        (["English, Grade 5", "Art"], ["1,2", "3"], ["a,b"], ["2026,Fall", "year"])
    ]


def test_a_changed_class_brings_its_whole_list_and_the_other_classes_keep_theirs(tmp_path: Path) -> None:
    pull = Pull(tmp_path)
    before = pull.stage("auto_by_resource")
    pull.write("classes", pull.school_class("cls-1"))
    after = pull.stage("auto_by_resource", base=before, delta=["classes", "courses"])
    assert after.summary.findings == ()
    assert after.rows('SELECT "classSourcedId" FROM "classResources"') == [("cls-2",)]
    assert after.rows("SELECT count(*) FROM classes") == [(2,)]


def test_a_changed_person_has_the_roles_that_came_and_no_earlier_one(tmp_path: Path) -> None:
    pull = Pull(tmp_path, "1.2")
    before = pull.stage()
    assert before.summary.findings == ()
    assert before.rows("SELECT role FROM users") == [("teacher",)]
    person = {"sourcedId": "ada", "enabledUser": "true", "givenName": SECRET, "familyName": "A", "username": "ada"}
    pull.write("users", person | {"roles": [role("aide")]})
    after = pull.stage(base=before, delta=["users"])
    assert after.rows("SELECT role FROM users") == [("aide",)]
    assert after.rows("SELECT role FROM roles") == [("aide",)]


def test_a_change_that_deletes_a_person_deletes_them(tmp_path: Path) -> None:
    pull = Pull(tmp_path)
    before = pull.stage()
    pull.write("users", {"sourcedId": "ada", "status": "tobedeleted"})
    after = pull.stage(base=before, delta=["users"])
    assert after.rows("SELECT status FROM users") == [("tobedeleted",)]
    assert {f.rule for f in after.summary.findings} <= {"reference-deleted", "class-without-teacher"}
