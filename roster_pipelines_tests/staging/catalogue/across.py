"""What stands wrong between rows, and between files."""

from collections.abc import Callable

from roster_pipelines_tests.staging.catalogue.fault import (
    ANYTHING,
    Fault,
    Group,
    Lines,
    Plant,
    faults_of,
    fine,
    in_file,
    kept,
    rejected,
)
from roster_pipelines_tests.staging.catalogue.ground import (
    ADMINISTRATOR,
    DISTRICT,
    HIGH_SCHOOL,
    SCHOOL,
    YEAR,
    Ground,
    Row,
)

NOWHERE = "reference-nowhere"


def warned(what: str, where: str, rule: str, plant: Plant) -> Fault:
    return in_file(what, rule, "warning", where, plant)


def cycle(table: str, length: int) -> Plant:
    """Records each of which has the next one for its parent, the last one the first."""

    def plant(ground: Ground) -> Lines:
        ids = [f"{table}-{length}-{number}" for number in range(length)]
        parents = [*ids[1:], ids[0]]
        return tuple(
            ground.add(table, sourcedId=own, parentSourcedId=parent) for own, parent in zip(ids, parents, strict=True)
        )

    return plant


def enrolled(role: str, **cells: str) -> Plant:
    """Enroll a new aide in a class."""

    def plant(ground: Ground) -> int:
        person = f"aide-{role}-{'-'.join(cells)}"
        ground.add("users", sourcedId=person)
        line = ground.own("classes")
        return ground.enroll(
            classSourcedId=ground.rows("classes")[line]["sourcedId"],
            schoolSourcedId=SCHOOL,
            userSourcedId=person,
            role=role,
            **cells,
        )

    return plant


def student_seat(edit: Callable[[Row], dict[str, str]]) -> Plant:
    """Change a student's enrollment."""

    def plant(ground: Ground) -> int:
        line = ground.own("enrollments")
        return ground.set("enrollments", line, **edit(ground.rows("enrollments")[line]))

    return plant


def class_(**cells: str) -> Plant:
    return lambda ground: ground.own("classes", **cells)


def without_teacher(ground: Ground) -> int:
    return ground.add("classes")


def student_teaches(ground: Ground) -> int:
    student = next(row["sourcedId"] for row in ground.rows("users").values() if row["role"] == "student")
    line = ground.own("classes")
    return ground.teach(line, userSourcedId=student)


def two_primaries(ground: Ground) -> int:
    line = ground.add("classes")
    ground.add("users", sourcedId="second-teacher", role="teacher")
    ground.teach(line, primary="true")
    return ground.teach(line, userSourcedId="second-teacher", primary="true")


def twice_enrolled(ground: Ground) -> int:
    line = ground.own("enrollments")
    return ground.enroll(**{**ground.rows("enrollments")[line], "sourcedId": "twice-enrolled"})


def long_ended(ground: Ground) -> int:
    """In a class of that time, so that the enrollment lies within its term."""
    ground.add(
        "academicSessions",
        sourcedId="ses-2025",
        startDate="2024-08-15",
        endDate="2025-06-15",
        parentSourcedId="",
        schoolYear="2025",
    )
    line = ground.own("classes", termSourcedIds="ses-2025")
    return ground.enroll(
        classSourcedId=ground.rows("classes")[line]["sourcedId"],
        schoolSourcedId=SCHOOL,
        role="proctor",
        userSourcedId=ADMINISTRATOR,
        beginDate="2024-08-15",
        endDate="2025-06-15",
    )


def same(column: str, value: str) -> Plant:
    """Two people with the same name to sign in by, or the same address, written in another case."""

    def plant(ground: Ground) -> int:
        ground.add("users", **{column: value})
        return ground.add("users", **{column: value.upper()})

    return plant


def elsewhere(ground: Ground) -> int:
    return ground.add("orgs", identifier="010000500001")


