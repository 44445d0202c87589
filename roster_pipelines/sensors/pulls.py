"""Run each district that is pulled from an API when its own schedule says so."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import dagster as dg

from roster_pipelines.connections import schedule
from roster_pipelines.district import District
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.jobs import process_delivery
from roster_pipelines.platform import deliveries, registry
from roster_pipelines.resources.database import DatabaseResource
from roster_pipelines.sensors import EVERY_LOOK, attempts


def decide(records: Iterable[District], pulled_at: Mapping[str, datetime], now: datetime) -> dict[str, str]:
    """Say which districts' latest due moment has passed without a pull that began after it.

    One that was never pulled is due at once, as its latest due moment has passed. Nothing begins on a blackout day,
    not even what was due before it; on a weekday without a pull of its own what failed is made up for.

    Args:
        records: The districts.
        pulled_at: By district, when its latest pull began that came to a decision.
        now: The time.

    Returns:
        By district to be pulled, what names this cause: the due moment.
    """
    causes = {}
    for record in records:
        if record.stage == "paused" or isinstance(record.connection, SftpConnection):
            continue
        times, zone = record.connection.pull, record.time_zone
        due = schedule.due(times, zone, now)
        if due is None or schedule.is_blacked_out(times, now.astimezone(ZoneInfo(zone)).date()):
            continue
        pulled = pulled_at.get(record.district)
        if pulled is None or pulled < due:
            causes[record.district] = f"{record.district}:pull:{due:%Y%m%dT%H%MZ}"
    return causes


@dg.sensor(
    job=process_delivery,
    minimum_interval_seconds=EVERY_LOOK,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Pulls each district with an API connection at the time of its record, on its weekdays and outside "
    "its blackout days; a new district at once. A pull that failed is made up for until the next one is due.",
)
def pulls(context: dg.SensorEvaluationContext, database: DatabaseResource) -> dg.SensorResult | dg.SkipReason:
    """Compare each district's schedule with its latest pull."""
    now = datetime.now(UTC)
    with database.engine.connect() as connection:
        causes = decide(registry.every(connection), deliveries.pulled_at(connection), now)
    if not causes:
        return dg.SkipReason("no pull is due")
    # A run that began before the due moment may have pulled after it: its delivery tells when it is there.
    requests = attempts.requests(context.instance, causes, "pull due", now)
    if not requests:
        return dg.SkipReason(f"{len(causes)} pulls are due; their runs are under way or have just failed")
    return dg.SensorResult(run_requests=requests)
