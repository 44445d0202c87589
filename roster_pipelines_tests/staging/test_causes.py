"""The few causes are told apart from the many findings that come from them."""

import shutil
from pathlib import Path

import pytest

from roster_pipelines.findings import Cause
from roster_pipelines.simulators.districts import District, generate
from roster_pipelines_tests.staging.catalogue.ground import SCHOOL, Ground
from roster_pipelines_tests.staging.conftest import Delivered, Staged


@pytest.fixture(scope="module")
def school_lost(tmp_path_factory: pytest.TempPathFactory, clean_district: District) -> Staged:
    """A delivery in which one school's row cannot be read."""
    folder: Path = tmp_path_factory.mktemp("school-lost")
    shutil.copytree(clean_district.folder, folder / "delivered")
    delivered = Delivered(folder / "delivered", folder / "staging.duckdb")
    delivered.replace_line("orgs", 3, lambda row: f"{row},one,too,many")
    assert delivered.text("orgs").split("\n")[2].startswith(SCHOOL)
    return delivered.stage()


def test_a_school_that_cannot_be_read_is_behind_all_that_hangs_on_it(school_lost: Staged, clean: Staged) -> None:
    """Its classes fail for it, and its people; through its classes their enrollments."""
    cause = Cause("row-unreadable", "orgs.csv", 3)
    derived = [f for f in school_lost.summary.findings if f.derived]
    found = {(f.rule, f.severity, f.file, f.column): f.derived for f in derived}
    ((classes, people, seats),) = clean.rows(
        """
        SELECT (SELECT count(*) FROM classes WHERE "schoolSourcedId" = $school),
               (SELECT count(*) FROM users WHERE list_contains("orgSourcedIds", $school)),
               (SELECT count(*) FROM enrollments WHERE "schoolSourcedId" = $school)
        """.replace("$school", f"'{SCHOOL}'")
    )
    assert found == {
        ("reference-nowhere", "error", "classes.csv", "schoolSourcedId"): classes,
        ("reference-nowhere", "warning", "users.csv", "orgSourcedIds"): people,
        ("reference-nowhere", "error", "enrollments.csv", "classSourcedId"): seats,
        ("reference-nowhere", "warning", "enrollments.csv", "schoolSourcedId"): seats,
    }
    assert all(f.count == f.derived for f in derived)
    assert {f.caused_by for f in school_lost.summary.listed} == {None, cause}
    (root,) = school_lost.summary.causes
    assert (root.rule, root.lines, root.count, root.reach) == ("row-unreadable", (3,), 1, sum(found.values()))


def test_the_causes_that_reach_furthest_are_told_first(delivered: Delivered) -> None:
    ground = Ground(delivered.folder, delivered.folder.parent / "staging.duckdb")
    seats = ground.rows("enrollments")
    teacher = next(row["userSourcedId"] for row in seats.values() if row["role"] == "teacher")
    student = next(row["userSourcedId"] for row in seats.values() if row["role"] == "student")
    lines = {row["sourcedId"]: line for line, row in ground.rows("users").items()}
    ground.set("users", lines[student], sourcedId="1.23E+11")
    ground.set("users", lines[teacher], role="coach")
    staged = ground.stage()
    taught = {row["classSourcedId"] for row in seats.values() if row["userSourcedId"] == teacher}
    alone = {c for c in taught if all(r["role"] != "teacher" or r["userSourcedId"] == teacher
                                      for r in seats.values() if r["classSourcedId"] == c)}  # fmt: skip
    causes = [(f.rule, f.lines, f.reach) for f in staged.summary.causes if f.severity == "error"]
    of_student = sum(row["userSourcedId"] == student for row in seats.values())
    # What a spreadsheet has made of an id nobody can know, so that the enrollments stand by themselves.
    assert causes == [
        ("value-unknown", (lines[teacher],), len(taught) + len(alone)),
        ("reference-nowhere", causes[1][1], 0),
        ("value-spreadsheet", (lines[student],), 0),
    ]
    nowhere = next(f for f in staged.summary.findings if f.rule == "reference-nowhere")
    assert (nowhere.count, nowhere.derived) == (len(taught) + of_student, len(taught))
    untaught = [f for f in staged.summary.listed if f.rule == "class-without-teacher"]
    assert {f.sourced_id for f in untaught} == alone
    assert {f.caused_by for f in untaught} == {Cause("value-unknown", "users.csv", lines[teacher])}


def test_a_file_that_ends_too_early_is_behind_whoever_is_missing(delivered: Delivered) -> None:
    lines = delivered.text("users").splitlines()
    delivered.write("users", "\n".join(lines[:30]) + "\n" + lines[30][:20])
    staged = delivered.stage()
    (root,) = (f for f in staged.summary.causes if f.severity == "error")
    assert (root.rule, root.file, root.lines) == ("row-truncated", "users.csv", (31,))
    others = [f for f in staged.summary.listed if f.rule != "row-truncated"]
    assert {f.caused_by for f in others} == {Cause("row-truncated", "users.csv", 31)}
    assert root.reach == sum(f.count for f in staged.summary.findings if f.rule != "row-truncated") > 0


def test_a_file_without_its_header_is_behind_whatever_is_missing(delivered: Delivered) -> None:
    delivered.change("users", lambda text: text.partition("\n")[2])
    staged = delivered.stage()
    counts = staged.summary.tables["users"]
    assert (counts.accepted, counts.rejected) == (0, counts.read)
    cause = Cause("header-missing", "users.csv", 1)
    others = [f for f in staged.summary.listed if f.severity != "fatal"]
    assert {(f.rule, f.caused_by) for f in others} == {("reference-nowhere", cause), ("class-without-teacher", cause)}
    fatal = {(f.rule, f.file, f.caused_by) for f in staged.summary.listed if f.severity == "fatal"}
    assert fatal == {("header-missing", "users.csv", None), ("file-unusable", "enrollments.csv", cause)}
    assert [f.rule for f in staged.summary.causes] == ["header-missing"]


def test_a_file_without_a_needed_column_is_behind_the_values_that_are_missing(delivered: Delivered) -> None:
    delivered.edit_columns("users", lambda row: [*row[:5], *row[6:]])
    staged = delivered.stage()
    cause = Cause("column-missing", "users.csv", 1)
    others = [f for f in staged.summary.listed if f.severity != "fatal"]
    assert ("value-missing", "users.csv") in {(f.rule, f.file) for f in others}
    assert {f.caused_by for f in others} == {cause}
    assert (staged.summary.causes[0].rule, staged.summary.causes[0].column) == ("column-missing", "role")


def test_roles_that_end_too_early_are_behind_whoever_has_none(tmp_path: Path) -> None:
    district = generate(tmp_path / "delivered", students=20, version="1.2")
    delivered = Delivered(district.folder, tmp_path / "staging.duckdb")
    delivered.change("roles", lambda text: text.rstrip("\n")[:-100])
    line = delivered.text("roles").count("\n") + 1
    staged = delivered.stage()
    others = [f for f in staged.summary.listed if f.rule != "row-truncated"]
    assert "role-missing" in {f.rule for f in others}
    assert {f.caused_by for f in others} == {Cause("row-truncated", "roles.csv", line)}
