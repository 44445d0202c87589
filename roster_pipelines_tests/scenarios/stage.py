"""Play scenarios through the real assets and PostgreSQL: each story is a district of one deployment."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from roster_pipelines.connections.landing import Receipt
from roster_pipelines.definitions import build_defs
from roster_pipelines.district import District
from roster_pipelines.oneroster.standard import ROSTER
from roster_pipelines.platform import deliveries, registry
from roster_pipelines.resources.clock import Clock
from roster_pipelines.resources.database import DatabaseResource
from roster_pipelines.resources.lake import LakeResource
from roster_pipelines.rostering.plan import PUBLISHED
from roster_pipelines_tests.conftest import url_of
from roster_pipelines_tests.rostering.world import World

# Ids of the vendor's rows are unique over all districts: each story has this many for itself.
ROOM = 1000


@dataclass
class Stage:
    """What the tests speak to."""

    engine: Engine
    instance: dg.DagsterInstance
    folder: Path
    numbers: dict[str, int] = field(default_factory=dict)
    deliveries: int = 0
    jobs: dict[str, dg.JobDefinition] = field(default_factory=dict)

    def play(self, district: str, world: World) -> None:
        """Deliver the world's roster, enter the vendor's rows, and run the district from its identities on."""
        with self.engine.begin() as connection:
            self._register(connection, district, world)
            self._deliver(connection, district, world)
            self._vendor(connection, district, world)
        self.instance.add_dynamic_partitions("districts", [district])
        self.refresh(district, world)

    def refresh(self, district: str, world: World) -> None:
        """Run the district from its identities on."""
        assert (
            self._job(world.today.isoformat())
            .execute_in_process(partition_key=district, instance=self.instance)
            .success
        )

    def _job(self, today: str) -> dg.JobDefinition:
        if today not in self.jobs:
            definitions = build_defs(
                database=DatabaseResource(url=url_of(self.engine)),
                lake=LakeResource(root=str(self.folder)),
                clock=Clock(pinned=today),
            )
            self.jobs[today] = definitions.resolve_job_def("refresh_entitlements")
        return self.jobs[today]

    def classes(self, district: str) -> dict[str, tuple[set[str], set[str]]]:
        """By class that the product shows: its teachers and its students."""
        rows = self.published(district)
        people = {
            of: [(r["class_sourced_id"], r[f"{of}_sourced_id"]) for r in rows[f"rostered_class_{of}"] if r["active"]]
            for of in ("teacher", "student")
        }
        return {
            name: ({p for c, p in people["teacher"] if c == name}, {p for c, p in people["student"] if c == name})
            for name in (row["class_sourced_id"] for row in rows["rostered_class"] if row["active"])
        }

    def waiting(self, district: str) -> dict[tuple[str, str | None], str]:
        """By teacher and class, the reason of the first gate that does not hold."""
        query = "SELECT person_sourced_id, class_sourced_id, reason FROM roster.gate WHERE district = :d"
        with self.engine.connect() as connection:
            rows = connection.execute(sa.text(query), {"d": district}).all()
        return {(person, name): reason for person, name, reason in rows if reason}

    def published(self, district: str) -> dict[str, list[dict[str, Any]]]:
        """Every published row of a district, active or not."""
        with self.engine.connect() as connection:
            return {table.name: self._rows(connection, table.name, district) for table in PUBLISHED}

    @staticmethod
    def _rows(connection: Connection, table: str, district: str) -> list[dict[str, Any]]:
        query = f"SELECT * FROM platform.{table} t WHERE district = :d ORDER BY t::text"
        return [dict(row) for row in connection.execute(sa.text(query), {"d": district}).mappings()]

    def _register(self, connection: Connection, district: str, world: World) -> None:
        record = District.model_validate({**world.district.model_dump(), "district": district})
        registry.apply(connection, record, by="tests", why="test")
        self.numbers.setdefault(district, len(self.numbers) + 1)

    def _deliver(self, connection: Connection, district: str, world: World) -> None:
        """Put a staging database with the world's roster where validating a delivery leaves one."""
        self.deliveries += 1
        delivery = f"delivery-{self.deliveries:04d}"
        path = self.folder / "staging" / district / f"{delivery}.duckdb"
        path.parent.mkdir(parents=True, exist_ok=True)
        with duckdb.connect() as con:
            world.write_roster(con)
            con.execute(f"ATTACH '{path}' AS staging")
            for name in ROSTER:
                con.execute(f'CREATE TABLE staging."{name}" AS FROM roster."{name}"')
            con.execute("DETACH staging")
        receipt = Receipt(delivery, delivery, datetime.now(UTC), (), (), {})
        deliveries.record(connection, district, receipt)
        deliveries.decide(connection, district, delivery, "accepted")

    def _vendor(self, connection: Connection, district: str, world: World) -> None:
        """Enter the vendor's rows, each id moved into the room of the district."""
        base = self.numbers[district] * ROOM
        rows = {
            name: [
                {key: value + base if key in _IDS and value is not None else value for key, value in row.items()}
                for row in world.rows[name]
            ]
            for name in ("sign_in", "account", "access_code", "product_resource", "licence", "school_choice")
        }
        products = {row["product_id"] for name in ("licence", "access_code", "product_resource") for row in rows[name]}
        _insert(connection, "product", [{"product_id": product, "name": product} for product in products])
        for row in rows["product_resource"]:
            update = "UPDATE platform.product SET vendor_resource_ids = ARRAY[:r] WHERE product_id = :p"
            connection.execute(sa.text(update), {"r": row["vendor_resource_id"], "p": row["product_id"]})
        here = {"district": district}
        _insert(connection, "licence", [row | here for row in rows["licence"]])
        _insert(connection, "account", [_account(row) | here for row in rows["account"]])
        _insert(connection, "access_code", rows["access_code"])
        links = [
            {key: row[key] for key in ("sign_in_id", "account_id")} for row in rows["sign_in"] if row["account_id"]
        ]
        _insert(
            connection, "sign_in", [{k: v for k, v in r.items() if k != "account_id"} | here for r in rows["sign_in"]]
        )
        known = set(connection.scalars(sa.text("SELECT account_id FROM platform.account")))
        _insert(connection, "account_link", [link for link in links if link["account_id"] in known])
        _insert(connection, "school_choice", rows["school_choice"])
        for row in world.rows.get("closed", ()):
            update = "UPDATE platform.account SET status = 'closed' WHERE district = :district AND provisioned_for = :p"
            connection.execute(sa.text(update), {"district": district, "p": row["provisioned_for"]})


_IDS = ("sign_in_id", "account_id", "licence_id")


def _account(row: dict[str, Any]) -> dict[str, Any]:
    by = "auto_registration" if row["provisioned_for"] else "access_code"
    return {**row, "activated_by": by if row["status"] == "active" else None}


def _insert(connection: Connection, table: str, rows: Iterable[dict[str, Any]]) -> None:
    """Insert rows, or make those that are there already equal to them."""
    key = {"account_link": "sign_in_id"}.get(table, f"{table}_id")
    for row in rows:
        values = ", ".join(f":{name}" for name in row)
        others = ", ".join(f"{name} = excluded.{name}" for name in row if name != key)
        same = f"({key}) DO UPDATE SET {others}" if key in row else "DO NOTHING"
        numbered = "OVERRIDING SYSTEM VALUE" if key in _IDS and table != "account_link" else ""
        connection.execute(
            sa.text(f"INSERT INTO platform.{table} ({', '.join(row)}) {numbered} VALUES ({values}) ON CONFLICT {same}"),
            row,
        )
