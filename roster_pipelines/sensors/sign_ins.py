"""After a new sign-in, account, code or licence, or a change of its record: work a district out again."""

from collections.abc import Mapping
from dataclasses import dataclass

import dagster as dg

from roster_pipelines.jobs import refresh_entitlements
from roster_pipelines.platform import plans
from roster_pipelines.platform.state import states
from roster_pipelines.resources.database import DatabaseResource

# The daemon looks every request's partition up, at up to 26 ms each, within the tick's 60 s.
REQUESTS_PER_TICK = 200


@dataclass(frozen=True)
class Refresh:
    """A district to work out again, and the key that makes it happen once."""

    district: str
    run_key: str


def decide(planned: Mapping[str, tuple[int, str]], now: Mapping[str, str]) -> list[Refresh]:
    """Say which districts' state is not the one that their newest plan was made from.

    Args:
        planned: By district, the newest plan's id and the state it was made from.
        now: By district, the state now.

    Returns:
        What to run. The key holds the plan's id, so that going back to an earlier state counts as a change, and a
        run that failed is not asked for again until something changes or a person runs it.
    """
    return [
        Refresh(district, f"{district}:{plan_id}:{now[district]}")
        for district, (plan_id, state) in sorted(planned.items())
        if district in now and now[district] != state
    ]


@dg.sensor(
    job=refresh_entitlements,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Runs a district from its identities on when its sign-ins, accounts, codes, licences or record have "
    "changed.",
)
def sign_ins(context: dg.SensorEvaluationContext, database: DatabaseResource) -> dg.SensorResult | dg.SkipReason:
    """Compare each district's state with the one that its newest plan was made from."""
    with database.engine.connect() as connection:
        refreshes = decide(plans.planned_from(connection), states(connection))
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
