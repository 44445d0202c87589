"""Look into every district's sFTP folder, and run the districts whose upload is over."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
from sqlalchemy.engine import Engine

from roster_pipelines.connections import comparing, looking
from roster_pipelines.connections.looking import Looked
from roster_pipelines.jobs import SFTP_DROP, process_delivery
from roster_pipelines.partitions import districts
from roster_pipelines.platform import arrivals as ledger
from roster_pipelines.platform import deliveries, drops
from roster_pipelines.resources.database import DatabaseResource
from roster_pipelines.sensors import EVERY_LOOK, attempts

# A tick dies at 60 s with everything it found; what is not reached in time is looked at first in the next tick. Looks
# that were begun, and comparisons, may take a little longer: they end by the time of both together.
LOOKING_SECONDS = 18.0
GRACE_SECONDS = 7.0
# A server that is tried again is told of when it has been away for so long.
AWAY = timedelta(days=1)
NAMED_IN_LOG = 20


@dg.sensor(
    job=process_delivery,
    minimum_interval_seconds=EVERY_LOOK,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Runs a district when the files in its sFTP folder are new, whole, and have stood still for two looks "
    "and its quiet period; and once, to fail and say why, when somebody must mend what keeps us from the folder.",
)
def arrivals(context: dg.SensorEvaluationContext, database: DatabaseResource) -> dg.SensorResult | dg.SkipReason:
    """Look into the folders that are due, longest unseen first, and ask for a run where an upload is over."""
    began, now = time.monotonic(), datetime.now(UTC)
    engine, instance = database.engine, context.instance
    with engine.connect() as connection:
        due = drops.due(connection, now)
    existing = set(instance.get_dynamic_partitions(str(districts.name))) if due else set()
    due = [task for task in due if task.district in existing]
    looked = looking.sweep(due, LOOKING_SECONDS, GRACE_SECONDS)
    with engine.begin() as connection:
        drops.remember(connection, looked)
        replaced = ledger.record(connection, looked)
        untold = drops.untold(connection, [look.task.district for look in looked if look.problem], AWAY)
    _warn(context, looked, replaced)
    asked = attempts.requests(instance, causes(looked), SFTP_DROP, now)
    left = LOOKING_SECONDS + GRACE_SECONDS - (time.monotonic() - began)
    same = _same(engine, asked, {look.task.district: look for look in looked}, left)
    requests = [request for request in asked if request.partition_key not in same]
    requests += attempts.requests(instance, untold, "not reached", now, once=True)
    if not requests:
        return dg.SkipReason(told(looked, len(due), len(same)))
    return dg.SensorResult(run_requests=requests)


def causes(looked: Sequence[Looked]) -> dict[str, str]:
    """Say by district what a run is for, of those whose files are to be taken, the longest settled first."""
    taken = [(str(look.look.seen.unchanged_since), look) for look in looked if look.look and look.look.take]
    taken.sort(key=lambda pair: (pair[0], pair[1].task.district))
    return {look.task.district: f"{look.task.district}:{look.look.key}" for _, look in taken if look.look}


def told(looked: Sequence[Looked], due: int, same: int) -> str:
    """Say in a line what the looks came to, for a tick that asks for nothing."""
    states = Counter(look.look.state if look.look else "not reached" for look in looked)
    each = ", ".join(f"{count:,} {state}" for state, count in sorted(states.items()))
    again = f"; {same:,} with the same content as before" if same else ""
    return f"looked into {len(looked):,} of {due:,} folders that were due{': ' if each else ''}{each}{again}"


def _warn(context: dg.SensorEvaluationContext, looked: Sequence[Looked], replaced: Sequence[str]) -> None:
    problems = [look for look in looked if look.problem]
    for look in problems[:NAMED_IN_LOG]:
        context.log.warning(f"{look.task.district}: {look.problem}")
    if len(problems) > NAMED_IN_LOG:
        context.log.warning(f"{len(problems) - NAMED_IN_LOG} more folders could not be looked into")
    for district in replaced:
        context.log.warning(f"{district}: a whole upload was replaced before a run had taken it")


def _same(
    engine: Engine, asked: Sequence[dg.RunRequest], looked: Mapping[str, Looked], seconds: float
) -> frozenset[str]:
    """Find, among the districts to be run, those with the same content as before, and enter that it was decided on."""
    with engine.connect() as connection:
        newest = {key: deliveries.newest(connection, key) for request in asked if (key := str(request.partition_key))}
    pairs = {
        key: (looked[key], delivery.fingerprint)
        for key, delivery in newest.items()
        if delivery and delivery.status != "landed" and delivery.size == looked[key].listing.size
    }
    same = comparing.same(pairs, seconds)
    with engine.begin() as connection:
        for key, listing in same.items():
            drops.take(connection, key, listing)
            ledger.end(connection, key, listing, newest[key].delivery_id)  # type: ignore[union-attr]
    return frozenset(same)
