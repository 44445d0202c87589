"""The `roster` command as people start it: as a process, with right and wrong input."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from roster_pipelines.simulators import districts
from roster_pipelines_tests.integration.conftest import wait_for

RECORD = """
district: oak-hill
name: Oak Hill School District
stage: live
connection: {kind: sftp, host: sftp.example, username: oak-hill, password: "env:OAK_HILL"}
sign_in: {provider: classlink}
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "ROSTER_DATA": str(tmp_path / "data"), "COLUMNS": "100"}


def roster(environment: dict[str, str], *words: str, seconds: float = 150) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "roster_pipelines", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def one_line(result: subprocess.CompletedProcess[str]) -> str:
    """The command's one line on standard error: no traceback, nothing else."""
    assert result.returncode in (1, 2)
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("roster: ")
    return line


def test_the_demo_comes_true_and_ends_in_a_table(environment: dict[str, str]) -> None:
    result = roster(environment, "demo", seconds=200)
    assert result.returncode == 0, result.stdout + result.stderr
    for step in (
        "the arrivals sensor found them",
        "nobody has signed in, so no class was created",
        "the sign-ins sensor noticed",
        "as the files say",
        "Rostered classes of maple-valley",
    ):
        assert step in result.stdout
    assert "waits: has signed in, but has no active account" in " ".join(result.stdout.replace("│", " ").split())
    assert result.stderr == ""


def test_the_demo_fails_with_a_clear_line_when_a_step_does_not_come_true(
    environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "lake").write_text("a file where the lake's folder should be")
    result = roster({**environment, "ROSTER_LAKE": str(tmp_path / "lake")}, "demo")
    assert result.returncode == 1
    line = one_line(result)
    assert "process_delivery ended with FAILURE" in line
    assert "Not a directory" in line


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
    up: tuple[subprocess.Popen[str], int], environment: dict[str, str]
) -> None:
    process, _ = up

    def stays() -> bool | None:
        return any("Ctrl-C" in line for line in iter(process.stdout.readline, "")) or None  # type: ignore[union-attr]

    wait_for(stays, "the last line of roster up")
    for second in (("up", "--port", "0"), ("demo",)):
        assert "runs already" in one_line(roster(environment, *second))
    assert roster(environment, "up", "--port", "99999").returncode == 2
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 3
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive


def test_a_port_in_use_is_said_in_one_line(environment: dict[str, str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert f"port {port} is in use" in one_line(roster(environment, "up", "--port", str(port)))


def test_an_unreachable_database_is_said_in_one_line_without_its_password(environment: dict[str, str]) -> None:
    url = "postgresql://roster:hush-hush@127.0.0.1:1/roster"
    for words in (("district", "list"), ("up", "--port", "0")):
        line = one_line(roster({**environment, "ROSTER_DATABASE_URL": url}, *words))
        assert "cannot be reached" in line
        assert "hush-hush" not in line


def test_the_demo_never_plays_on_a_database_of_somebodys_own(environment: dict[str, str]) -> None:
    line = one_line(roster({**environment, "ROSTER_DATABASE_URL": "postgresql://vendor.example/app"}, "demo"))
    assert "embedded database only" in line


def test_a_wrong_database_url_is_said_in_one_line(environment: dict[str, str]) -> None:
    for url in ("mysql://a/b", "nonsense", "postgresql://a/b?nonsense=1"):
        line = one_line(roster({**environment, "ROSTER_DATABASE_URL": url}, "district", "list"))
        assert "ROSTER_DATABASE_URL" in line


def test_the_registry_takes_yaml_and_says_what_is_wrong_with_it(environment: dict[str, str], tmp_path: Path) -> None:
    record = tmp_path / "oak-hill.yaml"
    record.write_text(RECORD)
    assert "oak-hill: version 1, stage live" in roster(environment, "district", "apply", str(record)).stdout
    assert "oak-hill: unchanged" in roster(environment, "district", "apply", str(record)).stdout
    paused = roster(environment, "district", "stage", "oak-hill", "paused", "--why", "summer")
    assert "version 2, stage paused" in paused.stdout
    assert "summer" in roster(environment, "district", "show", "oak-hill").stdout
    exported = tmp_path / "exported.yaml"
    exported.write_text(roster(environment, "district", "export", "oak-hill").stdout)
    assert "oak-hill: unchanged" in roster(environment, "district", "apply", str(exported)).stdout

    record.write_text(RECORD + "colour: blue\n")
    assert "unknown key colour" in one_line(roster(environment, "district", "apply", str(record)))
    record.write_text(RECORD.replace("env:OAK_HILL", "hush-hush"))
    line = one_line(roster(environment, "district", "apply", str(record)))
    assert "never the secret itself" in line
    assert "hush-hush" not in line
    assert "no district 'elm'" in one_line(roster(environment, "district", "show", "elm"))
    assert "no district 'elm'" in one_line(roster(environment, "plan", "elm"))
    assert "has no plan yet" in roster(environment, "plan", "oak-hill").stdout


def test_validate_needs_no_database_and_tells_by_its_exit_code(environment: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "delivery"
    folder.mkdir()
    districts.generate(folder, students=40)
    clean = roster({**environment, "ROSTER_DATABASE_URL": "postgresql://nowhere:1/x"}, "validate", str(folder))
    assert clean.returncode == 0, clean.stderr
    assert "Accepted" in clean.stdout
    archive = districts.pack(folder, tmp_path / "roster.zip")
    assert roster(environment, "validate", str(archive)).returncode == 0

    users = (folder / "users.csv").read_text().splitlines()
    users[4] = users[4].replace(",student,", ",pupil,").replace(",teacher,", ",pupil,")
    (folder / "users.csv").write_text("\n".join(users) + "\n")
    found = roster(environment, "validate", str(folder))
    assert found.returncode == 1
    assert "line 5" in found.stdout

    archive.write_bytes(archive.read_bytes()[:2000])
    damaged = roster(environment, "validate", str(archive), "--json")
    assert damaged.returncode == 1
    told = json.loads(damaged.stdout)
    assert told["verdict"] == "refused"
    assert [(f["rule"], f["severity"], f["file"]) for f in told["findings"]] == [("zip-damaged", "fatal", "roster.zip")]
    nothing = roster(environment, "validate", str(tmp_path / "nowhere"))
    assert nothing.returncode == 2
    assert "there is nothing at" in nothing.stderr
