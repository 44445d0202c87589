"""Ask for a run until it has done its work: Dagster remembers a run key for ever, also that of a run that failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import dagster as dg

# The first attempt failed after its own retries, so something lasts: again in ten minutes, then twenty, forty, ...
PAUSE = timedelta(minutes=10)
LONGEST_PAUSE = timedelta(hours=6)
CAUSE = "roster/cause"


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
    return dg.RunRequest(
        run_key=f"{cause}:{number}", partition_key=district, tags={"roster/trigger": trigger, CAUSE: cause}
    )


def _ended(record: dg.RunRecord) -> datetime | None:
    return record.update_timestamp.astimezone() if record.dagster_run.is_finished else None