REFERENCES = (
    rejected("a class at an unknown school", "classes.schoolSourcedId", "org-9", NOWHERE),
    rejected("an enrollment in an unknown class", "enrollments.classSourcedId", "cls-9", NOWHERE),
    rejected("an enrollment of an unknown person", "enrollments.userSourcedId", "usr-9", NOWHERE),
    rejected("a person's id in capitals", "enrollments.userSourcedId", "USR-000003", NOWHERE),
    rejected("an unknown class's resource", "classResources.classSourcedId", "cls-9", NOWHERE),
    rejected("a course's unknown resource", "courseResources.resourceSourcedId", "res-9", NOWHERE),
    kept("a class of an unknown course", "classes.courseSourcedId", "crs-9", NOWHERE, "crs-9"),
    kept("an enrollment at an unknown school", "enrollments.schoolSourcedId", "org-9", NOWHERE, "org-9"),
    kept("a course of an unknown school year", "courses.schoolYearSourcedId", "ses-9", NOWHERE, "ses-9"),
    kept("a course of an unknown org", "courses.orgSourcedId", "org-9", NOWHERE, "org-9"),
    kept("an org below an unknown one", "orgs.parentSourcedId", "org-9", NOWHERE, "org-9"),
    kept("a session in an unknown one", "academicSessions.parentSourcedId", "ses-9", NOWHERE, "ses-9"),
    kept("a person with an unknown agent", "users.agentSourcedIds", "usr-9", NOWHERE, ["usr-9"]),
    kept("one unknown org of two", "users.orgSourcedIds", "org-0001,org-9", NOWHERE, ["org-0001", "org-9"]),
    kept("one unknown term of two", "classes.termSourcedIds", f"{YEAR},ses-9", NOWHERE, [YEAR, "ses-9"]),
)

HIERARCHIES = (
    warned("an org that is its own parent", "orgs.parentSourcedId", "parent-cycle", cycle("orgs", 1)),
    warned("two orgs above each other", "orgs.parentSourcedId", "parent-cycle", cycle("orgs", 2)),
    warned(
        "three sessions in a circle", "academicSessions.parentSourcedId", "parent-cycle", cycle("academicSessions", 3)
    ),
    warned("a school with another district's NCES id", "orgs.identifier", "nces-id-elsewhere", elsewhere),
    kept("a course in a semester", "courses.schoolYearSourcedId", "ses-2027-1", "session-not-a-year", "ses-2027-1"),
    warned("a class at the district", "classes.schoolSourcedId", "org-not-a-school", class_(schoolSourcedId=DISTRICT)),
)

CLASSES = (
    in_file("a student enrolled as a teacher", "student-as-teacher", "error", "enrollments.role", student_teaches),
    warned("an aide enrolled as a student", "enrollments.role", "staff-as-student", enrolled("student")),
    warned("a primary proctor", "enrollments.primary", "primary-not-a-teacher", enrolled("proctor", primary="true")),
    warned("two primary teachers", "enrollments.primary", "primary-doubled", two_primaries),
    warned("a class that nobody teaches", "classes", "class-without-teacher", without_teacher),
    warned(
        "an enrollment at another school than its class",
        "enrollments.schoolSourcedId",
        "school-differs",
        student_seat(lambda row: {"schoolSourcedId": HIGH_SCHOOL if row["schoolSourcedId"] == SCHOOL else SCHOOL}),
    ),
    warned("an enrollment under two ids", "enrollments", "enrollment-doubled", twice_enrolled),
    warned("the same username in other letters", "users.username", "username-doubled", same("username", "chess.club")),
    warned("the same e-mail address in other letters", "users.email", "email-doubled", same("email", "a@b.example")),
)

DATES = (
    warned(
        "a session that ends before it begins",
        "academicSessions.endDate",
        "dates-reversed",
        lambda ground: ground.add("academicSessions", endDate="2026-08-01"),
    ),
    warned(
        "a session that ends on its first day",
        "academicSessions.endDate",
        "dates-reversed",
        lambda ground: ground.add("academicSessions", endDate="2026-08-15"),
    ),
    kept(
        "an enrollment that ends before it begins",
        "enrollments.endDate",
        "2026-09-01",
        "dates-reversed",
        ANYTHING,
        beginDate="2026-10-01",
    ),
    warned(
        "an enrollment that begins before its class",
        "enrollments",
        "enrollment-outside-term",
        enrolled("proctor", beginDate="2026-07-01"),
    ),
    warned(
        "an enrollment that ends after its class",
        "enrollments",
        "enrollment-outside-term",
        enrolled("proctor", endDate="2027-01-16"),
    ),
    warned("an enrollment that ended more than a year ago", "enrollments.endDate", "enrollment-long-ended", long_ended),
)

FINE = (
    fine("an enrollment that ends with its class", "enrollments.endDate", "2027-06-15", ANYTHING),
    fine("a parent further below in the file", "orgs.parentSourcedId", "org-below", "org-below"),
    fine("the org further below", "orgs.sourcedId", "org-below", "org-below"),
)

GROUPS = (Group("across", (*REFERENCES, *HIERARCHIES, *CLASSES, *DATES), fine=FINE, resources=True),)
FAULTS = faults_of(*GROUPS)
