"""`roster simulate`: a server to paste, and one line for what is wrong."""

import signal
import socket
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
import typer
import yaml
from pydantic import TypeAdapter
from typer.testing import CliRunner, Result

from roster_pipelines.cli import output
from roster_pipelines.cli.simulate import simulate
from roster_pipelines.district_connection import ApiConnection
from roster_pipelines.errors import CallSomebody
from roster_pipelines.simulators import districts
from roster_pipelines.simulators.oneroster_api import ApiServer
from roster_pipelines.simulators.oneroster_api.habits import ProviderName, known, parse

app = typer.Typer()
app.command()(simulate)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200", "TERM": "dumb"})


def printed(output: str) -> dict[str, dict[str, str]]:
    """The YAML between the sentences."""
    lines = output.splitlines()
    begin = lines.index("connection:")
    return dict(yaml.safe_load("\n".join(lines[begin : lines.index("", begin)])))


class Meanwhile(ApiServer):
    """A server that remembers itself and what it answered while the command stood still."""

    running: ClassVar[list[ApiServer]] = []
    answers: ClassVar[list[int]] = []

    def start(self) -> None:
        super().start()
        self.running[:] = [self]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the server answered before Ctrl-C."""

    def until_ctrl_c() -> None:
        Meanwhile.answers.append(httpx.get(f"{Meanwhile.running[0].url}/nowhere").status_code)
        raise KeyboardInterrupt

    Meanwhile.answers.clear()
    monkeypatch.setattr(signal, "pause", until_ctrl_c)
    monkeypatch.setattr("roster_pipelines.cli.simulate.ApiServer", Meanwhile)
    return Meanwhile.answers


@pytest.mark.parametrize("provider", ["classlink", "infinite_campus", "powerschool"])
def test_what_is_printed_is_a_connection_to_a_server_that_runs(provider: str, answers: list[int]) -> None:
    result = run(provider, "--students", "13")
    assert result.exit_code == 0, result.output
    assert answers == [404]
    connection = TypeAdapter(ApiConnection).validate_python(printed(result.output)["connection"])
    assert connection.kind == provider
    assert connection.base_url.startswith(Meanwhile.running[0].url)
    with pytest.raises(httpx.ConnectError):
        httpx.get(connection.base_url)


def test_a_folder_with_files_is_served_as_it_is(tmp_path: Path, answers: list[int]) -> None:
    districts.generate(tmp_path, students=14)
    before = (tmp_path / "users.csv").read_bytes()
    assert run("powerschool", "--folder", str(tmp_path), "--latency-ms", "5").exit_code == 0
    assert answers == [404]
    assert Meanwhile.running[0].habits.latency_seconds == 0.005
    assert (tmp_path / "users.csv").read_bytes() == before


def test_habits_are_listed_with_what_they_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output.console, "width", 200)
    result = run("classlink", "--list-habits")
    assert result.exit_code == 0
    assert "usable, removed, disabled, inactive, no_bearer" in result.output
    assert "role_prefixed_ids" not in result.output


@pytest.mark.parametrize(
    ("habit", "said"),
    [
        ("role_prefixed_ids=true", "no habit 'role_prefixed_ids'"),
        ("nonsense=1", "no habit 'nonsense'"),
        ("tenant=gone", "habit tenant"),
        ("page_cap=many", "habit page_cap"),
        ("page_cap", "NAME=VALUE"),
    ],
)
def test_a_wrong_habit_is_one_clear_line(habit: str, said: str) -> None:
    result = run("classlink", "--habit", habit)
    assert isinstance(result.exception, CallSomebody)
    assert said in str(result.exception)
    assert "--list-habits" in str(result.exception)
    assert "\n" not in str(result.exception)


def test_habits_are_read_as_what_they_are() -> None:
    habits = parse(
        {"page_cap": "7", "purged": "true", "missing": "orgs,users", "latency_seconds": "0.5", "heavy_status": "504"},
        "classlink",
    )
    assert (habits.page_cap, habits.purged, habits.missing) == (7, True, ("orgs", "users"))
    assert (habits.latency_seconds, habits.heavy_status) == (0.5, 504)


@pytest.mark.parametrize("provider", ["classlink", "infinite_campus", "powerschool"])
def test_every_default_that_is_listed_can_be_given(provider: ProviderName) -> None:
    given = {each.name: each.default for each in known(provider) if each.default != "none"}
    assert parse(given, provider) == parse({}, provider)


def test_a_provider_or_version_that_is_none_is_wrong_usage() -> None:
    assert run("skyward").exit_code == 2
    assert run("classlink", "--version", "1.2").exit_code == 2


def test_a_port_in_use_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("classlink", "--port", str(taken.getsockname()[1]), "--students", "13")
    assert isinstance(result.exception, CallSomebody)
    assert "--port" in str(result.exception)
