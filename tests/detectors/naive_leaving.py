"""The rules of moving with a door open, once more."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from registry.facts import LiftFacts
from telemetry.streams import CLOSED, CLOSING, OPENING
from tests.detectors.naive_row import NAN, Clock, Row, RowScores, ajar, at_rest, inspected, read, run_limit, seen, slows


@dataclass
class Latch:
    """Whether the door has not been closed since the car last stood; None is not known."""

    open: bool | None = None

    def row(self, row: Row) -> bool:
        door = ajar(row)
        if at_rest(row) or not seen(row["still_s"]):
            self.open = door
        elif self.open is None or door is None:
            self.open = None
        else:
            self.open = self.open and door
        return self.open is True


@dataclass
class StartDoorOpen:
    """Faster than 0.1 m/s with a door that was open as the car left; neither levelling nor re-levelling."""

    facts: LiftFacts
    latch: Latch = field(default_factory=Latch)
    clock: Clock = field(default_factory=Clock)

    def row(self, row: Row) -> RowScores:
        left_open, speed = self.latch.row(row), abs(row["v"])
        known = seen(speed) and ajar(row) is not None
        runs = speed > run_limit(row, 0.1) and left_open and not self.levels(row, speed)
        served_s = self.clock.tick(row, runs if known else None)
        if not known:
            return [(NAN, NAN, 0)]
        holds = runs and (row["door"] != CLOSING or served_s >= 0.5)
        return [(holds, not holds, self.clock.since_ns)]

    def levels(self, row: Row, speed: float) -> bool:
        offset = row["offset_m"]
        away = row["v"] * offset > 0 and abs(offset) > 0.02
        if abs(offset) > self.facts.door_zone_m or away:
            return False
        return speed <= 0.30 or (speed <= 0.80 and slows(row))


@dataclass
class DoorOpenedRunning:
    """Faster than 0.3 m/s outside the zone with a door that opened on the way; not one that is about to arrive."""

    facts: LiftFacts
    latch: Latch = field(default_factory=Latch)

    def row(self, row: Row) -> RowScores:
        left_open, speed, offset = self.latch.row(row), abs(row["v"]), row["offset_m"]
        on = off = NAN
        if seen(speed) and ajar(row) is not None and seen(offset):
            outside = abs(offset) > self.facts.door_zone_m
            opened = ajar(row) and not left_open and outside and not self.arrives(row, speed)
            on = bool(opened and speed > run_limit(row, 0.3))
        if seen(row["door"]) and seen(row["still_s"]):
            off = row["door"] == CLOSED and row["still_s"] >= 2.0
        return [(on, off, 0)]

    def arrives(self, row: Row, speed: float) -> bool:
        soon = abs(row["offset_m"]) <= self.facts.door_zone_m + 0.5 * speed
        comes = row["v"] * row["offset_m"] < 0 and speed <= 0.80 and slows(row)
        return row["door"] == OPENING and soon and comes


@dataclass
class UnintendedMovement:
    """The car leaves the landing at which its door opened: by the zone, or faster than 0.30 m/s."""

    facts: LiftFacts
    was_ajar: bool | None = None
    left_ns: float = -math.inf
    armed: bool = False
    home_m: float = NAN
    way_m: float = 0.0
    last_ns: float = -math.inf

    def row(self, row: Row) -> RowScores:
        self._arm(row)
        door, from_home = ajar(row), row["z_last"] - self.home_m
        off = NAN if door is None else not self.armed
        if not read(row) or door is None or not seen(row["z_last"]):
            return [(NAN, off, 0)]
        if not self.armed or inspected(row):
            return [(0.0, off, 0)]
        zone = self.facts.door_zone_m
        moved = math.copysign(1.0, from_home) * self.way_m >= 0.25 * zone
        far = moved and seen(row["z"]) and abs(from_home) >= zone
        leaves = row["v"] * from_home > 0 or abs(from_home) <= 0.02
        return [(far or (leaves and abs(row["v"]) >= 0.30), off, 0)]

    def _arm(self, row: Row) -> None:
        t_ns, door = row["t_ns"], ajar(row)
        if self.was_ajar is False and door:
            self.left_ns = t_ns
        stands = row["still_s"] >= 2.0 and abs(row["offset_m"]) <= self.facts.door_zone_m
        here = stands and self.left_ns >= row["still_since_ns"] - 500_000_000
        dt_s = (t_ns - self.last_ns) / 1e9
        if not door:
            self.armed, self.home_m, self.way_m = False, NAN, 0.0
        elif (not self.armed and here) or (self.armed and inspected(row)):
            self.armed, self.home_m, self.way_m = True, row["z_last"] - row["offset_m"], 0.0
        elif self.armed and abs(row["v_last"]) >= 0.05 and dt_s <= 3.0:
            self.way_m += row["v_last"] * dt_s
        if door is None:
            self.left_ns = -math.inf
        self.was_ajar, self.last_ns = door, t_ns
