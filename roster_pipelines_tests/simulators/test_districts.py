"""Generated districts: clean, conformant, and the same for the same seed."""

import csv
import re
import zipfile
from pathlib import Path

import duckdb
import pytest

from roster_pipelines.simulators.districts import District, generate, pack

HEADERS = {
    "manifest": "propertyName,value",
    "academicSessions": "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear",
    "orgs": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId",
    "courses": "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,"
    "subjects,subjectCodes",
    "classes": "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,"
    "schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods",
    "users": "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,"
    "familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password",
    "enrollments": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,"
    "primary,beginDate,endDate",
    "demographics": "sourcedId,status,dateLastModified,birthDate,sex,americanIndianOrAlaskaNative,asian,"
    "blackOrAfricanAmerican,nativeHawaiianOrOtherPacificIslander,white,demographicRaceTwoOrMoreRaces,"
    "hispanicOrLatinoEthnicity,countryOfBirthCode,stateOfBirthAbbreviation,cityOfBirth,publicSchoolResidenceStatus",
}
TABLES = HEADERS.keys() - {"manifest"}
USERS_1_2 = (
    "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,"
    "sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,preferredGivenName,preferredMiddleName,"
    "preferredFamilyName,primaryOrgSourcedId,pronouns"
)
ROLES = (
    "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId"
)
# Rows that disagree with others, by what they disagree about; none of these may give a row.
CONTRADICTIONS = {
    "a parent session": """
        FROM academicSessions AS s ANTI JOIN academicSessions AS p ON s.parentSourcedId = p.sourcedId
        WHERE type <> 'schoolYear'""",
    "a parent org": """
        FROM orgs ANTI JOIN orgs AS p ON orgs.parentSourcedId = p.sourcedId AND p.type = 'district'
        WHERE type = 'school'""",
    "a course's year": """
        FROM courses ANTI JOIN academicSessions AS s
            ON schoolYearSourcedId = s.sourcedId AND s.type = 'schoolYear'""",
    "a course's org": "FROM courses ANTI JOIN orgs ON orgSourcedId = orgs.sourcedId",
    "a class's course": "FROM classes ANTI JOIN courses ON courseSourcedId = courses.sourcedId",
    "a class's school": "FROM classes ANTI JOIN orgs ON schoolSourcedId = orgs.sourcedId AND type = 'school'",
    "a class's terms": """
        FROM (SELECT unnest(string_split(termSourcedIds, ',')) AS term FROM classes)
        ANTI JOIN academicSessions ON term = academicSessions.sourcedId""",
    "a class's grade and subjects": """
        FROM classes JOIN courses ON courseSourcedId = courses.sourcedId
        WHERE (classes.grades, classes.subjects, classes.subjectCodes)
            IS DISTINCT FROM (courses.grades, courses.subjects, courses.subjectCodes)""",
    "the length of the subject codes": """
        FROM courses WHERE len(string_split(subjects, ',')) <> len(string_split(subjectCodes, ','))""",
    "a user's school": "FROM users ANTI JOIN orgs ON orgSourcedIds = orgs.sourcedId AND type = 'school'",
    "an enrollment's class and its school": """
        FROM enrollments AS e ANTI JOIN classes AS c
            ON e.classSourcedId = c.sourcedId AND e.schoolSourcedId = c.schoolSourcedId""",
    "an enrollment's user, school and role": """
        FROM enrollments AS e ANTI JOIN users AS u
            ON e.userSourcedId = u.sourcedId AND e.schoolSourcedId = u.orgSourcedIds AND e.role = u.role""",
    "a student's grade": """
        FROM enrollments JOIN users ON userSourcedId = users.sourcedId
            JOIN classes ON classSourcedId = classes.sourcedId
        WHERE users.role = 'student' AND users.grades <> classes.grades""",
    "a student twice in a class": """
        FROM (FROM enrollments SELECT classSourcedId, userSourcedId GROUP BY ALL HAVING count(*) > 1)""",
    "one primary teacher to a class": """
        FROM classes LEFT JOIN enrollments ON classSourcedId = classes.sourcedId AND "primary" = 'true'
        GROUP BY classes.sourcedId HAVING count("primary") <> 1""",
    "the primary flag": "FROM enrollments WHERE (role = 'teacher') <> (\"primary\" IS NOT NULL)",
    "an administrator to a school": """
        FROM orgs LEFT JOIN users ON orgSourcedIds = orgs.sourcedId AND role = 'administrator'
        WHERE orgs.type = 'school' GROUP BY orgs.sourcedId HAVING count(role) <> 1""",
}


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> District:
    return generate(tmp_path_factory.mktemp("district"), students=1500, demographics=True)


