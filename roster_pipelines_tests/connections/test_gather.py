"""What is taken from a delivered folder: loose files or one zip, and nothing where that is not clear."""

import warnings
import zipfile
from pathlib import Path

import pytest

from roster_pipelines.connections.gather import gather, gather_local
from roster_pipelines.errors import LookAtData

USERS = b"sourcedId,status,dateLastModified\nusr-1,,\n"
ORGS = b"sourcedId,status,dateLastModified\norg-1,,\n"
DEMOGRAPHICS = b"sourcedId,birthDate\nusr-1,2015-01-01\n"


@pytest.fixture
def dropped(tmp_path: Path) -> Path:
    """An empty folder to drop a delivery into."""
    folder = tmp_path / "dropped"
    folder.mkdir()
    return folder


def drop(folder: Path, **files: bytes) -> None:
    for name, content in files.items():
        (folder / f"{name}.csv").write_bytes(content)


def drop_zip(path: Path, method: int = zipfile.ZIP_DEFLATED, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(f"{name}.csv", content)
    return path


def contents_of(files: dict[str, Path]) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in files.items()}


def test_loose_files_are_taken_as_they_lie(dropped: Path, into: Path) -> None:
    drop(dropped, users=USERS, orgs=ORGS)
    gathered = gather_local(dropped, into)
    assert contents_of(gathered.files) == {"users.csv": USERS, "orgs.csv": ORGS}
    assert gathered.taken == ("orgs.csv", "users.csv")
    assert list(into.iterdir()) == []


@pytest.mark.parametrize("folder", ["", "Maple Valley/", "Maple Valley/2026-11-23/"])
def test_a_zip_is_unpacked_whatever_folder_is_in_it(folder: str, dropped: Path, into: Path) -> None:
    drop_zip(dropped / "roster.zip", **{f"{folder}users": USERS, f"{folder}orgs": ORGS})
    gathered = gather_local(dropped, into)
    assert contents_of(gathered.files) == {"users.csv": USERS, "orgs.csv": ORGS}
    assert gathered.taken == ("roster.zip",)
    assert {path.name for path in into.iterdir()} == {"users.csv", "orgs.csv"}


def test_a_zip_may_be_given_by_its_own_path(dropped: Path, into: Path) -> None:
    drop(dropped, classes=b"beside it")
    gathered = gather_local(drop_zip(dropped / "roster.zip", users=USERS), into)
    assert contents_of(gathered.files) == {"users.csv": USERS}


@pytest.mark.parametrize("packed", [False, True], ids=["loose", "zipped"])
def test_only_what_is_used_is_fetched_or_unpacked(packed: bool, dropped: Path, into: Path) -> None:
    files = {"Users": USERS, "demographics": DEMOGRAPHICS, "results": b"x", "notes": b"x", ".hidden": b"x"}
    if packed:
        drop_zip(dropped / "roster.zip", **files)
    else:
        drop(dropped, **files)
    fetched: list[str] = []

    def fetch(name: str, folder: Path) -> Path:
        fetched.append(name)
        return (dropped / name).rename(folder / name)

    gathered = gather([path.name for path in dropped.iterdir()], fetch, into)
    assert fetched == (["roster.zip"] if packed else ["Users.csv"])
    assert {path.name for path in into.iterdir()} - {"roster.zip"} == set(gathered.files if packed else {"Users.csv"})
    assert contents_of(gathered.files) == {"users.csv": USERS}
    assert gathered.notes == {
        "users.csv": "file-name-case",
        "demographics.csv": "file-never-stored",
        "results.csv": "file-not-used",
        "notes.csv": "file-unknown",
    }


def test_an_upload_under_way_beside_the_files_is_no_part_of_them(dropped: Path, into: Path) -> None:
    drop(dropped, users=USERS)
    (dropped / "orgs.csv.filepart").write_bytes(b"sour")
    (dropped / "next.zip.part").write_bytes(b"PK")
    assert list(gather_local(dropped, into).files) == ["users.csv"]


