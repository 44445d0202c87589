"""The OneRoster 1.1 CSV binding, declared once.

The reader's columns, the pandera schemas, the staging views and Dagster's column metadata all come from `TABLES`.
Facts: 1EdTech OneRoster 1.1 CSV tables; `required` is the standard's word for a bulk file, `needed` is ours: without
that value this product cannot use the row, so the row is rejected. Everything else that is wrong costs a warning and,
at most, the value.
"""

from dataclasses import dataclass
from typing import Literal

Format = Literal["id", "text", "enumeration", "boolean", "date", "datetime", "year", "reference"]
Registration = Literal["access_code", "auto_by_school", "auto_by_resource"]

SOURCED_ID = "sourcedId"
STATUS_VALUES = ("active", "tobedeleted")
USER_ROLES = ("administrator", "aide", "guardian", "parent", "proctor", "relative", "student", "teacher")


@dataclass(frozen=True)
class Column:
    """One column of a OneRoster CSV file.

    Attributes:
        name: The header, in the standard's case.
        format: What a value looks like.
        meaning: One phrase for people.
        required: The standard wants a value in every row of a bulk file.
        needed: This product cannot use a row without a good value here; the row is rejected.
        many: The cell is a comma-separated list.
        values: The legal values of an enumeration.
        references: The table whose sourcedId the value names.
        stored: False for what must never reach a database of ours.
    """

    name: str
    format: Format
    meaning: str
    required: bool = False
    needed: bool = False
    many: bool = False
    values: tuple[str, ...] = ()
    references: str = ""
    stored: bool = True


@dataclass(frozen=True)
class Table:
    """One OneRoster CSV file and the table that comes from it.

    Attributes:
        name: The standard's name, without `.csv`.
        meaning: One phrase for people.
        columns: In the standard's order.
        only_for_auto_registration: Data is required only where the district uses auto-registration (the guide's
            footnote); without data, references to this table check nothing.
    """

    name: str
    meaning: str
    columns: tuple[Column, ...]
    only_for_auto_registration: bool = False

    @property
    def file(self) -> str:
        """The file's name as the standard writes it."""
        return f"{self.name}.csv"

    def needs_data(self, registration: Registration) -> bool:
        """Say whether a delivery without rows here is refused."""
        return registration != "access_code" or not self.only_for_auto_registration


def _table(name: str, meaning: str, *columns: Column, only_for_auto_registration: bool = False) -> Table:
    return Table(
        name,
        meaning,
        (
            Column(SOURCED_ID, "id", "the record's stable, opaque id", required=True, needed=True),
            Column("status", "enumeration", "filled only in delta files", values=STATUS_VALUES),
            Column("dateLastModified", "datetime", "filled only in delta files"),
            *columns,
        ),
        only_for_auto_registration,
    )


TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        _table(
            "academicSessions",
            "School years, semesters and terms",
            Column("title", "text", "the session's name", required=True),
            Column(
                "type",
                "enumeration",
                "what kind of session",
                required=True,
                values=("gradingPeriod", "semester", "schoolYear", "term"),
            ),
            Column("startDate", "date", "first day", required=True),
            Column("endDate", "date", "first day after the session", required=True),
            Column("parentSourcedId", "reference", "the session around this one", references="academicSessions"),
            Column("schoolYear", "year", "the calendar year in which the school year ends", required=True),
        ),
        _table(
            "orgs",
            "The district and its schools",
            Column("name", "text", "the org's name", required=True),
            Column(
                "type",
                "enumeration",
                "what kind of org",
                required=True,
                values=("department", "school", "district", "local", "state", "national"),
            ),
            Column("identifier", "text", "the NCES id, where the district gives it"),
            Column("parentSourcedId", "reference", "the org above this one", references="orgs"),
            only_for_auto_registration=True,
        ),
        _table(
            "courses",
            "Courses, to which classes belong",
            Column("schoolYearSourcedId", "reference", "the school year", references="academicSessions"),
            Column("title", "text", "the course's name", required=True),
            Column("courseCode", "text", "the district's code"),
            Column("grades", "text", "grade codes", many=True),
            Column("orgSourcedId", "reference", "the org that offers it", required=True, references="orgs"),
            Column("subjects", "text", "subject names", many=True),
            Column("subjectCodes", "text", "subject codes, one for each subject", many=True),
            only_for_auto_registration=True,
        ),
        _table(
            "users",
            "Students, teachers and other people",
            Column(
                "enabledUser",
                "boolean",
                "false: access is curtailed",
                required=True,
                values=("true", "false"),
            ),
            Column("orgSourcedIds", "reference", "the person's orgs", required=True, many=True, references="orgs"),
            Column("role", "enumeration", "the person's one role", required=True, needed=True, values=USER_ROLES),
            Column("username", "text", "the sign-in name", required=True),
            Column("userIds", "text", "further ids, each {type:id}", many=True),
            Column("givenName", "text", "first name", required=True),
            Column("familyName", "text", "last name", required=True),
            Column("middleName", "text", "middle names"),
            Column("identifier", "text", "student or staff number"),
            Column("email", "text", "e-mail address"),
            Column("sms", "text", "mobile number"),
            Column("phone", "text", "telephone number"),
            Column("agentSourcedIds", "reference", "related people", many=True, references="users"),
            Column("grades", "text", "grade codes", many=True),
            Column("password", "text", "never stored", stored=False),
        ),
        _table(
            "classes",
            "The classes that are taught",
            Column("title", "text", "the class's name", required=True),
            Column("grades", "text", "grade codes", many=True),
            Column("courseSourcedId", "reference", "the course", required=True, references="courses"),
            Column("classCode", "text", "the district's code"),
            Column(
                "classType",
                "enumeration",
                "homeroom or scheduled",
                required=True,
                values=("homeroom", "scheduled"),
            ),
            Column("location", "text", "the room"),
            Column("schoolSourcedId", "reference", "the school", required=True, needed=True, references="orgs"),
            Column(
                "termSourcedIds",
                "reference",
                "the sessions it runs in",
                required=True,
                many=True,
                references="academicSessions",
            ),
            Column("subjects", "text", "subject names", many=True),
            Column("subjectCodes", "text", "subject codes, one for each subject", many=True),
            Column("periods", "text", "periods of the day", many=True),
        ),
        _table(
            "enrollments",
            "Who is in which class, and as what",
            Column("classSourcedId", "reference", "the class", required=True, needed=True, references="classes"),
            Column("schoolSourcedId", "reference", "the school", required=True, references="orgs"),
            Column("userSourcedId", "reference", "the person", required=True, needed=True, references="users"),
            Column(
                "role",
                "enumeration",
                "the person's role in the class",
                required=True,
                needed=True,
                values=("administrator", "proctor", "student", "teacher"),
            ),
            Column("primary", "boolean", "the class's primary teacher", values=("true", "false")),
            Column("beginDate", "date", "first day"),
            Column("endDate", "date", "first day after the enrollment"),
        ),
    )
}
"""Every table that is read, in the order in which references can be checked."""

NEVER_STORED = "demographics"
"""The one file that is recognised and never stored: the guide says that it is not used."""

IGNORED = ("resources", "classResources", "courseResources", "categories", "lineItems", "results")
"""Files of the standard that are recognised and not read."""

KNOWN_FILES: dict[str, str] = {
    f"{name}.csv".lower(): f"{name}.csv" for name in ("manifest", *TABLES, NEVER_STORED, *IGNORED)
}
"""Every file name of the standard, by its lower-case form."""
