"""What must never be stored, and what must never be told."""

import pytest

from roster_pipelines_tests.staging.conftest import Delivered, Staged

SECRET = "Xylophonmarker"
NAME = "Qwertzmarker"


def test_passwords_and_demographics_never_reach_the_database(delivered: Delivered) -> None:
    """Not from a good row, a rejected one, one that does not parse, or a file of its own."""
    delivered.edit_columns("users", lambda row: row if row[0] == "sourcedId" else [*row[:-1], SECRET])
    delivered.add_row("users", 4, sourcedId="extra-1", role="principal", familyName=NAME)
    ragged = delivered.text("users") + f"extra-2,,,true,org-0001,teacher,{SECRET},{SECRET}\n"
    delivered.write("users", ragged)
    delivered.write("demographics", f"sourcedId,status,dateLastModified,birthDate\nusr-000001,,,{SECRET}\n")
    staged = delivered.stage()
    assert staged.summary.tables["users"].rejected == 2
    assert ("file-never-stored", "info", "demographics.csv", None, "") in staged.found
    stored, content = staged.everything(), staged.database.read_bytes()
    # What is stored would be seen by this search.
    assert NAME in stored
    assert NAME.encode() in content
    assert SECRET not in stored
    assert SECRET.encode() not in content
    assert [path.name for path in staged.database.parent.glob("staging.duckdb*") if path.is_file()] == [
        "staging.duckdb"
    ]


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
