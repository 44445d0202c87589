"""Keep the partitions equal to the registry of districts."""

from collections.abc import Collection

import dagster as dg

from roster_pipelines.partitions import districts
from roster_pipelines.platform import registry as records
from roster_pipelines.resources.database import DatabaseResource
from roster_pipelines.sensors import EVERY_LOOK

_ENDED = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}
_UNDER_WAY = [status for status in dg.DagsterRunStatus if status not in _ENDED]


def decide(
    registered: Collection[str], existing: Collection[str], under_way: Collection[str]
) -> tuple[list[str], list[str]]:
    """Say which partitions to add and which to delete.

    Args:
        registered: Districts in the registry.
        existing: Partitions that are there.
        under_way: Districts with a run that has not ended. Their partition stays for now: deleting it would waste
            the run's work.

    Returns:
        Keys to add, keys to delete.
    """
    return sorted(set(registered) - set(existing)), sorted(set(existing) - set(registered) - set(under_way))


@dg.sensor(
    minimum_interval_seconds=EVERY_LOOK,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Adds a partition for each district of the registry, and takes away those of districts that left.",
)
def registry(context: dg.SensorEvaluationContext, database: DatabaseResource) -> dg.SensorResult | dg.SkipReason:
    """Read the registry and the partitions, and ask for the difference."""
    # A registry that cannot be read fails the tick: it must never be taken for an empty one.
    with database.engine.connect() as connection:
        registered = records.keys(connection)
    existing = context.instance.get_dynamic_partitions(str(districts.name))
    gone = set(existing) - set(registered)
    add, delete = decide(registered, existing, under_way(context.instance) if gone else [])
    if not add and not delete:
        return dg.SkipReason(f"{len(registered)} districts, and a partition for each")
    return dg.SensorResult(
        dynamic_partitions_requests=[
            request
            for keys, request in (
                (add, districts.build_add_request(add)),
                (delete, districts.build_delete_request(delete)),
            )
            if keys
        ]
    )


def under_way(instance: dg.DagsterInstance) -> set[str]:
    """Find the districts with a run that has not ended."""
    runs = instance.get_run_records(dg.RunsFilter(statuses=_UNDER_WAY))
    return {record.dagster_run.tags.get("dagster/partition", "") for record in runs}
