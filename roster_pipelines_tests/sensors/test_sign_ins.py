"""A district is worked out again once for every change of what its classes depend on, and on the calendar's days."""

from collections.abc import Iterator

import dagster as dg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from roster_pipelines.platform import plans
from roster_pipelines.platform.plans import Planned
from roster_pipelines.platform.state import states
from roster_pipelines.sensors.attempts import CAUSE, REQUESTS_PER_TICK
from roster_pipelines.sensors.sign_ins import decide, sign_ins
from roster_pipelines.simulators import product
from roster_pipelines_tests.conftest import accept, register, url_of
from roster_pipelines_tests.sensors.runs import run_of
from roster_pipelines_tests.sensors.ticks import requests, tick


def made(
    plan_id: int, state: str | None, delivery: str | None = "d1", roster: str = "d1", *, due: bool = False
) -> Planned:
    """A district's newest plan, next to its roster."""
    return Planned(roster, plan_id, delivery, state, due)


@pytest.mark.parametrize(
    ("planned", "now", "causes"),
    [
        ({}, {}, {}),
        ({}, {"maple": "x"}, {}),
        ({"maple": made(1, "x")}, {"maple": "x"}, {}),
        ({"maple": made(1, "x")}, {"maple": "y"}, {"maple": "maple:1:d1:y"}),
        ({"maple": made(1, "x", roster="d2")}, {"maple": "x"}, {"maple": "maple:1:d2:x"}),
        ({"maple": made(0, None, None)}, {"maple": "x"}, {"maple": "maple:0:d1:x"}),
        ({"maple": made(1, "x", due=True)}, {"maple": "x"}, {"maple": "maple:1:d1:x"}),
        ({"maple": made(1, "x")}, {}, {}),
        (
            {"maple": made(1, "x"), "cedar": made(2, "x"), "birch": made(3, "x")},
            {"maple": "y", "cedar": "x", "birch": "y"},
            {"birch": "birch:3:d1:y", "maple": "maple:1:d1:y"},
        ),
    ],
    ids=[
        "nothing there",
        "no roster yet: its first delivery comes first",
        "unchanged",
        "changed",
        "a run ended after it accepted a delivery and before it made a plan",
        "the same at the first delivery",
        "unchanged, but a day has come",
        "the district has left",
        "each district by itself",
    ],
)
def test_districts_to_work_out_again(planned: dict[str, Planned], now: dict[str, str], causes: dict[str, str]) -> None:
    assert decide(planned, now) == causes


def test_going_back_to_an_earlier_state_is_another_cause() -> None:
    first = decide({"maple": made(1, "x")}, {"maple": "y"})
    back = decide({"maple": made(2, "y")}, {"maple": "x"})
    again = decide({"maple": made(3, "x")}, {"maple": "y"})
    assert len({*first.values(), *back.values(), *again.values()}) == 3


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("districts", ["maple"])
        yield instance


@pytest.fixture
def maple(engine: Engine) -> Engine:
    """A district with a licence and a plan that was made from it."""
    register(engine, "maple")
    with engine.begin() as connection:
        product.sell(connection, "maple", "lessons")
        accept(connection, "maple", "delivery")
    plan(engine)
    return engine


def plan(engine: Engine, district: str = "maple") -> None:
    """Do what a run does as far as this sensor sees: a plan from the state that is there now."""
    with engine.begin() as connection:
        plans.record(connection, district, plans.new_id(connection), "delivery", {}, states(connection)[district])


def asked(instance: dg.DagsterInstance, engine: Engine) -> dict[str, str]:
    """Let the sensor tick; the districts it asks for, by run key."""
    found = requests(tick(sign_ins, instance, url_of(engine)))
    assert all(request.tags["roster/trigger"] == "platform rows" for request in found)
    return {str(request.run_key): str(request.partition_key) for request in found}


def test_a_sign_in_is_asked_for_once_and_the_next_mornings_not_at_all(
    maple: Engine, instance: dg.DagsterInstance
) -> None:
    assert asked(instance, maple) == {}
    with maple.begin() as connection:
        product.sign_in(connection, "maple", "ada", None)
    first = asked(instance, maple)
    assert list(first.values()) == ["maple"]
    assert asked(instance, maple) == first, "the same key, so that Dagster makes one run of it"
    plan(maple)
    assert asked(instance, maple) == {}
    with maple.begin() as connection:
        product.sign_in(connection, "maple", "ada", None)
    assert asked(instance, maple) == {}


