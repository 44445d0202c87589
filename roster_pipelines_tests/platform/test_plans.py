"""Applying a plan: all of it or nothing, for one district alone, and nothing is ever deleted."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from roster_pipelines.errors import CallSomebody
from roster_pipelines.platform import plans, vendor
from roster_pipelines.platform.accounts import reserve
from roster_pipelines.rostering.plan import PUBLISHED, counted, differences
from roster_pipelines.simulators import product
from roster_pipelines_tests.conftest import accept, register
from roster_pipelines_tests.rostering.world import DEACTIVATED, World

COUNT = {
    "account_product": 0,
    "rostered_class": 2,
    "student_account": 2,
    "rostered_class_teacher": 2,
    "rostered_class_student": 3,
}


@pytest.fixture
def maple(engine: Engine) -> World:
    """Two classes of one teacher, and students kim and lee."""
    return small_district(engine, "maple")


def small_district(engine: Engine, district: str) -> World:
    register(engine, district)
    with engine.begin() as connection:
        account = product.open_account(connection, district)
    world = World().teacher().ready("ada", account).licence()
    world.student("kim", givenName="Kim", familyName=f"of {district}", grades=["01"])
    world.student("lee", username=None, givenName='Lee "Bo", Jr.\n', grades=["KG", "01"])
    return world.school_class("music", "ada", students="kim lee").school_class("art", "ada", students="kim")


@contextmanager
def planned(
    connection: Connection, world: World, district: str
) -> Iterator[tuple[duckdb.DuckDBPyConnection, plans.Plan]]:
    """Plan against what is published now, and enter the plan."""
    with world.solved() as con:
        con.execute("DROP TABLE current_account")
        vendor.read_published(connection, con, district)
        con.execute("ATTACH ':memory:' AS plan")
        counts = differences(con, into="plan")
        plans.record(connection, district, plans.new_id(connection), "delivery", counts, "state")
        plan = plans.newest(connection, district)
        assert plan is not None
        yield con, plan


def publish(engine: Engine, world: World, district: str = "maple") -> plans.Plan:
    with engine.begin() as connection, planned(connection, world, district) as (con, plan):
        plans.apply(connection, con, district, plan)
    return plan


Rows = dict[str, list[dict[str, Any]]]


def published(engine: Engine, district: str = "maple", *, without: str = "") -> Rows:
    """Every published row, active or not; of accounts, see `accounts`."""
    with engine.connect() as connection:
        found = {
            table.name: connection.execute(
                sa.text(
                    f"SELECT * FROM platform.{table.name} WHERE district = :district ORDER BY {', '.join(table.keys)}"
                ),
                {"district": district},
            ).mappings()
            for table in DEACTIVATED
        }
        return {
            name: [{key: value for key, value in row.items() if key != without} for row in rows]
            for name, rows in found.items()
        }


def outcomes(engine: Engine, district: str = "maple") -> list[str]:
    with engine.connect() as connection:
        query = sa.text("SELECT outcome FROM roster.plan WHERE district = :district ORDER BY plan_id")
        return list(connection.scalars(query, {"district": district}))


def test_a_plan_is_applied_whole_and_the_rows_say_what_the_roster_says(engine: Engine, maple: World) -> None:
    publish(engine, maple)
    rows = published(engine)
    assert {name: len(found) for name, found in rows.items()} == COUNT
    assert all(row["active"] for found in rows.values() for row in found)
    lee = rows["student_account"][1]
    assert (lee["given_name"], lee["username"], lee["grades"]) == ('Lee "Bo", Jr.\n', None, "KG,01")
    assert outcomes(engine) == ["applied"]
    with engine.connect() as connection:
        assert {table.name: plans.active(connection, "maple", table) for table in PUBLISHED} == {"account": 0, **COUNT}


def test_a_second_plan_against_its_own_result_is_empty_and_touches_no_row(engine: Engine, maple: World) -> None:
    publish(engine, maple)
    before = published(engine)
    assert publish(engine, maple).changes == 0
    assert published(engine) == before


def test_only_the_row_that_differs_is_written(engine: Engine, maple: World) -> None:
    publish(engine, maple)
    before = published(engine)
    maple.rows["users"][1]["givenName"] = "Kimberly"
    assert publish(engine, maple).changes == 1
    after = published(engine)
    kim_before, kim_after = before["student_account"].pop(0), after["student_account"].pop(0)
    assert after == before
    assert (kim_before["given_name"], kim_after["given_name"]) == ("Kim", "Kimberly")
    assert kim_after["changed_at"] > kim_before["changed_at"]


@pytest.mark.parametrize("table", [table.name for table in PUBLISHED])
def test_a_plan_that_does_not_fit_in_any_place_leaves_nothing_at_all(engine: Engine, maple: World, table: str) -> None:
    with engine.connect() as connection, planned(connection, maple, "maple") as (con, plan):
        connection.commit()
        unfit = replace(plan, counts={**plan.counts, table: {**plan.counts[table], "deactivate": 1}})
        with pytest.raises(CallSomebody, match=f"does not fit what is in {table} any more"), engine.begin() as second:
            plans.apply(second, con, "maple", unfit)
    assert published(engine) == {name: [] for name in COUNT}
    assert outcomes(engine) == ["planned"]


def test_of_two_plans_made_from_the_same_state_only_the_first_is_applied(engine: Engine, maple: World) -> None:
    with engine.connect() as connection, planned(connection, maple, "maple") as (con, plan):
        connection.commit()
        publish(engine, maple)
        before = published(engine)
        with pytest.raises(CallSomebody), engine.begin() as second:
            plans.apply(second, con, "maple", plan)
    assert published(engine) == before


def test_a_failure_while_changing_and_deactivating_leaves_the_former_rows(engine: Engine, maple: World) -> None:
    publish(engine, maple)
    before = published(engine)
    maple.rows["classes"][0]["title"] = "Choir"
    maple.rows["enrollments"].pop()
    with engine.connect() as connection, planned(connection, maple, "maple") as (con, plan):
        connection.commit()
        unfit = replace(plan, counts={**plan.counts, PUBLISHED[-1].name: {"deactivate": 9}})
        with pytest.raises(CallSomebody), engine.begin() as second:
            plans.apply(second, con, "maple", unfit)
    assert published(engine) == before


def automatic(engine: Engine, **ada: Any) -> World:
    """A district whose teacher needs no code, and has signed in."""
    register(engine, "maple")
    world = World(registration="auto_by_school").licence().teacher(givenName="Ada", familyName="Byron", **ada)
    with engine.begin() as connection:
        product.sell(connection, "maple", "lessons")
    return world.school_class("music", "ada").signed_in("ada")


def accounts(engine: Engine) -> list[tuple[Any, ...]]:
    query = "SELECT account_id, status, activated_by, provisioned_for, given_name FROM platform.account ORDER BY 1"
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def test_accounts_get_ids_that_nobody_has_and_are_opened_with_the_class(engine: Engine) -> None:
    world = automatic(engine, email="ada@maple.example")
    with engine.begin() as connection:
        taken = product.open_account(connection, "cedar")
    with engine.connect() as connection, duckdb.connect() as con:
        con.execute("CREATE TABLE account_to_open AS SELECT unnest(['ada', 'bea']) AS person_sourced_id")
        reserve(connection, con)
        assert con.execute("FROM new_account ORDER BY 1").fetchall() == [("ada", taken + 1), ("bea", taken + 2)]
    publish(engine, world)
    assert accounts(engine) == [
        (taken, "inactive", None, None, None),
        (1001, "active", "auto_registration", "ada", "Ada"),
    ]
    assert [row["product_id"] for row in published(engine)["account_product"]] == ["lessons"]


def test_an_account_that_is_closed_between_plan_and_apply_stays_closed(engine: Engine) -> None:
    world = automatic(engine, email="ada@maple.example")
    publish(engine, world)
    world.account(1001, provisioned_for="ada").rows["users"][0]["givenName"] = "Augusta"
    with engine.connect() as connection, planned(connection, world, "maple") as (con, plan):
        connection.execute(sa.text("UPDATE platform.account SET status = 'closed'"))
        connection.commit()
        with pytest.raises(CallSomebody, match="does not fit what is in account any more"), engine.begin() as second:
            plans.apply(second, con, "maple", plan)
    assert accounts(engine) == [(1001, "closed", "auto_registration", "ada", "Ada")]


def test_what_is_held_or_kept_is_not_written_and_does_not_count_as_a_change(engine: Engine, maple: World) -> None:
    publish(engine, maple)
    before = published(engine)
    maple.rows["classes"] = []
    with engine.begin() as connection, planned(connection, maple, "maple") as (con, _):
        for table in DEACTIVATED:
            con.execute(f"UPDATE plan.{table.name} SET action = if(rowid % 2 = 0, 'hold', 'keep')")
        plans.record(connection, "maple", plans.new_id(connection), "delivery", counted(con, "plan"), "state")
        plan = plans.newest(connection, "maple")
        assert plan is not None
        plans.apply(connection, con, "maple", plan)
    assert (plan.changes, plan.held + sum(n["keep"] for n in plan.counts.values())) == (0, 9)
    assert published(engine) == before
    assert outcomes(engine) == ["applied", "superseded", "applied"]


def test_what_vanishes_is_deactivated_never_deleted_and_comes_back_whole(engine: Engine, maple: World) -> None:
    publish(engine, maple)
    before = published(engine, without="changed_at")
    gone, maple.rows["classes"] = maple.rows["classes"], []
    publish(engine, maple)
    inactive = published(engine, without="changed_at")
    assert inactive == {name: [{**row, "active": False} for row in rows] for name, rows in before.items()}
    maple.rows["classes"] = gone
    publish(engine, maple)
    assert published(engine, without="changed_at") == before


def test_what_comes_back_changed_comes_back_with_the_new_values(engine: Engine, maple: World) -> None:
    publish(engine, maple)
    music, art = maple.rows["classes"]
    maple.rows["classes"] = [art]
    publish(engine, maple)
    maple.rows["classes"] = [{**music, "title": "Choir"}, art]
    publish(engine, maple)
    row = published(engine)["rostered_class"][1]
    assert (row["class_sourced_id"], row["title"], row["active"]) == ("music", "Choir", True)


def test_two_districts_with_the_same_ids_never_touch_each_other(engine: Engine, maple: World) -> None:
    cedar = small_district(engine, "cedar")
    publish(engine, maple, "maple")
    publish(engine, cedar, "cedar")
    theirs = published(engine, "cedar")
    assert {name: len(rows) for name, rows in theirs.items()} == COUNT
    assert {row["family_name"] for row in theirs["student_account"]} == {"of cedar", None}

    maple.rows["users"][1]["familyName"] = "Other"
    publish(engine, maple, "maple")
    maple.rows["classes"] = []
    publish(engine, maple, "maple")
    assert published(engine, "cedar") == theirs
    assert publish(engine, cedar, "cedar").changes == 0


def test_a_newer_plan_supersedes_the_district_s_unapplied_one_and_no_other(engine: Engine, maple: World) -> None:
    cedar = small_district(engine, "cedar")
    for district, world in (("maple", maple), ("cedar", cedar), ("maple", maple)):
        with engine.begin() as connection, planned(connection, world, district):
            pass
    assert outcomes(engine, "maple") == ["superseded", "planned"]
    assert outcomes(engine, "cedar") == ["planned"]


def test_what_was_applied_stays_applied_when_a_newer_plan_comes(engine: Engine, maple: World) -> None:
    publish(engine, maple)
    with engine.begin() as connection, planned(connection, maple, "maple"):
        pass
    assert outcomes(engine) == ["applied", "planned"]


def test_a_district_waits_for_its_own_transactions_and_for_no_other_district(engine: Engine) -> None:
    with engine.begin() as first, engine.begin() as second:
        plans.lock(first, "maple")
        second.execute(sa.text("SET LOCAL lock_timeout = '50ms'"))
        plans.lock(second, "cedar")
        with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
            plans.lock(second, "maple")


def test_the_newest_plan_of_each_registered_district_says_what_it_was_made_from(engine: Engine, maple: World) -> None:
    publish(engine, maple)
    newest = publish(engine, maple)
    with engine.begin() as connection:
        accept(connection, "maple", newest.delivery_id)
        accept(connection, "left", "delivery")
        plans.record(connection, "left", plans.new_id(connection), "delivery", newest.counts, "state")
        known = plans.Planned(newest.delivery_id, newest.plan_id, newest.delivery_id, "state")
        assert plans.planned(connection) == {"maple": known}


def test_a_roster_without_a_plan_is_known_as_such(engine: Engine) -> None:
    register(engine, "maple")
    with engine.begin() as connection:
        assert plans.planned(connection) == {}
        for delivery in ("z-older", "a-newer"):
            accept(connection, "maple", delivery)
        assert plans.planned(connection) == {"maple": plans.Planned("a-newer", 0, None, None)}


def test_a_district_without_a_plan_has_none(engine: Engine) -> None:
    with engine.connect() as connection:
        assert plans.newest(connection, "maple") is None
