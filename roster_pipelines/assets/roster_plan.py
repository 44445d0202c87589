"""What publishing would change for a district, and what every teacher without classes waits for."""

import dagster as dg

from roster_pipelines.assets.failures import typed_failures
from roster_pipelines.partitions import districts
from roster_pipelines.platform import deliveries, derived, plans, registry, vendor
from roster_pipelines.resources.clock import Clock
from roster_pipelines.resources.database import DatabaseResource
from roster_pipelines.resources.lake import LakeResource
from roster_pipelines.rostering.gates import Gate
from roster_pipelines.rostering.plan import ACTIONS, PUBLISHED, Counts


@dg.asset(
    deps=["entitlements", "identities"],
    partitions_def=districts,
    group_name="rostering",
    kinds={"duckdb", "postgres"},
    owners=["team:integrations"],
    description="The full set of changes that publishing would make, before anything is applied; and for each "
    "teacher the first gate that does not hold.",
)
def roster_plan(
    context: dg.AssetExecutionContext, database: DatabaseResource, lake: LakeResource, clock: Clock
) -> dg.MaterializeResult[None]:
    """Answer the gates, hold what should be against what is, keep the difference."""
    from roster_pipelines.duck import quoted
    from roster_pipelines.rostering import current, gates, plan

    district = context.partition_key
    with typed_failures(context.retry_number), database.engine.begin() as connection:
        plans.lock(connection, district)
        record = registry.get(connection, district)
        roster = deliveries.roster(connection, district)
        state = derived.matched_from(connection, district)
        plan_id = plans.new_id(connection)
        with (
            lake.lake.reading(lake.lake.staging(district, roster.delivery_id)) as staging,
            lake.lake.writing(lake.lake.plan(district, plan_id)) as plan_file,
            current.opened(staging, clock.today(record.time_zone)) as con,
        ):
            derived.read(connection, con, district, "identity", "entitlement")
            vendor.read(connection, con, district, "account")
            vendor.read_published(connection, con, district)
            gates.gates(con, record)
            plan.desired(con)
            con.execute(f"ATTACH {quoted(plan_file)} AS plan")
            counts = plan.differences(con, into="plan")
            con.execute("DETACH plan")
            derived.write(connection, con, district, "gate")
        plans.record(connection, district, plan_id, roster.delivery_id, counts, state)
        waiting = derived.waiting(connection, district)
    return dg.MaterializeResult(
        metadata={
            "plan": plan_id,
            "delivery": roster.delivery_id,
            "changes": _changes_table(counts),
            **_gate_counts([gate for _, _, gate in waiting]),
        }
    )


def _changes_table(counts: Counts) -> dg.MetadataValue:
    return dg.MetadataValue.table(
        [dg.TableRecord({"what": table.what, **counts[table.name]}) for table in PUBLISHED],
        schema=dg.TableSchema([dg.TableColumn("what"), *(dg.TableColumn(action, "int") for action in ACTIONS)]),
    )


def _gate_counts(waiting: list[Gate | None]) -> dict[str, int]:
    open_gates = {"teachers with every gate open": waiting.count(None)}
    return open_gates | {f"teachers waiting for {gate}": waiting.count(gate) for gate in dict.fromkeys(waiting) if gate}
