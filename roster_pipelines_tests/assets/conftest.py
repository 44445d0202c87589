"""A district in a whole small deployment: database, lake, sFTP server and Dagster instance, jobs run in process."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from roster_pipelines.definitions import build_defs
from roster_pipelines.platform import deliveries, derived, plans
from roster_pipelines.resources.clock import Clock
from roster_pipelines.resources.database import DatabaseResource
from roster_pipelines.resources.lake import LakeResource
from roster_pipelines.rostering.plan import PUBLISHED
from roster_pipelines.simulators import districts, product
from roster_pipelines_tests.conftest import Databases, Site, register, url_of

MAPLE, CEDAR = Site.accounts
LESSONS = "music-lessons"
# Within the generated school year, whatever day it is.
TODAY = "2026-11-23"

ROSTERED = [table for table in PUBLISHED if "sourced_id" in " ".join(table.keys)]

Rows = dict[str, list[dict[str, Any]]]


@dataclass
class Deployment:
    """What the tests speak to."""

    engine: Engine
    site: Site
    instance: dg.DagsterInstance
    folder: Path

    @property
    def lake(self) -> Path:
        return self.folder / "lake"

    def definitions(self) -> dg.Definitions:
        return build_defs(
            database=DatabaseResource(url=url_of(self.engine)),
            lake=LakeResource(root=str(self.lake)),
            clock=Clock(pinned=TODAY),
        )

    def register(self, district: str = MAPLE, **changes: Any) -> None:
        """Enter a district that delivers to its account, with a licence for its whole school year."""
        register(self.engine, district, **{"connection": self.site.connection(district), **changes})
        self.instance.add_dynamic_partitions("districts", [district])
        with self.engine.begin() as connection:
            connection.execute(
                sa.text(
                    "INSERT INTO platform.product VALUES (:product, 'Music') ON CONFLICT DO NOTHING;"
                    " INSERT INTO platform.licence (district, product_id, starts_on, ends_on)"
                    " SELECT :district, :product, '2026-08-01', '2027-08-01'"
                    " WHERE NOT EXISTS (SELECT FROM platform.licence WHERE district = :district)"
                ),
                {"product": LESSONS, "district": district},
            )

    def run(
        self,
        district: str = MAPLE,
        job: str = "process_delivery",
        only: tuple[str, ...] = (),
        tags: dict[str, str] | None = None,
    ) -> dg.ExecuteInProcessResult:
        """Run a job, or some assets of it, for a district, to its good or bad end."""
        resolved = self.definitions().resolve_job_def(job)
        return resolved.execute_in_process(
            partition_key=district,
            instance=self.instance,
            tags=tags,
            raise_on_error=False,
            asset_selection=[dg.AssetKey(asset.split("/")) for asset in only] or None,
        )

    def refresh(self, district: str = MAPLE) -> dg.ExecuteInProcessResult:
        """Run a district from its identities on."""
        return self.run(district, "refresh_entitlements")

    def sign_in(self, *teachers: str, district: str = MAPLE, with_code: bool = True) -> None:
        """Teachers sign in by SSO, each with an account that a code has made active, or not."""
        with self.engine.begin() as connection:
            for teacher in teachers:
                account = product.open_account(connection, district, LESSONS if with_code else None)
                product.sign_in(connection, district, teacher, account)

    def published(self, district: str = MAPLE) -> Rows:
        """Every published row of a district's classes, active or not."""
        with self.engine.connect() as connection:
            return {
                table.name: [
                    dict(row)
                    for row in connection.execute(
                        sa.text(
                            f"SELECT * FROM platform.{table.name} WHERE district = :district"
                            f" ORDER BY {', '.join(table.keys)}"
                        ),
                        {"district": district},
                    ).mappings()
                ]
                for table in ROSTERED
            }

    def active(self, district: str = MAPLE) -> dict[str, int]:
        with self.engine.connect() as connection:
            return {table.name: plans.active(connection, district, table) for table in ROSTERED}

    def waiting(self, district: str = MAPLE) -> dict[str, str | None]:
        """By teacher with classes, the gate that does not hold."""
        with self.engine.connect() as connection:
            return {teacher.person_sourced_id: teacher.gate for teacher in derived.waiting(connection, district)}

    def ledger(self, district: str = MAPLE) -> list[tuple[str, str | None]]:
        """Status and reason of every delivery, in the order of landing."""
        query = "SELECT status, reason FROM roster.delivery WHERE district = :d ORDER BY landed_at"
        with self.engine.connect() as connection:
            return [(row[0], row[1]) for row in connection.execute(sa.text(query), {"d": district})]

    def roster(self, district: str = MAPLE) -> str:
        """The id of the delivery whose rows are in use."""
        with self.engine.connect() as connection:
            return deliveries.roster(connection, district).delivery_id


