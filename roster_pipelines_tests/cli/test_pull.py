"""`roster pull` follows a run stage by stage, ends in one line about the delivery, and tells by its exit code."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import typer
from sqlalchemy.engine import Engine
from typer.testing import CliRunner, Result

from roster_pipelines.cli import dagster_run
from roster_pipelines.cli import pull as module
from roster_pipelines.cli.pull import pull
from roster_pipelines.errors import RosterError
from roster_pipelines.platform import deliveries, plans
from roster_pipelines.sensors.by_hand import Look, Stage
from roster_pipelines.settings import Settings
from roster_pipelines.simulators import districts
from roster_pipelines_tests.conftest import Site, nowhere, register, url_of
from roster_pipelines_tests.sensors.api import api

app = typer.Typer()
app.command()(pull)

MADE: dict[str, dict[str, Any]] = {
    "delivery": {"delivery": "d1", "unchanged": False},
    "validated/users": {"roster": 1234},
    "validated/resources": {"roster": 0},
}
QUEUED = Look("0a1b2c3d-4e5f", "waiting", (), {}, None)
STARTED = Look("0a1b2c3d-4e5f", "running", (Stage("delivery", "began", None),), {}, None)
HALFWAY = Look("0a1b2c3d-4e5f", "running", (Stage("delivery", "ended", 1.2),), {}, None)
DONE = Look("0a1b2c3d-4e5f", "success", (Stage("delivery", "ended", 1.2), Stage("validated", "ended", 0.3)), MADE, None)
FAILED = Look(
    "0a1b2c3d-4e5f", "failure", (Stage("delivery", "failed", None),), {}, "the host refuses the login: check the secret"
)


def roster(*words: str) -> Result:
    return CliRunner(env={"COLUMNS": "120"}).invoke(app, [*words])


def refused(*words: str) -> str:
    """The line that the command ends with."""
    result = roster(*words)
    assert isinstance(result.exception, RosterError), result.output
    return str(result.exception)


@pytest.fixture
def maple(engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Engine:
    monkeypatch.setenv("ROSTER_DATABASE_URL", url_of(engine))
    monkeypatch.setenv("ROSTER_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("ROSTER_LAKE", raising=False)
    monkeypatch.setattr(module, "SECONDS_BETWEEN_LOOKS", 0)
    register(engine, "maple", connection=nowhere())
    return engine


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Look | None]:
    """What Dagster's daemon will have to tell of the run, look by look; it stands in for Dagster itself."""
    coming: list[Look | None] = []

    @contextmanager
    def dagster(of: Settings, url: str) -> Iterator[dagster_run.Dagster]:
        yield dagster_run.Dagster(by_daemon=True, begin=lambda district, job: lambda: coming.pop(0))

    monkeypatch.setattr(dagster_run, "dagster", dagster)
    return coming


def test_each_stage_is_told_once_it_has_ended_and_the_last_line_says_what_is_the_roster_now(
    maple: Engine, looks: list[Look | None]
) -> None:
    with maple.begin() as connection:
        plans.record(connection, "maple", plans.new_id(connection), "d1", {}, "state")
    looks += [None, QUEUED, STARTED, HALFWAY, HALFWAY, DONE]
    result = roster("maple")
    assert result.exit_code == 0
    assert result.stdout == "maple: delivery d1 is the roster: 1,234 users; plan 1 planned\n"
    assert [line.split() for line in result.stderr.splitlines()] == [
        ["✓", "1.2", "s", "delivery"],
        ["✓", "0.3", "s", "validated"],
    ]


def test_the_same_delivery_again_is_said_and_when_an_api_is_pulled_next(
    maple: Engine, looks: list[Look | None]
) -> None:
    register(maple, "maple", connection=api(), time_zone="America/Denver")
    looks.append(Look(**{**vars(DONE), "made": {**MADE, "delivery": {"delivery": "d0", "unchanged": True}}}))
    line = roster("maple").stdout
    assert "delivery d0 is the roster as before: " in line
    assert "; next pull due " in line
    assert any(f" 02:00 {zone}" in line for zone in ("MST", "MDT"))


def test_a_stage_that_fails_ends_in_its_reason_and_a_run_that_was_cancelled_in_that(
    maple: Engine, looks: list[Look | None]
) -> None:
    looks.append(FAILED)
    assert refused("maple") == "maple: delivery failed: the host refuses the login: check the secret"
    looks.append(Look("0a1b2c3d-4e5f", "canceled", (), {}, None))
    assert "run 0a1b2c3d was cancelled" in refused("maple")


@pytest.mark.parametrize(("look", "code"), [(DONE, 0), (FAILED, 1)])
def test_json_is_all_that_is_printed_however_it_ends(
    maple: Engine, looks: list[Look | None], look: Look, code: int
) -> None:
    looks.append(look)
    result = roster("maple", "--json")
    assert result.exit_code == code
    told = json.loads(result.stdout)
    assert told == {
        "district": "maple",
        "run": look.run_id,
        "status": look.status,
        "delivery": None if code else "d1",
        "unchanged": None if code else False,
        "rows": {} if code else {"users": 1234, "resources": 0},
        "plan": None,
        "failed_in": "delivery" if code else None,
        "reason": look.reason,
        "next_due": None,
    }


def test_a_run_may_be_left_to_the_daemon(maple: Engine, looks: list[Look | None]) -> None:
    looks += [QUEUED, QUEUED]
    assert "run 0a1b2c3d is in the queue" in roster("maple", "--no-wait").stdout
    assert json.loads(roster("maple", "--no-wait", "--json").stdout) == {
        "district": "maple",
        "run": QUEUED.run_id,
        "status": "waiting",
    }


def test_what_cannot_be_pulled_is_said_in_one_line_before_anything_is_run(
    maple: Engine, looks: list[Look | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    register(maple, "cedar", stage="paused")
    assert "there is no district 'elm'" in refused("elm")
    assert "cedar is paused" in refused("cedar")
    monkeypatch.setenv("ROSTER_DATABASE_URL", "postgresql://roster:hush-hush@127.0.0.1:1/roster")
    line = refused("maple")
    assert "cannot be reached" in line
    assert "hush-hush" not in line
    assert roster().exit_code == 2


def test_without_dagster_the_command_runs_it_itself_and_the_run_is_there_for_the_ui(
    maple: Engine, site: Site, tmp_path: Path, clean_district: districts.District
) -> None:
    """The one test with a process of Dagster's own: for an invented district's files, from sFTP to the plan."""
    register(maple, "maple-valley", connection=site.connection())
    assert "Dagster does not run, so there is nobody to leave it to" in refused("maple-valley", "--no-wait")
    site.upload(clean_district.folder)
    before = datetime.now(UTC)
    result = roster("maple-valley", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert {table: count for table, count in told["rows"].items() if count} == clean_district.counts
    with maple.connect() as connection:
        newest = deliveries.newest(connection, "maple-valley")
    assert newest is not None
    assert (told["delivery"], newest.status) == (newest.delivery_id, "accepted")
    assert newest.landed_at >= before
    with pytest.MonkeyPatch.context() as patch:
        of = Settings(tmp_path / "data", str(tmp_path / "data" / "lake"), url_of(maple))
        for name, value in of.environment(url_of(maple)).items():
            patch.setenv(name, value)
        with dg.DagsterInstance.get() as instance:
            (record,) = instance.get_run_records()
    assert record.dagster_run.run_id == told["run"]
    assert record.dagster_run.tags["roster/trigger"] == "roster pull"
