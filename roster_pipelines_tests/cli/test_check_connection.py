"""`roster check-connection`: a line for each step, a letter for what the administrator can mend, an exit code."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from sqlalchemy.engine import Engine
from typer.testing import CliRunner, Result

from roster_pipelines.cli.check_connection import check_connection
from roster_pipelines.district import District
from roster_pipelines.errors import CallSomebody
from roster_pipelines.platform import registry
from roster_pipelines.simulators import districts
from roster_pipelines.simulators.oneroster_api import ApiServer, Habits
from roster_pipelines_tests.conftest import url_of

MARKER = "Zebediah-the-marker"
app = typer.Typer()
app.command()(check_connection)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A district whose every person and org bears a marker in every value that says who they are."""
    folder = tmp_path_factory.mktemp("marked")
    districts.generate(folder, students=25)
    marked = {"users": ("givenName", "familyName", "username", "email", "identifier", "sms"), "orgs": ("name",)}
    for name, columns in marked.items():
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, rows[0])
            writer.writeheader()
            writer.writerows({**row, **{column: f"{MARKER}@{row['sourcedId']}" for column in columns}} for row in rows)
    with ApiServer(folder, "infinite_campus") as running:
        yield running


@pytest.fixture
def campus(server: ApiServer) -> ApiServer:
    server.habits = Habits()
    server.reset()
    return server


def record(server: ApiServer, **settings: Any) -> dict[str, Any]:
    return {"district": "maple", "name": "Maple Valley", "connection": server.settings(**settings)}


def run(*arguments: object, env: dict[str, str] | None = None) -> Result:
    environment = {"COLUMNS": "80", "TERM": "dumb", **(env or {})}
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env=environment)


@pytest.fixture
def file(campus: ApiServer, tmp_path: Path) -> Path:
    """The district's record, not applied yet."""
    path = tmp_path / "maple.yaml"
    path.write_text(yaml.safe_dump(record(campus)), "utf-8")
    return path


def test_all_is_well(file: Path) -> None:
    result = run("--file", file)
    assert result.exit_code == 0
    *steps, last = result.output.splitlines()
    assert all(line.startswith(("✓  ", "     ")) for line in steps)
    assert sum(line.startswith("✓") for line in steps) == 11
    assert last == "maple: all is well"


def test_a_registered_district_is_checked(campus: ApiServer, engine: Engine) -> None:
    with engine.begin() as connection:
        registry.apply(connection, District.model_validate(record(campus)), by="tests", why="test")
    result = run("maple", env={"ROSTER_DATABASE_URL": url_of(engine)})
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "maple: all is well")


def test_what_is_piped_is_not_broken_into_lines(file: Path, campus: ApiServer) -> None:
    result = run("--file", file)
    assert f"{campus.settings()['base_url']}, OneRoster 1.1\n" in result.output


def test_what_failed_is_told_with_a_letter_and_exit_code_1(file: Path, campus: ApiServer) -> None:
    campus.habits = Habits(connection="expired")
    result = run("--file", file)
    assert result.exit_code == 1
    assert [line[0] for line in result.output.splitlines()[:5]] == ["✓", "✓", "✓", "✗", "–"]
    assert f"–{'':10}address           not tried\n" in result.output
    told, _, mail = result.output.partition("For the district's administrator")
    assert told.endswith("maple: failed: credentials\n\n")
    assert "Hello, we have tried to read the roster of Maple Valley from Infinite Campus, on" in " ".join(mail.split())
    assert all(len(line) <= 80 for line in mail.splitlines())


def test_what_is_ours_is_told_under_its_step_and_not_in_a_letter(campus: ApiServer, tmp_path: Path) -> None:
    (tmp_path / "maple.yaml").write_text(yaml.safe_dump(record(campus, client_secret="env:NOBODY_HAS_SET_THIS")))
    result = run("--file", tmp_path / "maple.yaml")
    assert result.exit_code == 1
    assert "→ set NOBODY_HAS_SET_THIS where the pipelines run" in result.output
    assert "administrator" not in result.output


def test_json_holds_every_step_and_nothing_else_is_printed(file: Path, campus: ApiServer) -> None:
    campus.habits = Habits(missing=("users",), total_count=False)
    result = run("--file", file, "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["ok"], told["district"], told["connection"]) == (
        1,
        False,
        "maple",
        "infinite_campus",
    )
    steps = {step["name"]: step for step in told["steps"]}
    assert (steps["users"]["state"], steps["users"]["ours"]) == ("failed", False)
    assert steps["users"]["remedy"] in " ".join(told["letter"].split())
    assert steps["orgs"]["count_is"] == "at least"
    assert steps["orgs"]["fields"]["name"] == {"present": steps["orgs"]["sampled"], "required": True, "needed": False}
    assert steps["credentials"]["token_seconds"] == 3600


@pytest.mark.parametrize(
    "habits", [{}, {"purged": True}, {"missing": ("users",)}, {"connection": "expired"}, {"body": "bare_array"}]
)
def test_no_value_of_a_person_and_no_secret_is_printed(file: Path, campus: ApiServer, habits: dict[str, Any]) -> None:
    campus.habits = Habits(leaky_errors=True, **habits)
    told = run("--file", file).output + run("--file", file, "--json").output
    assert "users" in told
    assert MARKER not in told
    assert [secret for secret in campus.secrets if secret in told] == []


def test_a_district_or_a_file_must_be_given_and_not_both(file: Path) -> None:
    assert run().exit_code == 2
    assert run("maple", "--file", file).exit_code == 2


def test_a_file_that_is_no_record_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("district: maple\nname: Maple\n")
    for path, why in ((tmp_path / "bad.yaml", "connection"), (tmp_path / "none.yaml", "cannot be read")):
        result = run("--file", path)
        assert isinstance(result.exception, CallSomebody)
        assert why in str(result.exception)
