"""Invented school districts, written as OneRoster 1.1 bulk sets.

Everything is derived by SQL from row numbers and MD5, never from a random generator or from the order in
which threads finish: the same arguments give the same bytes.

Half of the schools teach kindergarten to grade 6, the others grades 7 to 12. A student takes all eight
courses of the grade, each in one of its sections; a section is a OneRoster class.
"""

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import duckdb

# Every data file of OneRoster 1.1, in the manifest's order.
_KNOWN = (
    "academicSessions", "categories", "classes", "classResources", "courses", "courseResources",
    "demographics", "enrollments", "lineItems", "orgs", "resources", "results", "users",
)  # fmt: skip

_WORDS = {
    "given_names": "Ada Amir Anna Ben Carla Chen Dana Diego Ella Emil Fatima Felix Grace Hana Hugo Ines Ivan "
    "Jada Jonas Kai Lena Liam Maya Milo Nadia Noah Olga Omar Paula Priya Quinn Rosa Samir Sofia Tariq Yusuf",
    "family_names": "Acorn Anders Barley Birch Brook Cedar Clover Cole Dale Dune Elder Fern Fields Finch "
    "Glade Grove Hale Hart Hazel Heron Hill Iris Lake Larch Linden Marsh Mead Moss Oakes Pine Reed Vale",
    "places": "Alder Bear Cedar Eagle Fern Heron Maple Otter Pine Salmon",
    "features": "Bay Bend Creek Falls Field Grove Hill Lake Meadow Point Prairie Ridge",
}

