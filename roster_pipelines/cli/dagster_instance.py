"""Run Dagster: one code server, one daemon, one webserver, as child processes that end with this one."""

import fcntl
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

import httpx
import yaml

from roster_pipelines.cli.dagster_api import DagsterApi
from roster_pipelines.errors import CallSomebody
from roster_pipelines.settings import Settings

HOST = "127.0.0.1"
# Three Python processes that import Dagster: ten seconds on two quiet cores, a minute on busy ones.
START_SECONDS = 180
STOP_SECONDS = 20


@contextmanager
def running(of: Settings, database_url: str, port: int, lock: int) -> Iterator[DagsterApi]:
    """Run Dagster's processes on a database.

    Args:
        of: The settings.
        database_url: The database.
        port: The webserver's port; 0: any free one.
        lock: From `reserved`.

    Yields:
        The webserver's API, once the definitions are loaded and the daemon is alive.

    Raises:
        CallSomebody: A process ended.
    """
    of.logs.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    workspace, code_port = of.data / "workspace.yaml", free_port()
    server = {"host": HOST, "port": code_port, "location_name": "roster_pipelines"}
    workspace.write_text(yaml.safe_dump({"load_from": [{"grpc_server": server}]}), "utf-8")
    module = ["--module-name", "roster_pipelines.definitions"]
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, command in {
            "code-server": ["dagster", "api", "grpc", *module, "--host", HOST, "--port", str(code_port)],
            "daemon": ["dagster._daemon", "run", "-w", str(workspace)],
            "webserver": ["dagster_webserver", "-w", str(workspace), "-h", HOST, "-p", str(port)],
        }.items():
            with (of.logs / f"{name}.log").open("ab") as log:
                processes[name] = _start(command, of, database_url, log, lock)
        with closing(DagsterApi(f"http://{HOST}:{port}")) as api:
            _wait(api, processes, of.logs)
            yield api
    finally:
        _stop(processes)


@contextmanager
def reserved(of: Settings, port: int) -> Iterator[int]:
    """Take a data folder for one instance, before anything of it is touched.

    Two daemons on one database would launch every run twice. Whoever inherits the lock holds it too.

    Args:
        of: The settings.
        port: The webserver's port to be; 0: any free one.

    Yields:
        The lock's file descriptor.

    Raises:
        CallSomebody: The port is in use, or another instance runs on the same data folder.
    """
    if port and not _is_free(port):
        raise CallSomebody(f"port {port} is in use", "stop what uses it, or name another with --port")
    of.data.mkdir(parents=True, exist_ok=True)
    with (of.data / "running.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CallSomebody(
                f"Dagster runs already on {of.data}", "stop that roster up or roster demo first, or set ROSTER_DATA"
            ) from None
        yield lock.fileno()


def free_port() -> int:
    """Find a port of the loopback that nothing uses now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _start(command: list[str], of: Settings, database_url: str, log: IO[bytes], lock: int) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C reaches this process only, which then stops the others in order.
    return subprocess.Popen(  # noqa: S603 - our own command line
        [sys.executable, "-W", "ignore", "-m", *command],
        env=of.environment(database_url),
        cwd=of.project,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        pass_fds=[lock] if "dagster._daemon" in command else [],
    )


def _wait(api: DagsterApi, processes: dict[str, subprocess.Popen[bytes]], logs: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        for name, process in processes.items():
            if process.poll() is not None:
                raise CallSomebody(f"Dagster's {name} ended at its start", f"read {logs / f'{name}.log'}")
        try:
            if api.ready():
                return
        except httpx.HTTPError:
            pass  # the webserver does not answer yet
        time.sleep(0.2)
    raise CallSomebody(f"Dagster was not ready after {START_SECONDS} s", f"read the logs in {logs}")


def _stop(processes: dict[str, subprocess.Popen[bytes]]) -> None:
    for process in reversed(processes.values()):
        process.terminate()
    for process in processes.values():
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
