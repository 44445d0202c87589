"""The declaration of the standard is what 1EdTech's OneRoster 1.1 CSV tables say."""

import pytest

from roster_pipelines.oneroster.standard import KNOWN_FILES, TABLES, Column

# A header's marks: ! must be filled in bulk, * is a list, =a|b its values, >file the file whose ids it names.
FACTS = {
    "academicSessions": """
        sourcedId! status=active|tobedeleted dateLastModified title! type!=gradingPeriod|semester|schoolYear|term
        startDate! endDate! parentSourcedId>academicSessions schoolYear!""",
    "orgs": """
        sourcedId! status=active|tobedeleted dateLastModified name!
        type!=department|school|district|local|state|national identifier parentSourcedId>orgs""",
    "courses": """
        sourcedId! status=active|tobedeleted dateLastModified schoolYearSourcedId>academicSessions title! courseCode
        grades* orgSourcedId!>orgs subjects* subjectCodes*""",
    "users": """
        sourcedId! status=active|tobedeleted dateLastModified enabledUser!=true|false orgSourcedIds!*>orgs
        role!=administrator|aide|guardian|parent|proctor|relative|student|teacher username! userIds* givenName!
        familyName! middleName identifier email sms phone agentSourcedIds*>users grades* password""",
    "classes": """
        sourcedId! status=active|tobedeleted dateLastModified title! grades* courseSourcedId!>courses classCode
        classType!=homeroom|scheduled location schoolSourcedId!>orgs termSourcedIds!*>academicSessions subjects*
        subjectCodes* periods*""",
    "enrollments": """
        sourcedId! status=active|tobedeleted dateLastModified classSourcedId!>classes schoolSourcedId!>orgs
        userSourcedId!>users role!=administrator|proctor|student|teacher primary=true|false beginDate endDate""",
}


def written(column: Column) -> str:
    """Write a declared column as FACTS does."""
    marks = ("!" if column.required else "") + ("*" if column.many else "")
    values = f"={'|'.join(column.values)}" if column.values else ""
    references = f">{column.references}" if column.references else ""
    return column.name + marks + values + references


@pytest.mark.parametrize("table", FACTS)
def test_every_table_has_the_columns_of_the_standard_in_its_order(table: str) -> None:
    assert [written(column) for column in TABLES[table].columns] == FACTS[table].split()


def test_the_six_rostering_tables_are_read_and_no_other() -> None:
    assert set(TABLES) == set(FACTS)


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
    }


def test_tables_come_after_those_they_refer_to() -> None:
    earlier: list[str] = []
    for table in TABLES.values():
        earlier.append(table.name)
        assert {column.references for column in table.columns} - {""} <= set(earlier)


def test_a_row_is_unusable_only_without_its_id_its_role_or_what_it_joins() -> None:
    needed = {table.name: {c.name for c in table.columns if c.needed} for table in TABLES.values()}
    assert needed == {
        "academicSessions": {"sourcedId"},
        "orgs": {"sourcedId"},
        "courses": {"sourcedId"},
        "users": {"sourcedId", "role"},
        "classes": {"sourcedId", "schoolSourcedId"},
        "enrollments": {"sourcedId", "classSourcedId", "userSourcedId", "role"},
    }


def test_passwords_are_the_one_column_that_is_never_stored() -> None:
    kept_out = [f"{t.name}.{c.name}" for t in TABLES.values() for c in t.columns if not c.stored]
    assert kept_out == ["users.password"]


def test_orgs_and_courses_need_rows_only_for_auto_registration() -> None:
    def without_rows(registration: str) -> set[str]:
        return {table.name for table in TABLES.values() if not table.needs_data(registration)}  # type: ignore[arg-type]

    assert without_rows("access_code") == {"orgs", "courses"}
    assert without_rows("auto_by_school") == without_rows("auto_by_resource") == set()


def test_every_file_of_the_standard_is_known_by_its_name_in_any_case() -> None:
    assert sorted(KNOWN_FILES.values()) == [
        "academicSessions.csv",
        "categories.csv",
        "classResources.csv",
        "classes.csv",
        "courseResources.csv",
        "courses.csv",
        "demographics.csv",
        "enrollments.csv",
        "lineItems.csv",
        "manifest.csv",
        "orgs.csv",
        "resources.csv",
        "results.csv",
        "users.csv",
    ]
    assert all(name == standard.lower() for name, standard in KNOWN_FILES.items())
