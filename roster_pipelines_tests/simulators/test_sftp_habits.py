"""Each fault of the sFTP server can be switched on and off, and uploads come step by step."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import paramiko
import pytest

from roster_pipelines.simulators.sftp_habits import Cut, Habits, Read
from roster_pipelines.simulators.sftp_server import SftpServer
from roster_pipelines.simulators.sftp_uploads import Uploads

CONTENT = bytes(range(250)) * 400


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SftpServer]:
    with SftpServer(tmp_path, {"maple": "red-1"}) as server:
        (tmp_path / "maple/users.csv").write_bytes(CONTENT)
        yield server


@contextmanager
def sftp(server: SftpServer) -> Iterator[paramiko.SFTPClient]:
    transport = paramiko.Transport(("127.0.0.1", server.port))
    try:
        transport.start_client(timeout=5)
        transport.auth_password("maple", "red-1")
        client = paramiko.SFTPClient.from_transport(transport)
        assert client is not None
        yield client
    finally:
        transport.close()


def read(client: paramiko.SFTPClient) -> bytes:
    with client.open("users.csv", "rb") as file:
        return file.read()


def test_a_connection_dies_in_the_middle_of_a_file_as_often_as_it_should(server: SftpServer) -> None:
    server.habits = Habits(cuts={"users.csv": Cut(40_000, times=2)})
    for _ in range(2):
        server.reads.clear()
        with sftp(server) as client, pytest.raises((paramiko.SSHException, EOFError, OSError)):
            read(client)
        assert sum(each.size for each in server.reads) >= 40_000
    with sftp(server) as client:
        assert read(client) == CONTENT


def test_a_second_connection_is_hung_up_on_where_only_one_may_be(server: SftpServer) -> None:
    server.habits = Habits(single_connection=True)
    with sftp(server) as client:
        with pytest.raises((paramiko.SSHException, EOFError, OSError)), sftp(server):
            pass
        assert client.listdir() == ["users.csv"]


def test_the_order_of_a_listing_follows_from_its_seed(server: SftpServer, tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / "maple" / f"{number}.csv").touch()
    with sftp(server) as client:
        orders = []
        for seed in (1, 1, 2):
            server.habits = Habits(listing_seed=seed)
            orders.append(client.listdir())
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2])
    assert server.listings == 3


def test_nothing_can_be_changed_where_it_is_read_only(server: SftpServer, tmp_path: Path) -> None:
    (tmp_path / "maple/reports").mkdir()
    server.habits = Habits(read_only=True)
    with sftp(server) as client:
        for change in (
            lambda: client.open("new.csv", "wb"),
            lambda: client.open("users.csv", "ab"),
            lambda: client.remove("users.csv"),
            lambda: client.rename("users.csv", "orgs.csv"),
            lambda: client.posix_rename("users.csv", "orgs.csv"),
            lambda: client.mkdir("folder"),
            lambda: client.rmdir("reports"),
            lambda: client.utime("users.csv", (1, 1)),
            lambda: client.truncate("users.csv", 1),
        ):
            with pytest.raises(PermissionError):
                change()
        assert read(client) == CONTENT
    assert sorted(path.name for path in (tmp_path / "maple").iterdir()) == ["reports", "users.csv"]


def test_no_read_is_given_more_than_the_cap(server: SftpServer) -> None:
    server.habits = Habits(read_bytes=1000, read_delay_seconds=0.0001)
    with sftp(server) as client:
        assert read(client) == CONTENT
    assert {each.size for each in server.reads if each.size} == {1000}
    assert server.reads[1] == Read("users.csv", 1000, 1000)


def test_what_hangs_goes_on_when_it_is_released(server: SftpServer) -> None:
    with sftp(server) as client:
        server.habits = Habits(hangs=frozenset({"listing"}))
        channel = client.get_channel()
        assert channel is not None
        channel.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.listdir()
        server.habits = replace(server.habits, hangs=frozenset())
        channel.settimeout(5)
        assert client.stat("users.csv").st_size == len(CONTENT)


def test_a_login_hangs_until_it_is_released_and_not_past_the_end_of_the_server(server: SftpServer) -> None:
    server.habits = Habits(hangs=frozenset({"login"}))
    transport = paramiko.Transport(("127.0.0.1", server.port))
    try:
        transport.start_client(timeout=5)
        transport.auth_timeout = 0.2
        with pytest.raises(paramiko.AuthenticationException):
            transport.auth_password("maple", "red-1")
    finally:
        transport.close()
    server.reset()
    with sftp(server) as client:
        assert client.listdir() == ["users.csv"]
    server.habits = Habits(hangs=frozenset({"login"}))
    server.stop()


def test_an_upload_grows_in_steps(server: SftpServer, tmp_path: Path) -> None:
    path = tmp_path / "maple/orgs.csv"
    with sftp(server) as client:
        for there in Uploads(client).growing("orgs.csv", CONTENT, 3):
            assert path.stat().st_size == there
    assert path.read_bytes() == CONTENT


def test_a_filepart_gets_its_name_in_the_last_step(server: SftpServer, tmp_path: Path) -> None:
    drop = tmp_path / "maple"
    with sftp(server) as client:
        steps = Uploads(client).filepart("orgs.csv", CONTENT, 2)
        assert [next(steps), next(steps)] == [len(CONTENT) // 2, len(CONTENT)]
        assert not (drop / "orgs.csv").exists()
        assert (drop / "orgs.csv.filepart").read_bytes() == CONTENT
        assert next(steps) == len(CONTENT)
    assert (drop / "orgs.csv").read_bytes() == CONTENT
    assert not (drop / "orgs.csv.filepart").exists()


def test_an_aborted_upload_leaves_its_beginning_and_a_time_may_lie_in_the_future(
    server: SftpServer, tmp_path: Path
) -> None:
    future = datetime(2040, 1, 1, tzinfo=UTC)
    with sftp(server) as client:
        Uploads(client).aborted("orgs.csv", CONTENT)
        Uploads(client).put("classes.csv", CONTENT, future)
    assert (tmp_path / "maple/orgs.csv").read_bytes() == CONTENT[: len(CONTENT) * 6 // 10]
    assert (tmp_path / "maple/classes.csv").stat().st_mtime == future.timestamp()