@pytest.fixture(scope="module")
def rows(district: District) -> duckdb.DuckDBPyConnection:
    """The district's files as tables of text, a blank being null."""
    con = duckdb.connect()
    for path in district.folder.glob("*.csv"):
        con.execute(
            f"CREATE TABLE {path.stem} AS FROM read_csv($path, header = true, all_varchar = true, "
            "auto_detect = false, delim = ',', quote = '\"', columns = $columns)",
            {"path": str(path), "columns": dict.fromkeys(HEADERS[path.stem].split(","), "VARCHAR")},
        )
    return con


def number(rows: duckdb.DuckDBPyConnection, query: str) -> float:
    ((value,),) = rows.execute(query).fetchall()
    return float(value)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_generated_district_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    # More rows than one DuckDB row group, so that several threads write them.
    first = generate(tmp_path / "a", students=20_000, seed=7, demographics=True)
    second = generate(tmp_path / "b", students=20_000, seed=7, demographics=True)
    assert first.counts["enrollments"] > 122_880
    assert contents(first.folder) == contents(second.folder)
    assert (first.nces_lea_id, first.school_nces_ids, first.teachers, first.counts) == (
        second.nces_lea_id, second.school_nces_ids, second.teachers, second.counts
    )  # fmt: skip


def test_another_seed_gives_another_district(tmp_path: Path) -> None:
    first, second = generate(tmp_path / "a", seed=1), generate(tmp_path / "b", seed=2)
    assert first.nces_lea_id != second.nces_lea_id
    assert contents(first.folder)["users.csv"] != contents(second.folder)["users.csv"]


def test_every_file_has_exactly_the_columns_of_the_specification(district: District) -> None:
    first_lines = {path.stem: path.read_text().partition("\n")[0] for path in district.folder.iterdir()}
    assert first_lines == HEADERS


def test_lines_end_in_a_line_feed_and_so_does_the_file(district: District) -> None:
    for content in contents(district.folder).values():
        assert b"\r" not in content
        assert content.endswith(b"\n")
        assert not content.endswith(b"\n\n")


def test_the_counts_are_the_rows_of_the_files(district: District) -> None:
    def written(table: str) -> int:
        with (district.folder / f"{table}.csv").open(newline="") as lines:
            return len(list(csv.DictReader(lines)))

    assert district.counts == {table: written(table) for table in TABLES}


@pytest.mark.parametrize("what", CONTRADICTIONS)
def test_every_reference_resolves_and_no_two_rows_disagree(what: str, rows: duckdb.DuckDBPyConnection) -> None:
    assert rows.execute(f"SELECT 1 {CONTRADICTIONS[what]}").fetchall() == []


@pytest.mark.parametrize("table", sorted(TABLES))
def test_source_ids_are_unique_opaque_and_without_a_status(table: str, rows: duckdb.DuckDBPyConnection) -> None:
    found = rows.execute(f"SELECT sourcedId, status, dateLastModified FROM {table}").fetchall()
    assert len({row[0] for row in found}) == len(found) > 0
    assert all(re.fullmatch("[0-9A-Za-z._-]+", row[0]) for row in found)
    assert {row[1:] for row in found} == {(None, None)}


