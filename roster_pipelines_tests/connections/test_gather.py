"""What is taken from a delivered folder: loose files or one zip, and nothing where that is not clear."""

import io
import struct
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from roster_pipelines.connections import unpack
from roster_pipelines.connections.gather import Gathered, gather, gather_local
from roster_pipelines.errors import LookAtData

MONDAY = datetime(2026, 11, 23, 6, tzinfo=UTC)
USERS = b"sourcedId,status,dateLastModified\nusr-1,,\n"
ORGS = b"sourcedId,status,dateLastModified\norg-1,,\n"
DEMOGRAPHICS = b"sourcedId,birthDate\nusr-1,2015-01-01\n"

Told = tuple[str, str, str]


@pytest.fixture
def dropped(tmp_path: Path) -> Path:
    """An empty folder to drop a delivery into."""
    folder = tmp_path / "dropped"
    folder.mkdir()
    return folder


def drop(folder: Path, **files: bytes) -> None:
    for name, content in files.items():
        (folder / f"{name}.csv").write_bytes(content)


def zip_of(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", method) as archive:
        warnings.simplefilter("ignore", UserWarning)  # zipfile's own, of a doubled name
        for name, content in entries:
            archive.writestr(name, content, method)
    return path


def drop_zip(path: Path, **files: bytes) -> Path:
    return zip_of(path, *((f"{name}.csv", content) for name, content in files.items()))


def contents_of(files: dict[str, Path]) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in files.items()}


def told(gathered: Gathered) -> list[Told]:
    """Rule, severity and file of each finding."""
    return [(finding.rule, finding.severity, finding.file) for finding in gathered.findings]


def test_loose_files_are_taken_as_they_lie(dropped: Path, into: Path) -> None:
    drop(dropped, users=USERS, orgs=ORGS)
    gathered = gather_local(dropped, into)
    assert contents_of(gathered.files) == {"users.csv": USERS, "orgs.csv": ORGS}
    assert (gathered.taken, gathered.findings) == (("orgs.csv", "users.csv"), ())
    assert list(into.iterdir()) == []


def test_a_zip_of_any_name_is_unpacked(dropped: Path, into: Path) -> None:
    drop_zip(dropped / "Maple 2026-11-23.ZIP", users=USERS, orgs=ORGS)
    gathered = gather_local(dropped, into)
    assert contents_of(gathered.files) == {"users.csv": USERS, "orgs.csv": ORGS}
    assert (gathered.taken, gathered.findings) == (("Maple 2026-11-23.ZIP",), ())
    assert {path.name for path in into.iterdir()} == {"users.csv", "orgs.csv"}


@pytest.mark.parametrize("folder", ["Maple Valley/", "Maple Valley/2026-11-23/", "Maple Valley\\"])
def test_a_folder_inside_the_zip_is_told_of_and_does_not_matter(folder: str, dropped: Path, into: Path) -> None:
    zip_of(
        dropped / "roster.zip",
        ("Maple Valley/", b""),
        (f"{folder}users.csv", USERS),
        (f"{folder}orgs.csv", ORGS),
        ("__MACOSX/._users.csv", b"x"),
    )
    gathered = gather_local(dropped, into)
    assert contents_of(gathered.files) == {"users.csv": USERS, "orgs.csv": ORGS}
    assert told(gathered) == [("zip-folder", "info", "roster.zip")]


def test_a_zip_may_be_given_by_its_own_path(dropped: Path, into: Path) -> None:
    drop(dropped, classes=b"beside it")
    gathered = gather_local(drop_zip(dropped / "roster.zip", users=USERS), into)
    assert contents_of(gathered.files) == {"users.csv": USERS}


@pytest.mark.parametrize("packed", [False, True], ids=["loose", "zipped"])
def test_only_what_is_used_is_fetched_or_unpacked(packed: bool, dropped: Path, into: Path) -> None:
    files = {"Users_1": USERS, "demographics": DEMOGRAPHICS, "results": b"x", "notes": b"x", ".hidden": b"x"}
    if packed:
        drop_zip(dropped / "roster.zip", **files)
    else:
        drop(dropped, **files)
    fetched: list[str] = []

    def fetch(name: str, folder: Path) -> Path:
        fetched.append(name)
        return (dropped / name).rename(folder / name)

    gathered = gather({path.name: MONDAY for path in dropped.iterdir()}, fetch, into)
    assert fetched == (["roster.zip"] if packed else ["Users_1.csv"])
    assert {path.name for path in into.iterdir()} - {"roster.zip"} == set(gathered.files if packed else {"Users_1.csv"})
    assert contents_of(gathered.files) == {"users.csv": USERS}
    assert sorted(told(gathered)) == [
        ("file-name", "warning", "users.csv"),
        ("file-never-stored", "info", "demographics.csv"),
        ("file-not-used", "info", "results.csv"),
        ("file-unknown", "warning", "notes.csv"),
    ]


