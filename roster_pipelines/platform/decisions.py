"""What a person decides on the rows that a plan holds: a discard counts until the next delivery, an approval once."""

from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from roster_pipelines.errors import CallSomebody
from roster_pipelines.platform import deliveries, plans

Decision = Literal["approve", "discard"]

DONE: dict[str, str] = {"approve": "approved", "discard": "discarded"}
"""How a decision is told."""


# Both times are taken within the district's lock (plans.lock): a plan that is made later has seen the decision.
_COUNTS = """
    (decision = 'discard' OR NOT EXISTS (
        SELECT FROM roster.plan later WHERE later.district = decision.district AND later.outcome = 'applied'
            AND later.planned_at > decision.decided_at))
"""


def record(connection: Connection, plan_id: int, decision: Decision, *, by: str, why: str) -> plans.Plan:
    """Enter what was decided on all that a plan holds.

    A sign-in makes a new plan at any time; so an earlier plan of the same delivery may be decided on as long as the
    newest one holds the very same rows.

    Args:
        connection: In a transaction; it waits for a run that plans or applies for the district.
        plan_id: The plan that the person has looked at.
        decision: `approve`: its held rows are to be deactivated; `discard`: they stay.
        by: Who decides.
        why: The reason, for the record.

    Returns:
        The plan.

    Raises:
        CallSomebody: There is no such plan, it holds nothing, it was decided on already, the newest plan holds
            other rows, or a newer delivery has none yet.
        LookAtData: No delivery of the district was accepted yet.
    """
    plan = plans.get(connection, plan_id)
    plans.lock(connection, plan.district)
    if plan.held_rows is None:
        raise CallSomebody(f"plan {plan_id} of {plan.district} holds nothing", "there is nothing to decide")
    before = of(connection, plan)
    if before:
        raise CallSomebody(
            f"what plan {plan_id} of {plan.district} holds was {DONE[before]} already",
            "a discard stands until the next delivery, an approval until it is carried out",
        )
    newest = plans.newest(connection, plan.district)
    if newest and (newest.delivery_id, newest.held_rows) != (plan.delivery_id, plan.held_rows):
        raise CallSomebody(
            f"the newest plan of {plan.district} is {newest.plan_id}, and it does not hold the same rows",
            f"look at it with roster plan {plan.district}, and decide on it",
        )
    roster = deliveries.roster(connection, plan.district).delivery_id
    if roster != plan.delivery_id:
        raise CallSomebody(
            f"plan {plan_id} of {plan.district} is of an earlier delivery than {roster}, which is not planned yet",
            f"its plan comes within a minute; then look at it with roster plan {plan.district}",
        )
    connection.execute(
        sa.text("""
            INSERT INTO roster.decision (plan_id, district, delivery_id, decision, decided_by, why, decided_at)
            VALUES (:plan_id, :district, :delivery_id, :decision, :by, :why, clock_timestamp())
        """),
        {
            "plan_id": plan_id,
            "district": plan.district,
            "delivery_id": plan.delivery_id,
            "decision": decision,
            "by": by,
            "why": why,
        },
    )
    return plan


def of(connection: Connection, plan: plans.Plan) -> str | None:
    """Look up what was decided on a plan, or on another that holds the very same rows, and counts still."""
    decision = connection.scalar(
        sa.text(f"""
            SELECT decision FROM roster.decision JOIN roster.plan USING (plan_id)
            WHERE plan_id = :plan_id OR plan.district = :district AND plan.delivery_id = :delivery_id
                AND held_rows = :held_rows AND {_COUNTS}
            ORDER BY plan_id <> :plan_id LIMIT 1
        """),
        {
            "plan_id": plan.plan_id,
            "district": plan.district,
            "delivery_id": plan.delivery_id,
            "held_rows": plan.held_rows,
        },
    )
    return None if decision is None else str(decision)


def so_far(connection: Connection, district: str, delivery_id: str) -> list[tuple[int, str]]:
    """List the plans whose held rows the next plan of a delivery must know, in the order in which they count.

    An approval is spent once a plan that was made after it is applied: what would go later is another removal.

    Returns:
        For each its id, and `approve`, `discard`, or `hold` for the newest plan, whose rows wait for a decision unless
            a later entry has one.
    """
    found = connection.execute(
        sa.text(f"""
            SELECT plan_id, 'hold', NULL AS at FROM (
                SELECT * FROM roster.plan WHERE district = :district ORDER BY plan_id DESC LIMIT 1) AS newest
            WHERE delivery_id = :delivery_id AND held_rows IS NOT NULL
            UNION ALL
            SELECT plan_id, decision, decided_at FROM roster.decision
            WHERE district = :district AND delivery_id = :delivery_id AND {_COUNTS}
            ORDER BY at NULLS FIRST, plan_id
        """),
        {"district": district, "delivery_id": delivery_id},
    )
    return [(row[0], row[1]) for row in found]
