"""Ask for a run until it has done its work: Dagster remembers a run key for ever, also that of a run that failed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import dagster as dg

from roster_pipelines.jobs import TRIGGER
from roster_pipelines.partitions import districts
from roster_pipelines.sensors.registry import under_way

# The first attempt failed after its own retries, so something lasts: again in ten minutes, then twenty, forty, ...
PAUSE = timedelta(minutes=10)
LONGEST_PAUSE = timedelta(hours=6)
CAUSE = "roster/cause"
# The daemon looks every request's partition up, at up to 26 ms each, within the tick's 60 s.
REQUESTS_PER_TICK = 200
# Every pass over the queue looks at all of it: what waits for its turn waits in the ledgers, not in the queue.
UNDER_WAY_AT_MOST = 250


@dataclass(frozen=True)
class Attempt:
    """An earlier run for the same cause; without an end it is still under way."""

    ended: datetime | None


def decide(earlier: Sequence[Attempt], now: datetime) -> int | None:
    """Say whether to ask for a run, and as which attempt.

    Args:
        earlier: The runs for this cause so far.
        now: The time.

    Returns:
        The attempt's number from 0, or None where a run is under way or has failed a short while ago.
    """
    ends = [attempt.ended for attempt in earlier if attempt.ended is not None]
    if len(ends) < len(earlier):
        return None
    if ends and now - max(ends) < min(PAUSE * 2 ** min(len(ends) - 1, 10), LONGEST_PAUSE):
        return None
    return len(ends)


def request(
    instance: dg.DagsterInstance, district: str, cause: str, trigger: str, now: datetime
) -> dg.RunRequest | None:
    """Ask for a run of a district, unless one for the same cause is under way or failed a short while ago.

    Args:
        instance: Where earlier runs are looked up.
        district: Whose run.
        cause: What it is for; stays the same until the work is done.
        trigger: The cause in a word, for people.
        now: The time.
    """
    records = instance.get_run_records(dg.RunsFilter(tags={CAUSE: cause}))
    number = decide([Attempt(_ended(record)) for record in records], now)
    if number is None:
        return None
    return dg.RunRequest(run_key=f"{cause}:{number}", partition_key=district, tags={TRIGGER: trigger, CAUSE: cause})


def requests(
    instance: dg.DagsterInstance,
    causes: Mapping[str, str],
    trigger: str,
    now: datetime,
    *,
    once: bool = False,
    beside: int = 0,
) -> list[dg.RunRequest]:
    """Ask for runs of districts: not of one that has a run under way, nor of more than a tick or the queue can take.

    Args:
        instance: Where earlier runs and partitions are looked up.
        causes: By district, what its run is for.
        trigger: See `request`.
        now: The time.
        once: Whether one run is enough, also one that failed.
        beside: How many runs the tick asks for besides.
    """
    asked: list[dg.RunRequest] = []
    if not causes:
        return asked
    busy, existing = under_way(instance), set(instance.get_dynamic_partitions(str(districts.name)))
    room = min(REQUESTS_PER_TICK, UNDER_WAY_AT_MOST - len(busy)) - beside
    for district, cause in causes.items():
        if district in existing and district not in busy and len(asked) < room:
            run = request(instance, district, cause, trigger, now)
            asked += [run] if run and not (once and run.run_key != f"{cause}:0") else []
    return asked


def _ended(record: dg.RunRecord) -> datetime | None:
    return record.update_timestamp.astimezone() if record.dagster_run.is_finished else None
