"""Hours of a week: inside, outside, and when they end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from registry.duty.civil_time import MINUTE_NS
from registry.duty.hours import WeeklyHours
from telemetry.instant import parse

NIGHT = WeeklyHours("Europe/Berlin", 22 * 60, 6 * 60, frozenset({4}))  # Friday to Saturday
FRIDAY_NS = parse("2026-01-09T12:00:00Z")


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin() -> None:
    times = ("2026-01-09T20:59:00Z", "2026-01-09T21:00:00Z", "2026-01-10T04:59:00Z", "2026-01-10T05:00:00Z")
    assert [NIGHT.has(parse(each)) for each in times] == [False, True, True, False]
    assert NIGHT.end_of(parse("2026-01-10T01:00:00Z")) == parse("2026-01-10T05:00:00Z")
    assert NIGHT.last_end(parse("2026-01-12T00:00:00Z")) == parse("2026-01-10T05:00:00Z")


def test_hours_of_days_that_touch_end_with_the_last() -> None:
    weekend = WeeklyHours("UTC", 0, 0, frozenset({5, 6}))
    assert weekend.end_of(parse("2026-01-10T12:00:00Z")) == parse("2026-01-12T00:00:00Z")


@given(st.integers(0, 1439), st.integers(0, 1439), st.frozensets(st.integers(0, 6)), st.integers(0, 10_000))
def test_outside_begins_where_hours_end(begins: int, ends: int, days: frozenset[int], minute: int) -> None:
    hours = WeeklyHours("America/New_York", begins, ends, days)
    t_ns = FRIDAY_NS + minute * MINUTE_NS
    end_ns = hours.end_of(t_ns)
    assert hours.has(t_ns) == (end_ns is not None)
    if end_ns is not None and end_ns - t_ns < 8 * 24 * 60 * MINUTE_NS:
        assert not hours.has(end_ns)
        assert hours.has(end_ns - 1)
        assert hours.last_end(end_ns) == end_ns
