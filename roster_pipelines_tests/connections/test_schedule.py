"""A pull is due once a day at the district's own time, whatever its clocks do, and never on a day without pulls."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roster_pipelines.connections.schedule import DAYS_BACK, due, is_blacked_out, next_due
from roster_pipelines.district_connection import WEEKDAYS, Blackout, PullTimes

DENVER = "America/Denver"
# Clocks that never move, move by an hour, by half of one, at midnight, before midnight, and one that left a day out.
ZONES = [
    "America/Phoenix", DENVER, "Australia/Lord_Howe", "Asia/Beirut", "America/Nuuk", "Pacific/Apia", "UTC",
]  # fmt: skip


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(text: str, zone: str = DENVER) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def blackout(first: str, last: str) -> Blackout:
    return Blackout(first=date.fromisoformat(first), last=date.fromisoformat(last))


@pytest.mark.parametrize(
    ("times", "now", "moment"),
    [
        (PullTimes(at="02:30"), "2026-11-23T02:30", "2026-11-23T02:30"),
        (PullTimes(at="02:30"), "2026-11-23T02:29:59.999999", "2026-11-22T02:30"),
        (PullTimes(at="23:59"), "2026-11-23T23:58", "2026-11-22T23:59"),
        (PullTimes(weekdays=("mon", "wed")), "2026-11-25T01:59", "2026-11-23T02:00"),
        (PullTimes(weekdays=("mon",)), "2026-11-23T01:59", "2026-11-16T02:00"),
        (PullTimes(blackout=(blackout("2026-11-20", "2026-11-23"),)), "2026-11-23T12:00", "2026-11-19T02:00"),
        (PullTimes(blackout=(blackout("2026-11-20", "2026-11-23"),)), "2026-11-24T02:00", "2026-11-24T02:00"),
        (PullTimes(blackout=(blackout("2026-11-14", "2026-11-23"),)), "2026-11-23T12:00", None),
        (PullTimes(weekdays=("mon",), blackout=(blackout("2026-11-23", "2026-11-23"),)), "2026-11-25T00:00", None),
    ],
    ids=[
        "at its very moment",
        "a moment before it: yesterday's",
        "late in the evening",
        "on some weekdays",
        "once a week",
        "before a blackout",
        "the morning after it",
        "in a long blackout",
        "the only day of the last eight was blacked out",
    ],
)
def test_the_latest_moment_at_which_a_pull_was_due(times: PullTimes, now: str, moment: str | None) -> None:
    assert due(times, DENVER, local(now)) == (moment and local(moment))


@pytest.mark.parametrize(
    ("zone", "at", "now", "moment"),
    [
        (DENVER, "01:59", "2026-03-08T12:00", "2026-03-08T08:59"),
        (DENVER, "02:00", "2026-03-08T12:00", "2026-03-08T09:00"),
        (DENVER, "02:30", "2026-03-08T12:00", "2026-03-08T09:00"),
        (DENVER, "02:30", "2026-03-08T08:59", "2026-03-07T09:30"),
        (DENVER, "01:30", "2026-11-01T12:00", "2026-11-01T07:30"),
        (DENVER, "01:30", "2026-11-01T08:31", "2026-11-01T07:30"),
        ("Asia/Beirut", "00:15", "2026-03-29T12:00", "2026-03-28T22:00"),
        ("Australia/Lord_Howe", "02:10", "2026-10-04T12:00", "2026-10-03T15:30"),
        ("America/Nuuk", "23:30", "2026-03-29T12:00", "2026-03-28T01:30"),
        ("Pacific/Apia", "02:00", "2011-12-30T11:00", "2011-12-29T12:00"),
    ],
    ids=[
        "before the gap",
        "the gap's first minute",
        "in the gap: its end",
        "the gap is not over yet",
        "twice: the first",
        "after the second: still the first",
        "a gap at midnight",
        "a gap of half an hour",
        "nothing of that day comes after the gap: the day before",
        "the day is left out: the day before",
    ],
)
def test_a_time_that_is_left_out_moves_on_and_one_that_comes_twice_counts_once(
    zone: str, at: str, now: str, moment: str
) -> None:
    assert due(PullTimes(at=at), zone, utc(now)) == utc(moment)


def test_the_same_record_is_due_at_another_moment_in_another_zone() -> None:
    now = utc("2026-11-23T18:00")
    assert [due(PullTimes(at="04:00"), zone, now) for zone in ("America/New_York", "Pacific/Honolulu")] == [
        utc("2026-11-23T09:00"),
        utc("2026-11-23T14:00"),
    ]


def test_the_next_moment_may_lie_behind_a_summer_and_is_none_behind_a_year() -> None:
    summer = PullTimes(weekdays=("mon",), blackout=(blackout("2026-06-01", "2026-08-16"),))
    assert next_due(summer, DENVER, local("2026-05-25T02:00")) == local("2026-08-17T02:00")
    assert next_due(summer, DENVER, local("2026-05-25T01:59")) == local("2026-05-25T02:00")
    closed = PullTimes(blackout=(blackout("2026-06-01", "2030-01-01"),))
    assert next_due(closed, DENVER, local("2026-06-01T00:00")) is None


minutes = st.integers(0, 24 * 60 - 1).map(lambda minute: f"{minute // 60:02d}:{minute % 60:02d}")
weekdays = st.sets(st.sampled_from(WEEKDAYS), min_size=1).map(lambda days: tuple(sorted(days)))
days = st.dates(date(2026, 1, 1), date(2026, 12, 31))
blackouts = st.builds(
    lambda first, length: Blackout(first=first, last=first + timedelta(days=length)), days, st.integers(0, 12)
)
records = st.builds(
    PullTimes, at=minutes, weekdays=weekdays, blackout=st.lists(blackouts, max_size=3).map(lambda found: tuple(found))
)
# Half of them around days on which clocks move somewhere.
around = days | st.sampled_from(
    [date(2026, 3, 8), date(2026, 3, 28), date(2026, 4, 5), date(2026, 10, 4), date(2026, 11, 1)]
)
moments = st.builds(lambda day, minute: utc(f"{day}") + timedelta(minutes=minute), around, st.integers(-1440, 2880))


@settings(max_examples=60)
@given(records, st.sampled_from(ZONES), moments, st.integers(0, 3 * 24 * 60))
def test_due_is_never_in_the_future_nor_on_a_day_without_pulls_and_never_goes_back(
    times: PullTimes, zone: str, now: datetime, later: int
) -> None:
    found = due(times, zone, now)
    if found is None:
        return
    day = found.astimezone(ZoneInfo(zone)).date()
    assert now - timedelta(days=DAYS_BACK + 1) <= found <= now
    assert WEEKDAYS[day.weekday()] in times.weekdays
    assert not is_blacked_out(times, day)
    assert due(times, zone, found) == found
    after = due(times, zone, now + timedelta(minutes=later))
    assert after is None or after >= found


@settings(max_examples=30)
@given(records, st.sampled_from(ZONES), moments)
def test_each_local_day_has_at_most_one_pull_and_each_is_the_next_of_the_one_before(
    times: PullTimes, zone: str, now: datetime
) -> None:
    following, moment = [], next_due(times, zone, now)
    while moment and len(following) < 8:
        following.append(moment)
        assert due(times, zone, moment) == moment
        moment = next_due(times, zone, moment)
    local_days = [each.astimezone(ZoneInfo(zone)).date() for each in following]
    assert local_days == sorted(set(local_days))
    assert all(each > now for each in following)
