"""What must never be stored, and what must never be told."""

from pathlib import Path

import pytest

from roster_pipelines.simulators.districts import generate
from roster_pipelines_tests.staging.catalogue.ground import Ground
from roster_pipelines_tests.staging.conftest import Delivered, Staged

SECRET = "Xylophonmarker"
NAME = "Qwertzmarker"
WRONG = {
    "role": f"{NAME} the principal",
    "enabledUser": f"{NAME} is disabled",
    "email": f"{NAME} has no address",
    "grades": f"{NAME} is in no grade",
    "userIds": f"{NAME} has ids",
    "agentSourcedIds": f"{NAME} is unknown",
    "dateLastModified": f"{NAME} was changed yesterday",
}


def test_passwords_and_demographics_never_reach_the_database(delivered: Delivered) -> None:
    """Not from a good row, a rejected one, one that does not parse, or a file of its own."""
    delivered.edit_columns("users", lambda row: row if row[0] == "sourcedId" else [*row[:-1], SECRET])
    delivered.add_row("users", 4, sourcedId="extra-1", role="principal", familyName=NAME)
    ragged = delivered.text("users") + f"extra-2,,,true,org-0001,teacher,{SECRET},{SECRET}\n"
    delivered.write("users", ragged)
    delivered.write("demographics", f"sourcedId,status,dateLastModified,birthDate\nusr-000001,,,{SECRET}\n")
    staged = delivered.stage()
    assert staged.summary.tables["users"].rejected == 2
    assert {
        ("file-never-stored", "info", "demographics.csv", None, ""),
        ("password-sent", "info", "users.csv", None, ""),
    } <= staged.found
    stored, content = staged.everything(), staged.database.read_bytes()
    # What is stored would be seen by this search.
    assert NAME in stored
    assert NAME.encode() in content
    assert SECRET not in stored
    assert SECRET.encode() not in content
    assert [path.name for path in staged.database.parent.glob("staging.duckdb*") if path.is_file()] == [
        "staging.duckdb"
    ]


def test_nothing_of_1_2_that_must_not_be_stored_is(tmp_path: Path) -> None:
    """Passwords and pronouns of people, the names and passwords of their profiles."""
    district = generate(tmp_path / "delivered", students=5, version="1.2")
    ground = Ground(district.folder, tmp_path / "staging.duckdb")
    ground.begin("userProfiles")
    ground.person(familyName=NAME, password=SECRET, pronouns=SECRET)
    ground.add("userProfiles", username=SECRET, password=SECRET)
    staged = ground.stage()
    assert {f.rule for f in staged.summary.findings} == {"password-sent"}
    assert NAME in staged.everything()
    assert SECRET not in staged.everything()
    assert SECRET.encode() not in staged.database.read_bytes()


def test_whatever_is_wrong_with_a_person_nothing_of_them_is_told(delivered: Delivered) -> None:
    """Neither of a row that is repaired, nor of one that is rejected or is no row."""
    for number, (column, value) in enumerate(WRONG.items()):
        person = {"givenName": NAME, "familyName": NAME, "username": f"{NAME}{number}", "email": f"{number}@{NAME}.org"}
        delivered.add_row("users", 4, **{**person, "sourcedId": f"extra-{number}", column: value})
    delivered.change("users", lambda text: f'{text}extra-99,,,true,org-0001,teacher,{NAME},"{NAME}')
    staged = delivered.stage()
    found = {(f.column, f.severity) for f in staged.summary.listed if f.file == "users.csv"}
    assert found == {(column, "error" if column == "role" else "warning") for column in WRONG} | {("", "error")}
    assert staged.rows(f"SELECT count(*) FROM rejected.users WHERE \"familyName\" = '{NAME}'") == [(1,)]
    said = told(staged) + repr(staged.summary)
    said += "".join(f.message + f.remedy for f in staged.summary.findings)
    assert not [value for value in (NAME, *WRONG.values()) if value in said]


def test_demographics_alone_leave_a_delivery_accepted_with_nothing_above_info(delivered: Delivered) -> None:
    delivered.write("demographics", "sourcedId,status,dateLastModified,birthDate\nusr-000001,,,2015-01-01\n")
    staged = delivered.stage()
    assert staged.summary.verdict == "accepted"
    assert staged.found == {("file-never-stored", "info", "demographics.csv", None, "")}


def told(staged: Staged) -> str:
    return repr(
        [staged.rows(f"FROM {name}") for name in ("findings", "finding_counts", "tables", "rejected.unreadable")]
    )


@pytest.mark.parametrize("lost", ["header", "line end"])
def test_where_the_header_or_its_line_end_is_lost_no_value_is_told_as_a_column(lost: str, delivered: Delivered) -> None:
    delivered.replace_line("users", 2, lambda row: row.replace("Ivan", NAME).replace("Hale", NAME))
    delivered.change("users", lambda text: text.partition("\n")[2] if lost == "header" else text.replace("\n", "", 1))
    assert NAME in delivered.text("users").partition("\n")[0]
    staged = delivered.stage()
    assert NAME not in told(staged)
    assert NAME not in repr(staged.summary)
    assert staged.summary.tables["users"].accepted == 0
