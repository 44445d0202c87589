"""`roster explain` answers from the newest plan and the roster in use, by opaque id."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from typer.testing import CliRunner, Result

from roster_pipelines.cli import explain
from roster_pipelines.cli.main import app
from roster_pipelines.district import District
from roster_pipelines.duck import one
from roster_pipelines.errors import LookAtData
from roster_pipelines.lake import Lake
from roster_pipelines.platform import deliveries, derived, plans, vendor
from roster_pipelines.platform.state import states
from roster_pipelines.rostering import current
from roster_pipelines.rostering.access import holders
from roster_pipelines.rostering.entitlement import entitlements
from roster_pipelines.rostering.gates import gates
from roster_pipelines.rostering.identity import identities
from roster_pipelines.rostering.plan import PUBLISHED
from roster_pipelines.simulators import districts, product
from roster_pipelines.staging.build import build
from roster_pipelines_tests.conftest import Databases, accept, register, url_of

MAPLE = "maple-valley"
FIRST, SECOND, REFUSED = "20261121T080002Z-aaaaaaaa", "20261122T080002Z-bbbbbbbb", "20261123T080002Z-cccccccc"
OLD = "20261121T200002Z-dddddddd"
"""Its staging is of an earlier version."""
TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def played(
    databases: Databases, clean_district: districts.District, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Lake]:
    """Two deliveries; in the second one teacher is gone, and another's row is rejected. One has signed in.

    A class of hers is published that is not hers any more: its removal is held.

    Returns:
        A database to copy, and the lake.
    """
    lake = Lake(str(tmp_path_factory.mktemp("lake")))
    signed_in, gone, rejected, _ = clean_district.teachers
    files = {path.name: path for path in clean_district.folder.iterdir()}
    users = tmp_path_factory.mktemp("second") / "users.csv"
    lines = [line for line in files["users.csv"].read_text().splitlines(keepends=True) if gone not in line]
    users.write_text("".join(line.replace(",teacher,", ",,") if rejected in line else line for line in lines))
    with lake.writing(lake.staging(MAPLE, SECOND)) as staging:
        build({**files, "users.csv": users}, (), staging, "access_code", today=TODAY)
    # An earlier roster is only asked who and what was in it.
    with lake.writing(lake.staging(MAPLE, FIRST)) as staging, duckdb.connect(str(staging)) as con:
        for table in ("users", "classes"):
            con.execute(f"CREATE TABLE {table} AS FROM read_csv('{files[f'{table}.csv']}', all_varchar = true)")
    with lake.writing(lake.staging(MAPLE, OLD)) as staging, duckdb.connect(str(staging)) as con:
        con.execute("CREATE TABLE person (id VARCHAR)")
    databases.do("CREATE DATABASE explained TEMPLATE migrated")
    engine = databases.engine("explained")
    record = register(engine, MAPLE)
    with engine.begin() as connection:
        for delivery in (FIRST, OLD, SECOND):
            accept(connection, MAPLE, delivery)
        product.sell(connection, MAPLE, "lessons", starts_on=date(2026, 8, 1))
        account = product.open_account(connection, MAPLE, "lessons")
        product.sign_in(connection, MAPLE, signed_in, account)
        work_out(connection, lake, record)
        plan(connection, lake, signed_in, account)
    engine.dispose()
    return "explained", lake


def work_out(connection: Connection, lake: Lake, record: District) -> None:
    """Do what the assets do, up to the gates."""
    with lake.reading(lake.staging(MAPLE, SECOND)) as staging, current.opened(staging, TODAY, record) as con:
        vendor.read(connection, con, MAPLE)
        derived.read_keys(connection, con, MAPLE)
        derived.read_seats(connection, con, MAPLE)
        identities(con, record.sign_in, TODAY)
        holders(con)
        entitlements(con, TODAY, record)
        gates(con, TODAY, record)
        for table in ("identity", "identity_key", "entitlement", "gate"):
            derived.write(connection, con, MAPLE, table)


def plan(connection: Connection, lake: Lake, teacher: str, account: int) -> None:
    """Enter a plan that holds the removal of the one class that is published."""
    connection.execute(
        sa.text(
            "INSERT INTO platform.rostered_class (district, class_sourced_id) VALUES (:district, 'cls-old');"
            " INSERT INTO platform.rostered_class_teacher (district, class_sourced_id, account_id, teacher_sourced_id)"
            " VALUES (:district, 'cls-old', :account, :teacher)"
        ),
        {"district": MAPLE, "account": account, "teacher": teacher},
    )
    plan_id = plans.new_id(connection)
    with lake.writing(lake.plan(MAPLE, plan_id)) as file, duckdb.connect(str(file)) as con:
        for table in PUBLISHED:
            columns = ", ".join(f"{name} {kind}" for name, kind in table.columns.items())
            con.execute(f"CREATE TABLE {table.name} (action VARCHAR, {columns})")
        con.execute("INSERT INTO rostered_class (action, class_sourced_id) VALUES ('hold', 'cls-old')")
        con.execute(
            "INSERT INTO rostered_class_teacher (action, class_sourced_id, account_id) VALUES ('hold', 'cls-old', ?)",
            [account],
        )
    state = states(connection, MAPLE)[MAPLE]
    plans.record(connection, MAPLE, plan_id, SECOND, {table.name: {} for table in PUBLISHED}, state)
    plans.decide(connection, plan_id, "applied")


@pytest.fixture
def engine(databases: Databases, played: tuple[str, Lake], monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The deployment that the command looks into."""
    database, lake = played
    with databases.copy(database) as engine:
        monkeypatch.setenv("ROSTER_LAKE", str(lake.root))
        monkeypatch.setenv("ROSTER_DATABASE_URL", url_of(engine))
        monkeypatch.setattr(explain, "_today", lambda _: TODAY)
        yield engine


