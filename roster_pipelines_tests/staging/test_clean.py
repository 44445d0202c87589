"""A set as the standard has it gives no finding; nor does what the standard leaves open."""

import shutil
from pathlib import Path

import pytest

from roster_pipelines.oneroster.shape import Registration, Version
from roster_pipelines.simulators.districts import District, generate
from roster_pipelines_tests.staging.conftest import Delivered, Staged

OTHERS: list[tuple[Version, tuple[str, ...], Registration]] = [
    ("1.1", (), "auto_by_school"),
    ("1.1", ("lessons",), "auto_by_resource"),
    ("1.2", (), "access_code"),
    ("1.2", ("lessons",), "auto_by_resource"),
]


def test_a_clean_district_is_accepted_without_a_finding(clean: Staged, clean_district: District) -> None:
    assert clean.summary.verdict == "accepted"
    assert clean.summary.findings == ()
    assert {name: c.read for name, c in clean.summary.tables.items() if c.read} == clean_district.counts
    assert all(c.accepted == c.read and c.rejected == 0 for c in clean.summary.tables.values())


@pytest.mark.parametrize(("version", "resources", "registration"), OTHERS)
def test_so_is_one_of_either_version_with_resources_or_without(
    version: Version, resources: tuple[str, ...], registration: Registration, tmp_path: Path
) -> None:
    district = generate(tmp_path / "delivered", students=40, version=version, resources=resources, demographics=False)
    staged = Delivered(district.folder, tmp_path / "staging.duckdb").stage(registration)
    assert staged.summary.verdict == "accepted"
    assert staged.summary.version == version
    assert staged.summary.findings == ()
    assert {name: c.accepted for name, c in staged.summary.tables.items() if c.read} == district.counts


def test_both_versions_give_the_same_roster(clean: Staged, tmp_path: Path) -> None:
    district = generate(tmp_path / "delivered", students=40, version="1.2")
    staged = Delivered(district.folder, tmp_path / "staging.duckdb").stage()
    people = 'SELECT "sourcedId", role, "orgSourcedIds", username, email, grades FROM users ORDER BY 1'
    assert staged.rows(people) == clean.rows(people)
    assert staged.accepted("enrollments") == clean.accepted("enrollments")


def test_accepted_rows_have_their_types(clean: Staged) -> None:
    types = dict(clean.rows("SELECT column_name, column_type FROM (DESCRIBE main.enrollments)"))
    assert (types["primary"], types["beginDate"], types["_line"]) == ("BOOLEAN", "DATE", "BIGINT")
    assert clean.rows('SELECT "termSourcedIds" FROM main.classes WHERE _line = 2') == [(["ses-2027-1", "ses-2027-2"],)]


def test_a_byte_order_mark_crlf_quotes_around_everything_and_metadata_change_nothing(
    delivered: Delivered, clean: Staged
) -> None:
    delivered.write("users", "\ufeff" + delivered.text("users"))
    delivered.change("classes", lambda text: text.replace("\n", "\r\n"))
    delivered.edit_columns("orgs", lambda row: [*row, "metadata.boss" if row[0] == "sourcedId" else "Ada"])
    delivered.change("courses", lambda text: text.rstrip("\n"))
    quoted = '"\n"'.join(delivered.text("enrollments").replace(",", '","').splitlines())
    delivered.write("enrollments", f'\ufeff"{quoted}"\n')
    staged = delivered.stage()
    assert staged.summary == clean.summary
    for table in ("academicSessions", "orgs", "courses", "users", "classes", "enrollments"):
        assert staged.accepted(table) == clean.accepted(table)


@pytest.mark.parametrize("missing", ["header only", "no files"])
def test_with_access_codes_orgs_and_courses_may_come_without_rows(missing: str, delivered: Delivered) -> None:
    """The guide's footnote; every reference to them then checks nothing."""
    for table in ("orgs", "courses"):
        if missing == "header only":
            delivered.change(table, lambda text: text.partition("\n")[0] + "\n")
        else:
            (delivered.folder / f"{table}.csv").unlink()
            delivered.write(
                "manifest", delivered.text("manifest").replace(f"file.{table},bulk", f"file.{table},absent")
            )
    staged = delivered.stage("access_code")
    assert staged.summary.verdict == "accepted"
    assert {f.severity for f in staged.summary.findings} <= {"info"}
    assert staged.summary.tables["classes"].accepted == 104


def test_a_zip_with_a_folder_in_it_is_taken_as_its_files(delivered: Delivered, clean: Staged) -> None:
    inside = delivered.folder / "roster"
    inside.mkdir()
    for path in delivered.folder.glob("*.csv"):
        path.rename(inside / path.name)
    shutil.make_archive(str(delivered.folder / "export-17"), "zip", delivered.folder, "roster")
    staged = delivered.stage()
    assert staged.found == {("zip-folder", "info", "export-17.zip", None, "")}
    assert staged.summary.tables == clean.summary.tables


def test_a_rule_that_fails_on_every_row_lists_a_hundred_findings_and_counts_them_all(delivered: Delivered) -> None:
    delivered.change("enrollments", lambda text: text.replace(",student,", ",pupil,"))
    staged = delivered.stage()
    listed = [f for f in staged.summary.listed if f.rule == "value-unknown"]
    (counted,) = (f for f in staged.summary.findings if f.rule == "value-unknown")
    assert (len(listed), counted.count) == (100, 320)
    assert [f.line for f in listed] == sorted(line for line, in staged.rows(
        "SELECT _line FROM rejected.enrollments ORDER BY _line LIMIT 100"))  # fmt: skip
    assert staged.summary.truncated
    assert (staged.summary.tables["enrollments"].accepted, staged.summary.tables["enrollments"].rejected) == (114, 320)
