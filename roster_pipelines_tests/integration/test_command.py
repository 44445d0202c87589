"""The `roster` command as people start it: as a process, with right and wrong input.

Where a process is proved to do a thing, further input of the same kind is given to the command within this one.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import psutil
import pytest

from roster_pipelines.cli import database
from roster_pipelines.cli.main import main
from roster_pipelines.settings import Settings
from roster_pipelines.simulators import districts
from roster_pipelines_tests.integration.conftest import PATIENCE_SECONDS, wait_for

# Several waits, each as long as it may be.
pytestmark = pytest.mark.timeout(4 * PATIENCE_SECONDS)

RECORD = """
district: oak-hill
name: Oak Hill School District
stage: live
connection: {kind: sftp, host: sftp.example, username: oak-hill, password: "env:OAK_HILL"}
sign_in: {provider: classlink}
"""


Ended = subprocess.CompletedProcess[str]
Inside = Callable[..., Ended]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "ROSTER_DATA": str(tmp_path / "data"), "COLUMNS": "100"}


@pytest.fixture
def inside(capsys: pytest.CaptureFixture[str]) -> Iterator[Inside]:
    """Run the command in this process, which takes a tenth of the time of one of its own."""

    def run(environment: Mapping[str, str], *words: str) -> Ended:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["roster", *words])
            for name, value in environment.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main()
        return subprocess.CompletedProcess(words, int(ended.value.code or 0), *capsys.readouterr())

    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
    mask = os.umask(0o077)
    yield run
    os.umask(mask)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def roster(environment: dict[str, str], *words: str, seconds: float = PATIENCE_SECONDS) -> Ended:
    return subprocess.run(
        [sys.executable, "-m", "roster_pipelines", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def one_line(result: Ended) -> str:
    """The command's one line on standard error: no traceback, nothing else."""
    assert result.returncode in (1, 2)
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("roster: ")
    return line


def test_the_demo_comes_true_and_ends_in_a_table(environment: dict[str, str]) -> None:
    result = roster(environment, "demo", seconds=3 * PATIENCE_SECONDS)
    assert result.returncode == 0, result.stdout + result.stderr
    for step in (
        "maple-valley: sftp drop",
        "birch-lake: pull due",
        "cedar-hills: pull due",
        "aspen-grove: pull due",
        "nobody has signed in, so no class was created",
        "Four districts",
        "waits: the account was never activated",
    ):
        assert step in result.stdout
    assert result.stdout.count("as its files say") == 4
    assert result.stderr == ""