def test_an_upload_under_way_beside_the_files_is_no_part_of_them(dropped: Path, into: Path) -> None:
    drop(dropped, users=USERS)
    (dropped / "orgs.csv.filepart").write_bytes(b"sour")
    (dropped / "next.zip.part").write_bytes(b"PK")
    gathered = gather_local(dropped, into)
    assert (list(gathered.files), gathered.findings) == (["users.csv"], ())


def test_where_it_is_not_clear_what_the_delivery_is_nothing_is_fetched(into: Path) -> None:
    def fetch(name: str, folder: Path) -> Path:
        raise AssertionError(name)

    def refused(*names: str) -> list[Told]:
        gathered = gather(dict.fromkeys(names, MONDAY), fetch, into)
        assert (gathered.files, gathered.refused, bool(gathered.taken)) == ({}, "", True)
        return told(gathered)

    beside = ("zip-beside-files", "fatal")
    assert refused("roster.zip", "users.csv") == [(*beside, "roster.zip")]
    assert refused("monday.zip", "tuesday.zip") == [(*beside, "monday.zip")]
    assert refused("ada@maple.example.zip", "users.csv") == [(*beside, "delivery.zip")]
    assert refused("users.csv", "Users_1.csv", "orgs.csv") == [("file-doubled", "fatal", "users.csv")]


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def without_its_last_bytes(content: bytes) -> bytes:
    return content[:-10]


def flipped(content: bytes) -> bytes:
    """Damage a byte in the middle of the packed data."""
    place = content.index(b"PK\x01\x02") // 2
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


def with_directory(content: bytes, offset: int, form: str, value: int) -> bytes:
    """Change one field of the first entry in the zip's directory."""
    changed = bytearray(content)
    struct.pack_into(form, changed, content.index(b"PK\x01\x02") + offset, value)
    return bytes(changed)


def encrypted(content: bytes) -> bytes:
    """Set the flag that says encrypted, in the file's own header and in the directory's."""
    changed = bytearray(with_directory(content, 8, "<H", 1))
    changed[6] |= 1
    return bytes(changed)


ROWS = b"".join(b"usr-%d,,\n" % number for number in range(500))
SIZE, PACKED_SIZE = 24, 20
DAMAGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "cut": (cut, "zip-damaged"),
    "the last bytes are missing": (without_its_last_bytes, "zip-damaged"),
    "a byte is another": (flipped, "zip-damaged"),
    "no bytes": (lambda _: b"", "zip-damaged"),
    "no zip": (lambda _: USERS, "zip-damaged"),
    "encrypted": (encrypted, "zip-encrypted"),
    "a method that nobody has": (lambda content: with_directory(content, 10, "<H", 99), "zip-method"),
    "it says that there is less": (lambda content: with_directory(content, SIZE, "<I", 10), "zip-damaged"),
    "it says that there is more": (lambda content: with_directory(content, SIZE, "<I", 10**6), "zip-damaged"),
    "it says that more is packed": (lambda content: with_directory(content, PACKED_SIZE, "<I", 10**6), "zip-damaged"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=["stored", "deflated"])
def test_a_zip_that_cannot_be_unpacked_whole_is_refused_with_one_finding(
    damage: str, method: int, dropped: Path, into: Path
) -> None:
    change, rule = DAMAGES[damage]
    path = zip_of(dropped / "roster.zip", ("users.csv", ROWS), method=method)
    path.write_bytes(change(path.read_bytes()))
    gathered = gather_local(dropped, into)
    assert told(gathered) == [(rule, "fatal", "roster.zip")]
    assert gathered.files == {}
    assert len(gathered.refused) == 64


