"""A delivery is landed whole, is known by its content, and has its receipt last."""

import json
import re
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
import zstandard

from roster_pipelines.connections.gather import Gathered
from roster_pipelines.connections.landing import Receipt, land, receipt
from roster_pipelines.findings import Finding
from roster_pipelines.lake import Lake

NOW = datetime(2026, 11, 23, 21, 15, 2, tzinfo=UTC)
LATER = datetime(2026, 11, 24, 21, 15, 2, tzinfo=UTC)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Two files of a delivery, one of them delivered under a name of its own."""
    (tmp_path / "Users.CSV").write_text("sourcedId\nusr-1\n")
    (tmp_path / "orgs.csv").write_text("sourcedId\norg-1\n")
    return {"users.csv": tmp_path / "Users.CSV", "orgs.csv": tmp_path / "orgs.csv"}


@pytest.fixture(params=["local", "remote"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake") if request.param == "local" else f"memory://{tmp_path.name}")


FOUND = (
    Finding("file-name", "warning", "users.csv"),
    Finding("zip-folder", "info", "drop.zip"),
)


def write(files: dict[str, Path], now: datetime = NOW) -> Receipt:
    return receipt(Gathered(files, FOUND, ("Users.CSV", "orgs.csv")), now)


def refused(content: str = "", rule: str = "zip-damaged", name: str = "drop.zip", now: datetime = NOW) -> Receipt:
    """The receipt of a delivery of which nothing could be taken."""
    return receipt(Gathered({}, (Finding(rule, "fatal", name),), (name,), content), now)


def test_a_delivery_is_named_by_its_time_and_its_content(files: dict[str, Path]) -> None:
    written = write(files)
    assert re.fullmatch(r"20261123T211502Z-[0-9a-f]{8}", written.delivery_id)
    assert written.fingerprint.startswith(written.delivery_id[-8:])


def test_equal_content_has_an_equal_fingerprint_at_any_time_and_place(files: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    again = {name: (tmp_path / "again" / name) for name in reversed(files)}
    for name, path in again.items():
        path.write_bytes(files[name].read_bytes())
    one, other = write(files), receipt(Gathered(again, (), ("drop.zip",)), LATER)
    assert one.fingerprint == other.fingerprint
    assert one.delivery_id != other.delivery_id


def test_any_other_content_or_name_has_another_fingerprint(files: dict[str, Path]) -> None:
    before = write(files).fingerprint
    fewer = write({"users.csv": files["users.csv"]}).fingerprint
    renamed = write({"orgs.csv": files["users.csv"]}).fingerprint
    files["users.csv"].write_text("sourcedId\nusr-2\n")
    assert len({before, fewer, renamed, write(files).fingerprint}) == 4


def test_a_refused_delivery_is_known_again_by_the_bytes_of_its_zip_at_any_time_and_by_any_name() -> None:
    assert refused("a").fingerprint == refused("a", name="again.zip", now=LATER).fingerprint
    assert refused("a").fingerprint != refused("b").fingerprint


def test_a_refused_delivery_that_was_not_fetched_is_known_again_by_its_names_and_what_was_found() -> None:
    beside = refused(rule="zip-beside-files")
    assert beside.fingerprint == refused(rule="zip-beside-files", now=LATER).fingerprint
    others = (refused(rule="file-doubled"), refused(rule="zip-beside-files", name="b.zip"))
    assert beside.fingerprint not in {other.fingerprint for other in others}


def test_a_refused_delivery_lands_with_its_receipt_alone(lake: Lake) -> None:
    written = refused("a")
    land(lake, "maple-valley", {}, written)
    (path,) = lake.delivery("maple-valley", written.delivery_id).iterdir()
    told = json.loads(path.read_text())
    assert (told["files"], told["findings"][0]["rule"], told["findings"][0]["severity"]) == ([], "zip-damaged", "fatal")


def test_files_are_landed_as_they_came_under_the_standards_names(files: dict[str, Path], lake: Lake) -> None:
    written = write(files)
    land(lake, "maple-valley", files, written)
    folder = lake.delivery("maple-valley", written.delivery_id)
    assert {path.name for path in folder.iterdir()} == {"users.csv", "orgs.csv", "receipt.json"}
    for name, path in files.items():
        assert (folder / name).read_bytes() == path.read_bytes()


def test_the_receipt_tells_what_was_landed_when_and_under_which_names(files: dict[str, Path], lake: Lake) -> None:
    written = write(files)
    land(lake, "maple-valley", files, written)
    told = json.loads((lake.delivery("maple-valley", written.delivery_id) / "receipt.json").read_text())
    assert (told["delivery_id"], told["fingerprint"]) == (written.delivery_id, written.fingerprint)
    assert datetime.fromisoformat(told["landed_at"]) == NOW
    assert told["taken"] == ["Users.CSV", "orgs.csv"]
    assert told["findings"] == [
        {"rule": "file-name", "severity": "warning", "file": "users.csv", "line": None, "column": ""},
        {"rule": "zip-folder", "severity": "info", "file": "drop.zip", "line": None, "column": ""},
    ]
    assert told["files"] == [
        {"name": name, "size": 16, "sha256": sha256(files[name].read_bytes()).hexdigest()}
        for name in ("orgs.csv", "users.csv")
    ]


def test_a_landing_that_breaks_off_leaves_no_receipt(files: dict[str, Path], lake: Lake) -> None:
    written = write(files)
    files["orgs.csv"].unlink()
    with pytest.raises(FileNotFoundError):
        land(lake, "maple-valley", files, written)
    folder = lake.delivery("maple-valley", written.delivery_id)
    assert [path.name for path in folder.iterdir()] == ["users.csv"]


def test_landing_again_after_it_broke_off_completes_the_delivery(files: dict[str, Path], lake: Lake) -> None:
    written, orgs = write(files), files["orgs.csv"].read_bytes()
    files["orgs.csv"].unlink()
    with pytest.raises(FileNotFoundError):
        land(lake, "maple-valley", files, written)
    files["orgs.csv"].write_bytes(orgs)
    land(lake, "maple-valley", files, written)
    folder = lake.delivery("maple-valley", written.delivery_id)
    assert {path.name for path in folder.iterdir()} == {"users.csv", "orgs.csv", "receipt.json"}


def test_the_same_records_in_other_pages_are_the_same_delivery(tmp_path: Path) -> None:
    records = [b'{"sourcedId":"usr-%d"}\n' % number for number in range(9)]
    written = []
    for name, size in (("few", 9), ("many", 2)):
        (tmp_path / name).mkdir()
        path = tmp_path / name / "users.ndjson.zst"
        pages = [b"".join(records[start : start + size]) for start in range(0, 9, size)]
        path.write_bytes(b"".join(map(zstandard.compress, [*pages, b""])))
        written.append(receipt(Gathered({path.name: path}, (), ("users",)), NOW))
    assert written[0].files[0].size != written[1].files[0].size
    assert written[0].fingerprint == written[1].fingerprint
