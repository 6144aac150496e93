"""The rescue of an incident in which somebody may be inside: who was called out, and how urgent it became. Pure.

    called-out ─► accepted (who comes, from where, expected when) ─► arrived (by a scan of the code: `proven`)
               ├► declined with a reason
               └► no answer for `answer_s`

Three levels: 1 the contracted firm, 2 the nearest rescue point of the net, 3 a professional or the fire service. The
level rises by itself and never falls:

    nobody has taken the rescue up after `answer_s`        overdue: answered    at least 2
    everybody called out on this level cannot come         level                the next one
    nobody has arrived after `arrive_s`                    overdue: arrived     3

On a level that has risen, the nearest rescue point or professional of the operator's list is called out by itself,
unless somebody of that level was.

Telemetry only proposes that everybody is out: `release_seen_ns` is when the alert of an entrapment cleared in the last
of the lifts that hold people. An alert, a call or a report that somebody is inside takes it back. A person confirms by
entering the stage `released` (`alerts.incidents.releasing`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

FIRM, RESCUE_POINT, PROFESSIONAL = LEVELS = (1, 2, 3)
ACCEPTED, DECLINED, NO_ANSWER = "accepted", "declined", "no-answer"
ANSWERED, ARRIVED = "answered", "arrived"
"""The two timers."""
CAR, MACHINE_ROOM = PLACES = ("car", "machine-room")
CALL_OUTS_MOST = 50
S_NS = 1_000_000_000
EARTH_KM = 6371.0


@dataclass(frozen=True, slots=True)
class RescueTimes:
    """Within how long a rescue is to be answered, and people are to arrive: in a district, or else anywhere."""

    answer_s: float = 180.0
    arrive_s: float = 1800.0
    arrive_s_of: Mapping[str, float] = field(default_factory=dict)

    def arrive_in(self, district: str) -> float:
        """Return the time until arrival in a district."""
        return self.arrive_s_of.get(district, self.arrive_s)


@dataclass(frozen=True, slots=True)
class CallOut:
    """A call for help to a firm, a rescue point or a person (`who`), and the answer."""

    number: int
    level: int
    who: str
    called_ns: int
    answer: str | None = None
    answered_ns: int | None = None
    reason: str | None = None
    place: str | None = None
    expected_ns: int | None = None
    arrived_ns: int | None = None

    @property
    def is_coming(self) -> bool:
        """Whether they accepted."""
        return self.answer == ACCEPTED


@dataclass(frozen=True, slots=True)
class Rescue:
    """A rescue that began at `since_ns`; `proven` is the place whose code those who arrived at the last lift scanned.

    It begins anew where a further lift holds people after an arrival.
    `released` are the lifts of which people reported the release.
    """

    since_ns: int
    level: int = FIRM
    call_outs: tuple[CallOut, ...] = ()
    overdue: tuple[str, ...] = ()
    proven: str | None = None
    release_seen_ns: int | None = None
    released: tuple[str, ...] = ()

    def call_out(self, number: int) -> CallOut | None:
        """Return a call-out, None where there is none of this number."""
        return self.call_outs[number - 1] if 0 < number <= len(self.call_outs) else None

    @property
    def expected_ns(self) -> int | None:
        """When the first of those who accepted is expected."""
        return min((each.expected_ns for each in self.call_outs if each.expected_ns is not None), default=None)


@dataclass(frozen=True, slots=True)
class RescuePoint:
    """A rescue point of the net or a professional service, for some districts, or for all where it names none."""

    name: str
    level: int = RESCUE_POINT
    phone: str | None = None
    lat: float | None = None
    lon: float | None = None
    districts: tuple[str, ...] = ()


def nearest(
    points: Iterable[RescuePoint], district: str, lat: float | None, lon: float | None
) -> list[tuple[RescuePoint, float]]:
    """Return the points of a district by level, the nearest first, with their distance in km (NaN where unknown)."""
    own = [each for each in points if not each.districts or district in each.districts]
    found = [(each, distance_km(each.lat, each.lon, lat, lon)) for each in own]
    return sorted(found, key=lambda each: (each[0].level, math.inf if math.isnan(each[1]) else each[1]))


def helpers(
    points: Iterable[RescuePoint], district: str, lat: float | None, lon: float | None
) -> dict[int, str]:  # fmt: skip
    """Return the nearest point of each level."""
    found: dict[int, str] = {}
    for point, _ in nearest(points, district, lat, lon):
        found.setdefault(point.level, point.name)
    return found


def distance_km(lat: float | None, lon: float | None, other_lat: float | None, other_lon: float | None) -> float:
    """Return the great-circle distance of two places (haversine), NaN where one is unknown."""
    if lat is None or lon is None or other_lat is None or other_lon is None:
        return math.nan
    a, b, c, d = (math.radians(each) for each in (lat, lon, other_lat, other_lon))
    half = math.sin((c - a) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((d - b) / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(half))


def read_rescue(values: Mapping[str, Any]) -> Rescue:
    """Return the rescue of a row."""
    call_outs = tuple(CallOut(**each) for each in values["call_outs"])
    listed = {name: tuple(values.get(name, ())) for name in ("overdue", "released")}
    return Rescue(**{**values, **listed, "call_outs": call_outs})


def with_call_out(rescue: Rescue, call_out: CallOut) -> Rescue:
    """Return the rescue with a call-out, in place of that of its number or after the others."""
    before, after = rescue.call_outs[: call_out.number - 1], rescue.call_outs[call_out.number :]
    return replace(rescue, call_outs=(*before, call_out, *after), level=max(rescue.level, call_out.level))


def joined(one: Rescue, other: Rescue) -> Rescue:
    """Return two rescues as one: the call-outs of the other are numbered on, the more urgent fact counts."""
    moved = tuple(replace(each, number=len(one.call_outs) + each.number) for each in other.call_outs)
    seen = (one.release_seen_ns, other.release_seen_ns)
    return Rescue(
        min(one.since_ns, other.since_ns),
        max(one.level, other.level),
        (*one.call_outs, *moved),
        tuple(dict.fromkeys((*one.overdue, *other.overdue))),
        one.proven or other.proven,
        None if None in seen else max(each for each in seen if each is not None),
        (*one.released, *other.released),
    )


def not_ahead(rescue: Rescue, now_ns: int) -> Rescue:
    """Return the rescue with no timer that began after now: one begun while the clock was ahead begins now."""
    called = tuple(replace(each, called_ns=min(each.called_ns, now_ns)) for each in rescue.call_outs)
    return replace(rescue, since_ns=min(rescue.since_ns, now_ns), call_outs=called)


def unanswered_at(rescue: Rescue, times: RescueTimes, now_ns: int) -> CallOut | None:
    """Return a call-out that nobody has answered in time."""
    limit_ns = now_ns - round(times.answer_s * S_NS)
    return next((each for each in rescue.call_outs if each.answer is None and each.called_ns <= limit_ns), None)


def nobody_comes(rescue: Rescue) -> bool:
    """Return whether everybody who was called out on the present level, and somebody was, cannot come."""
    own = [each for each in rescue.call_outs if each.level == rescue.level]
    waiting = any(each.is_coming or each.answer is None for each in rescue.call_outs)
    return bool(own) and not waiting and rescue.level < PROFESSIONAL
