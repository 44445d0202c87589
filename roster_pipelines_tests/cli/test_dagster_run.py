"""A run goes to Dagster's daemon where it lives; only where nothing else is at work does the command do it itself."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest
from dagster._daemon.types import DaemonHeartbeat

from roster_pipelines.cli import dagster_run
from roster_pipelines.cli.dagster_instance import reserved
from roster_pipelines.errors import CallSomebody
from roster_pipelines.sensors.attempts import CAUSE
from roster_pipelines.settings import Settings
from roster_pipelines_tests.sensors.runs import run_of

OWN = "postgresql://vendor.example/app"


@pytest.fixture
def of(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path, lake=str(tmp_path / "lake"), database_url=None)


@pytest.fixture
def instance(monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """Dagster's instance, whatever the environment names."""
    with dg.DagsterInstance.ephemeral() as instance:

        @contextmanager
        def opened() -> Iterator[dg.DagsterInstance]:
            yield instance

        monkeypatch.setattr("roster_pipelines.sensors.by_hand.opened", opened)
        yield instance


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, str]]]:
    """The dagster commands that were given, each with its run's tags; a process that ends at once stands for each."""
    given: list[tuple[list[str], dict[str, str]]] = []

    @contextmanager
    def process(
        command: list[str], job: str, tags: Mapping[str, str], of: Settings, log: Path, lock: int | None = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        given.append((command, dict(tags)))
        with subprocess.Popen([sys.executable, "-S", "-c", f"raise SystemExit({int(job == 'refused')})"]) as started:
            started.wait()
            yield started

    monkeypatch.setattr(dagster_run, "_process", process)
    return given


def beat(instance: dg.DagsterInstance, seconds_ago: float = 0) -> None:
    instance.add_daemon_heartbeat(DaemonHeartbeat(time.time() - seconds_ago, "SENSOR", "id"))


@pytest.mark.parametrize(
    ("own", "locked", "lives", "by_daemon"),
    [
        (False, False, False, False),
        (False, False, True, False),
        (False, True, True, True),
        (False, True, False, None),
        (True, False, False, False),
        (True, False, True, True),
        (True, True, True, True),
        (True, True, False, None),
    ],
    ids=[
        "nothing runs",
        "roster up has ended a moment ago",
        "roster up runs",
        "another roster pull is at work",
        "a database of one's own, and nothing runs",
        "a deployment elsewhere runs",
        "roster up runs on a database of one's own",
        "another roster pull is at work on it",
    ],
)
def test_who_runs_it(
    of: Settings, instance: dg.DagsterInstance, own: bool, locked: bool, lives: bool, by_daemon: bool | None
) -> None:
    of = replace(of, database_url=OWN if own else None)
    if lives:
        beat(instance)
    with ExitStack() as stack:
        if locked:
            stack.enter_context(reserved(of, 0))
        if by_daemon is None:
            with pytest.raises(CallSomebody, match="another command is at work"):
                stack.enter_context(dagster_run.dagster(of, OWN))
        else:
            assert stack.enter_context(dagster_run.dagster(of, OWN)).by_daemon is by_daemon


def test_while_the_command_runs_a_job_itself_no_dagster_is_started_beside_it(
    of: Settings, instance: dg.DagsterInstance
) -> None:
    with dagster_run.dagster(of, OWN), pytest.raises(CallSomebody, match="runs already"), reserved(of, 0):
        pass
    with reserved(of, 0):
        pass


@pytest.mark.parametrize("own", [False, True])
def test_a_run_for_the_daemon_is_queued_through_a_code_server_that_can_be_found(
    of: Settings, instance: dg.DagsterInstance, commands: list[tuple[list[str], dict[str, str]]], own: bool
) -> None:
    of = replace(of, database_url=OWN if own else None)
    beat(instance)
    with ExitStack() as stack:
        if not own:
            stack.enter_context(reserved(of, 0))
        look = stack.enter_context(dagster_run.dagster(of, OWN)).begin("maple", "job")
        ((command, tags),) = commands
        assert command == ["launch", "-w", str((of.project if own else of.data) / "workspace.yaml")]
        run_of(instance, "maple", "QUEUED", **{CAUSE: tags[CAUSE]})
        found = look()
        assert found is not None
        assert found.status == "waiting"


def test_a_queue_that_takes_no_run_or_that_nobody_empties_any_more_is_said(
    of: Settings, instance: dg.DagsterInstance, commands: list[tuple[list[str], dict[str, str]]]
) -> None:
    beat(instance)
    with dagster_run.dagster(replace(of, database_url=OWN), OWN) as dagster:
        with pytest.raises(CallSomebody, match="did not take the run"):
            dagster.begin("maple", "refused")
        look = dagster.begin("maple", "job")
        run_of(instance, "maple", "QUEUED", **{CAUSE: commands[-1][1][CAUSE]})
        beat(instance, seconds_ago=600)
        with pytest.raises(CallSomebody, match="Dagster's daemon has stopped: start it: roster up"):
            look()


def test_a_process_that_ends_without_a_result_is_said_and_one_with_a_result_is_not(
    of: Settings, instance: dg.DagsterInstance, commands: list[tuple[list[str], dict[str, str]]]
) -> None:
    with dagster_run.dagster(of, OWN) as dagster:
        look = dagster.begin("maple", "job")
        with pytest.raises(CallSomebody, match="the run of maple ended without a result: read"):
            look()
        run_of(instance, "maple", "FAILURE", **{CAUSE: commands[-1][1][CAUSE]})
        found = look()
        assert found is not None
        assert found.ended


def test_the_environment_is_afterwards_as_it_was(
    of: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROSTER_LAKE", "elsewhere")
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    with dagster_run.dagster(of, OWN):
        assert (os.environ["ROSTER_LAKE"], os.environ["DAGSTER_HOME"]) == (of.lake, str(of.project))
    assert os.environ["ROSTER_LAKE"] == "elsewhere"
    assert "DAGSTER_HOME" not in os.environ
