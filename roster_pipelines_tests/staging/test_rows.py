"""What is found in single rows, and what becomes of them.

To a clean district one row is added for each fault, a good row but for one value. All faults are staged together, as
a real delivery has them; each test looks at one row, and one at all that was found.
"""

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from roster_pipelines.simulators.districts import District
from roster_pipelines_tests.staging.conftest import Delivered, Staged

REJECTED = object()
MARKER = "Qwertzmarker"

# The line of the clean file that is copied; in users a teacher's.
GOOD_ROW = {"academicSessions": 3, "orgs": 3, "courses": 2, "users": 4, "classes": 2, "enrollments": 2}


@dataclass(frozen=True)
class Fault:
    """One bad value in one row.

    Attributes:
        what: What it is, for a person.
        where: Table and column.
        value: What stands there.
        rule: The rule that must tell of it; blank where nothing is wrong.
        severity: `error` for a row that cannot be used, `warning` for one that can.
        becomes: The accepted value, or REJECTED.
        beside: Further cells of the row.
    """

    what: str
    where: str
    value: str
    rule: str
    severity: str
    becomes: Any
    beside: dict[str, str]

    @property
    def table(self) -> str:
        return self.where.partition(".")[0]

    @property
    def column(self) -> str:
        return self.where.partition(".")[2]


def rejected(what: str, where: str, value: str, rule: str) -> Fault:
    return Fault(what, where, value, rule, "error", REJECTED, {})


def kept(what: str, where: str, value: str, rule: str, becomes: Any, beside: dict[str, str] | None = None) -> Fault:
    return Fault(what, where, value, rule, "warning", becomes, beside or {})


def fine(what: str, where: str, value: str, becomes: Any, beside: dict[str, str] | None = None) -> Fault:
    return Fault(what, where, value, "", "", becomes, beside or {})


