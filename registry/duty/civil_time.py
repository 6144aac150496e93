"""Local days and times of day as numbers, and the instants at which a local clock reaches them.

A day is its proleptic Gregorian ordinal, a time of day its minutes since midnight. A local time belongs to the first
instant at which the clock shows that time or a later one: where clocks are set forward, the instant of the change;
where they are set back, the first of the two. So one shift ends at the instant at which the next one begins.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY_MINUTES = 24 * 60
MINUTE_NS = 60 * 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)


def day_from_text(text: str) -> int:
    """Return the day of a date YYYY-MM-DD."""
    return date.fromisoformat(text).toordinal()


def day_text(day: int) -> str:
    """Return a day as YYYY-MM-DD."""
    return date.fromordinal(day).isoformat()


def year_of(day: int) -> int:
    """Return the year of a day."""
    return date.fromordinal(day).year


def weekday_of(day: int) -> int:
    """Return the day of the week, 0 for Monday."""
    return (day + 6) % 7


def local_clock(t_ns: int, zone: str) -> tuple[int, int]:
    """Return the local day and the local minute of the day of an instant."""
    local = (_EPOCH + timedelta(microseconds=t_ns // 1000)).astimezone(_zone(zone))
    return local.toordinal(), local.hour * 60 + local.minute


def instant_of(day: int, minute: int, zone: str) -> int:
    """Return the first instant at which the clock of a zone shows a minute of a day, or a later one."""
    return _minutes_since_epoch(day, minute, zone) * MINUTE_NS


@lru_cache(1 << 16)
def _minutes_since_epoch(day: int, minute: int, zone: str) -> int:
    wanted = datetime.fromordinal(day) + minute * _MINUTE
    place = _zone(zone)
    at = _minutes(wanted.replace(tzinfo=place))
    if _local(at, place) == wanted:
        return at
    earliest = _minutes(wanted.replace(tzinfo=place, fold=1))  # the time does not exist: clocks are set forward past it
    return bisect_left(range(at), True, lo=earliest, key=lambda each: _local(each, place) >= wanted)


def _minutes(moment: datetime) -> int:
    return (moment.astimezone(UTC) - _EPOCH) // _MINUTE


def _local(minutes: int, place: ZoneInfo) -> datetime:
    return (_EPOCH + minutes * _MINUTE).astimezone(place).replace(tzinfo=None)


@lru_cache(64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
