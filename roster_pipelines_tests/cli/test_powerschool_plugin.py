"""`roster powerschool-plugin`: a zip to install and a letter to send with it, or one line that says what is amiss."""

import io
import zipfile
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from roster_pipelines.cli.powerschool_plugin import powerschool_plugin
from roster_pipelines.connections.powerschool_plugin.build import Supplied, plugin_xml, plugin_zip
from roster_pipelines.connections.powerschool_plugin.steps import steps
from roster_pipelines.errors import CallSomebody
from roster_pipelines.settings import PluginSettings, settings

ACME = PluginSettings("Acme Rosters", "2.1", "Acme Learning", "help@acme.example", "555-0100")

app = typer.Typer()
app.command()(powerschool_plugin)


def run(*arguments: object, plugin: PluginSettings = ACME) -> Result:
    environment = {"COLUMNS": "200", "TERM": "dumb", **plugin.environment()}
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env=environment)


def refused(result: Result) -> str:
    assert result.exit_code == 1
    assert isinstance(result.exception, CallSomebody)
    assert "\n" not in str(result.exception)
    return str(result.exception)


def written(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_plugin_of_the_settings_is_written_with_the_letter_beside_it(tmp_path: Path) -> None:
    result = run("--out", tmp_path / "acme.zip")
    assert result.exit_code == 0
    letter = steps(ACME, "acme.zip")
    assert written(tmp_path) == {"acme.zip": plugin_zip(plugin_xml(ACME)), "acme.txt": letter.encode()}
    assert letter in result.output
    assert str(tmp_path / "acme.zip") in result.output
    assert str(tmp_path / "acme.txt") in result.output


def test_an_option_comes_before_its_setting(tmp_path: Path) -> None:
    other = PluginSettings("Other", "3", "Other Ltd", "hello@other.example", "555-0199")
    options = [
        word for key in ("name", "version", "publisher", "email", "phone") for word in (f"--{key}", getattr(other, key))
    ]
    for given, plugin in (("set.zip", other), ("none.zip", PluginSettings())):
        assert run("--out", tmp_path / given, *options, plugin=plugin).exit_code == 0
        assert (tmp_path / given).read_bytes() == plugin_zip(plugin_xml(other))


def test_without_a_setting_the_version_is_1_0_and_the_rest_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in PluginSettings().environment():
        monkeypatch.delenv(variable, raising=False)
    assert settings().plugin == PluginSettings("", "1.0", "", "", "")
    told = refused(CliRunner().invoke(app, ["--out", str(tmp_path / "a.zip")]))
    for key in ("name", "publisher", "email"):
        assert f"no {key}" in told
        assert f"--{key} or set ROSTER_PLUGIN_{key.upper()}" in told
    assert written(tmp_path) == {}


def test_a_plugin_that_powerschool_would_refuse_is_not_written(tmp_path: Path) -> None:
    assert "name of <plugin> has 41 characters" in refused(run("--out", tmp_path / "a.zip", "--name", "n" * 41))
    assert "no publisher" in refused(run("--out", tmp_path / "a.zip", "--publisher", ""))
    given = tmp_path / "given.xml"
    given.write_text('<access_request><field table="t" field="f" access="Write"/></access_request>')
    assert "access of <field>" in refused(run("--out", tmp_path / "a.zip", "--powerschool-xml", given))
    assert list(written(tmp_path)) == ["given.xml"]


def test_what_powerschool_gave_is_put_in_and_its_absence_is_told(tmp_path: Path) -> None:
    given = tmp_path / "given.xml"
    given.write_text('<theirs id="1"/>\n', "utf-8-sig")
    result = run(
        "--out", tmp_path / "a.zip", "--powerschool-xml", given, "--powerschool-attribute", "grant=006=XX",
        "--opportunity-id", "006XX",
    )  # fmt: skip
    assert result.exit_code == 0
    supplied = Supplied('<theirs id="1"/>\n', (("grant", "006=XX"),))
    assert (tmp_path / "a.zip").read_bytes() == plugin_zip(plugin_xml(ACME, supplied))
    assert "Ours is 006XX." in (tmp_path / "a.txt").read_text("utf-8")
    assert "partner programme" not in result.output
    assert "partner programme" in run("--out", tmp_path / "b.zip").output


def test_a_file_that_is_there_is_replaced_only_by_force(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("somebody's work")
    assert "a.txt would be replaced" in refused(run("--out", tmp_path / "a.zip"))
    assert written(tmp_path) == {"a.txt": b"somebody's work"}
    assert run("--out", tmp_path / "a.zip", "--force").exit_code == 0
    assert zipfile.is_zipfile(io.BytesIO(written(tmp_path)["a.zip"]))
    assert written(tmp_path)["a.txt"] == steps(ACME, "a.zip").encode()


def test_a_folder_that_is_not_there_and_a_file_in_another_encoding_are_told(tmp_path: Path) -> None:
    assert "there is no folder" in refused(run("--out", tmp_path / "none" / "a.zip"))
    (tmp_path / "given.xml").write_text("<a b='é'/>", "utf-16")
    assert "is not UTF-8" in refused(run("--out", tmp_path / "a.zip", "--powerschool-xml", tmp_path / "given.xml"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("--out", "{}/a.xml"),
        ("--out", "{}/a.zip", "--powerschool-xml", "{}/none.xml"),
        ("--out", "{}/a.zip", "--powerschool-attribute", "novalue"),
        ("--out", "{}/a.zip", "--powerschool-attribute", "empty="),
    ],
)
def test_wrong_usage_is_exit_code_2_and_writes_nothing(arguments: tuple[str, ...], tmp_path: Path) -> None:
    assert run(*(argument.format(tmp_path) for argument in arguments)).exit_code == 2
    assert written(tmp_path) == {}


def test_the_help_names_the_settings_and_says_who_supplies_what() -> None:
    told = run("--help").output
    for word in (*PluginSettings().environment(), "--powerschool-xml", "not public"):
        assert word in told