FAULTS = [
    # a value is missing
    rejected("no id", "users.sourcedId", "", "value-missing"),
    rejected("an id of blanks", "users.sourcedId", "  ", "value-missing"),
    rejected("a person without a role", "users.role", "", "value-missing"),
    rejected("a class without a school", "classes.schoolSourcedId", "", "value-missing"),
    rejected("an enrollment in no class", "enrollments.classSourcedId", "", "value-missing"),
    rejected("an enrollment of nobody", "enrollments.userSourcedId", "", "value-missing"),
    rejected("an enrollment as nothing", "enrollments.role", "", "value-missing"),
    kept("a person without a first name", "users.givenName", "", "value-missing", None),
    kept("a last name of blanks", "users.familyName", " \t ", "value-missing", None),
    kept("a person of no org", "users.orgSourcedIds", "", "value-missing", []),
    kept("nothing about being enabled", "users.enabledUser", "", "value-missing", None),
    kept("a session without a start", "academicSessions.startDate", "", "value-missing", None),
    kept("a class without a course", "classes.courseSourcedId", "", "value-missing", None),
    kept("a class without a term", "classes.termSourcedIds", "", "value-missing", []),
    # a value is none of the standard's, or not in its case
    rejected("a role that is none", "users.role", "principal", "value-unknown"),
    rejected("a role no enrollment has", "enrollments.role", "parent", "value-unknown"),
    kept("a role in capitals", "users.role", "TEACHER", "value-case", "teacher"),
    kept("a role behind a tab", "users.role", "\tteacher", "value-case", "teacher"),
    kept("a session that is none", "academicSessions.type", "trimester", "value-unknown", None),
    kept("a class that is none", "classes.classType", "seminar", "value-unknown", None),
    kept("enabled: disabled", "users.enabledUser", "disabled", "value-unknown", False),
    kept("enabled: TRUE", "users.enabledUser", "TRUE", "value-case", True),
    kept("enabled: 1", "users.enabledUser", "1", "value-unknown", True),
    kept("primary: yes", "enrollments.primary", "yes", "value-unknown", True),
    # an id stands twice
    rejected("a second usr-000001", "users.sourcedId", "usr-000001", "id-doubled"),
    rejected("a second org-0001", "orgs.sourcedId", "org-0001", "id-doubled"),
    # a reference leads nowhere
    rejected("an unknown school", "classes.schoolSourcedId", "org-9", "reference-nowhere"),
    rejected("an unknown class", "enrollments.classSourcedId", "cls-9", "reference-nowhere"),
    rejected("an unknown person", "enrollments.userSourcedId", "usr-9", "reference-nowhere"),
    rejected("a person's id in capitals", "enrollments.userSourcedId", "USR-000003", "reference-nowhere"),
    kept("an unknown course", "classes.courseSourcedId", "crs-9", "reference-nowhere", "crs-9"),
    kept("an enrollment's unknown school", "enrollments.schoolSourcedId", "org-9", "reference-nowhere", "org-9"),
    kept("an unknown parent org", "orgs.parentSourcedId", "org-9", "reference-nowhere", "org-9"),
    kept("an unknown agent", "users.agentSourcedIds", "usr-9", "reference-nowhere", ["usr-9"]),
    kept(
        "one unknown org of two",
        "users.orgSourcedIds",
        "org-0001, org-9",
        "reference-nowhere",
        ["org-0001", "org-9"],
    ),
    kept(
        "one unknown term of two",
        "classes.termSourcedIds",
        "ses-2027-1,ses-9",
        "reference-nowhere",
        ["ses-2027-1", "ses-9"],
    ),
    # dates and years that are none
    kept("an American date", "academicSessions.startDate", "08/15/2026", "date-unreadable", None),
    kept("a thirtieth of February", "academicSessions.endDate", "2027-02-30", "date-unreadable", None),
    kept("a date in words", "enrollments.beginDate", "tomorrow", "date-unreadable", None),
    kept("a time for a date", "enrollments.endDate", "2027-06-15T00:00:00Z", "date-unreadable", None),
    kept("two years", "academicSessions.schoolYear", "2026-2027", "year-unreadable", None),
    # what belongs into delta files only
    kept("a status in bulk", "users.status", "active", "delta-field-in-bulk", "active"),
    kept("a change's date in bulk", "orgs.dateLastModified", "2026-08-01", "delta-field-in-bulk", ...),
    # numbers and codes
    kept("a school's own number", "orgs.identifier", "1001", "nces-id-unlikely", "1001"),
    kept("a subject without a code", "courses.subjectCodes", "", "subject-codes-length", []),
    kept(
        "two subjects, one code",
        "classes.subjectCodes",
        "08051",
        "subject-codes-length",
        ["08051"],
        {"subjects": "Health,Physical Education"},
    ),
    # nothing is wrong with these
    fine("a guardian", "users.role", "guardian", "guardian"),
    fine("a name with a comma and quotes", "users.familyName", 'O\'Brien, "Bo" Ñandú', 'O\'Brien, "Bo" Ñandú'),
    fine("a name in blanks", "users.givenName", " Ada ", "Ada"),
    fine("several ids", "users.userIds", "{LDAP:a},{LTI:b}", ["{LDAP:a}", "{LTI:b}"]),
    fine(
        "agents apart by a comma and a blank",
        "users.agentSourcedIds",
        "usr-000001, usr-000002",
        ["usr-000001", "usr-000002"],
    ),
    fine("a leap day", "enrollments.endDate", "2028-02-29", date(2028, 2, 29)),
    fine("a department's own number", "orgs.identifier", "12", "12", {"type": "department"}),
    fine("no subjects and no codes", "courses.subjectCodes", "", [], {"subjects": ""}),
]
BY_WHAT = {fault.what: fault for fault in FAULTS}


