"""The declaration of the standard is what 1EdTech's OneRoster CSV tables of 1.1 and 1.2 say."""

import pytest

from roster_pipelines.oneroster.shape import Column, Version
from roster_pipelines.oneroster.standard import GRADEBOOK, KNOWN_FILES, NEVER_STORED, ROSTER, TABLES, tables

# A header's marks: ! must be filled in bulk, * is a list, =a|b its values, >file the file whose ids it names. Each
# begins with sourcedId! status=active|tobedeleted dateLastModified.
_1_1 = {
    "academicSessions": """
        title! type!=gradingPeriod|semester|schoolYear|term startDate! endDate! parentSourcedId>academicSessions
        schoolYear!""",
    "orgs": "name! type!=department|school|district|local|state|national identifier parentSourcedId>orgs",
    "courses": """
        schoolYearSourcedId>academicSessions title! courseCode grades* orgSourcedId!>orgs subjects* subjectCodes*""",
    "users": """
        enabledUser!=true|false orgSourcedIds!*>orgs
        role!=administrator|aide|guardian|parent|proctor|relative|student|teacher username! userIds* givenName!
        familyName! middleName identifier email sms phone agentSourcedIds*>users grades* password""",
    "classes": """
        title! grades* courseSourcedId!>courses classCode classType!=homeroom|scheduled location
        schoolSourcedId!>orgs termSourcedIds!*>academicSessions subjects* subjectCodes* periods*""",
    "enrollments": """
        classSourcedId!>classes schoolSourcedId!>orgs userSourcedId!>users
        role!=administrator|proctor|student|teacher primary=true|false beginDate endDate""",
    "resources": """
        vendorResourceId! title roles*=administrator|aide|guardian|parent|proctor|relative|student|teacher
        importance=primary|secondary vendorId applicationId""",
    "classResources": "title classSourcedId!>classes resourceSourcedId!>resources",
    "courseResources": "title courseSourcedId!>courses resourceSourcedId!>resources",
}
_NEW_IN_1_2 = {
    "academicSessions": """
        title! type!=gradingPeriod|semester|schoolYear|term|ext:* startDate! endDate!
        parentSourcedId>academicSessions schoolYear!""",
    "orgs": "name! type!=department|school|district|local|state|national|ext:* identifier parentSourcedId>orgs",
    "users": """
        enabledUser!=true|false username! userIds* givenName! familyName! middleName identifier email sms phone
        agentSourcedIds*>users grades* password userMasterIdentifier preferredGivenName preferredMiddleName
        preferredFamilyName primaryOrgSourcedId>orgs pronouns""",
    "userProfiles": """
        userSourcedId!>users profileType! vendorId! applicationId description credentialType! username! password""",
    "roles": """
        userSourcedId!>users roleType!=primary|secondary
        role!=aide|counselor|districtAdministrator|guardian|parent|principal|proctor|relative|siteAdministrator|{}
        beginDate endDate orgSourcedId!>orgs userProfileSourcedId>userProfiles""".format(
        "student|systemAdministrator|teacher|ext:*"
    ),
    "classes": """
        title! grades* courseSourcedId!>courses classCode classType!=homeroom|scheduled|ext:* location
        schoolSourcedId!>orgs termSourcedIds!*>academicSessions subjects* subjectCodes* periods*""",
    "enrollments": """
        classSourcedId!>classes schoolSourcedId!>orgs userSourcedId!>users
        role!=administrator|proctor|student|teacher|ext:* primary=true|false beginDate endDate""",
    "resources": """
        vendorResourceId! title roles*=administrator|aide|guardian|parent|proctor|relative|student|teacher|ext:*
        importance=primary|secondary vendorId applicationId""",
    "userResources": """
        userSourcedId!>users orgSourcedId>orgs classSourcedId>classes resourceSourcedId!>resources""",
}


def _with_first_columns(facts: dict[str, str]) -> dict[str, list[str]]:
    first = ["sourcedId!", "status=active|tobedeleted", "dateLastModified"]
    return {name: [*first, *columns.split()] for name, columns in facts.items()}


FACTS: dict[Version, dict[str, list[str]]] = {
    "1.1": _with_first_columns(_1_1),
    "1.2": _with_first_columns(_1_1 | _NEW_IN_1_2),
}


def written(column: Column, version: Version) -> str:
    """Write a declared column as FACTS does."""
    marks = ("!" if column.required else "") + ("*" if column.many else "")
    ext = ["ext:*"] if column.extensible and version == "1.2" else []
    values = f"={'|'.join([*column.values, *ext])}" if column.values else ""
    references = f">{column.references}" if column.references else ""
    return column.name + marks + values + references


