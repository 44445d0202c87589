"""What publishing would change for a district, and what of it waits for a person."""

import dagster as dg
import duckdb
from sqlalchemy.engine import Connection

from roster_pipelines.assets.failures import typed_failures
from roster_pipelines.assets.roster_in_use import roster_in_use
from roster_pipelines.assets.tables import table
from roster_pipelines.lake import Lake
from roster_pipelines.partitions import districts
from roster_pipelines.platform import accounts, decisions, derived, plans, vendor
from roster_pipelines.resources.database import DatabaseResource
from roster_pipelines.resources.lake import LakeResource
from roster_pipelines.rostering.plan import ACTIONS, PUBLISHED


@dg.asset(
    deps=["gates"],
    partitions_def=districts,
    group_name="rostering",
    kinds={"duckdb", "postgres"},
    owners=["team:integrations"],
    description="The full set of changes that publishing would make, before anything is applied. Removals that are too "
    "many are held: they wait for `roster approve PLAN` or `roster discard PLAN`, while the rest goes on.",
)
def roster_plan(
    context: dg.AssetExecutionContext, database: DatabaseResource, lake: LakeResource
) -> dg.MaterializeResult[None]:
    """Hold what should be against what is, keep the difference; hold back what is too much of a change."""
    from roster_pipelines.duck import quoted
    from roster_pipelines.rostering import current, guard, plan

    district = context.partition_key
    with typed_failures(context.retry_number), database.engine.begin() as connection:
        plans.lock(connection, district)
        plan_id = plans.new_id(connection)
        with (
            lake.lake.writing(lake.lake.plan(district, plan_id)) as plan_file,
            roster_in_use(connection, lake.lake, district) as roster,
        ):
            con, made_from = roster.con, roster.made_from
            _read(connection, con, lake.lake, district, roster.delivery_id)
            plan.accounts_to_open(con)
            accounts.reserve(connection, con)
            plan.desired(con)
            con.execute(f"ATTACH {quoted(plan_file)} AS plan")
            plan.differences(con, into="plan")
            counts = guard.guard(con, into="plan")
            plans.record(
                connection,
                district,
                plan_id,
                roster.delivery_id,
                counts,
                made_from.state,
                made_by=made_from.record,
                active=guard.active(con),
                held_rows=guard.fingerprint(con, "plan"),
                next_change=current.next_change(con, made_from.day, roster.record),
            )
            con.execute("DETACH plan")
        made = plans.get(connection, plan_id)
    held = {}
    if made.held:
        reason = guard.reason(made.held_by_table, made.active)
        held = {"held because": f"{reason}: roster approve {plan_id}, or roster discard {plan_id}"}
        context.log.warning(f"{made.held:,} rows are held: {held['held because']}")
    return dg.MaterializeResult(
        metadata={
            "plan": plan_id,
            "delivery": roster.delivery_id,
            "changes": _changes_table(made),
            "held": made.held,
            **held,
        }
    )


def _read(connection: Connection, con: duckdb.DuckDBPyConnection, lake: Lake, district: str, delivery_id: str) -> None:
    """Copy what a plan is made from, with what earlier plans of this delivery held and what was decided on it."""
    from roster_pipelines.rostering import guard

    derived.read(connection, con, district, "identity_key", "entitlement", "gate")
    vendor.read(connection, con, district, "account", "licence")
    vendor.read_published(connection, con, district)
    guard.decisions(con)
    for plan_id, decision in decisions.so_far(connection, district, delivery_id):
        with lake.reading(lake.plan(district, plan_id)) as earlier:
            guard.remember(con, earlier, decision)


def _changes_table(made: plans.Plan) -> dg.MetadataValue:
    schema = dg.TableSchema([dg.TableColumn("what"), *(dg.TableColumn(action, "int") for action in ACTIONS)])
    return table(schema, [(of.what, *(made.rows(of.name, action) for action in ACTIONS)) for of in PUBLISHED])
