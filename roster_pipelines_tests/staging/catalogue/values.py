"""What stands wrong in a single value."""

from datetime import date

from roster_pipelines_tests.staging.catalogue.fault import ANYTHING, Fault, Group, faults_of, fine, kept, rejected
from roster_pipelines_tests.staging.catalogue.ground import Ground

LONG = "x" * 256
AGENTS = ["usr-000001", "usr-000002"]
GRADES = ["IT", "PR", "PK", "TK", "KG", *(f"{grade:02}" for grade in range(1, 14)), "PS", "UG", "Other"]


def _alike(what: str, table: str, rule: str, severity: str, sourced_id: str) -> Fault:
    """Two rows: a good one, and one whose id is the same or alike."""

    def plant(ground: Ground) -> int:
        ground.own(table, sourcedId=f"{table}-Alike")
        return ground.add(table, sourcedId=sourced_id)

    return Fault(what, rule, severity, f"{table}.csv", "sourcedId", plant)


MISSING = (
    rejected("a person without an id", "users.sourcedId", "", "value-missing"),
    rejected("an enrollment whose id is blanks", "enrollments.sourcedId", "  ", "value-missing"),
    rejected("a person without a role", "users.role", "", "value-missing"),
    rejected("a class without a school", "classes.schoolSourcedId", "", "value-missing"),
    rejected("an enrollment in no class", "enrollments.classSourcedId", "", "value-missing"),
    rejected("an enrollment of nobody", "enrollments.userSourcedId", "", "value-missing"),
    rejected("an enrollment as nothing", "enrollments.role", "", "value-missing"),
    rejected("a resource without the vendor's id", "resources.vendorResourceId", "", "value-missing"),
    rejected("a class's resource without the class", "classResources.classSourcedId", "", "value-missing"),
    rejected("a course's resource without the resource", "courseResources.resourceSourcedId", "", "value-missing"),
    kept("a person without a first name", "users.givenName", "", "value-missing", None),
    kept("a last name of blanks", "users.familyName", " \t ", "value-missing", None),
    kept("a person without a username", "users.username", "", "value-missing", None),
    kept("a person of no org", "users.orgSourcedIds", "", "value-missing", []),
    kept("a person of whom nobody says whether they are enabled", "users.enabledUser", "", "value-missing", None),
    kept("a session without a start", "academicSessions.startDate", "", "value-missing", None),
    kept("an org without a name", "orgs.name", "", "value-missing", None),
    kept("a course without an org", "courses.orgSourcedId", "", "value-missing", None),
    kept("a class without a course", "classes.courseSourcedId", "", "value-missing", None),
    kept("a class without a term", "classes.termSourcedIds", "", "value-missing", []),
    kept("an enrollment without a school", "enrollments.schoolSourcedId", "", "value-missing", None),
)

ENUMERATIONS = (
    rejected("a person with a role of 1.2", "users.role", "principal", "value-unknown"),
    rejected("an enrollment with a role that none has", "enrollments.role", "parent", "value-unknown"),
    rejected("an enrollment with an ext: role", "enrollments.role", "ext:tutor", "value-unknown"),
    kept("a trimester", "academicSessions.type", "trimester", "value-unknown", None),
    kept("a class of an unknown type", "classes.classType", "seminar", "value-unknown", None),
    kept("an org with an ext: type, which 1.1 does not know", "orgs.type", "ext:campus", "value-unknown", None),
    kept("enabledUser: disabled", "users.enabledUser", "disabled", "value-unknown", False),
    kept("primary: perhaps", "enrollments.primary", "perhaps", "value-unknown", False),
    kept("a resource for an unknown role", "resources.roles", "teacher,tutor", "value-unknown", ["teacher", None]),
    kept("a role in capitals", "users.role", "AIDE", "value-case", "aide"),
    kept("a role behind a tab", "users.role", "\taide", "value-case", "aide"),
    kept("an enrollment's role with a capital", "enrollments.role", "Student", "value-case", "student"),
    kept("a session's type in small letters", "academicSessions.type", "gradingperiod", "value-case", "gradingPeriod"),
    kept("an org's type with a capital", "orgs.type", "Department", "value-case", "department"),
    kept("a class's type in capitals", "classes.classType", "HOMEROOM", "value-case", "homeroom"),
    kept("enabledUser: TRUE", "users.enabledUser", "TRUE", "value-case", True),
    kept("enabledUser: 0", "users.enabledUser", "0", "value-case", False),
    kept("enabledUser: Yes", "users.enabledUser", "Yes", "value-case", True),
    kept("primary: F", "enrollments.primary", "F", "value-case", False),
    kept("a status in bulk", "users.status", "active", "delta-field-in-bulk", "active"),
    kept(
        "a change's date in bulk", "orgs.dateLastModified", "2026-08-01T08:00:00.000Z", "delta-field-in-bulk", ANYTHING
    ),
)

