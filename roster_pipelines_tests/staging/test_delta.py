"""Delta files change the last good roster; files that are declared absent leave it as it is."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from roster_pipelines.simulators.districts import District
from roster_pipelines_tests.staging.conftest import Delivered, Staged

MODIFIED = "2026-11-22T08:00:00.000Z"


def manifest(**modes: str) -> str:
    """A manifest in which every file is absent but the named ones."""
    files = (
        "academicSessions", "categories", "classes", "classResources", "courses", "courseResources", "demographics",
        "enrollments", "lineItems", "orgs", "resources", "results", "users",
    )  # fmt: skip
    lines = [f"file.{name},{modes.get(name, 'absent')}" for name in files]
    return "\n".join(["propertyName,value", "manifest.version,1.0", "oneroster.version,1.1", *lines]) + "\n"


class Changes:
    """A delivery that holds changes only."""

    def __init__(self, folder: Path, base: Staged) -> None:
        folder.mkdir()
        self.base = base.database
        self._delivered = Delivered(folder, folder.with_suffix(".duckdb"))
        self._modes: dict[str, str] = {}

    def change(self, table: str, *rows: str, mode: str = "delta") -> None:
        """Send rows of a file, each without its id, status and date of change: `id|status|the rest`."""
        with_dates = [",".join([*row.split("|")[:2], MODIFIED, *row.split("|")[2:]]) for row in rows]
        self._delivered.write(table, "\n".join([HEADERS[table], *with_dates]) + "\n")
        self._modes[table] = mode

    def stage(self, *, on_nothing: bool = False) -> Staged:
        self._delivered.write("manifest", manifest(**self._modes))
        return self._delivered.stage(base=None if on_nothing else self.base)


HEADERS = {
    "users": "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,"
    "middleName,identifier,email,sms,phone,agentSourcedIds,grades,password",
    "classes": "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,"
    "schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods",
    "enrollments": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,"
    "beginDate,endDate",
}
NEW_STUDENT = "usr-new|active|true,org-0001,student,new.student,,Nova,Reed,,9000001,,,,,KG,"
NEW_SEAT = "enr-new|active|cls-000001,org-0001,usr-new,student,,2026-11-22,2027-06-15"


@pytest.fixture
def changes(tmp_path: Path, clean: Staged) -> Changes:
    return Changes(tmp_path / "changes", clean)


def test_a_delta_adds_changes_and_deletes_and_leaves_everything_else(
    changes: Changes, clean: Staged, clean_district: District
) -> None:
    before = {row[0]: row for row in clean.accepted("enrollments")}
    gone = next(key for key, row in before.items() if "student" in row)
    changes.change("users", NEW_STUDENT)
    changes.change("enrollments", NEW_SEAT, f"{gone}|tobedeleted|,,,,,,")
    staged = changes.stage()
    after = {row[0]: row for row in staged.accepted("enrollments")}
    assert staged.summary.findings == ()
    assert after.keys() - before.keys() == {"enr-new"}
    assert {key for key in before if after[key] != before[key]} == {gone}
    assert staged.rows('SELECT status, _line FROM enrollments WHERE "sourcedId" = ?', [gone]) == [("tobedeleted", 3)]
    counts = staged.summary.tables["enrollments"]
    assert (counts.read, counts.accepted, counts.rejected) == (2, 2, 0)
    assert counts.previous == counts.roster == clean_district.counts["enrollments"]
    assert staged.accepted("classes") == clean.accepted("classes")


def test_a_row_knows_the_delivery_that_brought_it(changes: Changes) -> None:
    changes.change("users", NEW_STUDENT)
    staged = changes.stage()
    found = dict(staged.rows('SELECT "sourcedId", _delivery FROM users'))
    assert found.pop("usr-new") is None
    assert set(found.values()) == {changes.base.stem}
    assert set(dict(staged.rows("SELECT _delivery, 1 FROM enrollments"))) == {changes.base.stem}


def test_deltas_follow_each_other_and_a_deleted_record_comes_back_whole(
    changes: Changes, clean: Staged, tmp_path: Path
) -> None:
    seat = next(row[0] for row in clean.accepted("enrollments"))
    changes.change("enrollments", f"{seat}|tobedeleted|,,,,,,")
    deleted = changes.stage()
    again = Changes(tmp_path / "again", deleted)
    columns = (
        '"classSourcedId"',
        '"schoolSourcedId"',
        '"userSourcedId"',
        "role",
        '"primary"',
        '"beginDate"',
        '"endDate"',
    )
    texts = ", ".join(f"coalesce({column}::VARCHAR, '')" for column in columns)
    ((row,),) = clean.rows(f"SELECT concat_ws(',', {texts}) FROM enrollments WHERE \"sourcedId\" = ?", [seat])
    again.change("enrollments", f"{seat}|active|{row}")
    back = again.stage()
    assert back.summary.findings == ()
    everything = f'SELECT "sourcedId", {", ".join(columns)} FROM enrollments ORDER BY ALL'
    assert back.rows(everything) == clean.rows(everything)
    assert back.rows("SELECT count(*) FROM enrollments WHERE status = 'tobedeleted'") == [(0,)]


def test_a_delta_that_nothing_can_be_changed_by_is_refused(changes: Changes) -> None:
    changes.change("users", NEW_STUDENT)
    staged = changes.stage(on_nothing=True)
    assert staged.summary.verdict == "refused"
    assert ("delta-without-base", "fatal", "users.csv", None, "") in staged.found
    assert {rule for rule, *_ in staged.found} == {"delta-without-base", "file-missing"}


def test_a_manifest_alone_says_that_nothing_has_changed(changes: Changes, clean: Staged) -> None:
    staged = changes.stage()
    assert staged.summary.verdict == "accepted"
    for table in ("academicSessions", "orgs", "courses", "users", "classes", "enrollments"):
        assert staged.accepted(table) == clean.accepted(table)


def test_a_file_in_bulk_replaces_and_the_absent_ones_stay(changes: Changes, clean: Staged) -> None:
    rows = clean.rows('SELECT "sourcedId" FROM users ORDER BY ALL LIMIT 30')
    changes.change(
        "users", *(f"{i}||true,org-0001,teacher,{i},,A,B,,{i},,,,,,".replace("|", "|", 1) for (i,) in rows), mode="bulk"
    )
    staged = changes.stage()
    assert len(staged.accepted("users")) == 30
    assert staged.accepted("classes") == clean.accepted("classes")


def test_what_a_deletion_leaves_behind_is_told(changes: Changes, clean: Staged) -> None:
    """The class is gone, its enrollments were not ended: they do no harm, and are counted."""
    changes.change("classes", "cls-000001|tobedeleted|,,,,,,,,,,")
    staged = changes.stage()
    (seats,) = clean.rows("SELECT count(*) FROM enrollments WHERE \"classSourcedId\" = 'cls-000001'")[0]
    (told,) = [f for f in staged.summary.findings if f.severity != "info"]
    assert (told.rule, told.file, told.column, told.count) == (
        "reference-deleted", "enrollments.csv", "classSourcedId", seats,
    )  # fmt: skip
    assert {f.line for f in staged.summary.listed} == {None}


def test_deleting_what_was_never_there_costs_a_warning(changes: Changes) -> None:
    changes.change("users", "usr-nobody|tobedeleted|,,,,,,,,,,,,,,")
    assert changes.stage().found == {("delete-unknown", "warning", "users.csv", 2, "status")}


def test_a_rejected_change_leaves_the_record_as_it_was(changes: Changes, clean: Staged) -> None:
    seat = next(row[0] for row in clean.accepted("enrollments"))
    changes.change("enrollments", f"{seat}|active|cls-000001,org-0001,usr-000003,janitor,,,")
    staged = changes.stage()
    assert staged.found == {("value-unknown", "error", "enrollments.csv", 2, "role")}
    assert staged.accepted("enrollments") == clean.accepted("enrollments")


@pytest.mark.parametrize(
    ("spoil", "rule", "column"),
    [
        (lambda text: "\n".join(text.split("\n")[:20]) + "\n", "rows-fewer", ""),
        (lambda text: text.replace("\nusr-", "\nperson-"), "ids-changed", "sourcedId"),
    ],
    ids=["half of the rows are missing", "all ids are new"],
)
def test_a_bulk_file_that_departs_from_the_last_good_one_is_warned_of(
    spoil: Callable[[str], str], rule: str, column: str, tmp_path: Path, clean: Staged, clean_district: District
) -> None:
    shutil.copytree(clean_district.folder, tmp_path / "delivered")
    delivered = Delivered(tmp_path / "delivered", tmp_path / "new.duckdb")
    delivered.change("users", spoil)
    staged = delivered.stage(base=clean.database)
    assert (rule, "warning", "users.csv", None, column) in staged.found
    assert [f for f in staged.summary.listed if f.file == "users.csv" and f.rule != rule] == []
