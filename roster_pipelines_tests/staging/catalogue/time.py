"""What stands wrong against an earlier delivery, or for want of one."""

from roster_pipelines_tests.staging.catalogue.fault import (
    Fault,
    Group,
    Lines,
    Plant,
    faults_of,
    in_file,
    in_row,
    kept,
    rejected,
)
from roster_pipelines_tests.staging.catalogue.ground import SCHOOL, Ground

MODIFIED = "2026-11-22T08:00:00.000Z"
ACTIVE = {"status": "active", "dateLastModified": MODIFIED}
TO_BE_DELETED = {"status": "tobedeleted", "dateLastModified": MODIFIED}
ENDED_CLASS, ENDED_STUDENT = "cls-000001", "usr-000007"


def warned(what: str, where: str, rule: str, plant: Plant) -> Fault:
    return in_file(what, rule, "warning", where, plant)


def changed(what: str, where: str, value: str, rule: str, becomes: object) -> Fault:
    """A bad value in a row of a delta file that is good otherwise."""
    cells = {name: cell for name, cell in ACTIVE.items() if name != where.partition(".")[2]}
    return kept(what, where, value, rule, becomes, **cells)


def all_in_delta(*tables: str) -> Plant:
    """Send every row of files as a change."""

    def plant(ground: Ground) -> None:
        for table in tables:
            ground.edit_columns(
                table, lambda row: row if row[0] == "sourcedId" else [row[0], *ACTIVE.values(), *row[3:]]
            )
            ground.declare(**{table: "delta"})

    return plant


def changes_only(ground: Ground) -> None:
    """Delta files with nothing in them yet; whatever else was delivered before stays as it was."""
    for table in ("academicSessions", "orgs", "courses", "resources", "courseResources", "classResources"):
        ground.remove(table)
        ground.declare(**{table: "absent"})
    for table in ("users", "classes", "enrollments"):
        ground.change(table, lambda text: text.partition("\n")[0] + "\n")
        ground.declare(**{table: "delta"})


def deleted(table: str, sourced_id: str) -> Plant:
    """Delete a record, by its id and nothing else."""

    def plant(ground: Ground) -> Lines:
        blank = dict.fromkeys(ground.text(table).partition("\n")[0].split(","), "")
        return ground.add(table, **{**blank, "sourcedId": sourced_id, **TO_BE_DELETED})

    return plant


def to_be_deleted(table: str, sourced_id: str) -> Plant:
    """Delete a record, for a fault that is found in the records that name it, which came earlier and have no line."""

    def plant(ground: Ground) -> None:
        deleted(table, sourced_id)(ground)

    return plant


def enrolled_in_ended(ground: Ground) -> int:
    return ground.enroll(
        classSourcedId=ENDED_CLASS, schoolSourcedId=SCHOOL, userSourcedId="usr-000001", role="proctor", **ACTIVE
    )


def half_of(table: str) -> Plant:
    """Keep the teachers' rows only."""

    def plant(ground: Ground) -> None:
        ground.change(
            table, lambda text: "".join(line for line in text.splitlines(keepends=True) if ",student," not in line)
        )

    return plant


def other_ids(table: str) -> Plant:
    return lambda ground: ground.edit_columns(table, lambda row: [row[0].replace("-", "."), *row[1:]])


WITHOUT_BASE = Group(
    "a delta at first",
    (
        in_file(
            "a delta file without an earlier delivery", "delta-without-base", "fatal", "users", all_in_delta("users")
        ),
        in_file(
            "a delta file that nobody needs without an earlier delivery",
            "delta-without-base",
            "warning",
            "resources",
            all_in_delta("resources"),
        ),
    ),
    resources=True,
)
DELTA = Group(
    "delta",
    (
        changed("a change without a status", "users.status", "", "delta-field-missing", None),
        changed("a change without its date", "users.dateLastModified", "", "delta-field-missing", None),
        changed("a change's date in words", "users.dateLastModified", "yesterday", "datetime-unreadable", None),
        kept(
            "1.0's word for a deletion",
            "users.status",
            "inactive",
            "value-case",
            "tobedeleted",
            sourcedId="usr-000002",
            dateLastModified=MODIFIED,
        ),
        changed("a status that is none", "users.status", "changed", "value-unknown", None),
        rejected("a changed person without a role", "users.role", "", "value-missing", **ACTIVE),
        in_file(
            "somebody unknown is to be deleted",
            "delete-unknown",
            "warning",
            "users.status",
            deleted("users", "usr-nobody"),
        ),
        warned(
            "a class is deleted that people are enrolled in",
            "enrollments.classSourcedId",
            "reference-deleted",
            to_be_deleted("classes", ENDED_CLASS),
        ),
        warned(
            "a student is deleted who is enrolled",
            "enrollments.userSourcedId",
            "reference-deleted",
            to_be_deleted("users", ENDED_STUDENT),
        ),
        warned(
            "somebody is enrolled in a deleted class",
            "enrollments.classSourcedId",
            "reference-deleted",
            enrolled_in_ended,
        ),
    ),
    fine=(in_row("a changed person", "users.status", "active", "", "", "active", dateLastModified=MODIFIED),),
    prepare=changes_only,
    resources=True,
    follows=True,
)
BULK_AGAIN = Group(
    "bulk again",
    (
        warned("only the teachers' enrollments have come", "enrollments", "rows-fewer", half_of("enrollments")),
        warned(
            "the ids are made in another way", "courseResources.sourcedId", "ids-changed", other_ids("courseResources")
        ),
    ),
    resources=True,
    follows=True,
)

GROUPS = (WITHOUT_BASE, DELTA, BULK_AGAIN)
FAULTS = faults_of(*GROUPS)
