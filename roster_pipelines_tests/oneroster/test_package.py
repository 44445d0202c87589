"""Which names in a folder or a zip belong to a delivery."""

import pytest

from roster_pipelines.oneroster.package import Contents, contents

NOTHING = Contents({}, (), {}, ())


def test_the_standards_files_are_taken_by_their_names() -> None:
    found = contents(["users.csv", "manifest.csv", "academicSessions.csv"])
    assert found == Contents(
        {
            "academicSessions.csv": "academicSessions.csv",
            "manifest.csv": "manifest.csv",
            "users.csv": "users.csv",
        },
        (), {}, (),
    )  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "users.csv.filepart",  # WinSCP
        "users.csv.PART",
        "users.csv.partial",
        "users.tmp",
        ".users.csv.swp",
        ".DS_Store",
        "Thumbs.db",
        "desktop.ini",
        "__MACOSX/._users.csv",
        "__MACOSX/users.csv",
    ],
)
def test_uploads_under_way_and_a_desktops_leftovers_are_passed_over(name: str) -> None:
    assert contents([name]) == NOTHING


def test_the_folder_around_a_zips_files_does_not_matter() -> None:
    found = contents(["Maple Valley/users.csv", "Maple Valley/export/orgs.csv"])
    assert found.files == {"orgs.csv": "Maple Valley/export/orgs.csv", "users.csv": "Maple Valley/users.csv"}


def test_a_name_in_another_case_is_taken_with_a_note() -> None:
    found = contents(["Users.CSV", "academicsessions.csv"])
    assert found.files == {"academicSessions.csv": "academicsessions.csv", "users.csv": "Users.CSV"}
    assert found.notes == {"users.csv": "file-name-case", "academicSessions.csv": "file-name-case"}


def test_a_file_that_is_none_of_onerosters_is_noted_and_left() -> None:
    assert contents(["readme.txt", "users.xlsx"]) == Contents(
        {}, (), {"readme.txt": "file-unknown", "users.xlsx": "file-unknown"}, ()
    )


def test_demographics_are_noted_and_left_in_any_case() -> None:
    assert contents(["Demographics.csv"]) == Contents({}, (), {"demographics.csv": "file-never-stored"}, ())


@pytest.mark.parametrize("name", ["results.csv", "lineItems.csv", "classResources.csv"])
def test_files_of_the_standard_that_are_not_used_are_noted_and_left(name: str) -> None:
    assert contents([name]) == Contents({}, (), {name: "file-not-used"}, ())


@pytest.mark.parametrize("twice", [["users.csv", "Users.csv"], ["a/users.csv", "b/users.csv"], ["users.csv"] * 2])
def test_a_file_that_is_there_twice_is_told_of(twice: list[str]) -> None:
    assert contents(twice).doubled == ("users.csv",)


def test_zips_are_told_apart_from_files() -> None:
    found = contents(["export.zip", "OLD.ZIP", "orgs.csv"])
    assert found.zips == ("OLD.ZIP", "export.zip")
    assert found.files == {"orgs.csv": "orgs.csv"}