@pytest.fixture
def deployment(engine: Engine, site: Site, tmp_path: Path) -> Iterator[Deployment]:
    """Nothing is registered and nothing was delivered."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield Deployment(engine, site, instance, tmp_path)


@pytest.fixture(scope="session")
def first_delivery(
    databases: Databases, clean_district: districts.District, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """What a live district's first delivery leaves behind: a database to copy, and a lake."""
    folder, site = tmp_path_factory.mktemp("first"), Site(tmp_path_factory.mktemp("site"))
    databases.do("CREATE DATABASE first_delivery TEMPLATE migrated")
    engine = databases.engine("first_delivery")
    with site.server, dg.DagsterInstance.ephemeral() as instance:
        first = Deployment(engine, site, instance, folder)
        first.register()
        site.upload(clean_district.folder)
        assert first.run().success
    engine.dispose()
    return "first_delivery", first.lake


@pytest.fixture
def delivered(
    databases: Databases, first_delivery: tuple[str, Path], site: Site, tmp_path: Path, files: Path
) -> Iterator[Deployment]:
    """A live district whose first delivery has come through; nobody has signed in yet."""
    database, lake = first_delivery
    shutil.copytree(lake, tmp_path / "lake")
    site.upload(files)
    with databases.copy(database) as engine, dg.DagsterInstance.ephemeral() as instance:
        found = Deployment(engine, site, instance, tmp_path)
        found.register()
        yield found


@pytest.fixture
def files(clean_district: districts.District, tmp_path: Path) -> Path:
    """The district's files, to be damaged at will."""
    return Path(shutil.copytree(clean_district.folder, tmp_path / "files"))


@pytest.fixture
def teachers(clean_district: districts.District) -> list[str]:
    """The four teachers of the district, each with classes."""
    return clean_district.teachers


def rewrite(files: Path, table: str, select: str) -> None:
    """Write a file again as what a query makes of its rows, which are in `rows`."""
    path = files / f"{table}.csv"
    with duckdb.connect() as con:
        con.execute("CREATE TABLE rows AS FROM read_csv(?, header = true, all_varchar = true)", [str(path)])
        con.execute(f"COPY ({select}) TO '{path}' (HEADER, DELIMITER ',')")


def expected(files: Path, *teachers: str) -> dict[str, set[tuple[str, ...]]]:
    """What the teachers' classes should come to, counted from the delivered file itself."""
    with duckdb.connect() as con:
        con.execute(
            """
            CREATE TABLE e AS SELECT "classSourcedId" AS class, "userSourcedId" AS person, role
            FROM read_csv(?, header = true, all_varchar = true)
            """,
            [str(files / "enrollments.csv")],
        )
        taught = con.execute("FROM e WHERE role = 'teacher' AND list_contains(?, person)", [teachers]).fetchall()
        classes = [name for name, _, _ in taught]
        learnt = con.execute("FROM e WHERE role = 'student' AND list_contains(?, class)", [classes]).fetchall()
    return {
        "rostered_class": {(name,) for name in classes},
        "student_account": {(person,) for _, person, _ in learnt},
        "rostered_class_teacher": {(name, person) for name, person, _ in taught},
        "rostered_class_student": {(name, person) for name, person, _ in learnt},
    }


def shown(rows: Rows) -> dict[str, set[tuple[str, ...]]]:
    """The ids of the active rows, to be held against `expected`."""
    ids = {
        "rostered_class": ("class_sourced_id",),
        "student_account": ("student_sourced_id",),
        "rostered_class_teacher": ("class_sourced_id", "teacher_sourced_id"),
        "rostered_class_student": ("class_sourced_id", "student_sourced_id"),
    }
    return {
        name: {tuple(row[column] for column in columns) for row in rows[name] if row["active"]}
        for name, columns in ids.items()
    }