IDS = (
    kept("blanks around an enrollment's id", "enrollments.sourcedId", " enr-blanks ", "value-blanks", "enr-blanks"),
    kept("a blank behind a class's school", "classes.schoolSourcedId", "org-0001 ", "value-blanks", "org-0001"),
    kept("a tab before a course's org", "courses.orgSourcedId", "\torg-0000", "value-blanks", "org-0000"),
    kept("a blank between agents", "users.agentSourcedIds", "usr-000001, usr-000002", "value-blanks", AGENTS),
    kept("a no-break space behind a parent", "orgs.parentSourcedId", "org-0000\xa0", "value-blanks", "org-0000"),
    rejected("a spreadsheet's number for an id", "users.sourcedId", "1.23E+11", "value-spreadsheet"),
    rejected("a spreadsheet's number for a person", "enrollments.userSourcedId", "1.00E+05", "value-spreadsheet"),
    rejected("a spreadsheet's error for a class", "enrollments.classSourcedId", "#N/A", "value-spreadsheet"),
    kept("a spreadsheet's number for a course", "classes.courseSourcedId", "4,5E+12", "value-spreadsheet", None),
    kept("a spreadsheet's number for a student number", "users.identifier", "1.23E+11", "value-spreadsheet", None),
    kept("a spreadsheet's number for an NCES id", "orgs.identifier", "5.30792E+11", "value-spreadsheet", None),
    kept("a spreadsheet's error for a title", "courses.title", "#NAME?", "value-spreadsheet", None),
    kept("a column that was too narrow", "users.phone", "########", "value-spreadsheet", None),
    _alike("a person's id a second time", "users", "id-doubled", "error", "users-Alike"),
    _alike("an org's id a second time", "orgs", "id-doubled", "error", "orgs-Alike"),
    _alike("a class's id a second time", "classes", "id-doubled", "error", "classes-Alike"),
    _alike("a course's id that is equal but for case", "courses", "id-case", "warning", "courses-ALIKE"),
    kept("a person's id that is equal but for case", "users.sourcedId", "USR-000003", "id-case", "USR-000003"),
    kept("an id with a colon", "enrollments.sourcedId", "enr:1", "id-characters", "enr:1"),
    kept("an id with an umlaut", "courses.sourcedId", "Übung", "id-characters", "Übung"),
    kept("an id of 256 characters", "enrollments.sourcedId", LONG, "id-length", LONG),
    kept("an id behind no type", "users.userIds", "{LDAP:a},b", "user-ids-form", ["{LDAP:a}", "b"]),
    kept("no e-mail address", "users.email", "pat at example.org", "email-unlikely", None),
)