@dataclass(frozen=True)
class Planted:
    """The staged district, and on which line of its file each fault stands."""

    staged: Staged
    lines: dict[str, int]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory, clean_district: District) -> Planted:
    folder: Path = tmp_path_factory.mktemp("planted")
    shutil.copytree(clean_district.folder, folder / "delivered")
    delivered = Delivered(folder / "delivered", folder / "staging.duckdb")
    lines = {}
    for number, fault in enumerate(FAULTS):
        person = {"givenName": MARKER, "familyName": MARKER, "email": f"{MARKER}@maple-valley.example"}
        cells = {"sourcedId": f"extra-{number}", **(person if fault.table == "users" else {}), **fault.beside}
        cells[fault.column] = fault.value
        lines[fault.what] = delivered.add_row(fault.table, GOOD_ROW[fault.table], **cells)
    return Planted(delivered.stage(), lines)


@pytest.mark.parametrize("what", BY_WHAT)
def test_a_fault_is_told_by_its_rule_severity_file_line_and_column(what: str, planted: Planted) -> None:
    fault, line = BY_WHAT[what], planted.lines[what]
    file = f"{fault.table}.csv"
    here = {found for found in planted.staged.found if found[2:4] == (file, line)}
    assert here == ({(fault.rule, fault.severity, file, line, fault.column)} if fault.rule else set())


@pytest.mark.parametrize("what", BY_WHAT)
def test_only_a_row_the_product_cannot_use_is_rejected(what: str, planted: Planted) -> None:
    fault, line = BY_WHAT[what], planted.lines[what]
    accepted = planted.staged.rows(f'SELECT "{fault.column}" FROM main."{fault.table}" WHERE _line = {line}')
    rejected = planted.staged.rows(f'SELECT rules FROM rejected."{fault.table}" WHERE _line = {line}')
    if fault.becomes is REJECTED:
        assert (accepted, rejected) == ([], [([f"{fault.rule}:{fault.column}"],)])
    else:
        assert rejected == []
        assert accepted == [(fault.becomes if fault.becomes is not ... else accepted[0][0],)]


def test_nothing_is_found_but_what_was_planted(planted: Planted) -> None:
    assert planted.staged.found == {
        (fault.rule, fault.severity, f"{fault.table}.csv", planted.lines[fault.what], fault.column)
        for fault in FAULTS
        if fault.rule
    }
    assert sum(finding.count for finding in planted.staged.summary.findings) == sum(bool(f.rule) for f in FAULTS)


def test_faults_in_rows_leave_the_delivery_accepted_with_findings(planted: Planted) -> None:
    assert planted.staged.summary.verdict == "accepted_with_findings"


def test_every_row_is_accounted_for(planted: Planted, clean_district: District) -> None:
    for table, counts in planted.staged.summary.tables.items():
        added = [fault for fault in FAULTS if fault.table == table]
        rejected = sum(fault.becomes is REJECTED for fault in added)
        assert counts.read == clean_district.counts[table] + len(added)
        assert (counts.accepted, counts.rejected) == (counts.read - rejected, rejected)
        assert counts.add_up


def test_of_two_rows_with_one_id_the_first_stays(planted: Planted) -> None:
    rows = planted.staged.rows('SELECT _line, "familyName" FROM main.users WHERE "sourcedId" = \'usr-000001\'')
    assert [line for line, _ in rows] == [2]
    assert rows[0][1] != MARKER


def test_no_accepted_row_lacks_what_the_product_needs(planted: Planted) -> None:
    for table, column in [("users", "role"), ("classes", "schoolSourcedId"), ("enrollments", "userSourcedId")]:
        unusable = f'FROM main."{table}" WHERE "{column}" IS NULL OR "sourcedId" IS NULL'
        assert planted.staged.rows(unusable) == []


def test_findings_and_summary_hold_no_value_of_a_person(planted: Planted) -> None:
    told = repr(planted.staged.rows("FROM findings")) + repr(planted.staged.rows("FROM finding_counts"))
    told += repr(planted.staged.rows("FROM rejected.unreadable")) + repr(planted.staged.summary)
    told += "".join(f.message + f.remedy for f in planted.staged.summary.findings)
    assert planted.staged.rows(f"FROM rejected.users WHERE \"familyName\" = '{MARKER}'") != []
    for value in (MARKER, "principal", "disabled", "tomorrow", "08/15/2026"):
        assert value not in told
