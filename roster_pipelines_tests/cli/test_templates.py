"""`roster templates`: a folder to fill, which the product itself reads without a word."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from roster_pipelines.cli.main import app
from roster_pipelines.errors import CallSomebody
from roster_pipelines.oneroster import manifest
from roster_pipelines.oneroster.shape import Version
from roster_pipelines.oneroster.standard import tables
from roster_pipelines.oneroster.templates import templates
from roster_pipelines.staging.header import match_header


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["templates", *arguments], env={"COLUMNS": "200", "TERM": "dumb"})


def written(folder: Path) -> dict[str, str]:
    return {path.name: path.read_bytes().decode() for path in folder.iterdir()}


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_the_templates_of_the_version_are_written_into_a_new_folder(version: Version, tmp_path: Path) -> None:
    result = run(str(tmp_path / "new" / "folder"), "--version", version)
    assert result.exit_code == 0
    assert "roster validate" in result.output
    assert written(tmp_path / "new" / "folder") == templates(version)


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_nothing_is_found_in_the_headers_and_the_manifest(version: Version) -> None:
    written = templates(version)
    declared = manifest.parse(written.pop("manifest.csv").encode())
    assert (declared.version, declared.findings) == (version, ())
    assert {name for name, mode in declared.modes.items() if mode == "bulk"} == tables(version).keys()
    for table in tables(version).values():
        header = match_header(written.pop(table.file).rstrip("\r\n"), table, version)
        assert (header.readable, header.findings) == (True, ()), table.file
    assert written == {}


def test_without_a_version_they_are_of_1_1(tmp_path: Path) -> None:
    assert run(str(tmp_path)).exit_code == 0
    assert written(tmp_path) == templates("1.1")


def test_a_file_that_is_there_is_replaced_only_by_force(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("somebody's work")
    refused = run(str(tmp_path))
    assert refused.exit_code == 1
    assert isinstance(refused.exception, CallSomebody)
    assert "users.csv" in str(refused.exception)
    assert "--force" in str(refused.exception)
    assert written(tmp_path) == {"users.csv": "somebody's work"}
    assert run(str(tmp_path), "--force").exit_code == 0
    assert written(tmp_path) == templates("1.1")


@pytest.mark.parametrize("arguments", [("{}/new", "--version", "1.0"), ("{}/file",), ()])
def test_wrong_usage_is_exit_code_2_and_writes_nothing(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert run(*(argument.format(tmp_path) for argument in arguments)).exit_code == 2
    assert written(tmp_path) == {"file": ""}


def test_the_help_says_what_to_do_with_the_files() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert "manifest.csv" in result.output
    assert "roster validate" in result.output