# A grade is a number here, 0 being kindergarten; schools, people and classes are numbers until written.
_TABLES = """
CREATE MACRO setting(name) AS getvariable('settings')[name];
CREATE MACRO draw(topic, n) AS (md5_number_lower(concat_ws(':', setting('seed'), topic, n)) >> 1)::BIGINT;
CREATE MACRO word(list, n) AS getvariable(list)[1 + n % len(getvariable(list))];
CREATE MACRO autumn(month, day) AS make_date(setting('year'), month, day);
CREATE MACRO spring(month, day) AS make_date(setting('year') + 1, month, day);
CREATE MACRO session_id(part) AS format('ses-{}-{}', setting('year') + 1, part);
CREATE MACRO org_id(school) AS format('org-{:04d}', school);
CREATE MACRO course_id(slot, grade) AS format('crs-{:02d}-{:02d}', slot, grade);
CREATE MACRO class_id(class) AS format('cls-{:06d}', class);
CREATE MACRO user_id(person) AS format('usr-{:06d}', person);
CREATE MACRO grade_code(grade) AS CASE WHEN grade = 0 THEN 'KG' ELSE format('{:02d}', grade) END;

CREATE TABLE courses AS
SELECT slot, grade, concat(title, ' ', grade_code(grade)) AS title, subjects, codes
FROM (VALUES
    (1, 0,  6, 'Language Arts',      'English Language Arts',     '51001'),
    (2, 0,  6, 'Mathematics',        'Mathematics',               '52001'),
    (3, 0,  6, 'Science',            'Science',                   '53001'),
    (4, 0,  6, 'Social Studies',     'Social Studies',            '54001'),
    (5, 0,  6, 'Music',              'Music',                     '55101'),
    (6, 0,  6, 'Visual Arts',        'Visual Arts',               '55151'),
    (7, 0,  6, 'Health',             'Health',                    '58051'),
    (8, 0,  6, 'Physical Education', 'Physical Education',        '58001'),
    (1, 7, 12, 'English',            'English Language Arts',     '01001'),
    (2, 7, 12, 'Mathematics',        'Mathematics',               '02001'),
    (3, 7, 12, 'Science',            'Science',                   '03001'),
    (4, 7, 12, 'Social Studies',     'Social Studies',            '04001'),
    (5, 7, 12, 'Music',              'Music',                     '05101'),
    (6, 7, 12, 'Spanish',            'World Languages',           '06101'),
    (7, 7, 12, 'Health and Fitness', 'Health,Physical Education', '08051,08001'),
    (8, 7, 12, 'Computer Science',   'Computer Science',          '10001')
) AS subject(slot, first_grade, last_grade, title, subjects, codes)
JOIN (SELECT range AS grade FROM range(13)) ON grade BETWEEN first_grade AND last_grade;

CREATE TABLE schools AS
SELECT range AS school, concat(setting('lea'), format('{:05d}', range)) AS nces,
       concat_ws(' ', word('places', pair), word('features', pair // 10 + draw('features', 0) % 12),
                 CASE WHEN range % 2 = 1 THEN 'Elementary School' ELSE 'High School' END) AS name
FROM range(1, setting('schools') + 1), LATERAL (SELECT (range - 1) // 2 AS pair);

CREATE TABLE teachers AS
SELECT setting('schools') + range AS person, 1 + (range - 1) % setting('schools') AS school,
       (range - 1) // setting('schools') AS seat, count(*) OVER (PARTITION BY school) AS seats
FROM range(1, setting('teachers') + 1);

CREATE TABLE students AS
SELECT setting('schools') + setting('teachers') + range AS person, (range - 1) % 13 AS grade,
       -- Thirteen students, one of each grade, go to one pair of schools: odd is elementary, even is high.
       1 + 2 * (((range - 1) // 13) % (setting('schools') // 2)) + (grade > 6)::BIGINT AS school
FROM range(1, setting('students') + 1);

CREATE TABLE users AS
SELECT *, word('given_names', draw('given', person)) AS given,
       word('family_names', draw('family', person)) AS family,
       lower(format('{}.{}.{}@{}', given, family, person, setting('email_domain'))) AS email
FROM (SELECT school AS person, 'administrator' AS role, school, NULL AS grade FROM schools
      UNION ALL SELECT person, 'teacher', school, NULL FROM teachers
      UNION ALL SELECT person, 'student', school, grade FROM students);

CREATE TABLE attendance AS
SELECT person, school, grade, slot,
       row_number() OVER (PARTITION BY school, grade, slot ORDER BY draw(slot, person), person) AS place,
       count(*) OVER (PARTITION BY school, grade, slot) AS places,
       -- Rounded up in some subjects and down in others: so the average class has 23 students.
       1 + place % greatest(1, floor(places / 23 + (slot - 0.5) / 8)::BIGINT) AS section
FROM students JOIN courses USING (grade);

CREATE TABLE classes AS
SELECT row_number() OVER (ORDER BY school, slot, grade, section) AS class, school, slot, grade, section,
       -- Classes next to each other share a teacher, who so keeps to one or two subjects.
       (row_number() OVER (PARTITION BY school ORDER BY slot, grade, section) - 1) * seats
           // count(*) OVER (PARTITION BY school) AS seat,
       CASE WHEN class % 10 = 0 THEN (seat + 1) % seats END AS second_seat
FROM (SELECT DISTINCT school, slot, grade, section FROM attendance)
JOIN (SELECT DISTINCT school, seats FROM teachers) USING (school);

CREATE TABLE enrollments AS
SELECT class, school, person, 'student' AS role, NULL AS is_primary
FROM attendance JOIN classes USING (school, slot, grade, section)
UNION ALL
SELECT class, school, person, 'teacher', teachers.seat = classes.seat
FROM classes JOIN teachers USING (school) WHERE teachers.seat IN (classes.seat, classes.second_seat);
"""

