"""Checks of the registry's fields, the same for a JSON value and for the text of a CSV cell.

A check returns the value as the registry stores it, or raises `InvalidFact` with the error and a remedy. Ranges are
wide: they catch a wrong unit or decimal point, not an unusual lift.
"""

from __future__ import annotations

import re
import sys
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import lru_cache
from itertools import pairwise
from typing import Any

from telemetry.streams import DISTRICT_PATTERN, LIFT_ID_PATTERN

TEXT_LIMIT_CHARS = 200
LABEL_LIMIT_CHARS = 16
FLOORS_LIMIT = 250
FLOORS_CACHED = 1024  # the lifts of a building, and those of a builder, have the same
HEIGHT_LIMIT_M = 1000.0

ABSOLUTE, BAROMETER = "absolute", "barometer"
POSITION_SOURCES = (ABSOLUTE, "tape", "laser", "encoder", BAROMETER)
"""`ABSOLUTE` is any source that is exact to millimetres; air pressure is exact to a floor."""
SPEED_SOURCES = ("encoder", "integrated", "derived")
"""An encoder at the machine or the governor; integrated from acceleration; derived from the position."""

_BIDIRECTIONAL = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # Unicode's Bidi_Control
_OFFSET = re.compile(r"(Etc/)?(UTC|GMT)?\s*[+-]\d{1,2}(:?\d\d)?", re.IGNORECASE)
_ZONE_NICKNAMES = ("beijing", "cst", "bjt", "china standard time", "asia/beijing", "prc standard time")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_PHONE = re.compile(r"[0-9+(][0-9 ()/+.-]{1,30}[0-9]")
_ROPING = re.compile(r"[1-9]:[1-9]")
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class InvalidFact(ValueError):
    """A value that cannot be a fact: the error and a remedy."""

    def __init__(self, wrong: str, remedy: str) -> None:
        super().__init__(f"{wrong}; {remedy}")
        self.wrong = wrong
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class FieldError:
    """One error of a row: the field, what is wrong, and a remedy."""

    field: str
    wrong: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.field}: {self.wrong}; {self.remedy}"


Check = Callable[[Any], Any]


def preview(value: Any) -> str:
    """Return a short preview of an untrusted value."""
    return repr(value[:40]) if isinstance(value, str) else f"a {type(value).__name__}"


def text(value: Any) -> str:
    """Return a text without surrounding blanks."""
    if not isinstance(value, str):
        raise InvalidFact(f"{preview(value)} is not a text", "write a text")
    stripped = value.strip()
    if len(stripped) > TEXT_LIMIT_CHARS:
        raise InvalidFact(f"has {len(stripped)} characters", f"write at most {TEXT_LIMIT_CHARS}")
    reverser = bidirectional_control(stripped)
    if reverser is not None:
        raise InvalidFact(f"holds the bidirectional control character {reverser}", "remove it: it reorders the text")
    if not stripped.isprintable():
        raise InvalidFact("holds a control character", "write it on one line, without tabs")
    return stripped


def bidirectional_control(text: str) -> str | None:
    """Return the code point of the first character that reorders the text around it, as `U+202E`; None without one."""
    found = _BIDIRECTIONAL.search(text)
    return f"U+{ord(found[0]):04X}" if found else None


def pattern(form: re.Pattern[str], remedy: str) -> Check:
    """Return a check of a text against a pattern."""

    def check(value: Any) -> str:
        stripped = text(value)
        if not form.fullmatch(stripped):
            raise InvalidFact(f"{preview(value)} is not of the right form", remedy)
        return stripped

    return check


def number(low: float, high: float, unit: str) -> Check:
    """Return a check of a number from `low` to `high`, both included."""

    def check(value: Any) -> float:
        if isinstance(value, str):
            if not _NUMBER.fullmatch(value.strip()):
                raise InvalidFact(
                    f"{preview(value)} is not a number", f"write {unit} as digits with a point, without a unit"
                )
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidFact(f"{preview(value)} is not a number", f"write {unit}")
        if not low <= value <= high:
            size = f"{value:g}" if abs(value) < sys.float_info.max else "the number"
            raise InvalidFact(f"{size} is out of range", f"write {unit} from {low:g} to {high:g}")
        return float(value)

    return check


def whole_number(low: int, high: int, unit: str) -> Check:
    """Return a check of a whole number from `low` to `high`, both included."""
    within = number(low, high, unit)

    def check(value: Any) -> int:
        checked = within(value)
        if checked != int(checked):
            raise InvalidFact(f"{checked:g} is not a whole number", f"write {unit}, a whole number")
        return int(checked)

    return check


def choice(*names: str) -> Check:
    """Return a check of one of a few texts."""

    def check(value: Any) -> str:
        stripped = text(value)
        if stripped not in names:
            raise InvalidFact(f"{preview(value)} is not known", f"write one of {', '.join(names)}")
        return stripped

    return check


def boolean(value: Any) -> bool:
    """Return a truth value."""
    flag = _TRUTH.get(value.strip().lower()) if isinstance(value, str) else value
    if not isinstance(flag, bool):
        raise InvalidFact(f"{preview(value)} is neither true nor false", "write true or false")
    return flag


def day(value: Any) -> str:
    """Return a date as YYYY-MM-DD."""
    stripped = text(value)
    try:
        if not _DATE.fullmatch(stripped):
            raise ValueError
        return date.fromisoformat(stripped).isoformat()
    except ValueError:
        raise InvalidFact(f"{preview(value)} is not a date", "write it as YYYY-MM-DD") from None


