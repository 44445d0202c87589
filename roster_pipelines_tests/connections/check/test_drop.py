"""A district's sFTP folder is checked step by step, from the secret to whether its files have settled."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from roster_pipelines.connections.check import letter
from roster_pipelines.district import District
from roster_pipelines.simulators import districts
from roster_pipelines.simulators.sftp_server import SftpServer
from roster_pipelines_tests.connections.api import NOW
from roster_pipelines_tests.connections.check.told import by_name, checked, failed, states

STEPS = ["secrets", "name resolution", "host key", "login", "folder", "files", "settled"]
PASSWORD = "correct-horse-battery"
ACCOUNT = "maple"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpServer]:
    with SftpServer(tmp_path_factory.mktemp("sftp"), {ACCOUNT: PASSWORD}) as running:
        yield running


class Drop:
    """Maple's folder on the server."""

    def __init__(self, server: SftpServer, folder: Path) -> None:
        self._server = server
        self.folder = folder

    def put(self, name: str, content: bytes = b"x\n", *, age: timedelta = timedelta(hours=3)) -> None:
        (self.folder / name).write_bytes(content)
        moment = (NOW - age).timestamp()
        os.utime(self.folder / name, (moment, moment))

    def record(self, **changes: Any) -> District:
        settings = {
            "kind": "sftp",
            "host": "127.0.0.1",
            "port": self._server.port,
            "username": ACCOUNT,
            "password": "env:MAPLE_PASSWORD",
            "host_key": self._server.public_host_key,
        }
        connection = settings | changes
        return District.model_validate({"district": "maple", "name": "Maple Valley", "connection": connection})


@pytest.fixture
def drop(server: SftpServer, api_district: districts.District, monkeypatch: pytest.MonkeyPatch) -> Drop:
    """The folder with all files of a district in it."""
    monkeypatch.setenv("MAPLE_PASSWORD", PASSWORD)
    found = Drop(server, server._root / ACCOUNT)
    for path in found.folder.iterdir():
        path.unlink()
    for path in api_district.folder.iterdir():
        found.put(path.name, path.read_bytes())
    return found


def test_a_folder_that_is_ready_is_well_in_every_step(drop: Drop, server: SftpServer) -> None:
    found = checked(drop.record())
    assert states(found) == dict.fromkeys(STEPS, "ok")
    kind, _ = server.public_host_key.split()
    assert f"shows the pinned one, {kind} SHA256:" in by_name(found, "host key").detail
    assert by_name(found, "settled").detail.startswith("nothing has moved for 3 h; files are taken after 5 min")
    assert letter(drop.record(), found, NOW) == ""


def test_each_file_of_a_delivery_is_told_with_its_size_and_age(drop: Drop) -> None:
    drop.put("Users_20261122.csv", b"1234", age=timedelta(days=3))
    (drop.folder / "users.csv").unlink()
    drop.put("notes of Jane Doe.docx")
    step = by_name(checked(drop.record()), "files")
    assert "users.csv: 4 bytes, 3 days old" in step.lines
    files: Any = step.extra["found"]
    assert [file for file in files if file["name"] == "users.csv"] == [
        {"name": "users.csv", "bytes": 4, "modified": (NOW - timedelta(days=3)).isoformat()}
    ]
    assert "Jane" not in repr(step)


def test_a_key_that_is_not_the_pinned_one_is_refused_before_the_login(drop: Drop) -> None:
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL8Pk1x4nmRiZ4p41J4c/YnalEwpWxYVrdNeOhX9IXjA"
    for key in (other, None):
        found = checked(drop.record(host_key=key))
        assert failed(found).name == "host key"
        assert {step.state for step in found[3:]} == {"skipped"}
        assert drop.record().connection.host_key in failed(found).remedy  # type: ignore[union-attr]


def test_a_wrong_password_is_told_at_the_login(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAPLE_PASSWORD", "staple-marker-wrong")
    found = checked(drop.record())
    assert (failed(found).name, failed(found).ours) == ("login", True)
    assert states(found)["host key"] == "ok"
    assert {step.state for step in found[4:]} == {"skipped"}
    assert "staple-marker-wrong" not in repr(found)


def test_a_secret_that_is_no_private_key_is_told_first(drop: Drop) -> None:
    found = checked(drop.record(password=None, private_key="env:MAPLE_PASSWORD"))
    assert failed(found).name == "secrets"
    assert states(found)["host key"] == "skipped"


def test_a_port_at_which_nobody_listens_fails_at_the_host_key(drop: Drop) -> None:
    found = checked(drop.record(port=1))
    assert (failed(found).name, failed(found).ours) == ("host key", True)
    assert "cannot be reached" in failed(found).detail


def test_a_folder_that_is_not_there_is_told(drop: Drop) -> None:
    found = checked(drop.record(directory="/other"))
    assert (failed(found).name, states(found)["login"]) == ("folder", "ok")


def test_an_empty_folder_is_told_to_the_administrator(drop: Drop) -> None:
    for path in drop.folder.iterdir():
        path.unlink()
    found = checked(drop.record())
    assert (failed(found).name, failed(found).detail) == ("files", "no file of a OneRoster delivery is there")
    assert by_name(found, "settled").state == "ok"
    assert "Please upload all files" in letter(drop.record(), found, NOW)


def test_files_that_are_missing_are_named(drop: Drop) -> None:
    for name in ("users.csv", "classes.csv", "orgs.csv"):
        (drop.folder / name).unlink()
    assert failed(checked(drop.record())).detail == "users.csv, classes.csv are missing"
    drop.put("users.csv")
    assert failed(checked(drop.record())).detail == "classes.csv is missing"


def test_a_zip_is_enough_unless_files_lie_beside_it(drop: Drop) -> None:
    drop.put("maple@valley.zip")
    assert "a zip lies beside other files" in failed(checked(drop.record())).detail
    for path in drop.folder.glob("*.csv"):
        path.unlink()
    step = by_name(checked(drop.record()), "files")
    assert (step.state, step.lines) == ("ok", ("delivery.zip: 2 bytes, 3 h old",))
    drop.put("another.zip")
    assert failed(checked(drop.record())).name == "files"


def test_two_files_that_stand_for_one_are_told(drop: Drop) -> None:
    drop.put("users_2026.csv")
    assert failed(checked(drop.record())).detail == "two files stand for users.csv"


@pytest.mark.parametrize(("age", "settled"), [(timedelta(seconds=301), True), (timedelta(seconds=299), False)])
def test_files_have_settled_after_the_records_quiet_time(drop: Drop, age: timedelta, settled: bool) -> None:
    drop.put("orgs.csv", age=age)
    step = by_name(checked(drop.record(quiet_seconds=300)), "settled")
    assert (step.state, step.extra["settled"]) == ("ok", settled)
    assert step.detail.startswith("nothing has moved for" if settled else "not yet")


def test_uploads_under_way_are_told(drop: Drop) -> None:
    drop.put("users.csv.filepart", age=timedelta(seconds=20))
    step = by_name(checked(drop.record()), "settled")
    assert "within the last 20 s" in step.detail
    assert "1 still under a name" in step.detail
