"""A delivery that nobody of this project wrote: data/README.md says who did."""

from datetime import date
from pathlib import Path

import pytest

from roster_pipelines.connections.gather import gather_local
from roster_pipelines.staging.build import build
from roster_pipelines_tests.staging.conftest import Staged

DELIVERY = Path(__file__).parents[1] / "data" / "district-4k.zip"
# In its school year.
TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Staged:
    folder = tmp_path_factory.mktemp("independent")
    (folder / "unpacked").mkdir()
    gathered = gather_local(DELIVERY, folder / "unpacked")
    assert not list((folder / "unpacked").glob("[dD]emographics*"))
    database = folder / "staging.duckdb"
    return Staged(database, build(gathered.files, gathered.findings, database, "auto_by_school", today=TODAY))


def test_every_row_of_it_is_accepted(staged: Staged) -> None:
    counts = {name: (c.read, c.accepted, c.rejected) for name, c in staged.summary.tables.items() if c.read}
    assert counts["users"] == (4441, 4441, 0)
    assert counts["enrollments"] == (31045, 31045, 0)
    assert counts["classes"] == (1470, 1470, 0)
    assert len(counts) == 6
    assert all(read == accepted and rejected == 0 for read, accepted, rejected in counts.values())


def test_its_oddities_are_warned_of_and_nothing_else(staged: Staged) -> None:
    assert staged.summary.verdict == "accepted_with_findings"
    found = {(f.rule, f.severity, f.file, f.column): f.count for f in staged.summary.findings}
    rows = {f"{name}.csv": counts.read for name, counts in staged.summary.tables.items() if counts.read}
    filled_in_bulk = {
        ("delta-field-in-bulk", "warning", file, column): count
        for file, count in rows.items()
        for column in ("status", "dateLastModified")
    }
    assert found == filled_in_bulk | {
        ("nces-id-unlikely", "warning", "orgs.csv", "identifier"): rows["orgs.csv"],
        ("year-unreadable", "warning", "academicSessions.csv", "schoolYear"): rows["academicSessions.csv"],
        ("subject-codes-length", "warning", "courses.csv", "subjectCodes"): rows["courses.csv"],
        ("subject-codes-length", "warning", "classes.csv", "subjectCodes"): rows["classes.csv"],
        ("file-never-stored", "info", "demographics.csv", ""): 1,
    }


def test_each_of_its_findings_is_listed_a_hundred_times_at_most(staged: Staged) -> None:
    listed = staged.rows('SELECT rule, file, "column", count(*) FROM findings GROUP BY ALL')
    counted = {(f.rule, f.file, f.column): f.count for f in staged.summary.findings}
    assert {(rule, file, column): number for rule, file, column, number in listed} == {
        place: min(number, 100) for place, number in counted.items()
    }


def test_its_demographics_are_not_stored(staged: Staged) -> None:
    columns = staged.rows("SELECT DISTINCT column_name FROM duckdb_columns() WHERE NOT internal")
    assert not {name for (name,) in columns} & {"birthDate", "sex", "cityOfBirth", "hispanicOrLatinoEthnicity"}
    assert "Cedar Falls" not in staged.everything()
    assert staged.rows("SELECT count(*) FROM duckdb_tables() WHERE table_name ILIKE 'demographics'") == [(0,)]