def timezone(value: Any) -> str:
    """Return the name of a time zone of the IANA database."""
    stripped = text(value)
    if stripped not in _timezones():
        if _OFFSET.fullmatch(stripped):
            remedy = "write the IANA name of the lift's place, such as Asia/Shanghai for UTC+8"
            raise InvalidFact(f"{preview(value)} is an offset, not a time zone", remedy)
        near = ["Asia/Shanghai"] if stripped.lower() in _ZONE_NICKNAMES else []
        near = near or get_close_matches(stripped, _timezones(), n=1)
        remedy = f"did you mean {near[0]}?" if near else "write an IANA name such as Asia/Shanghai"
        raise InvalidFact(f"{preview(value)} is not a time zone", remedy)
    return stripped


@lru_cache(1)
def _timezones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def floors(value: Any) -> tuple[tuple[str, float], ...]:
    """Return (label, height above the lowest landing in m) of each landing, from the lowest up."""
    return _floors_of_cell(value) if isinstance(value, str) else _landings([_pair(item) for item in _list(value)])


@lru_cache(FLOORS_CACHED)
def _floors_of_cell(cell: str) -> tuple[tuple[str, float], ...]:
    return _landings(_split(cell))


def _landings(pairs: Sequence[tuple[Any, Any]]) -> tuple[tuple[str, float], ...]:
    landings = tuple((_label(label), _height(height)) for label, height in pairs)
    if len(landings) > FLOORS_LIMIT:
        raise InvalidFact(f"{len(landings)} landings", f"write at most {FLOORS_LIMIT}")
    if landings and landings[0][1] != 0:
        raise InvalidFact(
            f"the lowest landing is at {landings[0][1]:g} m", "measure heights from it, so that it is at 0"
        )
    for (below, low), (label, height) in pairwise(landings):
        if height <= low:
            raise InvalidFact(
                f"{label!r} at {height:g} m is not above {below!r} at {low:g} m", "list landings from the lowest up"
            )
    return landings


_height = number(-HEIGHT_LIMIT_M, HEIGHT_LIMIT_M, "the height in metres")


def _label(value: Any) -> str:
    label = text(str(value) if type(value) is int else value)
    if not 0 < len(label) <= LABEL_LIMIT_CHARS or ":" in label or ";" in label:
        raise InvalidFact(
            f"{preview(label)} cannot be a label", f"write 1 to {LABEL_LIMIT_CHARS} characters without : and ;"
        )
    return label


def _split(cell: str) -> list[tuple[str, str]]:
    pairs = []
    for item in filter(None, map(str.strip, cell.split(";"))):
        label, colon, height = item.partition(":")
        if not colon:
            raise InvalidFact(f"{preview(item)} has no height", "write label:height;label:height, as in 1:0;2:3.2")
        pairs.append((label, height))
    return pairs


def _list(value: Any) -> list[Any] | tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise InvalidFact(f"{preview(value)} is not a list", "write landings with label and height_m, the lowest first")
    return value


def _pair(item: Any) -> tuple[Any, Any]:
    if not isinstance(item, Mapping) or set(item) != {"label", "height_m"}:
        raise InvalidFact(f"{preview(item)} is not a landing", "write its label and height_m")
    return item["label"], item["height_m"]


CHECKS: Mapping[str, Check] = {
    "lift_id": pattern(LIFT_ID_PATTERN, "write 1 to 64 of A-Z, a-z, 0-9, _ and -"),
    "district": pattern(DISTRICT_PATTERN, "write 1 to 32 of a-z, 0-9 and -"),
    "name": text,
    "address": text,
    "lat": number(-90, 90, "degrees north"),
    "lon": number(-180, 180, "degrees east"),
    "timezone": timezone,
    "building_type": text,
    "manufacturer": text,
    "model": text,
    "installed_on": day,
    "rated_speed_mps": number(0.05, 25, "metres a second"),
    "rated_load_kg": number(20, 50_000, "kilograms"),
    "floors": floors,
    "door_type": choice("centre", "side"),
    "door_width_mm": number(300, 6_000, "millimetres"),
    "roping": pattern(_ROPING, "write it as in 2:1"),
    "sheave_diameter_m": number(0.05, 3, "metres"),
    "owner": text,
    "maintenance_firm": text,
    "gateway_id": pattern(
        LIFT_ID_PATTERN, "write the gateway's own id, as in its topic: 1 to 64 of A-Z, a-z, 0-9, _ and -"
    ),
    "insurer": text,
    "insured_until": day,
    "last_inspection_on": day,
    "next_inspection_due_on": day,
    "emergency_phone": pattern(_PHONE, "write digits, with + ( ) / . - and blanks between them"),
    "door_zone_m": number(0.01, 0.5, "metres, half the height of the zone"),
    "parks_door_open": boolean,
    "position_source": choice(*POSITION_SOURCES),
    "speed_source": choice(*SPEED_SOURCES),
    "bearing_balls": whole_number(3, 100, "the balls or rollers of one row of the bearing"),
    "bearing_ratio": number(0.01, 0.6, "the ratio of ball diameter to pitch diameter"),
    "bearing_contact_deg": number(0, 60, "degrees of contact angle"),
}
"""Every field of the registry, in the order of the contract."""


def unknown_field(field: str) -> FieldError:
    """Return the error of an unknown field, with the nearest known one."""
    near = get_close_matches(field.strip().lower(), CHECKS, n=1)
    remedy = f"did you mean {near[0]}?" if near else f"the registry has {', '.join(CHECKS)}"
    return FieldError(field[:40], "is not a field of the registry", remedy)