def roster(*words: str) -> Result:
    return CliRunner(env={"COLUMNS": "100"}).invoke(app, ["explain", MAPLE, *words])


def address(folder: Path, teacher: str) -> str:
    with duckdb.connect() as con:
        return str(
            one(con, "SELECT email FROM read_csv(?) WHERE sourcedId = ?", [str(folder / "users.csv"), teacher])[0]
        )


@pytest.mark.usefixtures("engine")
def test_a_teacher_is_explained_as_of_the_newest_plan(clean_district: districts.District) -> None:
    teacher = clean_district.teachers[0]
    result = roster(address(clean_district.folder, teacher).upper())
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"{teacher}  teacher\n✓ ")
    assert "sign-in 1, matched by sourced_id" in result.stdout
    assert "roster approve 1 or roster discard 1" in " ".join(result.stdout.split())
    assert "As of plan 1 (applied), " in result.stdout
    assert " ".join(result.stdout.split()).endswith(f", delivery {SECOND}.")


@pytest.mark.usefixtures("engine")
def test_a_class_is_explained_as_data(clean_district: districts.District) -> None:
    told = json.loads(roster("cls-000001", "--json").stdout)
    assert told["school_class"]["teachers"][0]["person"] == clean_district.teachers[0]
    assert told["school_class"]["place"] == {"file": "classes.csv", "line": 2, "delivery": SECOND, "earlier": False}
    assert told["as_of"]["plan_id"] == 1


@pytest.mark.usefixtures("engine")
def test_a_teacher_whose_row_was_rejected_is_told_the_line_and_the_last_good_roster(
    clean_district: districts.District,
) -> None:
    teacher = clean_district.teachers[2]
    lines = (clean_district.folder / "users.csv").read_text().splitlines()
    line = next(number for number, row in enumerate(lines, 1) if row.startswith(teacher))
    result = roster(address(clean_district.folder, teacher))
    told = " ".join(result.stdout.split())
    assert result.exit_code == 0
    # One line before it is gone from the second delivery.
    assert f"✗ users.csv {line - 1} role: the value is missing → fill it in" in told
    assert f"was in the roster last with delivery {FIRST}" in told
    assert "@" not in told


@pytest.mark.usefixtures("engine")
def test_whoever_is_in_no_file_any_more_is_told_the_last_delivery(clean_district: districts.District) -> None:
    assert json.loads(roster(clean_district.teachers[1], "--json").stdout)["absent"]["last_delivery"] == FIRST


@pytest.mark.usefixtures("engine")
def test_of_a_stranger_one_line_is_said_and_no_address_repeated() -> None:
    result = roster("stranger@maple-valley.example")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"roster: nobody and no class of {MAPLE} is known by that name: spell it as in the district's files\n"
    )
    assert json.loads(roster("stranger", "--json").stdout)["absent"]["sign_ins"] == []


@pytest.mark.usefixtures("engine")
def test_names_are_shown_only_where_they_are_asked_for(clean_district: districts.District) -> None:
    teacher = clean_district.teachers[0]
    email = address(clean_district.folder, teacher)
    assert email in roster(teacher, "--show-values").stdout
    assert email not in roster(teacher).stdout + roster(teacher, "--json").stdout


def test_what_has_changed_since_the_plan_is_said(engine: Engine, clean_district: districts.District) -> None:
    teacher = clean_district.teachers[3]
    assert json.loads(roster(teacher, "--json").stdout)["as_of"]["stale"] == []
    with engine.begin() as connection:
        product.sign_in(connection, MAPLE, teacher, None)
        accept(connection, MAPLE, REFUSED)
        deliveries.decide(connection, MAPLE, REFUSED, "refused", "users.csv is missing")
        connection.execute(sa.text("UPDATE roster.plan SET next_change = '2026-01-01'"))
    assert json.loads(roster(teacher, "--json").stdout)["as_of"]["stale"] == [
        f"delivery {REFUSED} came later, and is refused",
        "sign-ins, accounts, codes, licences or the district's record have changed since",
        "classes, enrollments or licences have begun or ended since",
    ]
    assert "sign-in 2 came after the plan was made" in roster(teacher).stdout


def test_before_the_first_plan_the_rows_are_told(engine: Engine, clean_district: districts.District) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM roster.plan; DELETE FROM roster.gate"))
    assert f"There is no plan yet; the rows are of delivery {SECOND}." in roster(clean_district.teachers[0]).stdout


def test_a_roster_that_cannot_be_read_is_said_in_one_line(engine: Engine, clean_district: districts.District) -> None:
    with engine.begin() as connection:
        accept(connection, MAPLE, REFUSED)
    error = roster(clean_district.teachers[0]).exception
    assert isinstance(error, LookAtData)
    assert str(error).startswith(f"the roster of delivery {REFUSED} cannot be read")
