"""The rules of the doors, once more: held open, obstructed, not closing, not opening, to and fro."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from registry.facts import LiftFacts
from telemetry.streams import CLOSED, CLOSING, OPEN, OPENING
from tests.detectors.naive_row import NAN, Clock, Row, RowScores, at_rest, in_service, read, seen


def stands_open(row: Row, facts: LiftFacts) -> bool | None:
    """Return whether the car stands with its door open, in normal mode, where lifts do not park so."""
    door = row["door"]
    if (seen(door) and door != OPEN) or not in_service(row) or facts.parks_door_open:
        return False
    if not read(row) or not seen(row["still_s"]) or not seen(door) or row["stale"]:
        return None
    return at_rest(row)


@dataclass
class DoorHeldOpen:
    """The door of a standing car is open for 120 s."""

    facts: LiftFacts
    clock: Clock = field(default_factory=Clock)

    def row(self, row: Row) -> RowScores:
        served_s = self.clock.tick(row, stands_open(row, self.facts))
        return [(served_s / 120.0, row["door"] == CLOSED if seen(row["door"]) else NAN, self.clock.since_ns)]


@dataclass
class DoorObstructed:
    """The door of a standing car is open for 90 s, and the doorway or the car was not free for the last 10 s."""

    facts: LiftFacts
    clock: Clock = field(default_factory=Clock)
    free_ns: int = 0

    def row(self, row: Row) -> RowScores:
        t_ns, unread = int(row["t_ns"]), not read(row) or not seen(row["still_s"]) or bool(row["stale"])
        held_s = self.clock.tick(row, stands_open(row, self.facts))
        blocked = row["curtain"] == 1 or row["presence"] == 1
        known = blocked or (seen(row["curtain"]) and seen(row["presence"]))
        if not blocked or not self.free_ns:
            self.free_ns = t_ns
        on = min(held_s / 90.0, (t_ns - self.free_ns) / 1e9 / 10.0) if seen(held_s) and known else NAN
        shut = row["door"] == CLOSED
        off = shut or (known and not blocked)
        return [(on, NAN if unread or not (known or seen(row["door"])) else off, self.clock.since_ns)]


@dataclass
class DoorCloseFault:
    """Closing for 20 s, or three reversals that no passer-by made, or six by anybody."""

    facts: LiftFacts
    clock: Clock = field(default_factory=Clock)
    door: float = NAN
    person: float = NAN
    blocked: bool = False
    begin_ns: int = 0
    took_ns: int = 0
    first_ns: int = 0
    own: int = 0
    all: int = 0
    trips: float = 0

    def row(self, row: Row) -> RowScores:
        door = NAN if row["stale"] else row["door"]
        here = in_service(row) and not abs(row["v_last"]) > 0.30
        served_s = self.clock.tick(row, (here and door == CLOSING) if seen(door) else None)
        self._count(row, door, here)
        fault = self.own >= 3 or self.all >= 6
        if fault or served_s >= 20.0:
            self.trips = row["trips"]
        on = max(self.own / 3, self.all / 6) if not seen(served_s) else max(served_s / 20.0, self.own / 3, self.all / 6)
        off = (door == CLOSED and row["trips"] > self.trips) if seen(door) else NAN
        return [(NAN if not seen(served_s) else on, off, self.first_ns if fault else self.clock.since_ns)]

    def _count(self, row: Row, door: float, here: bool) -> None:
        t_ns, last = int(row["t_ns"]), self.door
        self.door = door if here else NAN
        over = not here or door == CLOSED or not seen(door)
        if not over and door == CLOSING and last != CLOSING:
            self.begin_ns, self.blocked = t_ns, False
            self.first_ns = self.first_ns or t_ns
        self.blocked = self.blocked or row["curtain"] == 1
        if over:
            self.own = self.all = self.first_ns = 0
            self.person = NAN
        elif last == CLOSING and door in (OPENING, OPEN):
            came_or_left = seen(row["presence"]) and seen(self.person) and row["presence"] != self.person
            same = abs(t_ns - self.begin_ns - self.took_ns) <= 150_000_000 and not came_or_left
            self.own = 1 if self.blocked and not same else self.own + 1
            self.all += 1
            self.took_ns, self.person = t_ns - self.begin_ns, row["presence"]


@dataclass
class DoorOpenFault:
    """Shut for 10 s after a trip that ended in the zone, or opening for 15 s; an empty car three stops in a row."""

    facts: LiftFacts
    clock: Clock = field(default_factory=Clock)
    trips: float = 0
    opened: bool = False
    waits: bool = False
    manned: bool = False
    failed: bool = False
    stops: int = 0

    def row(self, row: Row) -> RowScores:
        door, person = row["door"], row["presence"]
        in_zone = not abs(row["offset_m"]) > self.facts.door_zone_m
        here = in_service(row) and in_zone and not abs(row["v_last"]) > 0.30
        known = read(row) and seen(door) and seen(row["offset_m"]) and not row["stale"]
        opening: bool | None = True if known else None
        if not here or (seen(door) and door != OPENING):
            opening = False
        opening_s = self.clock.tick(row, opening)
        counts = self._wait(row, door, person == 1, here)
        since_ns = int(row["still_since_ns"]) if counts else self.clock.since_ns
        off = door == OPEN if seen(door) else NAN
        if not known or not seen(row["still_s"]):
            return [(NAN, off, since_ns)]
        return [((counts and row["still_s"] >= 10.0) or opening_s >= 15.0, off, since_ns)]

    def _wait(self, row: Row, door: float, person: bool, here: bool) -> bool:
        arrived = row["trips"] > self.trips
        self.trips = row["trips"]
        opens = door != CLOSED
        self.opened = opens or (self.opened and not abs(row["v"]) > 0.30)
        self.waits = here and door == CLOSED and not self.opened and (arrived or self.waits)
        if arrived:
            self.manned, before = person, False
        else:
            before = self.failed
        self.failed = self.waits and (before or row["still_s"] >= 10.0)
        self.stops = 0 if opens else self.stops + (self.failed and not before)
        return self.waits and ((self.manned and person) or self.stops >= 3)


@dataclass
class DoorCycling:
    """Five full cycles of the door at one stop of a car that is watched, or three within 15 s."""

    facts: LiftFacts
    stop_ns: float = -math.inf
    read_ns: float = -math.inf
    shut: bool = False
    begin_ns: int = 0
    opened: bool = False
    cycles: list[int] = field(default_factory=list)
    burst_ns: int = 0
    trips: float = 0

    def row(self, row: Row) -> RowScores:
        self._count(row)
        bad = len(self.cycles) >= 5 or self.burst_ns > 0
        if bad:
            self.trips = row["trips"]
        since_ns = self.burst_ns or (self.cycles[0] if self.cycles else 0)
        off = row["trips"] > self.trips if seen(row["door"]) else NAN
        if not seen(row["still_s"]) or not seen(row["door"]):
            return [(NAN, off, since_ns)]
        return [(bad and at_rest(row), off, since_ns)]

    def _count(self, row: Row) -> None:
        t_ns, door = int(row["t_ns"]), row["door"]
        if row["still_since_ns"] != self.stop_ns or not in_service(row) or t_ns - self.read_ns > 3_000_000_000:
            self.cycles, self.burst_ns, self.shut, self.begin_ns, self.opened = [], 0, True, 0, False
        shut = door == CLOSED
        if shut and self.opened:
            self.cycles.append(self.begin_ns)
            if len(self.cycles) >= 3 and t_ns - self.cycles[-3] <= 15_000_000_000:
                self.burst_ns = self.burst_ns or self.cycles[-3]
        if not seen(door):
            self.begin_ns = 0
        elif not shut and self.shut:
            self.begin_ns = t_ns
        self.opened = seen(door) and not shut and self.begin_ns > 0 and (self.opened or door == OPEN)
        self.stop_ns, self.shut = row["still_since_ns"], shut
        if read(row):
            self.read_ns = t_ns


@dataclass
class CurtainDead:
    """No interruption in 200 cycles over a day, with 21 trips with a person and 3 reversals."""

    facts: LiftFacts
    door: float = NAN
    begun_ns: int = 0
    cycles: list[int] = field(default_factory=list)
    ridden: int = 0
    reversals: int = 0
    trips: float = 0

    def row(self, row: Row) -> RowScores:
        t_ns, door, curtain = int(row["t_ns"]), row["door"], row["curtain"]
        if row["stale"]:
            return [(NAN, NAN, 0)]
        if curtain == 1:
            self.cycles, self.ridden, self.reversals, self.begun_ns = [], 0, 0, 0
        elif not seen(curtain) or not seen(door):
            self.begun_ns = 0
        else:
            self._follow(t_ns, door, row)
        self.trips = row["trips"]
        self.door = door if seen(door) else self.door
        since_ns = self.cycles[0] if self.cycles else 0
        if not seen(curtain):
            return [(NAN, NAN, since_ns)]
        lasted_s = (t_ns - since_ns) / 1e9 if since_ns else 0.0
        return [
            (min(len(self.cycles) / 200, lasted_s / 86_400, self.ridden / 21, self.reversals / 3), curtain, since_ns)
        ]

    def _follow(self, t_ns: int, door: float, row: Row) -> None:
        if self.door == CLOSED and door != CLOSED:
            self.begun_ns = t_ns
        elif self.door != CLOSED and door == CLOSED and self.begun_ns:
            self.cycles.append(self.begun_ns)
            self.begun_ns = 0
        person = row["presence"] == 1
        self.reversals += self.door == CLOSING and door in (OPENING, OPEN) and person and self.begun_ns > 0
        self.ridden += row["trips"] > self.trips and person
