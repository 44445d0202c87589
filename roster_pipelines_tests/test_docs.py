"""The documents tell the truth: settings, record keys, tables, commands, the standard's files and rules."""

import re
from pathlib import Path
from typing import get_args

import sqlalchemy as sa
import typer.main
import yaml
from sqlalchemy.engine import Engine

from roster_pipelines.cli.main import app
from roster_pipelines.district import District, Filters, SignIn, Stage, Terms
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.oneroster.shape import Registration
from roster_pipelines.settings import PROJECT, Settings
from roster_pipelines_tests.conformance import conformance, planted
from roster_pipelines_tests.documents import gates, oneroster

README = (PROJECT / "README.md").read_text("utf-8")


def test_every_setting_is_in_the_readme_and_every_setting_there_exists() -> None:
    written = {name for name in Settings(Path("data"), "lake", None).environment("url") if name.startswith("ROSTER_")}
    assert set(re.findall(r"`(ROSTER_[A-Z_]+)`", README)) == written


def test_every_command_is_in_the_readme() -> None:
    root = typer.main.get_command(app)
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        assert f"`roster {name}" in README
        for inner in getattr(command, "commands", {}):
            assert re.search(rf"`(roster district )?{inner}\b", README), inner


def test_the_readme_starts_with_the_two_commands_that_the_makefile_has() -> None:
    makefile = (PROJECT / "Makefile").read_text("utf-8")
    first, second = re.findall(r"^    make (\w+)", README, re.MULTILINE)[:2]
    assert (first, second) == ("demo", "test")
    assert "\ndemo:" in makefile
    assert "\ntest:" in makefile


def test_the_documented_record_is_valid_and_shows_every_key() -> None:
    text = (PROJECT / "docs" / "district.md").read_text("utf-8")
    example = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert example
    record = yaml.safe_load(example[1])
    District.model_validate(record)
    assert set(record) == set(District.model_fields)
    assert {*record["connection"], "private_key"} == set(SftpConnection.model_fields)
    for key, model in {"sign_in": SignIn, "terms": Terms, "filters": Filters}.items():
        assert set(record[key]) == set(model.model_fields), key


def test_the_documented_record_names_the_defaults_as_they_are() -> None:
    """Of what a short record leaves out, the example shows what is so then, or says so."""
    text = (PROJECT / "docs" / "district.md").read_text("utf-8")
    example = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert example
    shown = yaml.safe_load(example[1])
    short = District.model_validate({key: shown[key] for key in ("district", "name", "connection")})
    for key in ("registration", "school_choice", "teaching_roles", "terms", "filters", "pilot_teachers"):
        assert getattr(District.model_validate(shown), key) == getattr(short, key), key


def test_every_stage_registration_and_claim_is_explained() -> None:
    text = (PROJECT / "docs" / "district.md").read_text("utf-8")
    claims = ("sourced_id", "user_id:TYPE", "identifier", "email", "username")
    for name in (*get_args(Stage), *get_args(Registration), *claims):
        assert f"| `{name}` |" in text, name


def test_every_filter_that_the_document_shows_is_one() -> None:
    text = (PROJECT / "docs" / "district.md").read_text("utf-8")
    shown = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[1])
    assert Filters.model_validate(shown["filters"]).grades[1] == "01", "as text"


def test_the_vendors_tables_are_documented_as_they_are(engine: Engine) -> None:
    text = (PROJECT / "docs" / "platform.md").read_text("utf-8")
    inspector = sa.inspect(engine)
    for table in inspector.get_table_names(schema="platform"):
        (row,) = (line for line in text.splitlines() if line.startswith(f"| `{table}`"))
        columns = {column["name"] for column in inspector.get_columns(table, schema="platform")}
        assert columns - {"district", "active", "changed_at"} <= set(re.findall(r"`(\w+)`", row)), table
    for table in inspector.get_table_names(schema="roster"):
        assert table == "alembic_version" or f"`{table}`" in text, table


def test_the_files_columns_and_rules_are_documented_as_they_are() -> None:
    """`make docs` writes the file."""
    assert (PROJECT / "docs" / "oneroster.md").read_text("utf-8") == oneroster()


def test_the_gates_and_their_reasons_are_documented_as_they_are() -> None:
    """`make docs` writes the file."""
    assert (PROJECT / "docs" / "gates.md").read_text("utf-8") == gates()


def test_the_ledger_of_planted_faults_is_as_the_catalogue_of_them() -> None:
    """`make docs` writes the file."""
    assert (PROJECT / "docs" / "conformance.md").read_text("utf-8") == conformance(planted())