def test_a_zip_beside_loose_files_is_refused_as_unclear(dropped: Path, into: Path) -> None:
    drop(dropped, users=USERS)
    drop_zip(dropped / "roster.zip", users=USERS)
    with pytest.raises(LookAtData, match="a zip beside other files"):
        gather_local(dropped, into)


def test_two_zips_are_refused_as_unclear(dropped: Path, into: Path) -> None:
    drop_zip(dropped / "monday.zip", users=USERS)
    drop_zip(dropped / "tuesday.zip", users=USERS)
    with pytest.raises(LookAtData, match="not clear which is the delivery"):
        gather_local(dropped, into)


def test_one_file_under_two_names_is_refused(dropped: Path, into: Path) -> None:
    drop(dropped, users=USERS, Users=USERS)
    with pytest.raises(LookAtData, match=r"users\.csv is there twice: deliver each file once"):
        gather_local(dropped, into)


@pytest.mark.parametrize("second", ["users.csv", "copy/users.csv", "USERS.CSV"])
def test_one_file_twice_in_a_zip_is_refused(second: str, dropped: Path, into: Path) -> None:
    with warnings.catch_warnings(), zipfile.ZipFile(dropped / "roster.zip", "w") as archive:
        warnings.simplefilter("ignore", UserWarning)  # zipfile's own, of the doubled name
        archive.writestr("users.csv", USERS)
        archive.writestr(second, ORGS)
    with pytest.raises(LookAtData, match=r"users\.csv is there twice"):
        gather_local(dropped, into)


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    """Damage a byte in the middle of the packed data."""
    place = content.index(b"PK\x01\x02") // 2
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


def encrypted(content: bytes) -> bytes:
    """Set the flag that says encrypted, in the file's own header and in the directory's."""
    directory = content.index(b"PK\x01\x02")
    changed = bytearray(content)
    changed[6] |= 1
    changed[directory + 8] |= 1
    return bytes(changed)


def of_unknown_method(content: bytes) -> bytes:
    directory = content.index(b"PK\x01\x02")
    changed = bytearray(content)
    changed[8] = changed[directory + 10] = 99
    return bytes(changed)


@pytest.mark.parametrize("damage", [cut, flipped, encrypted, of_unknown_method, lambda _: b"", lambda _: b"no zip"])
@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_that_cannot_be_unpacked_is_refused_with_a_remedy(damage, method: int, dropped: Path, into: Path) -> None:
    path = drop_zip(dropped / "roster.zip", method, users=b"".join(b"usr-%d,,\n" % n for n in range(500)))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(LookAtData) as raised:
        gather_local(dropped, into)
    assert str(raised.value) == (
        "the zip cannot be unpacked: it is damaged, encrypted or no zip: "
        "zip the CSV files again and upload the whole file"
    )


def test_a_zip_without_a_oneroster_file_is_refused(dropped: Path, into: Path) -> None:
    drop_zip(dropped / "roster.zip", demographics=DEMOGRAPHICS, letters=b"x")
    with pytest.raises(LookAtData, match="the zip holds no OneRoster file"):
        gather_local(dropped, into)
    assert list(into.iterdir()) == []


@pytest.mark.parametrize("files", [{}, {"demographics": DEMOGRAPHICS}, {"letters": b"x"}])
def test_a_folder_without_a_oneroster_file_is_refused(files: dict[str, bytes], dropped: Path, into: Path) -> None:
    drop(dropped, **files)
    with pytest.raises(LookAtData, match="there is no OneRoster file"):
        gather_local(dropped, into)


def test_nothing_at_the_path_is_refused(tmp_path: Path, into: Path) -> None:
    with pytest.raises(LookAtData, match="there is nothing at"):
        gather_local(tmp_path / "nowhere", into)


def test_a_zip_that_unpacks_to_more_than_any_roster_is_refused(
    dropped: Path, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("roster_pipelines.connections.gather.MAX_UNPACKED_BYTES", 1000)
    drop_zip(dropped / "roster.zip", users=b"x" * 1001)
    with pytest.raises(LookAtData, match="unpacks to more than a roster can hold"):
        gather_local(dropped, into)
    assert list(into.iterdir()) == []