# Without the two columns that are blank in every bulk file, and without an order: see _write.
_FILES = {
    "academicSessions": """
        SELECT session_id(part) AS "sourcedId", title, type, first AS "startDate", after AS "endDate",
               CASE WHEN part > 0 THEN session_id(0) END AS "parentSourcedId",
               setting('year') + 1 AS "schoolYear"
        FROM (VALUES (0, 'School year', 'schoolYear', autumn(8, 15), spring(6, 15)),
                     (1, 'Semester 1', 'semester', autumn(8, 15), spring(1, 15)),
                     (2, 'Semester 2', 'semester', spring(1, 15), spring(6, 15))
        ) AS sessions(part, title, type, first, after)""",
    "orgs": """
        SELECT org_id(0) AS "sourcedId", setting('district') AS name, 'district' AS type,
               setting('lea') AS identifier, NULL AS "parentSourcedId"
        UNION ALL SELECT org_id(school), name, 'school', nces, org_id(0) FROM schools""",
    "courses": """
        SELECT course_id(slot, grade) AS "sourcedId", session_id(0) AS "schoolYearSourcedId", title,
               format('{:02d}{:02d}', grade, slot) AS "courseCode", grade_code(grade) AS grades,
               org_id(0) AS "orgSourcedId", subjects, codes AS "subjectCodes"
        FROM courses""",
    "classes": """
        SELECT class_id(class) AS "sourcedId", format('{} - Section {}', title, section) AS title,
               grade_code(grade) AS grades, course_id(slot, grade) AS "courseSourcedId",
               format('{:02d}{:02d}-{}', grade, slot, section) AS "classCode", 'scheduled' AS "classType",
               format('Room {}', 101 + seat) AS location, org_id(school) AS "schoolSourcedId",
               concat_ws(',', session_id(1), session_id(2)) AS "termSourcedIds",
               subjects, codes AS "subjectCodes", NULL AS periods
        FROM classes JOIN courses USING (slot, grade)""",
    "users": """
        SELECT user_id(person) AS "sourcedId", true AS "enabledUser", org_id(school) AS "orgSourcedIds", role,
               email AS username, NULL AS "userIds", given AS "givenName", family AS "familyName",
               NULL AS "middleName", format('{:07d}', person) AS identifier, email, NULL AS sms,
               NULL AS phone, NULL AS "agentSourcedIds", grade_code(grade) AS grades, NULL AS password
        FROM users""",
    "enrollments": """
        SELECT format('enr-{:06d}-{:06d}', class, person) AS "sourcedId", class_id(class) AS "classSourcedId",
               org_id(school) AS "schoolSourcedId", user_id(person) AS "userSourcedId", role,
               is_primary AS "primary", autumn(8, 15) AS "beginDate", spring(6, 15) AS "endDate"
        FROM enrollments""",
    "demographics": """
        SELECT user_id(person) AS "sourcedId",
               autumn(1, 1) - (365 * (grade + 5) + draw('age', person) % 365)::INTEGER AS "birthDate",
               CASE WHEN draw('sex', person) % 2 = 0 THEN 'female' ELSE 'male' END AS sex,
               race = 0 AS "americanIndianOrAlaskaNative", race = 1 AS asian,
               race = 2 AS "blackOrAfricanAmerican", race = 3 AS "nativeHawaiianOrOtherPacificIslander",
               race = 4 AS white, false AS "demographicRaceTwoOrMoreRaces",
               draw('origin', person) % 4 = 0 AS "hispanicOrLatinoEthnicity", 'US' AS "countryOfBirthCode",
               NULL AS "stateOfBirthAbbreviation", 'Exampleton' AS "cityOfBirth",
               '01652' AS "publicSchoolResidenceStatus"
        FROM (SELECT *, draw('race', person) % 5 AS race FROM users WHERE role = 'student')""",
}


@dataclass(frozen=True)
class District:
    """A generated district: what a caller needs to play on with it.

    Args:
        folder: Where its files lie.
        nces_lea_id: The district's NCES id, 7 digits.
        school_nces_ids: The 12-digit NCES id of each school, by the sourcedId of its org.
        teachers: The sourcedIds of the teachers who have at least one class, sorted.
        counts: Rows by table, such as ``{"orgs": 3, "users": 206}``.
    """

    folder: Path
    nces_lea_id: str
    school_nces_ids: dict[str, str]
    teachers: list[str]
    counts: dict[str, int]


