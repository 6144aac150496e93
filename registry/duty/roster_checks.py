"""Checks of the fields of a roster, and a roster as JSON; an error names the field by place: `rotations[0].turns`.

The form of the JSON is in docs/duty.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from registry.duty.civil_time import DAY_MINUTES, day_from_text, day_text
from registry.duty.public_holidays import holiday_place
from registry.duty.roster import EVERY_DAY, INCLUDED, ON_HOLIDAYS, TURNS, WEEK, Override, Roster, Rotation, Team
from registry.fact_checks import Check, FieldError, InvalidFact, choice, day, preview, text, timezone, whole_number
from telemetry.instant import EXAMPLE, parse, rfc3339

ROTATIONS_LIMIT = 20
TURNS_LIMIT = 100
TEAM_LIMIT = 20
SHIFTS_A_DAY_LIMIT = 12
OVERRIDES_LIMIT = 500
EXTRA_HOLIDAYS_LIMIT = 200
FIRST_DAY, LAST_DAY = "1990-01-01", "2199-12-31"
OVERRIDE_LIMIT_NS = 366 * DAY_MINUTES * 60 * 1_000_000_000
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


class FieldReader:
    """Reads the fields of one JSON object with checks, and collects the errors of all of them.

    `people` are the ids of those who may be named; None: any.
    """

    def __init__(self, given: Any, place: str, errors: list[FieldError], people: Collection[str] | None) -> None:
        self._is_object = isinstance(given, Mapping)
        self._given: Mapping[str, Any] = given if self._is_object else {}
        self._place, self.errors, self.people = place, errors, people
        if not self._is_object:
            self.fail("", f"{preview(given)} is not an object", "write an object with fields")

    def fail(self, field: str, wrong: str, remedy: str) -> None:
        """Add an error of a field."""
        name = f"{self._place}.{field}" if self._place and field else self._place or field
        self.errors.append(FieldError(name, wrong, remedy))

    def read(self, field: str, check: Check, default: Any = None, *, required: bool = False) -> Any:
        """Return a checked field, the default where it is missing or not valid."""
        value = self._given.get(field)
        if value is None or value == "":
            if required and self._is_object:
                self.fail(field, "is missing", "give one")
            return default
        try:
            return check(value)
        except InvalidFact as error:
            self.fail(field, error.wrong, error.remedy)
            return default

    def objects(self, field: str, limit: int) -> list[FieldReader]:
        """Return a reader of each object of a list."""
        items = self.read(field, list_of(lambda each: each, limit), ())
        place = f"{self._place}.{field}" if self._place else field
        return [FieldReader(each, f"{place}[{at}]", self.errors, self.people) for at, each in enumerate(items)]

    def object_of(self, field: str, known: Collection[str]) -> FieldReader | None:
        """Return a reader of an object with known fields, None where the field is missing."""
        value = self._given.get(field)
        if value is None:
            return None
        reader = FieldReader(value, f"{self._place}.{field}" if self._place else field, self.errors, self.people)
        reader.refuse_unknown(known)
        return reader

    def refuse_unknown(self, known: Collection[str]) -> None:
        """Add an error of each field that is not known."""
        for name in sorted(set(map(str, self._given)) - set(known)):
            self.fail(name[:40], "is not known", f"write some of {', '.join(known)}")

    def team(self, value: Any) -> Team:
        """Check a list of the ids of people who are on duty together."""
        ids = list_of(text, TEAM_LIMIT)(value)
        strangers = [each for each in ids if self.people is not None and each not in self.people]
        if strangers:
            raise InvalidFact(f"{preview(strangers[0])} is nobody of the organisation", "name its people by their ids")
        return tuple(dict.fromkeys(ids))


def list_of(check: Callable[[Any], Any], limit: int, least: int = 0) -> Check:
    """Return a check of a list of checked values."""

    def checked(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise InvalidFact(f"{preview(value)} is not a list", "write a list")
        if not least <= len(value) <= limit:
            raise InvalidFact(f"has {len(value)} entries", f"give {least} to {limit}")
        return tuple(check(each) for each in value)

    return checked


def clock(value: Any) -> int:
    """Return a time of day, HH:MM, as minutes since midnight."""
    found = _CLOCK.fullmatch(text(value))
    if not found:
        raise InvalidFact(f"{preview(value)} is not a time of day", "write it as 08:00")
    return int(found[1]) * 60 + int(found[2])


def clock_text(minute: int) -> str:
    """Return minutes since midnight as HH:MM."""
    return f"{minute // 60:02}:{minute % 60:02}"


def weekdays(value: Any) -> frozenset[int]:
    """Return days of the week by number, 0 for Monday."""
    names = list_of(choice(*WEEKDAYS), 7, least=1)(value)
    return frozenset(WEEKDAYS.index(each) for each in names)


def weekday_names(days: Collection[int]) -> list[str]:
    """Return days of the week by name."""
    return [WEEKDAYS[each] for each in sorted(days)]


def moment(value: Any) -> int:
    """Return an instant, given as RFC 3339."""
    try:
        return parse(text(value))
    except ValueError as error:
        if isinstance(error, InvalidFact):
            raise
        raise InvalidFact(f"{preview(value)} is not a time with a zone", f"write it as {EXAMPLE}") from None


def _day(value: Any) -> int:
    checked = day(value)
    if not FIRST_DAY <= checked <= LAST_DAY:
        raise InvalidFact(f"{checked} lies outside {FIRST_DAY} to {LAST_DAY}", "write the year with four digits")
    return day_from_text(checked)


ROSTER_FIELDS = ("name", "timezone", "rotations", "holidays", "extra_holidays")
ROTATION_FIELDS = (
    "name", "turns", "starts_on", "turn", "every", "hand_over", "until", "weekdays", "on_holidays", "ends_on",
)  # fmt: skip
OVERRIDE_FIELDS = ("from", "until", "people", "replaces", "note")


def read_roster(
    given: Any, roster_id: str, organisation_id: str, people: Collection[str] | None = None
) -> tuple[Roster, list[FieldError]]:
    """Return the roster that a JSON object describes, without overrides, and all errors."""
    reader = FieldReader(given, "", [], people)
    reader.refuse_unknown(ROSTER_FIELDS)
    name = reader.read("name", text, "", required=True)
    zone = reader.read("timezone", timezone, "UTC", required=True)
    rotations = tuple(_rotation(each) for each in reader.objects("rotations", ROTATIONS_LIMIT))
    holidays = reader.read("holidays", holiday_place)
    extra = frozenset(reader.read("extra_holidays", list_of(_day, EXTRA_HOLIDAYS_LIMIT), ()))
    return Roster(roster_id, organisation_id, name, zone, rotations, (), holidays, extra), reader.errors


def _rotation(reader: FieldReader) -> Rotation:
    reader.refuse_unknown(ROTATION_FIELDS)
    rotation = Rotation(
        name=reader.read("name", text, "", required=True),
        turns=reader.read("turns", list_of(_somebody(reader), TURNS_LIMIT, least=1), (), required=True),
        starts_on=reader.read("starts_on", _day, 1, required=True),
        turn=reader.read("turn", choice(*TURNS), WEEK),
        every=reader.read("every", whole_number(1, 366, "days, weeks or shifts"), 1),
        hand_over=reader.read("hand_over", list_of(clock, SHIFTS_A_DAY_LIMIT, least=1), (8 * 60,)),
        until=reader.read("until", clock),
        weekdays=reader.read("weekdays", weekdays, EVERY_DAY),
        on_holidays=reader.read("on_holidays", choice(*ON_HOLIDAYS), INCLUDED),
        ends_on=reader.read("ends_on", _day),
    )
    _check_times(reader, rotation)
    return rotation


def _somebody(reader: FieldReader) -> Check:
    def check(value: Any) -> Team:
        team = reader.team(value)
        if not team:
            raise InvalidFact("has a turn of nobody", "name at least one person in each turn, or remove the turn")
        return team

    return check


def _check_times(reader: FieldReader, rotation: Rotation) -> None:
    first, last = rotation.hand_over[0], rotation.hand_over[-1]
    if list(rotation.hand_over) != sorted(set(rotation.hand_over)):
        reader.fail("hand_over", "is not in the order of the day, each time once", "write it as 06:00, 14:00, 22:00")
    if rotation.until is not None and first < rotation.until <= last:
        wrong = f"{clock_text(rotation.until)} lies in the shifts that begin next day"
        reader.fail("until", wrong, f"write a time from {clock_text(last)} to {clock_text(first)} of the next day")
    if rotation.ends_on is not None and rotation.ends_on < rotation.starts_on:
        reader.fail("ends_on", "lies before starts_on", "write a later date")


def read_override(
    given: Any, override_id: str, people: Collection[str] | None = None
) -> tuple[Override, list[FieldError]]:
    """Return the override that a JSON object describes, and all errors."""
    reader = FieldReader(given, "", [], people)
    reader.refuse_unknown(OVERRIDE_FIELDS)
    override = Override(
        override_id,
        reader.read("from", moment, 0, required=True),
        reader.read("until", moment, 0, required=True),
        reader.read("people", reader.team, ()),
        reader.read("replaces", text),
        reader.read("note", text),
    )
    if not reader.errors and not 0 < override.until_ns - override.from_ns <= OVERRIDE_LIMIT_NS:
        reader.fail("until", "is not after from, or more than a year later", "write a later time, within a year")
    if not reader.errors and not override.people and override.replaces is None:
        reader.fail("people", "is empty, so nobody would be on duty", "name who is, or in replaces who is absent")
    return override, reader.errors


def roster_document(roster: Roster) -> dict[str, Any]:
    """Return the fields of a roster as JSON, as `read_roster` reads them."""
    return {
        "name": roster.name,
        "timezone": roster.timezone,
        "holidays": roster.holidays,
        "extra_holidays": [day_text(each) for each in sorted(roster.extra_holidays)],
        "rotations": [rotation_document(each) for each in roster.rotations],
    }


def rotation_document(rotation: Rotation) -> dict[str, Any]:
    """Return a rotation as JSON."""
    return {
        "name": rotation.name,
        "turns": [list(team) for team in rotation.turns],
        "starts_on": day_text(rotation.starts_on),
        "turn": rotation.turn,
        "every": rotation.every,
        "hand_over": [clock_text(each) for each in rotation.hand_over],
        "until": None if rotation.until is None else clock_text(rotation.until),
        "weekdays": weekday_names(rotation.weekdays),
        "on_holidays": rotation.on_holidays,
        "ends_on": None if rotation.ends_on is None else day_text(rotation.ends_on),
    }


def override_document(override: Override) -> dict[str, Any]:
    """Return an override as JSON."""
    return {
        "override_id": override.override_id,
        "from": rfc3339(override.from_ns),
        "until": rfc3339(override.until_ns),
        "people": list(override.people),
        "replaces": override.replaces,
        "note": override.note,
    }
