"""Which names in a folder or a zip belong to a delivery, and what is said of those that do not."""

import pytest

from roster_pipelines.findings import Finding
from roster_pipelines.oneroster.package import Contents, concerns, contents, in_folder, leads_out, shown
from roster_pipelines.oneroster.standard import GRADEBOOK, TABLES

NOTHING = Contents({}, (), ())


def test_the_standards_files_are_taken_by_their_names() -> None:
    names = ["manifest.csv", *(table.file for table in TABLES.values())]
    assert {"roles.csv", "userProfiles.csv", "userResources.csv", "classResources.csv"} < set(names)
    assert contents(names) == Contents({name: name for name in names}, (), ())


@pytest.mark.parametrize(
    "name",
    [
        "users.csv.filepart",  # WinSCP
        "users.csv.PART",
        "users.csv.partial",
        "users.tmp",
        ".users.csv.swp",
        ".DS_Store",
        "~$users.csv",
        "Thumbs.db",
        "desktop.ini",
        "__MACOSX/._users.csv",
        "__MACOSX/users.csv",
        "Maple\\Thumbs.db",
    ],
)
def test_uploads_under_way_and_a_desktops_leftovers_are_passed_over(name: str) -> None:
    assert contents([name]) == NOTHING


@pytest.mark.parametrize("folder", ["Maple Valley/", "Maple Valley/export/", "Maple Valley\\", "./"])
def test_the_folder_around_a_zips_files_does_not_matter(folder: str) -> None:
    assert contents([f"{folder}users.csv"]) == Contents({"users.csv": f"{folder}users.csv"}, (), ())


@pytest.mark.parametrize(
    "name",
    [
        "Users.csv",
        "USERS.CSV",
        "users.CSV",
        "users_20220301.csv",
        "users-2022-03-01.csv",
        "users.20220301T0500Z.csv",
        "users_2022-03-01_04.30.csv",
        "users 2.csv",
        "users2.csv",
        "Users (1).csv",
        "users_20220301 (12).csv",
        "users.csv.csv",
        "Maple/Users_1.csv",
    ],
)
def test_a_name_in_another_case_or_with_a_date_or_number_is_taken_and_told_by_the_right_name(name: str) -> None:
    assert contents([name]) == Contents({"users.csv": name}, (), (Finding("file-name", "warning", "users.csv"),))


@pytest.mark.parametrize(
    "name",
    [
        "readme.txt",
        "users.xlsx",
        "users_old.csv",
        "myusers.csv",
        "users_v2.csv",
        "users.csv.txt",
        "students.csv",
        "csv",
    ],
)
def test_a_file_that_is_none_of_onerosters_is_named_and_left(name: str) -> None:
    assert contents([f"Maple/{name}"]) == Contents({}, (), (Finding("file-unknown", "warning", name),))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Ada Lovelace/notes.txt", "notes.txt"),
        ("ada@maple.example.csv", "(a file)"),
        ("x" * 61, "x" * 59 + "…"),
        ("x" * 60, "x" * 60),
        ("a\nb\x1b[31m.txt", "a?b?[31m.txt"),
        ("a\udcff.txt", "a?.txt"),
    ],
)
def test_the_name_of_an_unknown_file_is_one_short_line_without_an_address(name: str, told: str) -> None:
    assert shown(name) == told
    assert contents([name]).findings == (Finding("file-unknown", "warning", told),)


def test_of_many_unknown_files_the_first_hundred_are_named() -> None:
    told = [finding.file for finding in contents(f"{number:03}.txt" for number in range(300)).findings]
    assert told == [*(f"{number:03}.txt" for number in range(100)), *["(a file)"] * 200]


@pytest.mark.parametrize("name", ["Demographics.csv", "demographics_2022.csv", "x/demographics.csv"])
def test_demographics_are_told_of_and_left_by_any_name(name: str) -> None:
    assert contents([name]) == Contents({}, (), (Finding("file-never-stored", "info", "demographics.csv"),))


def test_gradebook_files_are_told_of_and_left() -> None:
    names = sorted(f"{name}.csv" for name in GRADEBOOK)
    assert contents(names) == Contents({}, (), tuple(Finding("file-not-used", "info", name) for name in names))


@pytest.mark.parametrize(
    "twice",
    [
        ["users.csv", "Users.csv"],
        ["users.csv", "users_20220301.csv"],
        ["a/users.csv", "b/users.csv"],
        ["users.csv", "users.csv"],
        ["Users.csv", "users (1).csv", "users.csv"],
    ],
)
def test_two_names_for_one_file_are_fatal_and_told_once(twice: list[str]) -> None:
    found = contents([*twice, "orgs.csv"])
    assert found.findings == (Finding("file-doubled", "fatal", "users.csv"),)
    assert found.files.keys() == {"users.csv", "orgs.csv"}


def test_zips_are_told_apart_from_files() -> None:
    found = contents(["export.zip", "OLD.ZIP", "orgs.csv"])
    assert found == Contents({"orgs.csv": "orgs.csv"}, ("OLD.ZIP", "export.zip"), ())


@pytest.mark.parametrize(
    "name",
    ["../users.csv", "a/../../users.csv", "/users.csv", "..\\users.csv", "\\users.csv", "C:\\users.csv", "c:users"],
)
def test_a_path_that_leads_out_of_a_zip_is_known(name: str) -> None:
    assert leads_out(name)


@pytest.mark.parametrize("name", ["users.csv", "a/users.csv", "a\\users.csv", "a..b/users..csv"])
def test_a_path_that_stays_in_its_zip_is_known(name: str) -> None:
    assert not leads_out(name)
    assert in_folder(name) == (name != "users.csv")


@pytest.mark.parametrize(
    ("name", "of_a_delivery"),
    [
        ("users.csv", True),
        ("Users_20220301.csv", True),
        ("any.zip", True),
        ("users.csv.filepart", True),
        (".users.csv.x7Gq", True),
        ("notes.txt", False),
        ("sync.log", False),
    ],
)
def test_what_moves_in_a_folder_counts_only_where_it_is_of_a_delivery(name: str, of_a_delivery: bool) -> None:
    assert concerns(name) == of_a_delivery
