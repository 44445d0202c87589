"""Which product each teacher of a district may use, and why."""

import dagster as dg

from roster_pipelines.assets.failures import typed_failures
from roster_pipelines.partitions import districts
from roster_pipelines.platform import deliveries, derived, registry, vendor
from roster_pipelines.resources.clock import Clock
from roster_pipelines.resources.database import DatabaseResource
from roster_pipelines.resources.lake import LakeResource


@dg.asset(
    deps=[
        "identities",
        *(["platform", table] for table in ("accounts", "access_codes", "licences", "products")),
    ],
    partitions_def=districts,
    group_name="rostering",
    kinds={"duckdb", "postgres"},
    owners=["team:integrations"],
    description="The right of each matched teacher to a product, with its basis and the licence it rests on.",
)
def entitlements(
    context: dg.AssetExecutionContext, database: DatabaseResource, lake: LakeResource, clock: Clock
) -> dg.MaterializeResult[None]:
    """Read accounts, codes and licences, work out the rights, keep them."""
    from roster_pipelines.duck import one
    from roster_pipelines.rostering import current, entitlement

    district = context.partition_key
    with typed_failures(context.retry_number), database.engine.begin() as connection:
        record = registry.get(connection, district)
        roster = deliveries.roster(connection, district)
        today = clock.today(record.time_zone)
        with (
            lake.lake.reading(lake.lake.staging(district, roster.delivery_id)) as staging,
            current.opened(staging, today) as con,
        ):
            derived.read(connection, con, district, "identity")
            vendor.read(connection, con, district, "account", "access_code", "licence")
            entitlement.entitlements(con, today)
            count, teachers = one(con, "SELECT count(*), count(DISTINCT person_sourced_id) FROM entitlement")
            derived.write(connection, con, district, "entitlement")
    return dg.MaterializeResult(metadata={"dagster/row_count": count, "teachers": teachers})