@pytest.mark.parametrize(("version", "table"), [(version, table) for version in FACTS for table in FACTS[version]])
def test_every_table_has_the_columns_of_the_standard_in_its_order(version: Version, table: str) -> None:
    declared = [column for column in TABLES[table].of(version) if not column.first_release_only]
    assert [written(column, version) for column in declared] == FACTS[version][table]


@pytest.mark.parametrize("version", FACTS)
def test_the_rostering_and_resource_files_of_a_version_are_read_and_no_other(version: Version) -> None:
    assert tables(version).keys() == FACTS[version].keys()


def test_the_one_column_that_only_the_first_release_of_1_2_had_may_be_missing() -> None:
    gone = {(t.name, c.name, c.only) for t in TABLES.values() for c in t.columns if c.first_release_only}
    assert gone == {("users", "resourceSourcedIds", "1.2")}


def test_both_versions_are_read_into_the_nine_tables_of_1_1() -> None:
    assert set(ROSTER) == set(FACTS["1.1"])
    assert {name: table.into for name, table in TABLES.items() if name not in ROSTER} == {
        "userProfiles": "users",
        "roles": "users",
        "userResources": "resources",
    }


def test_dates_years_and_times_are_declared_as_such() -> None:
    formats = {
        f"{table.name}.{column.name}": column.format
        for table in TABLES.values()
        for column in table.columns
        if column.format in ("date", "year", "datetime") and column.name != "dateLastModified"
    }
    assert formats == {
        "academicSessions.startDate": "date",
        "academicSessions.endDate": "date",
        "academicSessions.schoolYear": "year",
        "enrollments.beginDate": "date",
        "enrollments.endDate": "date",
        "roles.beginDate": "date",
        "roles.endDate": "date",
    }


def test_tables_come_after_those_they_refer_to() -> None:
    earlier: list[str] = []
    for table in TABLES.values():
        earlier.append(table.name)
        assert {column.references for column in table.columns if column.stored} - {""} <= set(earlier)


def test_a_row_is_unusable_only_without_its_id_its_role_or_what_it_joins() -> None:
    needed = {table.name: {c.name for c in table.columns if c.needed} for table in TABLES.values()}
    assert needed == {
        "academicSessions": {"sourcedId"},
        "orgs": {"sourcedId"},
        "courses": {"sourcedId"},
        "users": {"sourcedId", "role"},
        "classes": {"sourcedId", "schoolSourcedId"},
        "enrollments": {"sourcedId", "classSourcedId", "userSourcedId", "role"},
        "userProfiles": {"sourcedId", "userSourcedId"},
        "roles": {"sourcedId", "userSourcedId", "role"},
        "resources": {"sourcedId", "vendorResourceId"},
        "classResources": {"sourcedId", "classSourcedId", "resourceSourcedId"},
        "courseResources": {"sourcedId", "courseSourcedId", "resourceSourcedId"},
        "userResources": {"sourcedId", "userSourcedId", "resourceSourcedId"},
    }


def test_passwords_pronouns_and_the_names_of_accounts_elsewhere_are_never_stored() -> None:
    kept_out = {f"{t.name}.{c.name}" for t in TABLES.values() for c in t.columns if not c.stored}
    assert kept_out == {
        "users.password",
        "users.pronouns",
        "users.resourceSourcedIds",
        "userProfiles.username",
        "userProfiles.password",
    }


def test_what_must_be_there_and_have_rows_depends_on_how_teachers_get_access() -> None:
    def needed(registration: str, what: str) -> set[str]:
        return {table.name for table in TABLES.values() if getattr(table, what)(registration)}

    always = {"academicSessions", "users", "roles", "classes", "enrollments"}
    by_school = always | {"orgs", "courses"}
    by_resource = by_school | {"resources"}
    links = {"classResources", "courseResources"}
    assert needed("access_code", "needs_file") == needed("access_code", "needs_data") == always
    assert needed("auto_by_school", "needs_file") == needed("auto_by_school", "needs_data") == by_school
    assert needed("auto_by_resource", "needs_data") == by_resource
    assert needed("auto_by_resource", "needs_file") == by_resource | links


def test_every_file_of_the_standard_is_known_by_its_name_in_any_case() -> None:
    names = {"manifest", *FACTS["1.1"], *FACTS["1.2"], NEVER_STORED, *GRADEBOOK}
    assert {f"{name}.csv".lower(): f"{name}.csv" for name in names} == KNOWN_FILES
    assert NEVER_STORED == "demographics"
    assert {name for name, only in GRADEBOOK.items() if only is None} == {"categories", "lineItems", "results"}
    assert {name for name, only in GRADEBOOK.items() if only == "1.2"} == {
        "lineItemLearningObjectiveIds",
        "lineItemScoreScales",
        "resultLearningObjectiveIds",
        "resultScoreScales",
        "scoreScales",
    }
