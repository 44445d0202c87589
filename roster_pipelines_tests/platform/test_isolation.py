"""Two districts that are alike in every id, address, username and subject, and have linked each other's accounts."""

from collections.abc import Iterable
from copy import deepcopy
from random import Random
from typing import Any, get_args

import duckdb
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from roster_pipelines.oneroster.shape import Registration
from roster_pipelines.platform import accounts, derived, plans, vendor
from roster_pipelines.rostering.access import holders
from roster_pipelines.rostering.current import current
from roster_pipelines.rostering.entitlement import entitlements
from roster_pipelines.rostering.gates import gates
from roster_pipelines.rostering.identity import identities
from roster_pipelines.rostering.plan import accounts_to_open, desired, differences
from roster_pipelines_tests.rostering.odd import PRODUCTS, ROSTER_ODD, change, open_world
from roster_pipelines_tests.rostering.promise import at_first_sight, promised
from roster_pipelines_tests.rostering.world import World

FIRST = {"maple": 100, "cedar": 200}
"""Ids of the vendor's rows are unique over all districts: from where each district's begin."""
IDS = ("sign_in_id", "account_id", "licence_id")
KEPT = ("identity", "identity_key", "entitlement", "gate")
OF_ANOTHER_ROW = {"access_code": "account", "account_link": "sign_in", "school_choice": "sign_in"}
"""Tables that know their district by another row only."""


