"""Shifts of a roster: who is on duty from when until when, without holes, so that a gap is a shift of nobody.

rotations ──► their shifts ──► cut at every edge ──► first rotation that has one ──► overrides in their order
                                                                                ──► neighbours of one turn joined
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from registry.duty.civil_time import DAY_MINUTES, instant_of, local_clock, weekday_of, year_of
from registry.duty.public_holidays import public_holidays
from registry.duty.roster import DAY, INCLUDED, ONLY, WEEK, Override, Roster, Rotation, Team

LONGEST_SHIFT_DAYS = 2


@dataclass(frozen=True, slots=True)
class DutyShift:
    """People who are on duty together, from `from_ns` until before `until_ns`; nobody in a gap.

    `rotation` names the rotation, None where none has a shift; `turn` is the number of its turn since it began;
    `is_override` is whether an override changed who is on duty.
    """

    from_ns: int
    until_ns: int
    people: Team = ()
    rotation: str | None = None
    turn: int = 0
    is_override: bool = False

    @property
    def is_gap(self) -> bool:
        """Whether nobody is on duty."""
        return not self.people


def shifts(roster: Roster, from_ns: int, until_ns: int) -> list[DutyShift]:
    """Return the shifts of a roster from `from_ns` until `until_ns`, the first and the last cut there."""
    planned = [list(_shifts_of(roster, each, from_ns, until_ns)) for each in roster.rotations]
    edges = {from_ns, until_ns}
    for edge_ns in _edges(planned, roster.overrides):
        if from_ns < edge_ns < until_ns:
            edges.add(edge_ns)
    starts = [[shift.from_ns for shift in some] for some in planned]
    found: list[DutyShift] = []
    for begin_ns, end_ns in pairwise(sorted(edges)):
        piece = _overridden(_first_at(begin_ns, planned, starts), roster.overrides, begin_ns)
        piece = replace(piece, from_ns=begin_ns, until_ns=end_ns)
        if found and replace(piece, from_ns=found[-1].from_ns, until_ns=found[-1].until_ns) == found[-1]:
            found[-1] = replace(found[-1], until_ns=end_ns)
        else:
            found.append(piece)
    return found


def on_duty(roster: Roster, now_ns: int) -> Team:
    """Return the people on duty at an instant, from whom `alerts.escalation.targets` takes the duty person to call."""
    (shift,) = shifts(roster, now_ns, now_ns + 1)
    return shift.people


def now_and_next(roster: Roster, now_ns: int, until_ns: int) -> tuple[DutyShift, DutyShift | None]:
    """Return the shift of now, and the next one with other people before `until_ns`; each ends where people change."""
    joined: list[DutyShift] = []
    for each in shifts(roster, now_ns, until_ns):
        if joined and joined[-1].people == each.people:
            joined[-1] = replace(joined[-1], until_ns=each.until_ns)
        else:
            joined.append(each)
    return joined[0], next(iter(joined[1:]), None)


def gaps(roster: Roster, from_ns: int, until_ns: int) -> list[DutyShift]:
    """Return the times in which nobody is on duty."""
    found: list[DutyShift] = []
    for each in shifts(roster, from_ns, until_ns):
        if each.is_gap and found and found[-1].until_ns == each.from_ns:
            found[-1] = replace(found[-1], until_ns=each.until_ns)
        elif each.is_gap:
            found.append(each)
    return found


def _edges(planned: list[list[DutyShift]], overrides: tuple[Override, ...]) -> Iterator[int]:
    for some in planned:
        for shift in some:
            yield from (shift.from_ns, shift.until_ns)
    for override in overrides:
        yield from (override.from_ns, override.until_ns)


def _first_at(t_ns: int, planned: list[list[DutyShift]], starts: list[list[int]]) -> DutyShift:
    """Return the shift at an instant of the first rotation that has one; a gap where none has."""
    for some, begins in zip(planned, starts, strict=True):
        latest = bisect_right(begins, t_ns) - 1
        if latest >= 0 and t_ns < some[latest].until_ns:
            return some[latest]
    return DutyShift(t_ns, t_ns)


def _overridden(shift: DutyShift, overrides: tuple[Override, ...], t_ns: int) -> DutyShift:
    people = shift.people
    for each in overrides:
        if not each.from_ns <= t_ns < each.until_ns:
            continue
        if each.replaces is None:
            people = each.people
        elif each.replaces in people:
            others = (one for one in people if one != each.replaces)
            people = tuple(dict.fromkeys((*others, *each.people)))
    return shift if people == shift.people else replace(shift, people=people, is_override=True)


def _shifts_of(roster: Roster, rotation: Rotation, from_ns: int, until_ns: int) -> Iterator[DutyShift]:
    """Yield the shifts of a rotation that begin before `until_ns` and end after `from_ns`, in their order."""
    first = max(local_clock(from_ns, roster.timezone)[0] - LONGEST_SHIFT_DAYS, rotation.starts_on)
    last = local_clock(until_ns, roster.timezone)[0]
    last = last if rotation.ends_on is None else min(last, rotation.ends_on)
    for day in range(first, last + 1):
        if not _has_day(roster, rotation, day):
            continue
        edges = [instant_of(day, minute, roster.timezone) for minute in rotation.hand_over]
        edges.append(_end_of(rotation, day, roster.timezone))
        for number, (begin_ns, end_ns) in enumerate(pairwise(edges)):
            if max(begin_ns, from_ns) < min(end_ns, until_ns):
                turn = _turn(roster, rotation, day, number)
                people = rotation.turns[turn % len(rotation.turns)]
                yield DutyShift(begin_ns, end_ns, people, rotation.name, turn)


def _end_of(rotation: Rotation, day: int, zone: str) -> int:
    end = rotation.hand_over[0] + DAY_MINUTES if rotation.until is None else rotation.until
    if end <= rotation.hand_over[-1]:
        end += DAY_MINUTES
    return instant_of(day + end // DAY_MINUTES, end % DAY_MINUTES, zone)


def _has_day(roster: Roster, rotation: Rotation, day: int) -> bool:
    if weekday_of(day) not in rotation.weekdays:
        return False
    return rotation.on_holidays == INCLUDED or is_holiday(roster, day) is (rotation.on_holidays == ONLY)


def is_holiday(roster: Roster, day: int) -> bool:
    """Return whether a day is a holiday of a roster."""
    return day in _holidays_of(roster.holidays, roster.extra_holidays, year_of(day))


@lru_cache(4096)
def _holidays_of(place: str | None, extra: frozenset[int], year: int) -> frozenset[int]:
    """Return the days of a year that are public holidays of a place, or further ones of a roster."""
    public = frozenset[int]() if place is None else public_holidays(place, year)
    return public | {each for each in extra if year_of(each) == year}


def _turn(roster: Roster, rotation: Rotation, day: int, shift: int) -> int:
    """Return the number of the turn that has a shift of a day; `shift` is 0 for the first of the day."""
    if rotation.turn == WEEK:
        return (day - rotation.starts_on) // 7 // rotation.every + shift
    days = _days_before(roster, rotation, day)
    if rotation.turn == DAY:
        return days // rotation.every + shift
    return (days * len(rotation.hand_over) + shift) // rotation.every


def _days_before(roster: Roster, rotation: Rotation, day: int) -> int:
    """Return the number of days of the rotation before a day.

    A holiday that the rotation leaves out uses up its turn, so that a new holiday does not move all later turns.
    """
    if rotation.on_holidays == ONLY:
        years = range(year_of(rotation.starts_on), year_of(day) + 1)
        found = [each for year in years for each in _holidays_of(roster.holidays, roster.extra_holidays, year)]
        return sum(rotation.starts_on <= each < day and weekday_of(each) in rotation.weekdays for each in found)
    weeks, rest = divmod(day - rotation.starts_on, 7)
    first = weekday_of(rotation.starts_on)
    return weeks * len(rotation.weekdays) + sum((first + each) % 7 in rotation.weekdays for each in range(rest))
