"""A decision counts for what a person has looked at: an approval once, a discard until the next delivery."""

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from roster_pipelines.errors import CallSomebody
from roster_pipelines.platform import decisions, plans
from roster_pipelines.platform.decisions import Decision
from roster_pipelines_tests.conftest import accept, register

ROWS = "the same rows"


@pytest.fixture
def held(engine: Engine) -> int:
    """A plan of the first delivery that holds rows."""
    register(engine, "maple")
    with engine.begin() as connection:
        accept(connection, "maple", "first")
        return plan(connection, ROWS)


def plan(connection: Connection, held_rows: str | None, outcome: str = "applied") -> int:
    number = plans.new_id(connection)
    plans.record(connection, "maple", number, "first", {}, "state", held_rows=held_rows)
    plans.decide(connection, number, outcome)
    return number


def decide(connection: Connection, number: int, decision: Decision) -> None:
    decisions.record(connection, number, decision, by="tests", why="test")


def so_far(connection: Connection) -> list[tuple[int, str]]:
    return decisions.so_far(connection, "maple", "first")


def test_an_approval_is_spent_once_a_plan_made_after_it_is_applied_and_the_same_rows_are_decided_on_anew(
    engine: Engine, held: int
) -> None:
    with engine.begin() as connection:
        decide(connection, held, "approve")
        assert so_far(connection) == [(held, "hold"), (held, "approve")]
        plan(connection, None, "not_applied")
        assert so_far(connection) == [(held, "approve")], "nothing has gone yet"
        plan(connection, None)
        assert so_far(connection) == []

        again = plan(connection, ROWS)
        assert decisions.of(connection, plans.get(connection, again)) is None
        assert so_far(connection) == [(again, "hold")]
        with pytest.raises(CallSomebody, match="was approved already"):
            decide(connection, held, "approve")
        decide(connection, again, "discard")
        plan(connection, None)
        assert so_far(connection) == [(again, "discard")], "stands until the next delivery"


def test_an_approval_counts_by_when_it_was_decided_not_by_when_its_transaction_began(engine: Engine, held: int) -> None:
    """It may have waited for a run that plans, or a run for it."""
    with engine.begin() as waiting:
        waiting.execute(sa.text("SELECT now()"))
        with engine.begin() as connection:
            plan(connection, ROWS)
        decide(waiting, held, "approve")
        assert (held, "approve") in so_far(waiting)


def test_nothing_is_decided_on_while_a_newer_delivery_waits_for_its_plan(engine: Engine, held: int) -> None:
    with engine.begin() as connection:
        accept(connection, "maple", "second")
        with pytest.raises(CallSomebody, match="an earlier delivery than second, which is not planned yet"):
            decide(connection, held, "approve")