def numbered(world: World, district: str) -> World:
    """The same world with ids of the district's own; each third sign-in has linked an account of the other.

    Some have signed in to one of the two only, and some accounts were opened in one only: in the other they would
    open classes if they were read.
    """
    mine, theirs = FIRST[district], sum(FIRST.values()) - FIRST[district]
    found = deepcopy(world)
    rows = found.rows
    rows["sign_in"] = [row for row in rows["sign_in"] if (row["sign_in_id"] + mine // 100) % 4]
    if district == "cedar":
        rows["account"] = [row for row in rows["account"] if not row["provisioned_for"]]
    for name, of in OF_ANOTHER_ROW.items():
        known = {row[f"{of}_id"] for row in rows[of]}
        rows[name] = [row for row in rows.get(name, ()) if row[f"{of}_id"] in known]
    for name in ("sign_in", "account", "access_code", "licence", "school_choice"):
        for row in rows[name]:
            row |= {key: row[key] + mine for key in IDS if row.get(key) is not None}
    linked = [row["account_id"] for row in rows["account"] if not row["provisioned_for"]]
    for number, row in enumerate(rows["sign_in"]):
        if number % 3 == 0:
            row["account_id"] = linked[number % len(linked)] - mine + theirs
    return found


def enter(connection: Connection, worlds: dict[str, World]) -> None:
    """Enter the vendor's rows of all districts: every account before the links, which may be to any of them."""
    products = [{"product_id": product, "name": product} for product in PRODUCTS]
    _insert(connection, "product", products)
    for product, resource in PRODUCTS.items():
        update = "UPDATE platform.product SET vendor_resource_ids = ARRAY[:resource] WHERE product_id = :product"
        connection.execute(sa.text(update), {"resource": resource, "product": product})
    for name in ("account", "licence"):
        for district, world in worlds.items():
            _insert(connection, name, [row | {"district": district} for row in world.rows[name]])
    for district, world in worlds.items():
        sign_ins = world.rows["sign_in"]
        _insert(connection, "sign_in", [_without(row, "account_id") | {"district": district} for row in sign_ins])
        links = [{key: row[key] for key in ("sign_in_id", "account_id")} for row in sign_ins if row["account_id"]]
        _insert(connection, "account_link", links)
        for name in ("access_code", "school_choice"):
            _insert(connection, name, world.rows[name])
    connection.execute(sa.text("SELECT setval(pg_get_serial_sequence('platform.account', 'account_id'), 900)"))


def _without(row: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}


def _insert(connection: Connection, table: str, rows: Iterable[dict[str, Any]]) -> None:
    for row in rows:
        values = ", ".join(f":{name}" for name in row)
        overriding = "OVERRIDING SYSTEM VALUE" if f"{table}_id" in row and table != "product" else ""
        query = f"INSERT INTO platform.{table} ({', '.join(row)}) {overriding} VALUES ({values})"
        connection.execute(sa.text(query), row)


def run(engine: Engine, world: World, district: str) -> plans.Plan:
    """Do what the assets do from `identities` on: read, work out, keep, plan, apply."""
    with engine.begin() as connection, duckdb.connect(config={"threads": 1}) as con:
        world.write_roster(con)
        current(con, world.today, world.district)
        vendor.read(connection, con, district)
        derived.read_keys(connection, con, district)
        derived.read_seats(connection, con, district)
        identities(con, world.sso, world.today)
        holders(con)
        entitlements(con, world.today, world.district)
        gates(con, world.today, world.district)
        for table in KEPT:
            derived.write(connection, con, district, table)
        accounts_to_open(con)
        accounts.reserve(connection, con)
        vendor.read_published(connection, con, district)
        desired(con)
        con.execute("ATTACH ':memory:' AS plan")
        plan_id, counts = plans.new_id(connection), differences(con, into="plan")
        plans.record(connection, district, plan_id, "delivery", counts, "state")
        plans.apply(connection, con, district, plans.get(connection, plan_id))
        return plans.get(connection, plan_id)


def everything(engine: Engine, district: str) -> dict[str, list[str]]:
    """Every row of a district in every table, with where it lies and which transaction has written it."""
    tables = "SELECT table_schema, table_name FROM information_schema.columns WHERE column_name = 'district'"
    rows = {}
    with engine.connect() as connection:
        for schema, table in connection.execute(sa.text(f"{tables} AND table_schema IN ('platform', 'roster')")).all():
            rows[f"{schema}.{table}"] = f"FROM {schema}.{table} t WHERE district = :d"
        for table, of in OF_ANOTHER_ROW.items():
            rows[f"platform.{table}"] = (
                f"FROM platform.{table} t JOIN platform.{of} USING ({of}_id) WHERE district = :d"
            )
        return {
            name: list(
                connection.scalars(
                    sa.text(f"SELECT t.ctid || ' ' || t.xmin || t::text {of} ORDER BY 1"), {"d": district}
                )
            )
            for name, of in rows.items()
        }


def strangers(engine: Engine) -> int:
    """How many published rows name another district's account."""
    return sum(_strangers(engine, table) for table in ("rostered_class_teacher", "account_product"))


def _strangers(engine: Engine, table: str) -> int:
    query = f"SELECT count(*) FROM platform.{table} t JOIN platform.account a USING (account_id)"
    with engine.connect() as connection:
        return int(connection.scalar(sa.text(f"{query} WHERE a.district <> t.district")) or 0)


def shown(engine: Engine, district: str) -> set[str]:
    """The classes that the product shows."""
    query = "SELECT class_sourced_id FROM platform.rostered_class WHERE active AND district = :d"
    with engine.connect() as connection:
        return set(connection.scalars(sa.text(query), {"d": district}))


@pytest.mark.parametrize("registration", get_args(Registration))
def test_nobody_in_another_district_is_ever_touched_or_counted(engine: Engine, registration: Registration) -> None:
    pick = Random(f"twins {registration}")
    like = open_world(pick, registration)
    change(like, pick, ROSTER_ODD, 6)
    for licence in like.licence().rows["licence"]:
        licence["seats"] = None
    worlds = {district: numbered(like, district) for district in FIRST}
    with engine.begin() as connection:
        enter(connection, worlds)
    for district, other in (("maple", "cedar"), ("cedar", "maple")):
        world = worlds[district]
        before = everything(engine, other)
        assert run(engine, world, district).changes > 0
        assert everything(engine, other) == before
        who = {row["sign_in_id"]: at_first_sight(world, row) for row in world.rows["sign_in"]}
        expected = {access.in_class for access in promised(world, who, {})}
        assert shown(engine, district) == expected, "as if the other district were not there"
    assert strangers(engine) == 0
    before = everything(engine, "cedar")
    assert all(before[f"roster.{table}"] for table in KEPT)
    change(worlds["maple"], pick, ROSTER_ODD, 12)
    worlds["maple"].rows["users"].pop(0)
    worlds["maple"].rows["classes"].pop(0)
    run(engine, worlds["maple"], "maple")
    assert everything(engine, "cedar") == before
    assert run(engine, worlds["cedar"], "cedar").changes == 0
