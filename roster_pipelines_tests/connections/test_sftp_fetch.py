"""A copy goes on where a connection was cut, is whole whatever the server does, and is given up in time."""

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from roster_pipelines.connections import sftp
from roster_pipelines.connections.landing import receipt
from roster_pipelines.connections.sftp import Session, fetch_delivery, opened
from roster_pipelines.connections.sftp_folder import Folder, RemoteFile
from roster_pipelines.connections.sftp_reading import REQUEST_BYTES, REQUESTS
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.errors import CallSomebody, TryAgain
from roster_pipelines.simulators.sftp_habits import Cut, Habits
from roster_pipelines.simulators.sftp_server import SftpServer

USERS = os.urandom(6 * 1024**2)
MIDDLE = 3 * 1024**2


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SftpServer, Path]]:
    root = tmp_path_factory.mktemp("server")
    with SftpServer(root, {"maple": "red-1"}) as server:
        yield server, root / "maple"


@pytest.fixture
def server(running: tuple[SftpServer, Path], monkeypatch: pytest.MonkeyPatch) -> SftpServer:
    """A healthy server with one file; what is tried again is tried at once."""
    server, drop = running
    for path in drop.iterdir():
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    (drop / "users.csv").write_bytes(USERS)
    server.reset()
    monkeypatch.setenv("MAPLE_PASSWORD", "red-1")
    monkeypatch.setattr(sftp, "FIRST_PAUSE", 0)
    return server


@pytest.fixture
def drop(running: tuple[SftpServer, Path], server: SftpServer) -> Path:
    """The district's folder on the server."""
    return running[1]


@pytest.fixture
def connection(server: SftpServer) -> SftpConnection:
    return SftpConnection(
        kind="sftp",
        host="127.0.0.1",
        port=server.port,
        username="maple",
        password="env:MAPLE_PASSWORD",
        host_key=server.public_host_key,
    )


@pytest.fixture
def session(connection: SftpConnection) -> Iterator[Session]:
    with opened(connection) as session:
        yield session


def before_each(monkeypatch: pytest.MonkeyPatch, act: Callable[[Path], None]) -> None:
    """Have something happen before each copy."""
    copy = Folder.fetch

    def fetch(folder: Folder, file: RemoteFile, into: Path) -> Path:
        act(into)
        return copy(folder, file, into)

    monkeypatch.setattr(Folder, "fetch", fetch)


def there(into: Path) -> int:
    path = into / "users.csv"
    return path.stat().st_size if path.exists() else 0


