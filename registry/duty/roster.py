"""Rosters: rotations, and overrides of single times, of the people of an organisation who are on duty.

A rotation divides its days into shifts at its hand-over times and gives them to its turns, one after another. Where
several rotations have a shift at an instant, the first in the list counts. Overrides replace whoever that is.

    turn    a turn is followed by the next one …
    day     with every day of the rotation: of a rotation of Mondays to Fridays, Monday follows Friday
    week    on the day of the week of `starts_on`
    shift   at every hand-over

With several hand-overs a day and turns of days or weeks, the shifts of one day belong to successive turns: in a
rotation of weeks with three hand-overs, each turn has a week of early shifts, then of night shifts, then of late ones.
"""

from __future__ import annotations

from dataclasses import dataclass

EVERY_DAY = frozenset(range(7))
DAY, WEEK, SHIFT = "day", "week", "shift"
TURNS = (DAY, WEEK, SHIFT)
INCLUDED, EXCLUDED, ONLY = "included", "excluded", "only"
ON_HOLIDAYS = (INCLUDED, EXCLUDED, ONLY)

Team = tuple[str, ...]
"""The ids of people who are on duty together."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """Turns that follow each other from the day `starts_on`; `hand_over` and `until` are minutes since midnight.

    The last shift of a day ends at `until`, on the next day where that is not after the last hand-over; None: with the
    first hand-over of the next day. A turn has `every` days, weeks or shifts.
    """

    name: str
    turns: tuple[Team, ...]
    starts_on: int
    turn: str = WEEK
    every: int = 1
    hand_over: tuple[int, ...] = (8 * 60,)
    until: int | None = None
    weekdays: frozenset[int] = EVERY_DAY
    on_holidays: str = INCLUDED
    ends_on: int | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """A time in which `people` are on duty instead of everybody else, or instead of `replaces` alone.

    Without people, `replaces` is absent. Of two overrides of one instant the later in the list is applied to the
    result of the other.
    """

    override_id: str
    from_ns: int
    until_ns: int
    people: Team = ()
    replaces: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Roster:
    """The rotations and overrides of an organisation, in one time zone.

    `holidays` is a place of public holidays, such as `CN` or `DE-BY`; `extra_holidays` are further days.
    """

    roster_id: str
    organisation_id: str
    name: str
    timezone: str
    rotations: tuple[Rotation, ...] = ()
    overrides: tuple[Override, ...] = ()
    holidays: str | None = None
    extra_holidays: frozenset[int] = frozenset()
    revision: int = 0

    @property
    def people(self) -> frozenset[str]:
        """The ids of everybody whom the roster names."""
        turns = [team for rotation in self.rotations for team in rotation.turns]
        return frozenset(person for team in [*turns, *(each.people for each in self.overrides)] for person in team)
