"""A district's files are fetched by sFTP from a real server, and every trouble says who must do what."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncssh
import paramiko
import pytest

from roster_pipelines.connections import sftp
from roster_pipelines.connections.sftp import fetch_delivery, opened
from roster_pipelines.connections.sftp_folder import Folder, RemoteFile
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.errors import CallSomebody, LookAtData, RosterError, TryAgain
from roster_pipelines.findings import Finding
from roster_pipelines.simulators.sftp_server import SftpServer

PASSWORD = "correct-horse-battery"
WRONG = "staple-marker-wrong"
USERS = "sourcedId,status,dateLastModified\nusr-1,,\n"


@pytest.fixture(scope="module")
def key() -> asyncssh.SSHKey:
    return asyncssh.generate_private_key("ssh-ed25519")


@pytest.fixture
def server(tmp_path: Path, key: asyncssh.SSHKey) -> Iterator[SftpServer]:
    """A vendor's server with two districts' accounts: maple logs in by password, oak by key."""
    keys = {"oak": key.export_public_key().decode()}
    with SftpServer(tmp_path / "server", {"maple": PASSWORD}, authorized_keys=keys) as running:
        for account in ("maple", "oak"):
            (tmp_path / "server" / account / "users.csv").write_text(USERS)
        yield running


@pytest.fixture
def drop(server: SftpServer, tmp_path: Path) -> Path:
    """Maple's folder on the server."""
    return tmp_path / "server" / "maple"


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: asyncssh.SSHKey) -> None:
    monkeypatch.setenv("MAPLE_PASSWORD", PASSWORD)
    monkeypatch.setenv("WRONG_PASSWORD", WRONG)
    monkeypatch.setenv("WRONG_KEY", asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode())
    monkeypatch.delenv("NOT_SET", raising=False)
    key.write_private_key(tmp_path / "oak.key")


def connection(server: SftpServer, **changes: Any) -> SftpConnection:
    """Maple's connection, with changes."""
    settings = {
        "kind": "sftp",
        "host": "127.0.0.1",
        "port": server.port,
        "username": "maple",
        "password": "env:MAPLE_PASSWORD",
        "host_key": server.public_host_key,
    }
    return SftpConnection.model_validate(settings | changes)


def test_a_delivery_is_fetched_with_a_password(server: SftpServer, drop: Path, into: Path) -> None:
    (drop / "orgs.csv").write_text("sourcedId\n")
    gathered = fetch_delivery(connection(server), into)
    assert {name: path.read_text() for name, path in gathered.files.items()} == {
        "orgs.csv": "sourcedId\n",
        "users.csv": USERS,
    }
    assert all(path.parent == into for path in gathered.files.values())


def test_a_delivery_is_fetched_with_a_private_key(server: SftpServer, tmp_path: Path, into: Path) -> None:
    by_key = connection(server, username="oak", password=None, private_key=f"file:{tmp_path / 'oak.key'}")
    assert fetch_delivery(by_key, into).files["users.csv"].read_text() == USERS


def test_nothing_is_moved_or_deleted_on_the_server(server: SftpServer, drop: Path, into: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in drop.iterdir()}
    fetch_delivery(connection(server), into)
    assert {path.name: path.stat().st_mtime_ns for path in drop.iterdir()} == before


def test_demographics_are_not_even_copied(server: SftpServer, drop: Path, into: Path) -> None:
    (drop / "demographics.csv").write_text("sourcedId,birthDate\n")
    findings = fetch_delivery(connection(server), into).findings
    assert findings == (Finding("file-never-stored", "info", "demographics.csv"),)
    assert [path.name for path in into.iterdir()] == ["users.csv"]


def test_files_in_folders_below_are_not_looked_at(server: SftpServer, drop: Path, into: Path) -> None:
    (drop / "archive.zip").mkdir()
    (drop / "archive.zip" / "orgs.csv").write_text("old")
    assert list(fetch_delivery(connection(server), into).files) == ["users.csv"]


def test_the_districts_own_folder_is_read_where_the_record_names_one(
    server: SftpServer, drop: Path, into: Path
) -> None:
    (drop / "roster").mkdir()
    (drop / "roster" / "classes.csv").write_text("sourcedId\n")
    assert list(fetch_delivery(connection(server, directory="/roster"), into).files) == ["classes.csv"]


