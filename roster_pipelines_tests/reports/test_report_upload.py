"""A district finds the report of its delivery in its own folder, whole, and its uploads are not disturbed by that."""

from datetime import timedelta
from pathlib import Path

import asyncssh
import pytest

from roster_pipelines.connections.arrival import Listing, Patience, Seen, decide, fingerprint
from roster_pipelines.connections.report_upload import upload_report
from roster_pipelines.connections.sftp import opened
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.errors import CallSomebody, TryAgain
from roster_pipelines_tests.conftest import Site
from roster_pipelines_tests.reports.samples import AT

NAME = "20261124T080002Z-3fa9c1d2.html"
PAGE = "<!DOCTYPE html>\n" + "Größe ✓\n" * 20_000
SERVERS_FOLDER = "roster_pipelines.simulators.sftp_server._Folder"


def connection(site: Site, folder: str | None = "reports") -> SftpConnection:
    return site.connection().model_copy(update={"reports": folder})


def denied(*_: object, **__: object) -> None:
    raise asyncssh.SFTPPermissionDenied("no")


def test_the_report_arrives_whole_and_alone_in_a_folder_that_is_made(site: Site) -> None:
    upload_report(connection(site), NAME, PAGE)
    assert [path.name for path in (site.folder() / "reports").iterdir()] == [NAME]
    assert (site.folder() / "reports" / NAME).read_text("utf-8") == PAGE


def test_a_later_report_stands_beside_the_earlier_and_the_same_again_replaces_it(site: Site) -> None:
    for name, text in ((NAME, "old"), ("second.html", PAGE), (NAME, PAGE)):
        upload_report(connection(site), name, text)
    found = {path.name: path.read_text("utf-8") for path in (site.folder() / "reports").iterdir()}
    assert found == {NAME: PAGE, "second.html": PAGE}


def test_the_folder_is_one_of_the_districts_directory(site: Site) -> None:
    (site.folder() / "roster").mkdir()
    upload_report(connection(site).model_copy(update={"directory": "/roster"}), NAME, PAGE)
    assert (site.folder() / "roster" / "reports" / NAME).exists()


def test_the_sensor_sees_no_arrival_in_a_report(site: Site, tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("sourcedId\n")
    site.upload(tmp_path / "users.csv")
    with opened(connection(site)) as remote:
        before = Listing(tuple(remote.folder().files()))
    upload_report(connection(site), NAME, PAGE)
    with opened(connection(site)) as remote:
        after = Listing(tuple(remote.folder().files()))
    assert after == before
    taken = Seen(taken=fingerprint(before.files))
    assert decide(after, taken, AT, Patience(timedelta(0), timedelta(0))).state == "taken"


@pytest.mark.parametrize("call", ["mkdir", "open"])
def test_a_folder_in_which_nothing_may_be_written_calls_somebody_in_one_line(
    site: Site, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{SERVERS_FOLDER}.{call}", denied, raising=False)
    with pytest.raises(CallSomebody) as raised:
        upload_report(connection(site), NAME, PAGE)
    assert str(raised.value) == (
        "maple-valley@127.0.0.1 does not let the report be put into /reports: "
        "check the record's directory and the account's rights there, or take reports out of the record"
    )


def test_a_report_that_cannot_get_its_name_leaves_nothing_behind(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{SERVERS_FOLDER}.posix_rename", denied, raising=False)
    with pytest.raises(CallSomebody, match="does not let the report be put"):
        upload_report(connection(site), NAME, PAGE)
    assert list((site.folder() / "reports").iterdir()) == []


def test_a_file_in_the_folders_place_calls_somebody(site: Site) -> None:
    (site.folder() / "reports").write_text("a file")
    with pytest.raises(CallSomebody, match="does not let the report be put"):
        upload_report(connection(site), NAME, PAGE)
    assert (site.folder() / "reports").read_text() == "a file"


def test_a_directory_that_is_not_there_calls_somebody(site: Site) -> None:
    with pytest.raises(CallSomebody, match="into /nowhere/reports: check the record's directory"):
        upload_report(connection(site).model_copy(update={"directory": "/nowhere"}), NAME, PAGE)


def test_a_server_that_is_not_reached_may_be_tried_again(site: Site) -> None:
    site.server.stop()
    with pytest.raises(TryAgain, match="cannot be reached"):
        upload_report(connection(site), NAME, PAGE)


def test_without_a_folder_in_the_record_nothing_is_put_anywhere(site: Site) -> None:
    with pytest.raises(CallSomebody, match="names no folder for reports"):
        upload_report(connection(site, None), NAME, PAGE)
    assert list(site.folder().iterdir()) == []


@pytest.mark.parametrize("folder", ["", "/reports", "../cedar-creek", "a/b", ".reports", "re ports"])
def test_the_record_names_a_sub_folder_and_no_other_place(site: Site, folder: str) -> None:
    record = site.connection().model_dump()
    assert SftpConnection.model_validate(record | {"reports": "reports"}).reports == "reports"
    with pytest.raises(ValueError, match="reports"):
        SftpConnection.model_validate(record | {"reports": folder})


def test_until_it_is_whole_the_report_has_a_hidden_name_in_the_sub_folder(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    renamed: list[tuple[bytes, bytes]] = []
    rename = asyncssh.SFTPServer.posix_rename

    def watch(server: asyncssh.SFTPServer, old: bytes, new: bytes) -> None:
        renamed.append((old, new))
        rename(server, old, new)

    monkeypatch.setattr(f"{SERVERS_FOLDER}.posix_rename", watch, raising=False)
    upload_report(connection(site), NAME, PAGE)
    assert renamed == [(f"/reports/.{NAME}.part".encode(), f"/reports/{NAME}".encode())]
