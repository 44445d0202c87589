"""The OneRoster 1.1 and 1.2 CSV bindings, declared once.

The reader's columns, the pandera schemas, the roster's tables, the templates, Dagster's column metadata and
docs/oneroster.md all come from here. Facts: 1EdTech's CSV tables of 1.1 and 1.2; `required` is the standard's word for
a bulk file, `needed` is ours: without that value this product cannot use the row, so the row is rejected. Everything
else that is wrong costs a warning and, at most, the value.
"""

from roster_pipelines.oneroster.shape import SOURCED_ID, Column, Needed, Table, Version

STATUS_VALUES = ("active", "tobedeleted")
BOOLEANS = ("true", "false")
USER_ROLES = ("administrator", "aide", "guardian", "parent", "proctor", "relative", "student", "teacher")
ROLES_1_2 = (
    "aide", "counselor", "districtAdministrator", "guardian", "parent", "principal", "proctor", "relative",
    "siteAdministrator", "student", "systemAdministrator", "teacher",
)  # fmt: skip


def _table(
    name: str,
    meaning: str,
    *columns: Column,
    needed: Needed = "always",
    only: Version | None = None,
    into: str = "",
) -> Table:
    return Table(
        name,
        meaning,
        (
            Column(SOURCED_ID, "id", "the record's stable, opaque id", required=True, needed=True),
            Column("status", "enumeration", "filled only in delta files", values=STATUS_VALUES),
            Column("dateLastModified", "datetime", "filled only in delta files"),
            *columns,
        ),
        needed,
        only,
        into or name,
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
                extensible=True,
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
                extensible=True,
            ),
            Column("identifier", "nces_id", "the NCES id, where the district gives it"),
            Column("parentSourcedId", "reference", "the org above this one", references="orgs"),
            needed="auto_registration",
        ),
        _table(
            "courses",
            "Courses, to which classes belong",
            Column("schoolYearSourcedId", "reference", "the school year", references="academicSessions"),
            Column("title", "text", "the course's name", required=True),
            Column("courseCode", "text", "the district's code"),
            Column("grades", "grades", "grade codes", many=True),
            Column("orgSourcedId", "reference", "the org that offers it", required=True, references="orgs"),
            Column("subjects", "text", "subject names", many=True),
            Column("subjectCodes", "text", "subject codes, one for each subject", many=True),
            needed="auto_registration",
        ),
        _table(
            "users",
            "Students, teachers and other people",
            Column(
                "enabledUser",
                "boolean",
                "false: access is curtailed",
                required=True,
                values=BOOLEANS,
            ),
            Column(
                "orgSourcedIds",
                "reference",
                "the person's orgs",
                required=True,
                many=True,
                references="orgs",
                only="1.1",
            ),
            Column(
                "role",
                "enumeration",
                "the person's one role",
                required=True,
                needed=True,
                values=USER_ROLES,
                only="1.1",
            ),
            Column("username", "text", "the sign-in name", required=True),
            Column("userIds", "user_ids", "further ids, each {type:id}", many=True),
            Column("givenName", "text", "first name", required=True),
            Column("familyName", "text", "last name", required=True),
            Column("middleName", "text", "middle names"),
            Column("identifier", "text", "student or staff number"),
            Column("email", "email", "e-mail address"),
            Column("sms", "text", "mobile number"),
            Column("phone", "text", "telephone number"),
            Column("agentSourcedIds", "reference", "related people", many=True, references="users"),
            Column("grades", "grades", "grade codes", many=True),
            Column("password", "text", "never stored", stored=False),
            Column("userMasterIdentifier", "text", "the person's id across systems", only="1.2"),
            Column(
                "resourceSourcedIds",
                "reference",
                "replaced by userResources.csv",
                many=True,
                references="resources",
                stored=False,
                only="1.2",
                first_release_only=True,
            ),
            Column("preferredGivenName", "text", "preferred first name", only="1.2"),
            Column("preferredMiddleName", "text", "preferred middle names", only="1.2"),
            Column("preferredFamilyName", "text", "preferred last name", only="1.2"),
            Column("primaryOrgSourcedId", "reference", "the person's main org", references="orgs", only="1.2"),
            Column("pronouns", "text", "pronouns; never stored", stored=False, only="1.2"),
        ),
        _table(
            "userProfiles",
            "People's accounts elsewhere",
            Column("userSourcedId", "reference", "the person", required=True, needed=True, references="users"),
            Column("profileType", "text", "what kind of account", required=True),
            Column("vendorId", "text", "whose account", required=True),
            Column("applicationId", "text", "for what"),
            Column("description", "text", "further words"),
            Column("credentialType", "text", "how they sign in there", required=True),
            Column("username", "text", "never stored", required=True, stored=False),
            Column("password", "text", "never stored", stored=False),
            needed="never",
            only="1.2",
            into="users",
        ),
        _table(
            "roles",
            "Which roles people have, and where",
            Column("userSourcedId", "reference", "the person", required=True, needed=True, references="users"),
            Column("roleType", "enumeration", "primary or secondary", required=True, values=("primary", "secondary")),
            Column("role", "enumeration", "the role", required=True, needed=True, values=ROLES_1_2, extensible=True),
            Column("beginDate", "date", "first day"),
            Column("endDate", "date", "first day after the role"),
            Column("orgSourcedId", "reference", "the org", required=True, references="orgs"),
            Column("userProfileSourcedId", "reference", "the profile used there", references="userProfiles"),
            only="1.2",
            into="users",
        ),
        _table(
            "classes",
            "The classes that are taught",
            Column("title", "text", "the class's name", required=True),
            Column("grades", "grades", "grade codes", many=True),
            Column("courseSourcedId", "reference", "the course", required=True, references="courses"),
            Column("classCode", "text", "the district's code"),
            Column(
                "classType",
                "enumeration",
                "homeroom or scheduled",
                required=True,
                values=("homeroom", "scheduled"),
                extensible=True,
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
                extensible=True,
            ),
            Column("primary", "boolean", "the class's primary teacher", values=BOOLEANS),
            Column("beginDate", "date", "first day"),
            Column("endDate", "date", "first day after the enrollment"),
        ),
        _table(
            "resources",
            "The vendor's resources that a district gives out",
            Column("vendorResourceId", "text", "the vendor's id of the resource", required=True, needed=True),
            Column("title", "text", "the resource's name"),
            Column("roles", "enumeration", "who uses it", many=True, values=USER_ROLES, extensible=True),
            Column("importance", "enumeration", "primary or secondary", values=("primary", "secondary")),
            Column("vendorId", "text", "the vendor's id at 1EdTech"),
            Column("applicationId", "text", "the application's id"),
            needed="auto_by_resource",
        ),
        _table(
            "classResources",
            "Which resources a class uses",
            Column("title", "text", "the link's name"),
            Column("classSourcedId", "reference", "the class", required=True, needed=True, references="classes"),
            Column(
                "resourceSourcedId", "reference", "the resource", required=True, needed=True, references="resources"
            ),
            needed="auto_by_resource_link",
        ),
        _table(
            "courseResources",
            "Which resources a course uses",
            Column("title", "text", "the link's name"),
            Column("courseSourcedId", "reference", "the course", required=True, needed=True, references="courses"),
            Column(
                "resourceSourcedId", "reference", "the resource", required=True, needed=True, references="resources"
            ),
            needed="auto_by_resource_link",
        ),
        _table(
            "userResources",
            "Which resources a person uses",
            Column("userSourcedId", "reference", "the person", required=True, needed=True, references="users"),
            Column("orgSourcedId", "reference", "the org", references="orgs"),
            Column("classSourcedId", "reference", "the class", references="classes"),
            Column(
                "resourceSourcedId", "reference", "the resource", required=True, needed=True, references="resources"
            ),
            needed="never",
            only="1.2",
            into="resources",
        ),
    )
}
"""Every file that is read, in the order in which references can be checked."""

ROSTER = {name: table for name, table in TABLES.items() if table.into == name}
"""The tables of a roster, which both versions are read into; their columns are those of 1.1."""

NEVER_STORED = "demographics"
"""The one file that is recognised and never stored: the guide says that it is not used."""

GRADEBOOK: dict[str, Version | None] = {
    "categories": None,
    "lineItems": None,
    "results": None,
    "lineItemLearningObjectiveIds": "1.2",
    "lineItemScoreScales": "1.2",
    "resultLearningObjectiveIds": "1.2",
    "resultScoreScales": "1.2",
    "scoreScales": "1.2",
}
"""The gradebook's files, and the one version that has them: recognised and not read."""

KNOWN_FILES: dict[str, str] = {
    f"{name}.csv".lower(): f"{name}.csv" for name in ("manifest", *TABLES, NEVER_STORED, *GRADEBOOK)
}
"""Every file name of the standard, by its lower-case form."""


def tables(version: Version) -> dict[str, Table]:
    """The files of a version that are read, in the order in which references can be checked."""
    return {name: table for name, table in TABLES.items() if table.only in (None, version)}
