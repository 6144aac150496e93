"""The shifts of a roster as iCalendar (RFC 5545), for subscription by calendar programs. Times are in UTC."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from icalendar import Calendar, Event

from registry.duty.roster import Roster
from registry.duty.shifts import DutyShift
from telemetry.instant import NS_PER_S

PRODUCT = "-//Liftwatch//Duty//EN"
REFRESH = "PT15M"


def calendar_feed(
    roster: Roster, shifts: Iterable[DutyShift], names: Mapping[str, str], now_ns: int, person_id: str | None = None
) -> bytes:
    """Return shifts as a calendar: those of one person, or all, with gaps as events without people.

    `names` are the names of people by their ids; who has none is listed by the id.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", roster.name)
    calendar.add("x-wr-timezone", roster.timezone)
    calendar.add("x-published-ttl", REFRESH)
    for shift in shifts:
        if person_id is None or person_id in shift.people:
            calendar.add_component(_event(roster, shift, names, now_ns))
    return bytes(calendar.to_ical())


def _event(roster: Roster, shift: DutyShift, names: Mapping[str, str], now_ns: int) -> Event:
    event = Event()
    event.add("uid", f"{roster.roster_id}-{shift.from_ns // NS_PER_S}@liftwatch")
    event.add("dtstamp", _moment(now_ns))
    event.add("dtstart", _moment(shift.from_ns))
    event.add("dtend", _moment(shift.until_ns))
    who = ", ".join(names.get(each, each) for each in shift.people) or "— ! —"
    event.add("summary", f"{who} · {roster.name}")
    event.add("transp", "TRANSPARENT")
    if shift.rotation is not None:
        event.add("categories", [shift.rotation])
    return event


def _moment(t_ns: int) -> datetime:
    return datetime.fromtimestamp(t_ns // NS_PER_S, UTC)
