"""After a new sign-in, account, code or licence, a change of its record, or a term's day: work a district out again."""

from collections.abc import Mapping
from datetime import UTC, datetime

import dagster as dg

from roster_pipelines.jobs import refresh_entitlements
from roster_pipelines.platform import plans
from roster_pipelines.platform.plans import Planned
from roster_pipelines.platform.state import states
from roster_pipelines.resources.database import DatabaseResource
from roster_pipelines.sensors import EVERY_LOOK, attempts


def decide(planned: Mapping[str, Planned], now: Mapping[str, str]) -> dict[str, str]:
    """Say which districts' newest plan was made from another state or roster than now, or for days that are over.

    Args:
        planned: By district, its newest accepted delivery, and its newest plan, if any.
        now: By district, the state now.

    Returns:
        By district to work out again, what names this cause: it holds the plan's id, so that going back to an earlier
        state is another cause.
    """
    return {
        district: f"{district}:{plan.plan_id}:{plan.roster}:{now[district]}"
        for district, plan in sorted(planned.items())
        if district in now and (plan.made_from != now[district] or plan.delivery != plan.roster or plan.due)
    }


@dg.sensor(
    job=refresh_entitlements,
    minimum_interval_seconds=EVERY_LOOK,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Runs a district from its identities on when its sign-ins, accounts, codes, licences or record have "
    "changed, when a person has decided on a hold, on the day on which a class opens or is archived or a licence "
    "begins or ends, or when a run has ended before it made a plan.",
)
def sign_ins(context: dg.SensorEvaluationContext, database: DatabaseResource) -> dg.SensorResult | dg.SkipReason:
    """Compare each district's state with the one that its newest plan was made from."""
    with database.engine.connect() as connection:
        causes = decide(plans.planned(connection), states(connection))
    if not causes:
        return dg.SkipReason("nothing has changed since the districts' newest plans")
    # A run that is under way makes a new plan anyway.
    requests = attempts.requests(context.instance, causes, "platform rows", datetime.now(UTC))
    if not requests:
        return dg.SkipReason(f"{len(causes)} districts have changed; their runs are under way or have just failed")
    return dg.SensorResult(run_requests=requests)
