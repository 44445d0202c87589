"""`roster validate` answers people and programs, by its output and by its exit code, and never with a traceback."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner, Result

from roster_pipelines.cli.main import app
from roster_pipelines.errors import CallSomebody
from roster_pipelines.simulators import districts
from roster_pipelines.staging.summary import Summary
from roster_pipelines_tests.reports.samples import clean, mixed, refused, warned

MARKER = "zqxj"
"""In values of people that break rules."""


def roster(*words: object) -> Result:
    return CliRunner(env={"COLUMNS": "100"}).invoke(app, ["validate", *map(str, words)])


def one_line(result: Result) -> str:
    """The command's one line on standard error; nothing else was told, and nothing was raised."""
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("roster: ")
    return line


@pytest.fixture
def spoilt(clean_district: districts.District, tmp_path: Path) -> Path:
    """A delivery with one person who has no usable role."""
    folder = Path(shutil.copytree(clean_district.folder, tmp_path / "delivery"))
    users = folder / "users.csv"
    lines = users.read_text().splitlines()
    row = lines[4].split(",")
    row[lines[0].split(",").index("role")] = f"{MARKER} pupil"
    lines[4] = ",".join(row)
    users.write_text("\r\n".join(lines) + "\r\n")
    return folder


@pytest.fixture
def found(clean_district: districts.District, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run the command on a folder as if staging had found this, or failed like this."""

    def run(staged: Summary | Exception, *words: object) -> Result:
        def build(_files: object, _findings: object, _database: object, registration: str, **_: object) -> Summary:
            assert registration == (words[-1] if "--registration" in words else "access_code")
            if isinstance(staged, Exception):
                raise staged
            return staged

        monkeypatch.setattr("roster_pipelines.staging.build.build", build)
        return roster(clean_district.folder, *words)

    return run


def test_a_clean_set_is_accepted_with_exit_code_0(clean_district: districts.District, tmp_path: Path) -> None:
    result = roster(districts.pack(clean_district.folder, tmp_path / "any name.zip"))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("✓ Accepted  any name.zip")
    assert result.stdout.rstrip().endswith("Next: Send the files as they are.")


def test_json_is_the_promised_structure_and_nothing_else(spoilt: Path) -> None:
    result = roster(spoilt, "--json")
    assert (result.exit_code, result.stderr) == (1, "")
    told = json.loads(result.stdout)
    assert list(told)[:5] == ["verdict", "oneroster_version", "tables", "findings", "truncated"]
    assert (told["verdict"], told["oneroster_version"]) == ("accepted_with_findings", "1.1")
    users = told["tables"]["users"]
    assert (users["rejected"], users["read"]) == (1, users["accepted"] + 1)
    (cause,) = (f for f in told["findings"] if f["severity"] == "error" and f["caused_by"] is None)
    assert (cause["rule"], cause["file"], cause["line"], cause["column"]) == ("value-unknown", "users.csv", 5, "role")
    caused = [f["caused_by"] for f in told["findings"] if f["caused_by"]]
    assert {"rule": "value-unknown", "file": "users.csv", "line": 5} in caused
    assert MARKER not in result.stdout


@pytest.mark.parametrize(("staged", "code"), [(clean, 0), (warned, 0), (mixed, 1), (refused, 1)])
@pytest.mark.parametrize("words", [(), ("--json",)])
def test_the_exit_code_says_whether_anything_is_rejected(
    found: Callable[..., Result], staged: Callable[[], Summary], code: int, words: tuple[str, ...]
) -> None:
    result = found(staged(), *words)
    assert (result.exit_code, result.stderr) == (code, "")


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_the_page_is_written_beside_either_output(
    found: Callable[..., Result], words: tuple[str, ...], tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    result = found(mixed(), *words, "--html", page)
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert "check before sending" in page.read_text("utf-8")
    if words:
        assert json.loads(result.stdout)["verdict"] == "accepted_with_findings"
    else:
        assert f"The whole report: {page}" in result.stdout


def test_the_registration_decides_what_is_required(found: Callable[..., Result]) -> None:
    assert found(clean(), "--registration", "auto_by_resource").exit_code == 0
    line = one_line(found(clean(), "--registration", "by_magic"))
    assert "access_code, auto_by_school, auto_by_resource" in line


@pytest.mark.parametrize("name", ["nowhere", "nowhere.zip", "n" * 300, "new\nline", "[red]\x1b[31m"])
def test_a_path_that_cannot_be_read_is_one_clear_line_and_exit_code_2(name: str, tmp_path: Path) -> None:
    assert "\x1b" not in one_line(roster(tmp_path / name))


def test_a_folder_without_a_roster_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    result = roster(tmp_path)
    assert (result.exit_code, result.stderr) == (1, "")
    assert result.stdout.startswith("✗ Refused")


def test_a_page_that_cannot_be_written_is_one_clear_line(found: Callable[..., Result], tmp_path: Path) -> None:
    missing = tmp_path / "no" / "report.html"
    assert "there is no folder" in one_line(found(AssertionError("checked in vain"), "--html", missing))
    assert str(tmp_path) in one_line(found(clean(), "--html", tmp_path))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (duckdb.OutOfMemoryException(f"could not keep {MARKER}"), "(OutOfMemoryException): see that memory and disk"),
        (OSError(28, "No space left on device"), "the system: No space left on device"),
        (CallSomebody("the disk is gone", "put it back"), "the disk is gone: put it back"),
    ],
)
def test_a_check_that_cannot_be_finished_is_one_clear_line_without_the_row(
    found: Callable[..., Result], error: Exception, told: str
) -> None:
    line = one_line(found(error))
    assert told in line
    assert MARKER not in line
