"""`roster report` tells of the newest delivery what staging found, and where its page lies."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine
from typer.testing import CliRunner, Result

from roster_pipelines.cli.main import app
from roster_pipelines.errors import LookAtData
from roster_pipelines.lake import Lake
from roster_pipelines.simulators import districts
from roster_pipelines.staging.build import build
from roster_pipelines_tests.conftest import accept, register, url_of

DELIVERY = "20261124T080002Z-3fa9c1d2"


def roster(*words: object) -> Result:
    return CliRunner(env={"COLUMNS": "100"}).invoke(app, ["report", "maple-valley", *map(str, words)])


@pytest.fixture(scope="module")
def staged(clean_district: districts.District, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The staging database of a clean delivery."""
    database = tmp_path_factory.mktemp("staged") / "staging.duckdb"
    files = {path.name: path for path in clean_district.folder.iterdir()}
    build(files, (), database, "access_code", today=datetime(2026, 11, 24, tzinfo=UTC).date())
    return database


@pytest.fixture
def lake(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """The lake that the command looks into, beside a database with one district."""
    monkeypatch.setenv("ROSTER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ROSTER_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("ROSTER_DATABASE_URL", url_of(engine))
    register(engine)
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def delivered(engine: Engine, lake: Lake, staged: Path) -> Lake:
    """A lake with the district's first delivery."""
    with engine.begin() as connection:
        accept(connection, "maple-valley", DELIVERY)
    with lake.writing(lake.staging("maple-valley", DELIVERY)) as local:
        local.write_bytes(staged.read_bytes())
    with lake.writing(lake.report("maple-valley", DELIVERY)) as local:
        local.write_text("<!DOCTYPE html>")
    return lake


def test_the_newest_report_is_shown_with_the_place_of_its_page(delivered: Lake) -> None:
    result = roster()
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"✓ Accepted  Maple Valley, delivery {DELIVERY}")
    assert "Next: Nothing: keep sending it like this." in result.stdout
    assert str(delivered.report("maple-valley", DELIVERY)).endswith(f"{DELIVERY}.html")
    assert f"In the lake: {delivered.report('maple-valley', DELIVERY)}" in result.stdout.replace("\n", "")


def test_programs_get_what_validate_gives_them_and_the_delivery(delivered: Lake) -> None:
    told = json.loads(roster("--json").stdout)
    assert (told["verdict"], told["delivery"], told["status"]) == ("accepted", DELIVERY, "accepted")
    assert told["tables"]["users"]["read"] > 0


def test_the_page_can_be_had_as_a_file(delivered: Lake, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert roster("--html", page).exit_code == 0
    assert f"<code>{DELIVERY}</code>" in page.read_text("utf-8")


def test_nothing_is_written_into_the_lake(delivered: Lake) -> None:
    before = {path: path.stat().st_mtime_ns for path in Path(str(delivered.root)).rglob("*")}
    roster()
    assert {path: path.stat().st_mtime_ns for path in Path(str(delivered.root)).rglob("*")} == before


def test_a_district_without_a_delivery_is_told_so(lake: Lake) -> None:
    assert "maple-valley has delivered nothing yet" in roster().stdout
    assert json.loads(roster("--json").stdout) is None


def test_a_delivery_that_was_not_checked_is_told_so(engine: Engine, lake: Lake) -> None:
    with engine.begin() as connection:
        accept(connection, "maple-valley", DELIVERY)
    assert isinstance(roster().exception, LookAtData)


def test_what_another_version_found_is_told_in_one_line(delivered: Lake) -> None:
    with delivered.writing(delivered.staging("maple-valley", DELIVERY)) as local:
        local.write_text("no database")
    error = roster().exception
    assert isinstance(error, LookAtData)
    assert "have it checked again" in str(error)