def test_a_copy_that_is_cut_goes_on_from_the_bytes_that_are_there(
    server: SftpServer, connection: SftpConnection, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    had: list[tuple[int, int]] = []
    before_each(monkeypatch, lambda folder: had.append((there(folder), len(server.reads))))
    server.habits = Habits(cuts={"users.csv": Cut(MIDDLE)})
    assert fetch_delivery(connection, into).files["users.csv"].read_bytes() == USERS
    (nothing, _), (some, seen) = had
    again = server.reads[seen:]
    assert (nothing, again[0].offset) == (0, some)
    assert 0 < some <= MIDDLE + REQUEST_BYTES
    assert sum(read.size for read in again) == len(USERS) - some


def test_a_file_that_changed_before_the_next_session_is_copied_anew(
    server: SftpServer, drop: Path, connection: SftpConnection, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    had: list[int] = []

    def change(folder: Path) -> None:
        had.append(there(folder))

    newer = USERS[::-1]
    forget = sftp._Fetching._forget
    listed = iter([USERS, newer])

    def look(fetching: sftp._Fetching, files: list[RemoteFile]) -> None:
        content = next(listed)
        if content is newer:
            (drop / "users.csv").write_bytes(newer)
            os.utime(drop / "users.csv", (2_000_000_000, 2_000_000_000))
            files = [RemoteFile(file.name, file.size, datetime.fromtimestamp(2_000_000_000, UTC)) for file in files]
        forget(fetching, files)

    before_each(monkeypatch, change)
    monkeypatch.setattr(sftp._Fetching, "_forget", look)
    server.habits = Habits(cuts={"users.csv": Cut(MIDDLE)})
    with pytest.raises(TryAgain, match="changed while it was copied"):
        fetch_delivery(connection, into)
    assert had == [0, 0]
    assert (into / "users.csv").read_bytes() == newer


def test_a_file_that_is_cut_again_and_again_is_given_up(
    server: SftpServer, connection: SftpConnection, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    had: list[int] = []
    before_each(monkeypatch, lambda folder: had.append(there(folder)))
    server.habits = Habits(cuts={"users.csv": Cut(1, times=99)})
    with pytest.raises(TryAgain, match="cannot be reached"):
        fetch_delivery(connection, into)
    assert len(had) == 1 + sftp.RESUMPTIONS


def test_a_server_that_was_never_reached_is_asked_once(
    server: SftpServer, connection: SftpConnection, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = []
    connect = sftp._connect
    monkeypatch.setattr(sftp, "_connect", lambda *given: (sessions.append(1), connect(*given)))
    with pytest.raises(TryAgain, match="cannot be reached"):
        fetch_delivery(connection.model_copy(update={"port": 1}), into)
    assert len(sessions) == 1


@pytest.mark.parametrize("cap", [32 * 1024, 5000])
def test_a_server_that_gives_less_than_it_is_asked_for_is_copied_whole(
    server: SftpServer, connection: SftpConnection, into: Path, cap: int
) -> None:
    server.habits = Habits(read_bytes=cap)
    assert fetch_delivery(connection, into).files["users.csv"].read_bytes() == USERS
    assert sum(read.size for read in server.reads) == len(USERS)


WINDOW = REQUESTS * REQUEST_BYTES


@pytest.mark.parametrize("size", [0, 1, REQUEST_BYTES - 1, REQUEST_BYTES, REQUEST_BYTES + 1, 2 * WINDOW + 7])
def test_a_file_of_any_size_is_copied_whole(drop: Path, session: Session, into: Path, size: int) -> None:
    content = os.urandom(size)
    (drop / "users.csv").write_bytes(content)
    (file,) = session.folder().files()
    assert file.size == size
    assert session.folder().fetch(file, into).read_bytes() == content


@pytest.mark.parametrize("name", ["users 2026.csv", "usérs✓.csv", "a\\b'\";$(x).csv", "-users.csv", "users.csv\n"])
def test_a_file_with_an_odd_name_is_copied(drop: Path, session: Session, into: Path, name: str) -> None:
    (drop / "users.csv").rename(drop / name)
    (file,) = session.folder().files()
    assert session.folder().fetch(file, into) == into / name
    assert (into / name).read_bytes() == USERS


def test_what_is_there_and_longer_than_the_file_is_copied_anew(session: Session, into: Path) -> None:
    (into / "users.csv").write_bytes(bytes(len(USERS) + 1))
    (file,) = session.folder().files()
    assert session.folder().fetch(file, into).read_bytes() == USERS


def test_a_file_that_is_there_whole_is_not_read_again(server: SftpServer, session: Session, into: Path) -> None:
    (into / "users.csv").write_bytes(USERS)
    (file,) = session.folder().files()
    assert session.folder().fetch(file, into).read_bytes() == USERS
    assert server.reads == []


def test_a_file_that_is_shorter_than_listed_is_tried_again(drop: Path, session: Session, into: Path) -> None:
    (file,) = session.folder().files()
    (drop / "users.csv").write_bytes(USERS[:MIDDLE])
    with pytest.raises(TryAgain, match=r"users\.csv became shorter while it was copied"):
        session.folder().fetch(file, into)


def test_a_copy_that_is_not_what_came_does_not_land(connection: SftpConnection, into: Path) -> None:
    """The receipt reads the copy, and holds it against what was hashed while it came."""
    gathered = fetch_delivery(connection, into)
    now = datetime(2026, 11, 23, tzinfo=UTC)
    assert receipt(gathered, now).files[0].sha256 == sha256(USERS).hexdigest() == gathered.came["users.csv"]
    gathered.files["users.csv"].write_bytes(USERS[:-1] + b"x")
    with pytest.raises(TryAgain, match=r"the copy of users\.csv is not what came"):
        receipt(gathered, now)


def test_a_full_disk_is_no_fault_of_the_server(
    connection: SftpConnection, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> Iterator[bytes]:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("roster_pipelines.connections.sftp_folder.Reading.blocks", full)
    with pytest.raises(OSError, match="full") as raised:
        fetch_delivery(connection, into)
    assert raised.value.errno == errno.ENOSPC


def test_a_link_is_what_it_leads_to_and_a_folder_is_no_file(drop: Path, session: Session, into: Path) -> None:
    (drop / "users.csv").rename(drop / "export.dat")
    (drop / "users.csv").symlink_to("export.dat")
    (drop / "orgs.csv").mkdir()
    (drop / "folder.zip").symlink_to("orgs.csv")
    (drop / "nowhere.zip").symlink_to("not-there")
    listed = {file.name: file for file in session.folder().files()}
    assert {name: file.size for name, file in listed.items()} == {
        "users.csv": len(USERS), "export.dat": len(USERS), "nowhere.zip": len("not-there"),
    }  # fmt: skip
    assert session.folder().fetch(listed["users.csv"], into).read_bytes() == USERS
    with pytest.raises(TryAgain, match="went while"):
        session.folder().fetch(listed["nowhere.zip"], into)


@pytest.mark.parametrize("cap", [None, 1000])
def test_the_ends_of_a_file_are_read_alone(server: SftpServer, session: Session, cap: int | None) -> None:
    server.habits = Habits(read_bytes=cap)
    folder = session.folder()
    assert folder.head("users.csv", 5000) == USERS[:5000]
    assert folder.tail("users.csv", 5000) == USERS[-5000:]
    assert sum(read.size for read in server.reads) == 10_000


def test_the_ends_of_a_file_that_is_shorter_are_the_file(drop: Path, session: Session) -> None:
    for content in (b"", b"short"):
        (drop / "users.csv").write_bytes(content)
        assert session.folder().head("users.csv", 100) == session.folder().tail("users.csv", 100) == content
    with pytest.raises(TryAgain, match=r"orgs\.csv went"):
        session.folder().head("orgs.csv", 1)


def test_one_session_serves_many_folders_and_one_that_is_not_shown_is_its_own_trouble(
    drop: Path, session: Session
) -> None:
    for name in ("cedar", "oak"):
        (drop / name).mkdir()
    with pytest.raises(CallSomebody, match="does not show the folder /elm or a file in it"):
        session.folder("/elm").files()
    assert session.folder("/cedar").files() == session.folder("/oak").files() == []
    assert [file.name for file in session.folder().files()] == ["users.csv"]


def test_files_are_listed_by_name_whatever_the_server_thinks(server: SftpServer, drop: Path, session: Session) -> None:
    names = sorted(f"file-{number:03}.csv" for number in range(300))
    (drop / "users.csv").unlink()
    for name in names:
        (drop / name).touch()
    for seed in (1, 2):
        server.habits = replace(server.habits, listing_seed=seed)
        assert [file.name for file in session.folder().files()] == names