# Whether 9/8/2026 is in August or in September, the other dates of its column tell.
DATES = (
    kept("an American date", "academicSessions.startDate", "08/31/2026", "date-form", date(2026, 8, 31)),
    kept(
        "an American date that others explain", "academicSessions.startDate", "9/8/2026", "date-form", date(2026, 9, 8)
    ),
    kept(
        "a date of which no other tells what it is", "academicSessions.endDate", "06/07/2027", "date-unreadable", None
    ),
    kept("the sixth of the sixth", "academicSessions.endDate", "6/6/2027", "date-form", date(2027, 6, 6)),
    kept("a thirtieth of February", "academicSessions.endDate", "2027-02-30", "date-unreadable", None),
    kept("a European date", "enrollments.beginDate", "31/08/2026", "date-unreadable", None),
    kept("an American date among European ones", "enrollments.beginDate", "9/8/2026", "date-unreadable", None),
    kept("a date in words", "enrollments.beginDate", "tomorrow", "date-unreadable", None),
    kept("a time for a date", "enrollments.endDate", "2027-06-10T00:00:00Z", "date-form", date(2027, 6, 10)),
    kept("a date without hyphens", "enrollments.endDate", "20270610", "date-form", date(2027, 6, 10)),
    kept("two years for one", "academicSessions.schoolYear", "2026-2027", "year-unreadable", None),
)

CODES = (
    kept("a grade without its zero", "users.grades", "5", "grade-form", ["05"]),
    kept("K for kindergarten", "classes.grades", "K,01", "grade-form", ["KG", "01"]),
    kept("a grade in words", "courses.grades", "fifth", "grade-unknown", ["fifth"]),
    kept("an empty item among grades", "users.grades", "01,,02", "list-item-empty", ["01", "02"]),
    kept("an empty item among orgs", "users.orgSourcedIds", "org-0001,", "list-item-empty", ["org-0001"]),
    kept("an empty item among ids", "users.userIds", "{LDAP:a},", "list-item-empty", ["{LDAP:a}"]),
    kept("a school's own number", "orgs.identifier", "1001", "nces-id-unlikely", "1001"),
    kept("an NCES id with hyphens", "orgs.identifier", "53-07919-90001", "nces-id-form", "530791990001"),
    kept(
        "a school's NCES id that has lost its zero",
        "orgs.identifier",
        "69999900001",
        "nces-id-form",
        "069999900001",
        parentSourcedId="",
    ),
    kept(
        "a district's NCES id that has lost its zero",
        "orgs.identifier",
        "699999",
        "nces-id-form",
        "0699999",
        type="district",
    ),
    kept(
        "subjects without codes",
        "courses.subjectCodes",
        "",
        "subject-codes-length",
        [],
        subjects="Chess",
    ),
    kept(
        "two subjects and one code",
        "classes.subjectCodes",
        "08051",
        "subject-codes-length",
        ["08051"],
        subjects="Health,Physical Education",
    ),
)

# Each of these is as the standard has it: nothing may be found.
FINE = (
    fine("a guardian", "users.role", "guardian", "guardian"),
    fine("a name with a comma and quotes", "users.familyName", 'O\'Brien, "Bo" Ñandú', 'O\'Brien, "Bo" Ñandú'),
    fine("a name in blanks", "users.givenName", " Ada ", "Ada"),
    fine("a name that begins like a spreadsheet's error", "users.familyName", "#1", "#1"),
    fine("several ids", "users.userIds", "{LDAP:a},{LTI:b}", ["{LDAP:a}", "{LTI:b}"]),
    fine("several agents", "users.agentSourcedIds", "usr-000001,usr-000002", AGENTS),
    fine("an id with every character", "courses.sourcedId", "aZ9.-_/@", "aZ9.-_/@"),
    fine("a department's own number", "orgs.identifier", "12", "12", type="department"),
    fine("every grade", "courses.grades", ",".join(GRADES), GRADES),
    fine("no subjects and no codes", "courses.subjectCodes", "", []),
    fine("a leap day", "academicSessions.endDate", "2028-02-29", date(2028, 2, 29)),
)

GROUPS = (Group("values", (*MISSING, *ENUMERATIONS, *IDS, *DATES, *CODES), fine=FINE, resources=True),)
FAULTS = faults_of(*GROUPS)
