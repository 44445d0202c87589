"""The sFTP server, as clients see it."""

import io
import logging
import os
import socket
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncssh
import paramiko
import pytest

from roster_pipelines.simulators.sftp_server import SftpServer

ACCOUNTS = {"maple": "red-1", "cedar": "blue-2"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SftpServer]:
    with SftpServer(tmp_path / "root", ACCOUNTS) as server:
        yield server


@contextmanager
def transport(server: SftpServer) -> Iterator[paramiko.Transport]:
    """A connection that has not logged in yet."""
    connection = paramiko.Transport(("127.0.0.1", server.port))
    try:
        connection.start_client(timeout=5)
        yield connection
    finally:
        connection.close()


@contextmanager
def sftp(server: SftpServer, account: str = "maple") -> Iterator[paramiko.SFTPClient]:
    with transport(server) as connection:
        connection.auth_password(account, ACCOUNTS[account])
        client = paramiko.SFTPClient.from_transport(connection)
        assert client is not None
        yield client


def offered_key(server: SftpServer) -> str:
    with transport(server) as connection:
        key = connection.get_remote_server_key()
        return f"{key.get_name()} {key.get_base64()}"


def test_an_uploaded_file_is_listed_and_comes_back_unchanged(server: SftpServer, tmp_path: Path) -> None:
    content = os.urandom(300_000)
    with sftp(server) as client:
        client.putfo(io.BytesIO(content), "users.csv")
        assert [(entry.filename, entry.st_size) for entry in client.listdir_attr("/")] == [("users.csv", len(content))]
        returned = io.BytesIO()
        client.getfo("/users.csv", returned)
    assert returned.getvalue() == content
    assert (tmp_path / "root/maple/users.csv").read_bytes() == content


def test_a_client_may_make_a_folder_rename_and_remove(server: SftpServer, tmp_path: Path) -> None:
    with sftp(server) as client:
        client.mkdir("reports")
        client.putfo(io.BytesIO(b"row\n"), "reports/errors.csv.part")
        client.posix_rename("reports/errors.csv.part", "reports/errors.csv")
        client.putfo(io.BytesIO(b"old\n"), "old.csv")
        client.remove("old.csv")
        assert client.listdir("/") == ["reports"]
    assert (tmp_path / "root/maple/reports/errors.csv").read_bytes() == b"row\n"


