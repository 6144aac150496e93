"""A roster as iCalendar, read back by the library."""

from __future__ import annotations

from typing import Any

from icalendar import Calendar

from registry.duty.calendar_feed import calendar_feed
from registry.duty.civil_time import day_from_text
from registry.duty.roster import Roster, Rotation
from registry.duty.shifts import shifts
from telemetry.instant import parse

MONDAY = day_from_text("2026-01-05")
NIGHTS = Rotation("nights", (("a",), ("b",)), MONDAY, "day", hand_over=(18 * 60,), until=8 * 60)
ROSTER = Roster("r1", "o1", "夜班; X-EVIL:1, \\n", "Asia/Shanghai", (NIGHTS,))
FROM_NS = parse("2026-01-05T10:00:00Z")


def events(person_id: str | None = None) -> list[dict[str, Any]]:
    """Return the events of two days of the feed."""
    found = shifts(ROSTER, FROM_NS, parse("2026-01-07T10:00:00Z"))
    feed = calendar_feed(ROSTER, found, {"a": "Ada; 艾达, night"}, FROM_NS, person_id)
    calendar = Calendar.from_ical(feed)
    assert ROSTER.name in str(calendar["x-wr-calname"])
    names = ("uid", "summary", "dtstart", "dtend")
    return [{name: each.decoded(name) for name in names} for each in calendar.walk("VEVENT")]


def test_each_shift_is_an_event_and_a_gap_is_one_without_people() -> None:
    found = events()
    assert [each["summary"].split(" ·")[0] for each in found] == ["Ada; 艾达, night", "— ! —", "b", "— ! —"]
    assert [each["dtstart"].isoformat() for each in found[:2]] == [
        "2026-01-05T10:00:00+00:00",
        "2026-01-06T00:00:00+00:00",
    ]
    assert len({each["uid"] for each in found}) == 4


def test_a_feed_of_a_person_holds_their_shifts_alone() -> None:
    assert [each["summary"].split(" ·")[0] for each in events("a")] == ["Ada; 艾达, night"]
    assert events("nobody") == []
