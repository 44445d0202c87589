"""Have a job run for a district: by Dagster's daemon where it lives, otherwise in a process of this command."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from roster_pipelines.cli.dagster_instance import STOP_SECONDS, reserved
from roster_pipelines.errors import CallSomebody
from roster_pipelines.sensors import by_hand
from roster_pipelines.sensors.attempts import CAUSE
from roster_pipelines.sensors.by_hand import Look
from roster_pipelines.settings import Settings

LookAtRun = Callable[[], Look | None]
"""How far a run is; None where it has not begun."""


@dataclass(frozen=True)
class Dagster:
    """Where a run would be done.

    Attributes:
        by_daemon: Whether the daemon does it, so that it goes on when this command has ended.
        begin: Have a job run for a district: called with the district and the job, it gives a look at the run.
            Raises CallSomebody where Dagster does not take it; so does a look, where nobody goes on with it.
    """

    by_daemon: bool
    begin: Callable[[str, str], LookAtRun]


@contextmanager
def dagster(of: Settings, database_url: str) -> Iterator[Dagster]:
    """Open Dagster's instance on a database, and find out who can run something.

    Args:
        of: The settings.
        database_url: The database.

    Yields:
        What runs jobs; a process of this command's own is ended with it.

    Raises:
        CallSomebody: Another command is at work on the data folder, and it is no Dagster that is ready.
    """
    with ExitStack() as stack:
        stack.enter_context(_environment(of.environment(database_url)))
        instance = stack.enter_context(by_hand.opened())
        log = of.logs / "pull.log"
        log.parent.mkdir(parents=True, exist_ok=True)

        def queue(district: str, job: str) -> LookAtRun:
            tags = by_hand.tags(instance, district)
            # The running code server is known only beside its data folder; elsewhere a name is enough for the daemon.
            workspace = (of.project if of.database_url else of.data) / "workspace.yaml"
            with _process(["launch", "-w", str(workspace)], job, tags, of, log) as process:
                if process.wait():
                    raise CallSomebody(
                        "Dagster did not take the run", f"try again if it is just starting, otherwise read {log}"
                    )

            def look() -> Look | None:
                found = by_hand.look(instance, tags[CAUSE])
                if found and found.status == "waiting" and not by_hand.daemon_lives(instance):
                    raise CallSomebody(
                        f"run {found.run_id[:8]} waits, and Dagster's daemon has stopped", "start it: roster up"
                    )
                return found

            return look

        def do(district: str, job: str) -> LookAtRun:
            tags = by_hand.tags(instance, district)
            command = ["execute", "-m", "roster_pipelines.definitions"]
            process = stack.enter_context(_process(command, job, tags, of, log, lock))

            def look() -> Look | None:
                over = process.poll() is not None
                found = by_hand.look(instance, tags[CAUSE])
                if over and not (found and found.ended):
                    raise CallSomebody(f"the run of {district} ended without a result", f"read {log}")
                return found

            return look

        lock = _place(of, stack, by_hand.daemon_lives(instance))
        yield Dagster(by_daemon=True, begin=queue) if lock is None else Dagster(by_daemon=False, begin=do)


def _place(of: Settings, stack: ExitStack, daemon_lives: bool) -> int | None:
    """Take the data folder for a run of our own; None where the daemon is there to run it."""
    if of.database_url and daemon_lives:
        return None
    try:
        return stack.enter_context(reserved(of, 0))
    except CallSomebody:
        # The embedded server is used from this data folder only: without the lock a heartbeat is one of the past.
        if daemon_lives:
            return None
        raise CallSomebody(
            f"another command is at work on {of.data}",
            "try again when that roster pull has ended or roster up is ready",
        ) from None


@contextmanager
def _process(
    command: list[str], job: str, tags: Mapping[str, str], of: Settings, log: Path, lock: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `dagster job`; a session of its own, as Ctrl-C reaches this process, which then ends the other in order."""
    words = [sys.executable, "-W", "ignore", "-m", "dagster", "job", *command, "-j", job, "--tags", json.dumps(tags)]
    with log.open("ab") as written:
        process = subprocess.Popen(  # noqa: S603 - our own command line
            words,
            cwd=of.project,
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[] if lock is None else [lock],
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables for a while: Dagster's instance is named by them, and its processes inherit them."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