@pytest.mark.sshd
def test_the_sftp_command_of_openssh_works(tmp_path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    identity = tmp_path / "id"
    identity.touch(mode=0o600)
    key.write_private_key(identity)
    public = key.export_public_key().decode()
    with SftpServer(tmp_path / "root", {}, authorized_keys={"cedar": public}) as keyed:
        known = tmp_path / "known_hosts"
        known.write_text(f"[127.0.0.1]:{keyed.port} {keyed.public_host_key}\n")
        (tmp_path / "orgs.csv").write_bytes(b"sourcedId\n")
        options = [
            "-F/dev/null",
            f"-i{identity}",
            f"-oUserKnownHostsFile={known}",
            "-oStrictHostKeyChecking=yes",
        ]
        batch = f"put {tmp_path / 'orgs.csv'}\nls\npwd\n"
        done = subprocess.run(
            ["sftp", *options, "-b-", f"-P{keyed.port}", "cedar@127.0.0.1"],
            input=batch, capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "orgs.csv" in done.stdout
    assert "Remote working directory: /\n" in done.stdout
    assert (tmp_path / "root/cedar/orgs.csv").read_bytes() == b"sourcedId\n"


@pytest.mark.parametrize(("account", "password"), [("maple", "blue-2"), ("maple", ""), ("oak", "red-1")])
def test_a_wrong_password_or_an_unknown_account_is_refused(server: SftpServer, account: str, password: str) -> None:
    with transport(server) as connection, pytest.raises(paramiko.AuthenticationException):
        connection.auth_password(account, password)


def test_a_key_opens_its_own_account_only(tmp_path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    keys = {"maple": key.export_public_key().decode()}
    mine = paramiko.Ed25519Key.from_private_key(io.StringIO(key.export_private_key().decode()))
    with SftpServer(tmp_path, ACCOUNTS, authorized_keys=keys) as server:
        with transport(server) as connection:
            connection.auth_publickey("maple", mine)
            assert connection.is_authenticated()
        with transport(server) as connection, pytest.raises(paramiko.AuthenticationException):
            connection.auth_publickey("cedar", mine)


def test_an_account_cannot_see_the_root_of_another(server: SftpServer, tmp_path: Path) -> None:
    (tmp_path / "root/cedar/users.csv").write_bytes(b"private")
    with sftp(server, "maple") as client:
        assert client.listdir("/") == client.listdir("..") == client.listdir("/../..") == []
        for path in ("../cedar/users.csv", "/cedar/users.csv", str(tmp_path / "root/cedar/users.csv")):
            with pytest.raises(FileNotFoundError):
                client.stat(path)
        client.putfo(io.BytesIO(b"mine"), "../../users.csv")
    assert (tmp_path / "root/maple/users.csv").read_bytes() == b"mine"
    assert (tmp_path / "root/cedar/users.csv").read_bytes() == b"private"


def test_a_link_cannot_lead_out_of_the_root(server: SftpServer, tmp_path: Path) -> None:
    with sftp(server) as client:
        client.mkdir("deep")
        with pytest.raises(PermissionError):
            client.symlink("../cedar", "deep/way-out")
    assert list((tmp_path / "root/maple/deep").iterdir()) == []


def test_there_is_no_shell_no_command_and_no_forwarding(server: SftpServer) -> None:
    with transport(server) as connection:
        connection.auth_password("maple", "red-1")
        with pytest.raises(paramiko.SSHException):
            connection.open_session(timeout=5).invoke_shell()
        for command in ("id", "scp -t ."):
            with pytest.raises(paramiko.SSHException):
                connection.open_session(timeout=5).exec_command(command)
        with pytest.raises(paramiko.ChannelException):
            connection.open_channel("direct-tcpip", ("127.0.0.1", server.port), ("127.0.0.1", 1), timeout=5)
        with pytest.raises(paramiko.SSHException):
            connection.request_port_forward("127.0.0.1", 0)


def test_the_host_key_in_a_file_survives_a_restart(tmp_path: Path) -> None:
    key_file = tmp_path / "keys" / "host"
    with SftpServer(tmp_path / "root", ACCOUNTS, host_key=key_file) as first:
        before = first.public_host_key
    with SftpServer(tmp_path / "root", ACCOUNTS, host_key=key_file) as second:
        assert offered_key(second) == second.public_host_key == before
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600


def test_servers_without_a_key_file_have_different_keys(tmp_path: Path) -> None:
    assert SftpServer(tmp_path, ACCOUNTS).public_host_key != SftpServer(tmp_path, ACCOUNTS).public_host_key


def test_rotating_offers_another_host_key_on_the_same_port(tmp_path: Path) -> None:
    key_file = tmp_path / "host"
    with SftpServer(tmp_path / "root", ACCOUNTS, host_key=key_file) as server:
        port, before = server.port, offered_key(server)
        server.rotate_host_key()
        assert server.port == port
        assert offered_key(server) == server.public_host_key != before
    assert SftpServer(tmp_path, ACCOUNTS, host_key=key_file).public_host_key == server.public_host_key


def test_a_port_in_use_raises_os_error_and_leaves_no_thread(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        threads = threading.active_count()
        server = SftpServer(tmp_path, ACCOUNTS, port=taken.getsockname()[1])
        with pytest.raises(OSError, match="address already in use"):
            server.start()
        assert threading.active_count() == threads
        server.stop()


def test_stopping_in_the_middle_of_an_upload_leaves_nothing_behind(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    threads = threading.active_count()
    server = SftpServer(tmp_path, ACCOUNTS)
    server.start()
    with caplog.at_level(logging.WARNING, "asyncio"), sftp(server) as client:
        upload = client.open("users.csv", "w")
        upload.write(b"half a r")
        upload.stat()  # answered only after the write
        server.stop()
        assert (tmp_path / "maple/users.csv").read_bytes() == b"half a r"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=5)
    assert threading.active_count() == threads
    assert caplog.records == []
