"""A plain reading of a roster, minute by minute: slow, and held against `registry.duty.shifts`.

The wall clock of a roster never goes back: while clocks are set back, the time that was reached stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from registry.duty.roster import Roster, Rotation
from registry.duty.shifts import is_holiday

MINUTE_NS = 60 * 1_000_000_000


def people_by_minute(roster: Roster, from_ns: int, minutes: int) -> Iterator[tuple[str, ...]]:
    """Yield who is on duty in each minute."""
    zone = ZoneInfo(roster.timezone)
    warm_up = 3 * 60
    reached = datetime(1, 1, 1)  # noqa: DTZ001 (a wall clock)
    for number in range(-warm_up, minutes):
        t_ns = from_ns + number * MINUTE_NS
        local = datetime.fromtimestamp(t_ns // 1_000_000_000, UTC).astimezone(zone).replace(tzinfo=None)
        reached = max(reached, local)
        if number >= 0:
            yield _overridden(roster, t_ns, _planned(roster, reached))


def _planned(roster: Roster, local: datetime) -> tuple[str, ...]:
    for rotation in roster.rotations:
        for day in (local.date() - timedelta(days=back) for back in range(3)):
            if not _covers(roster, rotation, day):
                continue
            for number, (begin, end) in enumerate(_times(rotation, day)):
                if begin <= local < end:
                    return rotation.turns[_turn(roster, rotation, day, number) % len(rotation.turns)]
    return ()


def _times(rotation: Rotation, day: date) -> list[tuple[datetime, datetime]]:
    midnight = datetime.combine(day, datetime.min.time())
    begins = [midnight + timedelta(minutes=each) for each in rotation.hand_over]
    if rotation.until is None:
        last = begins[0] + timedelta(days=1)
    else:
        last = midnight + timedelta(minutes=rotation.until)
        if last <= begins[-1]:
            last += timedelta(days=1)
    return list(zip(begins, [*begins[1:], last], strict=True))


def _covers(roster: Roster, rotation: Rotation, day: date) -> bool:
    number = day.toordinal()
    if number < rotation.starts_on or (rotation.ends_on is not None and number > rotation.ends_on):
        return False
    if day.weekday() not in rotation.weekdays:
        return False
    free = is_holiday(roster, number)
    return {"included": True, "excluded": not free, "only": free}[rotation.on_holidays]


def _turn(roster: Roster, rotation: Rotation, day: date, number: int) -> int:
    start = date.fromordinal(rotation.starts_on)
    if rotation.turn == "week":
        return ((day - start).days // 7) // rotation.every + number
    before = 0
    while start < day:
        counts = start.weekday() in rotation.weekdays
        if rotation.on_holidays == "only":
            counts = counts and is_holiday(roster, start.toordinal())
        before, start = before + counts, start + timedelta(days=1)
    if rotation.turn == "day":
        return before // rotation.every + number
    return (before * len(rotation.hand_over) + number) // rotation.every


def _overridden(roster: Roster, t_ns: int, people: tuple[str, ...]) -> tuple[str, ...]:
    for each in roster.overrides:
        if each.from_ns <= t_ns < each.until_ns:
            if each.replaces is None:
                people = each.people
            elif each.replaces in people:
                rest = [one for one in people if one != each.replaces]
                people = tuple(rest + [one for one in each.people if one not in rest])
    return people
