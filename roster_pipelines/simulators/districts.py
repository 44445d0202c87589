"""Invented school districts, written as OneRoster 1.1 or 1.2 bulk sets.

Everything is derived by SQL from row numbers and MD5, never from a random generator or from the order in
which threads finish: the same arguments give the same bytes.

Half of the schools teach kindergarten to grade 6, the others grades 7 to 12. A student takes all eight
courses of the grade, each in one of its sections; a section is a OneRoster class.
"""

import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from roster_pipelines.oneroster.shape import Version
from roster_pipelines.oneroster.templates import data_files
from roster_pipelines.simulators.district_sql import FILES, FILES_1_2, TABLES, WORDS

_RESOURCES = ("resources", "courseResources", "classResources")


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
    version: Version = "1.1",
    resources: Sequence[str] = (),
) -> District:
    """Write an invented district as loose OneRoster files, in bulk mode.

    Args:
        folder: Where to write; made if missing. OneRoster files already in it are replaced.
        students: How many students; schools, teachers, classes and enrollments follow from it.
        seed: Which district. Another seed gives other names, classes and NCES ids.
        school_year_start: The calendar year in which the school year begins.
        state_fips: The state's FIPS code, two digits, with which every NCES id begins.
        email_domain: The domain of all e-mail addresses; its first label names the district.
        orgs_and_courses: False leaves orgs.csv and courses.csv without rows, as some exporters do.
        demographics: Also write demographics.csv.
        version: The OneRoster version: the same district, in the other files of 1.2.
        resources: vendorResourceIds: also write resources.csv with these, courseResources.csv, which gives each
            to every music course, and classResources.csv, which gives each to three health classes.

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
    files = FILES if version == "1.1" else FILES_1_2
    header_only = () if orgs_and_courses else ("orgs", "courses", "courseResources")
    left_out = {*(() if demographics else ("demographics",)), *(() if resources else _RESOURCES)}
    written = [name for name in files if name not in left_out]
    folder.mkdir(parents=True, exist_ok=True)
    for name in data_files("1.2"):  # which has all of 1.1
        (folder / f"{name}.csv").unlink(missing_ok=True)
    with duckdb.connect() as con:
        con.execute("SET VARIABLE settings = $settings", {"settings": settings})
        con.execute("SET VARIABLE resources = $resources", {"resources": [*resources]})
        for variable, words in WORDS.items():
            con.execute(f"SET VARIABLE {variable} = $words", {"words": words.split()})
        con.execute(TABLES)
        counts = {
            name: _write(con, files[name], folder / f"{name}.csv", header_only=name in header_only) for name in written
        }
        schools_query = "SELECT org_id(school), nces FROM schools ORDER BY school"
        teachers_query = "SELECT DISTINCT user_id(person) FROM enrollments WHERE role = 'teacher' ORDER BY 1"
        nces_ids = dict(con.execute(schools_query).fetchall())
        teachers = [teacher for (teacher,) in con.execute(teachers_query).fetchall()]
    _write_manifest(folder, written, version)
    return District(folder, str(settings["lea"]), nces_ids, teachers, counts)


def school_year(today: date) -> int:
    """Give the calendar year in which the school year of a day begins; the summer belongs to the coming one."""
    return today.year if today.month > 6 else today.year - 1


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


def _write(con: duckdb.DuckDBPyConnection, rows_query: str, path: Path, *, header_only: bool) -> int:
    """Write one file and return how many rows it has."""
    query = f"""
        SELECT "sourcedId", NULL AS status, NULL AS "dateLastModified", * EXCLUDE ("sourcedId")
        FROM ({rows_query}) ORDER BY "sourcedId" {"LIMIT 0" if header_only else ""}"""
    ((rows,),) = con.execute(f"COPY ({query}) TO $path (HEADER, DELIMITER ',')", {"path": str(path)}).fetchall()
    return int(rows)


def _write_manifest(folder: Path, written: list[str], version: Version) -> None:
    """Declare the written files as bulk and all others as absent."""
    properties = {"manifest.version": "1.0", "oneroster.version": version}
    properties |= {f"file.{name}": "bulk" if name in written else "absent" for name in data_files(version)}
    properties |= {"source.systemName": "Invented SIS", "source.systemCode": "invented"}
    lines = ["propertyName,value", *(f"{name},{value}" for name, value in properties.items())]
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
