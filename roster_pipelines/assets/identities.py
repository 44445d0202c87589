"""Who each SSO sign-in of a district is in its roster."""

import dagster as dg

from roster_pipelines.assets.failures import typed_failures
from roster_pipelines.checks import key
from roster_pipelines.oneroster.standard import ROSTER
from roster_pipelines.partitions import districts
from roster_pipelines.platform import deliveries, derived, registry, vendor
from roster_pipelines.platform.state import states
from roster_pipelines.resources.clock import Clock
from roster_pipelines.resources.database import DatabaseResource
from roster_pipelines.resources.lake import LakeResource


@dg.asset(
    deps=[*(key(table) for table in ROSTER.values()), ["platform", "sign_ins"]],
    partitions_def=districts,
    group_name="rostering",
    kinds={"duckdb", "postgres"},
    owners=["team:integrations"],
    description="The link between each SSO sign-in and a person of the roster, or the reason why there is none.",
)
def identities(
    context: dg.AssetExecutionContext, database: DatabaseResource, lake: LakeResource, clock: Clock
) -> dg.MaterializeResult[None]:
    """Read the sign-ins, match them, keep who is who."""
    from roster_pipelines.rostering import current, identity

    district = context.partition_key
    with typed_failures(context.retry_number), database.engine.begin() as connection:
        record = registry.get(connection, district)
        roster = deliveries.roster(connection, district)
        today = clock.today(record.time_zone)
        with (
            lake.lake.reading(lake.lake.staging(district, roster.delivery_id)) as staging,
            current.opened(staging, today) as con,
        ):
            # Before the rows: what changes in between is then seen as a change, and worked out again.
            state = states(connection, district)[district]
            vendor.read(connection, con, district, "sign_in")
            identity.identities(con, record.sign_in)
            outcomes = dict(con.execute("SELECT outcome, count(*) FROM identity GROUP BY ALL").fetchall())
            derived.write(connection, con, district, "identity")
        sign_ins = sum(outcomes.values())
        matched = sum(count for outcome, count in outcomes.items() if outcome.startswith("matched"))
        derived.record_matching(connection, district, state, sign_ins, matched)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sign_ins,
            "matched": matched,
            **outcomes,
            "delivery": roster.delivery_id,
        }
    )