def generate(
    folder: Path,
    *,
    students: int = 200,
    seed: int = 1,
    school_year_start: int = 2026,
    state_fips: str = "53",
    email_domain: str = "maple-valley.example",
    orgs_and_courses: bool = True,
    demographics: bool = False,
) -> District:
    """Write an invented district as loose OneRoster 1.1 files, in bulk mode.

    Args:
        folder: Where to write; made if missing. OneRoster files already in it are replaced.
        students: How many students; schools, teachers, classes and enrollments follow from it.
        seed: Which district. Another seed gives other names, classes and NCES ids.
        school_year_start: The calendar year in which the school year begins.
        state_fips: The state's FIPS code, two digits, with which every NCES id begins.
        email_domain: The domain of all e-mail addresses; its first label names the district.
        orgs_and_courses: False leaves orgs.csv and courses.csv without rows, as some exporters do.
        demographics: Also write demographics.csv.

    Returns:
        The district that was written.

    Raises:
        ValueError: There are no students, or the FIPS code is not two digits.
    """
    if students < 1 or not re.fullmatch("[0-9]{2}", state_fips):
        raise ValueError("a district needs at least one student and a FIPS code of two digits")
    schools = 2 * max(1, round(students / 980))
    settings = {
        "seed": seed,
        "year": school_year_start,
        "students": students,
        "schools": schools,
        "teachers": max(2 * schools, round(students / 15)),
        # 7919 and 99999 have no common factor: seeds that differ by less than 99999 never share an id.
        "lea": f"{state_fips}{seed * 7919 % 99999:05d}",
        "district": f"{email_domain.partition('.')[0].replace('-', ' ').title()} School District",
        "email_domain": email_domain,
    }
    header_only = () if orgs_and_courses else ("orgs", "courses")
    written = [name for name in _FILES if demographics or name != "demographics"]
    folder.mkdir(parents=True, exist_ok=True)
    for name in _KNOWN:
        (folder / f"{name}.csv").unlink(missing_ok=True)
    with duckdb.connect() as con:
        con.execute("SET VARIABLE settings = $settings", {"settings": settings})
        for variable, words in _WORDS.items():
            con.execute(f"SET VARIABLE {variable} = $words", {"words": words.split()})
        con.execute(_TABLES)
        counts = {name: _write(con, name, folder, header_only=name in header_only) for name in written}
        schools_query = "SELECT org_id(school), nces FROM schools ORDER BY school"
        teachers_query = "SELECT DISTINCT user_id(person) FROM enrollments WHERE role = 'teacher' ORDER BY 1"
        nces_ids = dict(con.execute(schools_query).fetchall())
        teachers = [teacher for (teacher,) in con.execute(teachers_query).fetchall()]
    _write_manifest(folder, written)
    return District(folder, str(settings["lea"]), nces_ids, teachers, counts)


def pack(folder: Path, zip_path: Path) -> Path:
    """Zip the CSV files of a folder, all at the root of the archive.

    Args:
        folder: Where the files lie.
        zip_path: The archive to write.

    Returns:
        The path of the archive.
    """
    with zipfile.ZipFile(zip_path, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.glob("*.csv")):
            archive.write(path, path.name)
    return zip_path


def _write(con: duckdb.DuckDBPyConnection, name: str, folder: Path, *, header_only: bool) -> int:
    """Write one file and return how many rows it has."""
    query = f"""
        SELECT "sourcedId", NULL AS status, NULL AS "dateLastModified", * EXCLUDE ("sourcedId")
        FROM ({_FILES[name]}) ORDER BY "sourcedId" {"LIMIT 0" if header_only else ""}"""
    path = str(folder / f"{name}.csv")
    ((rows,),) = con.execute(f"COPY ({query}) TO $path (HEADER, DELIMITER ',')", {"path": path}).fetchall()
    return int(rows)


def _write_manifest(folder: Path, written: list[str]) -> None:
    """Declare the written files as bulk and all others as absent."""
    properties = {"manifest.version": "1.0", "oneroster.version": "1.1"}
    properties |= {f"file.{name}": "bulk" if name in written else "absent" for name in _KNOWN}
    properties |= {"source.systemName": "Invented SIS", "source.systemCode": "invented"}
    lines = ["propertyName,value", *(f"{name},{value}" for name, value in properties.items())]
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