def test_a_listing_tells_name_size_and_time_of_each_file(server: SftpServer, drop: Path) -> None:
    with opened(connection(server)) as session:
        (listed,) = session.folder().files()
    written = (drop / "users.csv").stat()
    assert (listed.name, listed.size, listed.modified.timestamp()) == ("users.csv", len(USERS), int(written.st_mtime))


def test_a_server_whose_key_was_never_pinned_is_refused_with_the_key_to_pin(server: SftpServer, into: Path) -> None:
    with pytest.raises(CallSomebody) as raised:
        fetch_delivery(connection(server, host_key=None), into)
    assert str(raised.value).endswith(f"host_key: {server.public_host_key}")
    assert list(into.iterdir()) == []


def test_a_server_whose_key_has_changed_is_refused_with_the_new_key(server: SftpServer, into: Path) -> None:
    pinned = connection(server)
    server.rotate_host_key()
    with pytest.raises(
        CallSomebody, match=r"the host key of 127\.0\.0\.1 has changed, so nothing was fetched"
    ) as raised:
        fetch_delivery(pinned, into)
    assert str(raised.value).endswith(f"host_key: {server.public_host_key}")
    assert pinned.host_key is not None
    assert pinned.host_key not in str(raised.value)


def test_no_secret_is_sent_to_a_server_whose_key_is_not_the_pinned_one(
    server: SftpServer, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def listen(_: object, username: str, password: str) -> bool:
        asked.append(password)
        return False

    monkeypatch.setattr("roster_pipelines.simulators.sftp_server._Door.validate_password", listen)
    for host_key in (None, asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()):
        with pytest.raises(CallSomebody):
            fetch_delivery(connection(server, host_key=host_key), into)
    assert PASSWORD not in asked
    with pytest.raises(CallSomebody):
        fetch_delivery(connection(server), into)
    assert asked == [PASSWORD]  # the pinned one is sent it


@pytest.mark.parametrize("host_key", ["ssh-ed25519 AAAA", "ssh-ed25519 A", "ssh-rsa AAAAB3NzaC1yc2E=", "ssh-dss AAAA"])
def test_a_pinned_key_that_is_none_calls_somebody(host_key: str, server: SftpServer, into: Path) -> None:
    with pytest.raises(CallSomebody, match=r"the host_key of 127\.0\.0\.1 is no public key"):
        fetch_delivery(connection(server, host_key=host_key), into)


BY_KEY = {"username": "oak", "password": None}
TROUBLES: dict[str, tuple[dict[str, Any], str]] = {
    "a wrong password": ({"password": "env:WRONG_PASSWORD"}, "refuses the login: check the user name and the secret"),
    "an unknown account": ({"username": "elm"}, "refuses the login: check the user name and the secret"),
    "a key that is not the account's": ({**BY_KEY, "private_key": "env:WRONG_KEY"}, "refuses the login"),
    "a password for a key": ({**BY_KEY, "private_key": "env:WRONG_PASSWORD"}, "env:WRONG_PASSWORD is no private key"),
    "a variable that is not set": ({"password": "env:NOT_SET"}, "the secret env:NOT_SET is not set"),
    "a file that is not there": ({"password": "file:/not/there"}, "the secret file:/not/there cannot be read"),
    "a folder that is not there": ({"directory": "/roster"}, "does not show the folder /roster"),
}  # fmt: skip


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_trouble_that_a_person_must_mend_calls_somebody_and_tells_no_secret(
    trouble: str, server: SftpServer, into: Path
) -> None:
    changes, told = TROUBLES[trouble]
    with pytest.raises(CallSomebody) as raised:
        fetch_delivery(connection(server, **changes), into)
    message = str(raised.value)
    assert told in message
    assert "\n" not in message
    for secret in (PASSWORD, WRONG, "PRIVATE KEY-----"):
        assert secret not in message


def test_a_key_with_a_passphrase_calls_somebody(
    server: SftpServer, key: asyncssh.SSHKey, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCKED_KEY", key.export_private_key(passphrase=PASSWORD).decode())
    with pytest.raises(CallSomebody, match="put an OpenSSH private key without passphrase there"):
        fetch_delivery(connection(server, **BY_KEY, private_key="env:LOCKED_KEY"), into)


def test_a_port_where_nobody_listens_is_tried_again(server: SftpServer, into: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # taken, and not listening
        with pytest.raises(TryAgain, match="cannot be reached"):
            fetch_delivery(connection(server, port=closed.getsockname()[1]), into)


def test_a_session_that_is_cut_is_tried_again(server: SftpServer) -> None:
    def list_after_the_cut() -> None:
        with opened(connection(server)) as session:
            server.stop()
            session.folder().files()

    with pytest.raises(TryAgain, match="cannot be reached"):
        list_after_the_cut()


def change_after_copying(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """Let something happen in the folder while a file is copied."""
    copy = Folder.fetch

    def fetch(folder: Folder, file: RemoteFile, into: Path) -> Path:
        copied = copy(folder, file, into)
        change()
        return copied

    monkeypatch.setattr(Folder, "fetch", fetch)


def test_a_file_that_changes_while_it_is_copied_is_tried_again(
    server: SftpServer, drop: Path, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_after_copying(monkeypatch, lambda: (drop / "users.csv").write_text(USERS + "usr-2,,\n"))
    with pytest.raises(TryAgain, match="a file changed while it was copied"):
        fetch_delivery(connection(server), into)


def test_a_file_that_goes_while_others_are_copied_is_tried_again(
    server: SftpServer, drop: Path, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (drop / "orgs.csv").write_text("sourcedId\n")
    change_after_copying(monkeypatch, lambda: (drop / "orgs.csv").unlink(missing_ok=True))
    with pytest.raises(TryAgain, match="a file changed while it was copied"):
        fetch_delivery(connection(server), into)


def test_a_file_that_goes_before_it_is_copied_is_tried_again(
    server: SftpServer, drop: Path, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (drop / "orgs.csv").write_text("sourcedId\n")
    change_after_copying(monkeypatch, lambda: (drop / "users.csv").unlink(missing_ok=True))
    with pytest.raises(TryAgain, match=r"users\.csv went while it was to be copied"):
        fetch_delivery(connection(server), into)


def test_a_file_that_is_no_part_of_the_delivery_may_come_meanwhile(
    server: SftpServer, drop: Path, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_after_copying(monkeypatch, lambda: (drop / "next.zip.filepart").write_text("PK"))
    assert list(fetch_delivery(connection(server), into).files) == ["users.csv"]


def test_a_damaged_zip_is_fetched_with_its_finding_and_the_listing(server: SftpServer, drop: Path, into: Path) -> None:
    (drop / "users.csv").unlink()
    (drop / "roster.zip").write_bytes(b"PK")
    gathered = fetch_delivery(connection(server), into)
    assert (gathered.files, gathered.findings) == ({}, (Finding("zip-damaged", "fatal", "roster.zip"),))
    assert gathered.refused
    assert gathered.listing


def test_a_zip_that_is_still_growing_is_tried_again_and_not_refused(
    server: SftpServer, drop: Path, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (drop / "users.csv").unlink()
    (drop / "roster.zip").write_bytes(b"PK")
    change_after_copying(monkeypatch, lambda: (drop / "roster.zip").write_bytes(b"PK\x03"))
    with pytest.raises(TryAgain, match="a file changed while it was copied"):
        fetch_delivery(connection(server), into)


def test_a_file_that_went_is_not_named_by_an_address(server: SftpServer, drop: Path, into: Path) -> None:
    gone = RemoteFile("ada@maple.example.zip", 1, datetime.now(UTC))
    with opened(connection(server)) as session, pytest.raises(TryAgain) as raised:
        session.folder().fetch(gone, into)
    assert str(raised.value).startswith("(a file) went while it was to be copied")


def test_a_folder_without_a_delivery_is_the_districts_to_look_at(server: SftpServer, drop: Path, into: Path) -> None:
    (drop / "users.csv").unlink()
    with pytest.raises(LookAtData, match="there is no OneRoster file"):
        fetch_delivery(connection(server), into)


def test_every_trouble_is_of_a_kind_that_says_what_happens_next() -> None:
    assert {kind.__base__ for kind in (TryAgain, CallSomebody, LookAtData)} == {RosterError}


def test_a_server_that_never_answers_is_given_up_in_time(server: SftpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lets the account in, and then says nothing more: paramiko by itself would wait without end."""

    def wait(transport: paramiko.Transport, *_: int) -> None:
        transport.open_session().recv(1)
        raise EOFError

    monkeypatch.setattr(sftp, "OPEN_SECONDS", 0.5)
    monkeypatch.setattr(paramiko.SFTPClient, "from_transport", wait)
    with pytest.raises(TryAgain), opened(connection(server)):
        pass


def test_a_host_name_that_cannot_be_one_is_for_a_person(server: SftpServer) -> None:
    with pytest.raises(CallSomebody, match="host name"), opened(connection(server, host="sftp..example.org")):
        pass
