"""The rostered classes of a district in the vendor's tables: the plan, applied."""

import dagster as dg
from sqlalchemy.engine import Connection

from roster_pipelines.assets.failures import typed_failures
from roster_pipelines.district import Stage
from roster_pipelines.errors import LookAtData
from roster_pipelines.lake import Lake
from roster_pipelines.partitions import districts
from roster_pipelines.platform import plans, registry
from roster_pipelines.resources.database import DatabaseResource
from roster_pipelines.resources.lake import LakeResource
from roster_pipelines.rostering.plan import PUBLISHED


@dg.asset(
    deps=["roster_plan"],
    partitions_def=districts,
    group_name="rostering",
    kinds={"postgres"},
    owners=["team:integrations"],
    description="Classes, their teachers and their students, as the product shows them, and the accounts that "
    "auto-registration opens. Only differences are written, in one transaction; what should not be any more is "
    "deactivated, never deleted; what the plan holds stays until somebody decides.",
)
def rostered_classes(
    context: dg.AssetExecutionContext, database: DatabaseResource, lake: LakeResource
) -> dg.MaterializeResult[None]:
    """Apply the newest plan, unless it was applied before, is out of date, or the district's stage holds it back."""
    district = context.partition_key
    with typed_failures(context.retry_number), database.engine.begin() as connection:
        plans.lock(connection, district)
        record = registry.get(connection, district)
        plan = plans.newest(connection, district)
        if plan is None:
            raise LookAtData(f"{district} has no plan yet", "materialize roster_plan first")
        outcome = _carry_out(connection, lake.lake, record.stage, plan)
        active = {table.what: plans.active(connection, district, table) for table in PUBLISHED}
    return dg.MaterializeResult(
        metadata={
            "plan": plan.plan_id,
            "outcome": outcome,
            "stage": record.stage,
            "changes": plan.changes,
            "held": plan.held,
            **active,
        }
    )


def _carry_out(connection: Connection, lake: Lake, stage: Stage, plan: plans.Plan) -> str:
    """Apply a plan if it may be; say what became of it, and in a word why it was not applied."""
    from roster_pipelines.duck import attached

    if plan.outcome == "applied":
        return plan.outcome
    held_back = stage in ("onboarding", "paused")
    # The gates have gone by the record's pilots, filters and terms.
    if plans.outdated(connection, plan):
        plans.set_aside(connection, plan.plan_id)
        return f"not_applied: {stage if held_back else 'outdated'}"
    if held_back:
        plans.decide(connection, plan.plan_id, "not_applied")
        return f"not_applied: {stage}"
    with lake.reading(lake.plan(plan.district, plan.plan_id)) as file, attached(plan=file) as con:
        plans.apply(connection, con, plan.district, plan)
    return "applied"