def test_what_goes_back_to_what_it_was_is_asked_for_again(maple: Engine, instance: dg.DagsterInstance) -> None:
    keys: list[str] = []
    with maple.begin() as connection:
        account = product.open_account(connection, "maple", "lessons")
    plan(maple)
    for status in ("inactive", "active", "inactive"):
        with maple.begin() as connection:
            connection.execute(
                sa.text("UPDATE platform.account SET status = :status WHERE account_id = :account"),
                {"status": status, "account": account},
            )
        keys += asked(instance, maple)
        plan(maple)
        assert asked(instance, maple) == {}
    assert len(set(keys)) == 3


def test_a_change_of_the_districts_record_is_asked_for(maple: Engine, instance: dg.DagsterInstance) -> None:
    register(maple, "maple", stage="testing", pilot_teachers=("ada",))
    assert list(asked(instance, maple).values()) == ["maple"]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_a_plan_is_made_anew_on_the_day_that_it_names_in_the_districts_own_time_zone(
    maple: Engine, instance: dg.DagsterInstance, zone: str
) -> None:
    """It is never the same day in both, so one of them is not on the database's day."""
    register(maple, "maple", time_zone=zone)
    plan(maple)
    for days, districts in ((1, []), (0, ["maple"]), (-3, ["maple"])):
        with maple.begin() as connection:
            connection.execute(
                sa.text("UPDATE roster.plan SET next_change = (now() AT TIME ZONE :zone)::date + :days"),
                {"zone": zone, "days": days},
            )
        assert list(asked(instance, maple).values()) == districts, days


def test_a_change_while_a_run_was_working_is_asked_for_after_it(maple: Engine, instance: dg.DagsterInstance) -> None:
    with maple.begin() as connection:
        seen_by_the_run = states(connection)["maple"]
        product.sign_in(connection, "maple", "ada", None)
        plans.record(connection, "maple", plans.new_id(connection), "delivery", {}, seen_by_the_run)
    assert list(asked(instance, maple).values()) == ["maple"]


def test_a_district_is_not_asked_for_beside_a_run_of_its_own_that_is_under_way(
    maple: Engine, instance: dg.DagsterInstance
) -> None:
    """The run makes a new plan anyway; whatever it does not see yet is asked for after it."""
    with maple.begin() as connection:
        product.sign_in(connection, "maple", "ada", None)
    run_of(instance, "cedar", "STARTED")
    assert list(asked(instance, maple).values()) == ["maple"]
    run_of(instance, "maple", "STARTED")
    assert asked(instance, maple) == {}


def test_a_run_that_failed_is_asked_for_again_later_and_at_once_when_something_else_changes(
    maple: Engine, instance: dg.DagsterInstance
) -> None:
    with maple.begin() as connection:
        product.sign_in(connection, "maple", "ada", None)
    (first,) = requests(tick(sign_ins, instance, url_of(maple)))
    run_of(instance, "maple", "FAILURE", **{CAUSE: first.tags[CAUSE]})
    assert asked(instance, maple) == {}
    with maple.begin() as connection:
        product.sign_in(connection, "maple", "bea", None)
    assert list(asked(instance, maple).values()) == ["maple"]


def test_a_district_without_a_roster_or_without_a_partition_is_not_asked_for(
    maple: Engine, instance: dg.DagsterInstance
) -> None:
    for district in ("cedar", "birch"):
        register(maple, district)
        with maple.begin() as connection:
            product.sell(connection, district, "lessons")
    with maple.begin() as connection:
        accept(connection, "birch", "delivery")
        plans.record(connection, "birch", plans.new_id(connection), "delivery", {}, "another state")
    assert asked(instance, maple) == {}


def test_a_tick_asks_for_no_more_than_the_daemon_can_take(maple: Engine, instance: dg.DagsterInstance) -> None:
    names = [f"d-{number:04d}" for number in range(REQUESTS_PER_TICK + 5)]
    instance.add_dynamic_partitions("districts", names)
    with maple.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO roster.district SELECT name, 1, d.record || jsonb_build_object('district', name)"
                " FROM roster.district d, unnest(CAST(:names AS text[])) AS name"
            ),
            {"names": names},
        )
        connection.execute(
            sa.text(
                "INSERT INTO roster.plan (district, delivery_id, counts, outcome, made_from)"
                " SELECT unnest(CAST(:names AS text[])), 'delivery', '{}', 'planned', 'another state'"
            ),
            {"names": names},
        )
        for name in names:
            accept(connection, name, "delivery")
    assert len(asked(instance, maple)) == REQUESTS_PER_TICK
