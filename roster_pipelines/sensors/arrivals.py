"""Look into every district's sFTP folder, and run the districts whose upload is over."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
from sqlalchemy.engine import Engine

from roster_pipelines.connections import comparing, looking
from roster_pipelines.connections.looking import Looked
from roster_pipelines.jobs import SFTP_DROP, TELL, TRIGGER, process_delivery
from roster_pipelines.partitions import districts
from roster_pipelines.platform import arrivals as ledger
from roster_pipelines.platform import deliveries, drops
from roster_pipelines.resources.database import DatabaseResource
from roster_pipelines.sensors import EVERY_LOOK, attempts
from roster_pipelines.sensors.registry import under_way

# A tick dies at 60 s with everything it found. No look is begun after the first of these, those that were begun have
# the second, comparisons have the third. What is not reached in time is looked at first in the next tick.
LOOKING_SECONDS = 15.0
GRACE_SECONDS = 5.0
COMPARING_SECONDS = 5.0
# A server that is tried again is told of when it has been away for so long.
AWAY = timedelta(days=1)
NAMED_IN_LOG = 20
TOLD = "told"


@dg.sensor(
    job=process_delivery,
    minimum_interval_seconds=EVERY_LOOK,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Runs a district when the files in its sFTP folder are new, whole, and have stood still for two looks "
    "and its quiet period; and once, to fail and say why, when somebody must be told.",
)
def arrivals(context: dg.SensorEvaluationContext, database: DatabaseResource) -> dg.SensorResult | dg.SkipReason:
    """Look into the folders that are due, longest unseen first, and ask for a run where an upload is over."""
    began, now = time.monotonic(), datetime.now(UTC)
    engine, instance = database.engine, context.instance
    due = _due(engine, instance, now)
    looked = looking.sweep(due, LOOKING_SECONDS - (time.monotonic() - began), GRACE_SECONDS)
    with engine.begin() as connection:
        drops.remember(connection, looked)
        ledger.record(connection, looked)
        unreached = drops.untold(connection, [look.task.district for look in looked if look.problem], AWAY)
        happened = ledger.untold(connection)
    _warn(context, looked)
    asked = attempts.requests(instance, causes(looked), SFTP_DROP, now)
    left_out = _same(engine, asked, {look.task.district: look for look in looked})
    requests = [request for request in asked if request.partition_key not in left_out]
    requests += attempts.requests(instance, unreached, "not reached", now, once=True, beside=len(asked))
    requests += tellings(instance, happened, now, beside=len(requests))
    if not requests:
        return dg.SkipReason(told(looked, len(due), len(left_out)))
    return dg.SensorResult(run_requests=requests)


def _due(engine: Engine, instance: dg.DagsterInstance, now: datetime) -> list[looking.Task]:
    """Find the folders that are due, but for those that a run may be fetching from: some servers allow one session."""
    with engine.connect() as connection:
        due = drops.due(connection, now)
    if not due:
        return []
    existing, busy = set(instance.get_dynamic_partitions(str(districts.name))), under_way(instance)
    return [task for task in due if task.district in existing and task.district not in busy]


def causes(looked: Sequence[Looked]) -> dict[str, str]:
    """Say by district what a run is for, of those whose files are to be taken, the longest settled first."""
    taken = [(str(look.look.seen.unchanged_since), look) for look in looked if look.look and look.look.take]
    taken.sort(key=lambda pair: (pair[0], pair[1].task.district))
    return {look.task.district: f"{look.task.district}:{look.look.key}" for _, look in taken if look.look}


def tellings(
    instance: dg.DagsterInstance, happened: Mapping[int, tuple[str, str]], now: datetime, beside: int
) -> list[dg.RunRequest]:
    """Ask for runs that only fail, to tell what has happened to uploads; once for each upload, the first first."""
    if not happened:
        return []
    lately = instance.get_run_records(dg.RunsFilter(tags={TRIGGER: TOLD}, created_after=now - 3 * AWAY))
    known = {record.dagster_run.tags.get(attempts.CAUSE) for record in lately}
    causes, words = dict[str, str](), dict[str, str]()
    for number, (district, what) in sorted(happened.items()):
        cause = f"{district}:told:{number}"
        if cause not in known and district not in causes:
            causes[district], words[district] = cause, what
    asked = attempts.requests(instance, causes, TOLD, now, once=True, beside=beside)
    return [
        request.with_replaced_attrs(tags={**request.tags, TELL: words[str(request.partition_key)]}) for request in asked
    ]


def told(looked: Iterable[Looked], due: int, left_out: int) -> str:
    """Say in a line what the looks came to, for a tick that asks for nothing."""
    states = Counter(look.look.state if look.look else "not reached" for look in looked)
    each = ", ".join(f"{count:,} {state}" for state, count in sorted(states.items()))
    again = f"; {left_out:,} with the same content as before, or not compared yet" if left_out else ""
    return f"looked into {states.total():,} of {due:,} folders that were due{': ' if each else ''}{each}{again}"


def _warn(context: dg.SensorEvaluationContext, looked: Sequence[Looked]) -> None:
    problems = [look for look in looked if look.problem]
    for look in problems[:NAMED_IN_LOG]:
        context.log.warning(f"{look.task.district}: {look.problem}")
    if len(problems) > NAMED_IN_LOG:
        context.log.warning(f"{len(problems) - NAMED_IN_LOG} more folders could not be looked into")


def _same(engine: Engine, asked: Sequence[dg.RunRequest], looked: Mapping[str, Looked]) -> frozenset[str]:
    """Find, among the districts to be run, those that need no run, or may need none.

    Where the content is that of the roster in use, it is entered that it was decided on; what there was no time to
    compare is asked for by a later tick.
    """
    with engine.connect() as connection:
        newest = {key: deliveries.newest(connection, key) for request in asked if (key := str(request.partition_key))}
    accepted = {key: found for key, found in newest.items() if found and found.status == "accepted"}
    pairs = {
        key: (looked[key], delivery.fingerprint)
        for key, delivery in accepted.items()
        if delivery.size == looked[key].listing.size
    }
    same = comparing.same(pairs, COMPARING_SECONDS)
    with engine.begin() as connection:
        for key in [key for key, is_same in same.items() if is_same]:
            look, delivery = looked[key].look, accepted[key].delivery_id
            listing = look.files if look else ""
            drops.take(connection, key, listing)
            deliveries.listed_again(connection, key, delivery, listing)
            ledger.end(connection, key, listing, delivery)
    return frozenset(key for key, is_same in same.items() if is_same is not False)
