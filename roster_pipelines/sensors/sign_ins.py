"""After a new sign-in, account, code or licence: work out its district again, from the identities on."""

from collections.abc import Mapping
from dataclasses import dataclass

import dagster as dg

from roster_pipelines.jobs import refresh_entitlements
from roster_pipelines.platform import plans, vendor
from roster_pipelines.resources.database import DatabaseResource

# The daemon looks every request's partition up, at up to 26 ms each, within the tick's 60 s.
REQUESTS_PER_TICK = 200


@dataclass(frozen=True)
class Refresh:
    """A district to work out again, and the key that makes it happen once."""

    district: str
    run_key: str


def decide(planned: Mapping[str, tuple[int, str]], states: Mapping[str, str]) -> list[Refresh]:
    """Say which districts' vendor rows are not those that their newest plan was made from.

    Args:
        planned: By district, the newest plan's id and the state of the vendor's rows it was made from.
        states: By district, the state now; a district without any row is not in it.

    Returns:
        What to run. The key holds the plan's id, so that going back to an earlier state counts as a change, and a
        run that failed is not asked for again until something changes or a person runs it.
    """
    return [
        Refresh(district, f"{district}:{plan_id}:{states.get(district, '')}")
        for district, (plan_id, state) in sorted(planned.items())
        if states.get(district, "") != state
    ]


@dg.sensor(
    job=refresh_entitlements,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Runs a district from its identities on when its sign-ins, accounts, codes or licences have changed.",
)
def sign_ins(context: dg.SensorEvaluationContext, database: DatabaseResource) -> dg.SensorResult | dg.SkipReason:
    """Compare the vendor's rows with what each district's newest plan was made from."""
    with database.engine.connect() as connection:
        refreshes = decide(plans.planned_from(connection), vendor.states(connection))
    if not refreshes:
        return dg.SkipReason("nothing has changed since the districts' newest plans")
    existing = set(context.instance.get_dynamic_partitions("districts"))
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(
                run_key=refresh.run_key,
                partition_key=refresh.district,
                tags={"roster/trigger": "platform rows"},
            )
            for refresh in refreshes[:REQUESTS_PER_TICK]
            if refresh.district in existing
        ]
    )