@pytest.fixture
def up(environment: dict[str, str], tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "roster_pipelines", "up", "--port", str(port)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:

        def answers() -> bool | None:
            try:
                return httpx.get(f"http://127.0.0.1:{port}/server_info").status_code == 200 or None
            except httpx.HTTPError:
                assert process.poll() is None, process.communicate()[0]
                return None

        wait_for(answers, "the UI")
        yield process, port
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_up_serves_the_ui_and_leaves_nothing_behind(
    up: tuple[subprocess.Popen[str], int], environment: dict[str, str], inside: Inside
) -> None:
    process, _ = up

    def stays() -> bool | None:
        return any("Ctrl-C" in line for line in iter(process.stdout.readline, "")) or None  # type: ignore[union-attr]

    wait_for(stays, "the last line of roster up")
    for second in (("up", "--port", "0"), ("demo",)):
        assert "runs already" in one_line(inside(environment, *second))
    assert inside(environment, "up", "--port", "99999").returncode == 2
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 3
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive


def test_a_port_in_use_is_said_in_one_line(environment: dict[str, str], inside: Inside) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert f"port {port} is in use" in one_line(inside(environment, "up", "--port", str(port)))


def test_an_unreachable_database_is_said_in_one_line_without_its_password(
    environment: dict[str, str], inside: Inside
) -> None:
    away = {**environment, "ROSTER_DATABASE_URL": "postgresql://roster:hush-hush@127.0.0.1:1/roster"}
    for result in (roster(away, "district", "list"), inside(away, "up", "--port", "0")):
        line = one_line(result)
        assert "cannot be reached" in line
        assert "hush-hush" not in line


def test_the_demo_never_plays_on_a_database_of_somebodys_own(environment: dict[str, str]) -> None:
    line = one_line(roster({**environment, "ROSTER_DATABASE_URL": "postgresql://vendor.example/app"}, "demo"))
    assert "embedded database only" in line


@pytest.mark.parametrize("url", ["mysql://a/b", "nonsense", "postgresql://a/b?nonsense=1"])
def test_a_wrong_database_url_is_said_in_one_line(url: str, environment: dict[str, str], inside: Inside) -> None:
    line = one_line(inside({**environment, "ROSTER_DATABASE_URL": url}, "district", "list"))
    assert "ROSTER_DATABASE_URL" in line


def test_the_registry_takes_yaml_and_says_what_is_wrong_with_it(
    environment: dict[str, str], tmp_path: Path, inside: Inside
) -> None:
    record = tmp_path / "oak-hill.yaml"
    record.write_text(RECORD)
    assert "oak-hill: version 1, stage live" in roster(environment, "district", "apply", str(record)).stdout
    assert "oak-hill: unchanged" in roster(environment, "district", "apply", str(record)).stdout
    # The same server and database, which need not be started and stopped for each of the others.
    with database.server(Settings(tmp_path / "data", lake="", database_url=None)) as url:
        there = {**environment, "ROSTER_DATABASE_URL": url}
        paused = inside(there, "district", "stage", "oak-hill", "paused", "--why", "summer")
        assert "version 2, stage paused" in paused.stdout
        assert "summer" in inside(there, "district", "show", "oak-hill").stdout
        exported = tmp_path / "exported.yaml"
        exported.write_text(inside(there, "district", "export", "oak-hill").stdout)
        assert "oak-hill: unchanged" in inside(there, "district", "apply", str(exported)).stdout

        record.write_text(RECORD + "colour: blue\n")
        assert "unknown key colour" in one_line(inside(there, "district", "apply", str(record)))
        record.write_text(RECORD.replace("env:OAK_HILL", "hush-hush"))
        line = one_line(inside(there, "district", "apply", str(record)))
        assert "never the secret itself" in line
        assert "hush-hush" not in line
        assert "no district 'elm'" in one_line(inside(there, "district", "show", "elm"))
        assert "no district 'elm'" in one_line(inside(there, "plan", "elm"))
        assert "has no plan yet" in inside(there, "plan", "oak-hill").stdout


def test_validate_needs_no_database_and_tells_by_its_exit_code(
    environment: dict[str, str], tmp_path: Path, inside: Inside
) -> None:
    folder = tmp_path / "delivery"
    folder.mkdir()
    districts.generate(folder, students=40)
    clean = roster({**environment, "ROSTER_DATABASE_URL": "postgresql://nowhere:1/x"}, "validate", str(folder))
    assert clean.returncode == 0, clean.stderr
    assert "Accepted" in clean.stdout
    archive = districts.pack(folder, tmp_path / "roster.zip")
    assert inside(environment, "validate", str(archive)).returncode == 0

    users = (folder / "users.csv").read_text().splitlines()
    users[4] = users[4].replace(",student,", ",pupil,").replace(",teacher,", ",pupil,")
    (folder / "users.csv").write_text("\n".join(users) + "\n")
    found = roster(environment, "validate", str(folder))
    assert found.returncode == 1
    assert "line 5" in found.stdout

    archive.write_bytes(archive.read_bytes()[:2000])
    damaged = inside(environment, "validate", str(archive), "--json")
    assert damaged.returncode == 1
    told = json.loads(damaged.stdout)
    assert told["verdict"] == "refused"
    assert [(f["rule"], f["severity"], f["file"]) for f in told["findings"]] == [("zip-damaged", "fatal", "roster.zip")]
    nothing = inside(environment, "validate", str(tmp_path / "nowhere"))
    assert nothing.returncode == 2
    assert "there is nothing at" in nothing.stderr
