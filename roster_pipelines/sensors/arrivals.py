"""Look into every district's sFTP folder, and run the districts whose upload is over."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from roster_pipelines.connections.arrival import Look, Seen, decide
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.errors import RosterError
from roster_pipelines.jobs import process_delivery
from roster_pipelines.platform import drops, registry
from roster_pipelines.resources.database import DatabaseResource
from roster_pipelines.sensors import EVERY_LOOK, attempts

# A tick dies at 60 s with everything it found, and the last server may take 25 s to open and 10 s to list. What is not
# reached in time is looked at first in the next tick.
BUDGET = timedelta(seconds=20)
# How many times a folder is looked into while its files must stand still: looking more often finds nothing sooner.
LOOKS_PER_QUIET_PERIOD = 5


def is_due(quiet_seconds: int, looked_at: datetime | None, now: datetime) -> bool:
    """Say whether it is time to look into a folder again."""
    return looked_at is None or (now - looked_at).total_seconds() >= quiet_seconds / LOOKS_PER_QUIET_PERIOD


@dg.sensor(
    job=process_delivery,
    minimum_interval_seconds=EVERY_LOOK,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Runs a district when the files in its sFTP folder are new and have stood still for two looks and "
    "its quiet period.",
)
def arrivals(context: dg.SensorEvaluationContext, database: DatabaseResource) -> dg.SensorResult | dg.SkipReason:
    """Look into each folder in turn, longest unseen first, and ask for a run where the files are settled."""
    started = datetime.now(UTC)
    with database.engine.connect() as connection:
        seen = drops.seen(connection)
        looked_at = drops.looked_at(connection)
        folders = {
            record.district: record.connection
            for record in registry.every(connection)
            if record.stage != "paused" and isinstance(record.connection, SftpConnection)
        }
    turn = {name: number for number, name in enumerate(seen)}
    existing = set(context.instance.get_dynamic_partitions("districts"))
    due = sorted(
        (
            key
            for key, folder in folders.items()
            if key in existing and is_due(folder.quiet_seconds, looked_at.get(key), started)
        ),
        key=lambda key: turn.get(key, -1),
    )
    requests: list[dg.RunRequest] = []
    looked = problems = 0
    for key in due:
        if datetime.now(UTC) - started > BUDGET:
            break
        with database.engine.begin() as connection:
            drops.turn(connection, key)
        look, problem = _look(folders[key], seen.get(key, Seen()))
        looked += 1
        if problem:
            problems += 1
            context.log.warning(f"{key}: {problem}")
        with database.engine.begin() as connection:
            drops.remember(connection, key, look.seen, problem)
        if look.take:
            cause = f"{key}:{look.seen.key}"
            request = attempts.request(context.instance, key, cause, "sftp drop", datetime.now(UTC))
            requests += [request] if request else []
    if not requests:
        return dg.SkipReason(f"looked into {looked} of {len(due)} folders: nothing new; {problems} not reached")
    return dg.SensorResult(run_requests=requests)


def _look(connection: SftpConnection, before: Seen) -> tuple[Look, str | None]:
    from roster_pipelines.connections import sftp

    try:
        with sftp.opened(connection) as folder:
            files = folder.files()
    except RosterError as error:
        return Look(before, take=False, reason="not reached"), str(error)
    return decide(files, before, datetime.now(UTC), timedelta(seconds=connection.quiet_seconds)), None