def test_sessions_are_a_year_and_two_semesters_with_exclusive_ends(rows: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT type, startDate, endDate, schoolYear FROM academicSessions ORDER BY type, startDate"
    assert rows.execute(query).fetchall() == [
        ("schoolYear", "2026-08-15", "2027-06-15", "2027"),
        ("semester", "2026-08-15", "2027-01-15", "2027"),
        ("semester", "2027-01-15", "2027-06-15", "2027"),
    ]


def test_nces_ids_are_in_the_orgs_and_begin_with_the_districts_own(
    district: District, rows: duckdb.DuckDBPyConnection
) -> None:
    assert re.fullmatch("53[0-9]{5}", district.nces_lea_id)
    for nces_id in district.school_nces_ids.values():
        assert re.fullmatch(f"{district.nces_lea_id}[0-9]{{5}}", nces_id)
    assert len(set(district.school_nces_ids.values())) == len(district.school_nces_ids) == 4
    identifiers = dict(rows.execute("SELECT sourcedId, identifier FROM orgs WHERE type = 'school'").fetchall())
    assert district.school_nces_ids == identifiers
    lea = rows.execute("SELECT identifier FROM orgs WHERE type = 'district'").fetchall()
    assert lea == [(district.nces_lea_id,)]


def test_the_teachers_are_those_who_have_a_class(district: District, rows: duckdb.DuckDBPyConnection) -> None:
    teaching = rows.execute("SELECT DISTINCT userSourcedId FROM enrollments WHERE role = 'teacher'").fetchall()
    assert district.teachers == sorted(teacher for (teacher,) in teaching)


def test_names_of_people_are_unique_addresses_in_the_domain(rows: duckdb.DuckDBPyConnection) -> None:
    people = rows.execute("SELECT username, email, userIds, password FROM users").fetchall()
    assert len({username for username, *_ in people}) == len(people)
    for username, email, user_ids, password in people:
        assert re.fullmatch(r"[a-z]+\.[a-z]+\.[0-9]+@maple-valley\.example", email)
        assert (username, user_ids, password) == (email, None, None)


def test_a_district_has_the_usual_proportions(rows: duckdb.DuckDBPyConnection) -> None:
    students = number(rows, "SELECT count(*) FROM users WHERE role = 'student'")
    teachers = number(rows, "SELECT count(*) FROM users WHERE role = 'teacher'")
    classes = number(rows, "SELECT count(*) FROM classes")
    places = number(rows, "SELECT count(*) FROM enrollments WHERE role = 'student'")
    seconds = number(rows, "SELECT count(*) FROM enrollments WHERE \"primary\" = 'false'")
    assert (students, teachers, places / students) == (1500, 100, 8)
    assert 21 < places / classes < 25
    assert 0.09 < seconds / classes < 0.11
    grades = rows.execute("SELECT DISTINCT grades FROM users WHERE role = 'student' ORDER BY grades").fetchall()
    assert [grade for (grade,) in grades] == [*(f"{grade:02d}" for grade in range(1, 13)), "KG"]
    subjects = {subject for (subject,) in rows.execute("SELECT DISTINCT subjects FROM courses").fetchall()}
    assert {"Music", "Health", "Mathematics", "Health,Physical Education"} <= subjects


def test_demographics_are_written_for_students_on_request_only(
    tmp_path: Path, district: District, rows: duckdb.DuckDBPyConnection
) -> None:
    described = rows.execute("SELECT sourcedId FROM demographics ORDER BY sourcedId").fetchall()
    students = rows.execute("SELECT sourcedId FROM users WHERE role = 'student' ORDER BY sourcedId").fetchall()
    assert described == students
    assert "file.demographics,bulk\n" in (district.folder / "manifest.csv").read_text()
    generate(tmp_path, demographics=True)
    plain = generate(tmp_path)
    assert "demographics" not in plain.counts
    assert not (tmp_path / "demographics.csv").exists()
    assert "file.demographics,absent\n" in (tmp_path / "manifest.csv").read_text()


def test_the_manifest_declares_the_files_that_are_there_and_no_others(tmp_path: Path) -> None:
    generate(tmp_path)
    with (tmp_path / "manifest.csv").open(newline="") as lines:
        properties = dict(list(csv.reader(lines))[1:])
    assert (properties["manifest.version"], properties["oneroster.version"]) == ("1.0", "1.1")
    modes = {name.removeprefix("file."): mode for name, mode in properties.items() if name.startswith("file.")}
    assert len(modes) == 13
    assert {name for name, mode in modes.items() if mode == "bulk"} == TABLES - {"demographics"}
    assert {name for name, mode in modes.items() if mode != "bulk"} == {
        "categories", "classResources", "courseResources", "demographics", "lineItems", "resources", "results"
    }  # fmt: skip


def test_orgs_and_courses_can_be_left_without_rows(tmp_path: Path) -> None:
    full, bare = generate(tmp_path / "full"), generate(tmp_path / "bare", orgs_and_courses=False)
    for name in ("orgs", "courses"):
        assert contents(bare.folder)[f"{name}.csv"] == f"{HEADERS[name]}\n".encode()
        assert bare.counts[name] == 0
    for name in ("manifest", "academicSessions", "classes", "users", "enrollments"):
        assert contents(bare.folder)[f"{name}.csv"] == contents(full.folder)[f"{name}.csv"]
    assert bare.school_nces_ids == full.school_nces_ids


def test_the_state_the_year_and_the_domain_are_the_callers(tmp_path: Path) -> None:
    district = generate(tmp_path, school_year_start=2030, state_fips="06", email_domain="oak-bay.example")
    written = contents(tmp_path)
    assert district.nces_lea_id.startswith("06")
    assert b",2030-08-15,2031-06-15,,2031\n" in written["academicSessions.csv"]
    assert b"Oak Bay School District,district" in written["orgs.csv"]
    assert written["users.csv"].count(b"@oak-bay.example,") == 2 * district.counts["users"]


@pytest.fixture(scope="module")
def both_versions(tmp_path_factory: pytest.TempPathFactory) -> tuple[District, District]:
    """The same district as OneRoster 1.1 and as 1.2, with two resources."""
    folder = tmp_path_factory.mktemp("versions")
    return (
        generate(folder / "1.1", version="1.1", resources=["songs", "scales, major"]),
        generate(folder / "1.2", version="1.2", resources=["songs", "scales, major"]),
    )


def read(district: District, table: str) -> list[dict[str, str]]:
    with (district.folder / f"{table}.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_a_district_of_1_2_is_the_same_in_other_files(both_versions: tuple[District, District]) -> None:
    old, new = (contents(district.folder) for district in both_versions)
    assert new.keys() - old.keys() == {"roles.csv"}
    assert {name for name in old if old[name] != new[name]} == {"users.csv", "manifest.csv"}
    assert b"oneroster.version,1.2\n" in new["manifest.csv"]
    assert b"file.roles,bulk\n" in new["manifest.csv"]
    assert b"file.userProfiles,absent\n" in new["manifest.csv"]
    assert new["manifest.csv"].count(b"\nfile.") == 21
    assert [*read(both_versions[1], "users")[0]] == USERS_1_2.split(",")
    assert [*read(both_versions[1], "roles")[0]] == ROLES.split(",")


def test_everybody_of_1_2_has_one_primary_role_at_their_school(both_versions: tuple[District, District]) -> None:
    old, new = both_versions
    people = {row["sourcedId"]: (row["role"], row["orgSourcedIds"]) for row in read(old, "users")}
    roles = read(new, "roles")
    assert len({row["sourcedId"] for row in roles}) == len(roles) == len(people)
    assert {row["roleType"] for row in roles} == {"primary"}
    assert {row[name] for row in roles for name in ("status", "beginDate", "endDate", "userProfileSourcedId")} == {""}
    renamed = {"siteAdministrator": "administrator"}
    assert people == {
        row["userSourcedId"]: (renamed.get(row["role"], row["role"]), row["orgSourcedId"]) for row in roles
    }
    assert {row["sourcedId"]: row["primaryOrgSourcedId"] for row in read(new, "users")} == {
        person: school for person, (_, school) in people.items()
    }


def test_resources_are_linked_to_all_music_courses_and_to_three_health_classes(
    both_versions: tuple[District, District],
) -> None:
    district, _ = both_versions
    resources = {row["sourcedId"]: row["vendorResourceId"] for row in read(district, "resources")}
    assert resources == {"res-01": "songs", "res-02": "scales, major"}
    music = {row["sourcedId"] for row in read(district, "courses") if row["subjects"] == "Music"}
    assert {(row["resourceSourcedId"], row["courseSourcedId"]) for row in read(district, "courseResources")} == {
        (resource, course) for resource in resources for course in music
    }
    health = {row["sourcedId"] for row in read(district, "classes") if row["subjects"] == "Health"}
    for resource in resources:
        classes = [r["classSourcedId"] for r in read(district, "classResources") if r["resourceSourcedId"] == resource]
        assert len(set(classes)) == len(classes) == 3
        assert set(classes) <= health
    assert b"file.courseResources,bulk\n" in contents(district.folder)["manifest.csv"]


def test_what_only_some_districts_have_is_the_same_for_the_same_seed_and_gone_without_it(
    both_versions: tuple[District, District], tmp_path: Path
) -> None:
    again = generate(tmp_path, version="1.2", resources=["songs", "scales, major"])
    assert contents(again.folder) == contents(both_versions[1].folder)
    generate(tmp_path)
    assert {path.stem for path in tmp_path.iterdir()} == HEADERS.keys() - {"demographics"}


def test_without_courses_nothing_is_linked_to_one(tmp_path: Path) -> None:
    counts = generate(tmp_path, orgs_and_courses=False, resources=["songs"]).counts
    assert (counts["courses"], counts["courseResources"], counts["resources"], counts["classResources"]) == (0, 0, 1, 3)


@pytest.mark.parametrize("arguments", [{"students": 0}, {"state_fips": "6"}, {"state_fips": "6x"}])
def test_a_district_that_cannot_be_is_refused(tmp_path: Path, arguments: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="at least one student and a FIPS code of two digits"):
        generate(tmp_path / "new", **arguments)  # type: ignore[arg-type]
    assert not (tmp_path / "new").exists()


def test_a_packed_district_has_its_files_at_the_root_of_the_zip(tmp_path: Path) -> None:
    district = generate(tmp_path / "district")
    packed = pack(district.folder, tmp_path / "district.zip")
    with zipfile.ZipFile(packed) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == contents(district.folder)
