"""When a district is pulled: from the times of its record, in its own time zone, to moments in UTC."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from roster_pipelines.district_connection import WEEKDAYS, PullTimes

# Every weekday comes within seven days, so what is not found within eight has been blacked out since.
DAYS_BACK = 8
# A blackout may last for a summer, a year of them is a mistake.
DAYS_AHEAD = 366

_MINUTE = timedelta(minutes=1)


def due(times: PullTimes, zone: str, now: datetime) -> datetime | None:
    """Find the latest moment at which a pull was due.

    Args:
        times: The district's times.
        zone: Its time zone.
        now: The time.

    Returns:
        The moment, in UTC and not after `now`; None where there was none within the last eight days.
    """
    today = now.astimezone(ZoneInfo(zone)).date()
    return next((moment for moment in _moments(times, zone, today, -DAYS_BACK) if moment <= now), None)


def next_due(times: PullTimes, zone: str, now: datetime) -> datetime | None:
    """Find the first moment after `now` at which a pull is due, in UTC; None where there is none within a year."""
    today = now.astimezone(ZoneInfo(zone)).date()
    return next((moment for moment in _moments(times, zone, today, DAYS_AHEAD) if moment > now), None)


def is_blacked_out(times: PullTimes, day: date) -> bool:
    """Say whether nothing is pulled on a day, by the district's own calendar."""
    return any(blackout.first <= day <= blackout.last for blackout in times.blackout)


def _moments(times: PullTimes, zone: str, start: date, days: int) -> Iterator[datetime]:
    """List the moments from a local day on, day by day, forward or back."""
    for number in range(abs(days) + 1):
        day = start + timedelta(days=number if days > 0 else -number)
        if WEEKDAYS[day.weekday()] in times.weekdays and not is_blacked_out(times, day):
            moment = _moment(datetime.combine(day, time.fromisoformat(times.at)), ZoneInfo(zone))
            if moment is not None:
                yield moment


def _moment(local: datetime, zone: ZoneInfo) -> datetime | None:
    """Turn a local time into UTC.

    Where clocks go back, a time that comes twice is its first. Where they go forward, a time that is left out is the
    first that is there after it; None where the rest of that day is left out.
    """
    day = local.date()
    while local.date() == day:
        moment = local.replace(tzinfo=zone).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None) == local:
            return moment
        local += _MINUTE
    return None