def with_flags(name: str, flags: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.flag_bits = flags
    return entry


CLEAN = (("users.csv", USERS), ("orgs.csv", ORGS))
MILLIONS = b"0" * (10 * 1024**2 + 1)
FAULTS: dict[str, tuple[tuple[tuple[str | zipfile.ZipInfo, bytes], ...], list[Told]]] = {
    "clean": (CLEAN, []),
    "too many entries": (
        (*CLEAN, *((f"{n}.txt", b"") for n in range(999))),
        [("zip-entries", "fatal", "roster.zip")],
    ),
    "a path out of it": ((*CLEAN, ("../classes.csv", b"x")), [("zip-path", "fatal", "roster.zip")]),
    "an absolute path": ((*CLEAN, ("/etc/classes.csv", b"x")), [("zip-path", "fatal", "roster.zip")]),
    "a path on a drive": ((*CLEAN, ("C:\\roster\\classes.csv", b"x")), [("zip-path", "fatal", "roster.zip")]),
    "a bomb": ((*CLEAN, ("classes.csv", MILLIONS)), [("zip-ratio", "fatal", "roster.zip")]),
    "a bomb in what is not read": ((*CLEAN, ("notes.txt", MILLIONS)), [("zip-ratio", "fatal", "roster.zip")]),
    "a zip inside": ((*CLEAN, ("old.zip", b"PK")), [("zip-nested", "fatal", "roster.zip")]),
    "only a zip inside": ((("roster.zip", b"PK"),), [("zip-nested", "fatal", "roster.zip")]),
    "nothing": ((), [("zip-empty", "fatal", "roster.zip")]),
    "only folders": ((("users/", b""),), [("zip-empty", "fatal", "roster.zip")]),
    "only demographics": (
        (("demographics.csv", DEMOGRAPHICS),),
        [("zip-empty", "fatal", "roster.zip"), ("file-never-stored", "info", "demographics.csv")],
    ),
    "only other files": (
        (("letters.csv", b"x"),),
        [("zip-empty", "fatal", "roster.zip"), ("file-unknown", "warning", "letters.csv")],
    ),
    "one file twice": ((*CLEAN, ("users.csv", b"other")), [("file-doubled", "fatal", "users.csv")]),
    "one file in two cases": ((*CLEAN, ("USERS.CSV", USERS)), [("file-doubled", "fatal", "users.csv")]),
    "one file in two folders": (
        (*CLEAN, ("copy/users.csv", USERS)),
        [("zip-folder", "info", "roster.zip"), ("file-doubled", "fatal", "users.csv")],
    ),
    "a file by another name": (
        (*CLEAN, ("Classes-2026-11-23.csv", b"x")),
        [("file-name", "warning", "classes.csv")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_a_zip_is_told_and_nothing_else_is(fault: str, dropped: Path, into: Path) -> None:
    entries, expected = FAULTS[fault]
    zip_of(dropped / "roster.zip", *entries)
    gathered = gather_local(dropped, into)
    assert told(gathered) == expected
    refused = any(severity == "fatal" for _, severity, _ in expected)
    assert bool(gathered.files) != refused
    assert bool(gathered.refused) == refused
    assert {path.name for path in into.iterdir()} == set(gathered.files), "nothing but what is read was written"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_by_a_method_that_cannot_be_unpacked_in_small_steps_is_refused(
    method: int, dropped: Path, into: Path
) -> None:
    zip_of(dropped / "roster.zip", *CLEAN, method=method)
    assert told(gather_local(dropped, into)) == [("zip-method", "fatal", "roster.zip")]


def test_a_zip_that_unpacks_to_more_than_any_roster_is_refused(
    dropped: Path, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpack, "MAX_UNPACKED_BYTES", len(ROWS))
    zip_of(dropped / "roster.zip", ("users.csv", ROWS[1:]), ("orgs.csv", b"x"))
    assert told(gather_local(dropped, into)) == []
    zip_of(dropped / "roster.zip", ("users.csv", ROWS), ("orgs.csv", b"x"))
    assert told(gather_local(dropped, into)) == [("zip-size", "fatal", "roster.zip")]


def test_a_bomb_that_lies_about_its_size_is_stopped_where_it_says_to_end(dropped: Path, into: Path) -> None:
    path = drop_zip(dropped / "roster.zip", users=MILLIONS)
    path.write_bytes(with_directory(path.read_bytes(), SIZE, "<I", 1000))
    assert told(gather_local(dropped, into)) == [("zip-damaged", "fatal", "roster.zip")]
    assert sum(file.stat().st_size for file in into.iterdir()) <= 1000


def test_a_directory_that_is_larger_than_any_rosters_is_not_even_read(
    dropped: Path, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpack, "MAX_DIRECTORY_BYTES", 70_000)
    zip_of(dropped / "roster.zip", *((f"{'x' * 100}{number}", b"") for number in range(600)))
    monkeypatch.setattr(zipfile.ZipFile, "infolist", lambda _: pytest.fail("it was read"))
    assert told(gather_local(dropped, into)) == [("zip-entries", "fatal", "roster.zip")]


def test_the_same_refused_bytes_are_known_again_by_any_name(dropped: Path, into: Path) -> None:
    first = gather_local(zip_of(dropped / "monday.zip"), into).refused
    assert gather_local((dropped / "monday.zip").rename(dropped / "tuesday.zip"), into).refused == first
    assert gather_local(zip_of(dropped / "other.zip", ("x", b"")), into).refused != first


def test_a_full_disk_is_no_fault_of_the_zip(dropped: Path, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(unpack, "copyfileobj", full)
    drop_zip(dropped / "roster.zip", users=USERS)
    with pytest.raises(OSError, match="No space left"):
        gather_local(dropped, into)


@pytest.mark.parametrize("names", [[], [".hidden", "Thumbs.db", "users.csv.filepart"]])
def test_a_folder_with_nothing_that_could_be_a_delivery_is_for_somebody_to_look_at(
    names: list[str], dropped: Path, into: Path
) -> None:
    for name in names:
        (dropped / name).write_bytes(b"x")
    with pytest.raises(LookAtData, match="there is no OneRoster file: deliver the CSV files"):
        gather_local(dropped, into)


def test_a_folder_of_other_files_is_a_delivery_in_which_all_is_missing(dropped: Path, into: Path) -> None:
    drop(dropped, students=USERS, demographics=DEMOGRAPHICS)
    gathered = gather_local(dropped, into)
    assert gathered.files == {}
    assert told(gathered) == [
        ("file-never-stored", "info", "demographics.csv"),
        ("file-unknown", "warning", "students.csv"),
    ]


def test_nothing_at_the_path_is_for_somebody_to_look_at(tmp_path: Path, into: Path) -> None:
    with pytest.raises(LookAtData, match="there is nothing at"):
        gather_local(tmp_path / "nowhere", into)


@pytest.mark.parametrize("method", ["iterdir", "open"])
def test_a_path_that_may_not_be_read_is_for_somebody_to_look_at(
    method: str, dropped: Path, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(dropped, users=USERS)

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, method, denied)
    with pytest.raises(LookAtData, match="cannot be read: give a folder with CSV files, or a zip, that you may read"):
        gather_local(dropped, into)


def in_memory(method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in CLEAN:
            archive.writestr(name, content)
    return buffer.getvalue()


@st.composite
def damaged_zips(draw: st.DrawFn) -> bytes:
    """A good zip in which a few bytes are others, or the end is missing."""
    content = bytearray(draw(st.sampled_from([in_memory(zipfile.ZIP_STORED), in_memory(zipfile.ZIP_DEFLATED)])))
    for _ in range(draw(st.integers(0, 4))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.integers(len(content) - 30, len(content)))])


@settings(max_examples=150)
@given(st.binary(max_size=100) | damaged_zips())
@example(b"PK\x05\x06" + bytes(18))
def test_any_bytes_as_a_zip_give_findings_or_files_and_never_an_exception(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, into = Path(folder) / "roster.zip", Path(folder) / "into"
        into.mkdir()
        path.write_bytes(content)
        gathered = gather_local(path, into)
        fatal = [finding for finding in gathered.findings if finding.severity == "fatal"]
        assert bool(fatal) == bool(gathered.refused) != bool(gathered.files)
        whole = contents_of(gathered.files)
        assert whole.items() <= dict(CLEAN).items(), "what is taken is as it was packed"


def test_files_written_hours_before_the_newest_are_told_of_and_taken(dropped: Path, into: Path) -> None:
    drop(dropped, users=USERS, orgs=ORGS)
    times = {"users.csv": MONDAY, "orgs.csv": MONDAY - timedelta(hours=7), "notes.txt": MONDAY + timedelta(days=9)}
    gathered = gather(times, lambda name, _: dropped / name, into)
    assert set(gathered.files) == {"users.csv", "orgs.csv"}
    assert ("files-apart", "warning", "orgs.csv") in told(gathered)
    near = gather({**times, "orgs.csv": MONDAY - timedelta(hours=5)}, lambda name, _: dropped / name, into)
    assert "files-apart" not in {rule for rule, _, _ in told(near)}


def test_the_size_of_what_was_fetched_is_known_as_it_was_delivered(dropped: Path, into: Path) -> None:
    drop(dropped, users=USERS, orgs=ORGS)
    assert gather_local(dropped, into).size == len(USERS) + len(ORGS)
    path = drop_zip(into / "roster.zip", users=USERS)
    assert gather_local(path, into).size == path.stat().st_size
