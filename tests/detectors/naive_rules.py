"""The rules once more, written from the catalogue: one lift, one row after the other, an `if` where they say "if".

A rule is told what is known of the car at a row (`naive.NaiveCar.row`, with `t_ns` and `stale`) and answers with (on,
off, since) for each of its levels; NaN is "not known at this row". Nothing here calls the fast code. Of F13 this is
what the speed tells (the vibration that is asked beside it has tests of its own); F41, which no reading tells, is in
`naive_silence`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from telemetry.facts import LiftFacts
from telemetry.streams import CLOSED, CLOSING, FIRE, FIREFIGHTER, INSPECTION, NORMAL, OPEN, OPENING, OUT_OF_SERVICE

NAN = math.nan
Row = dict[str, float]
Said = list[tuple[float, float, int]]
Known = float | None
SPECIAL = (INSPECTION, FIRE, FIREFIGHTER, OUT_OF_SERVICE)


def seen(value: float) -> bool:
    return not math.isnan(value)


def read(row: Row) -> bool:
    """Say whether this row reads a speed or a position."""
    return seen(row["v"]) or seen(row["z"])


def at_rest(row: Row) -> bool:
    return row["still_s"] > 0 or (row["still_s"] == 0 and row["still_since_ns"] == row["t_ns"])


def in_service(row: Row) -> bool:
    return not seen(row["mode"]) or row["mode"] == NORMAL


@dataclass
class Clock:
    """How long something has held; what is not known (None) stops it."""

    since_ns: int = 0
    last_ns: int = 0
    served_ns: int = 0

    def tick(self, row: Row, holds: bool | None) -> float:
        """Return for how long it has held, in seconds."""
        if holds is None:
            return NAN
        if not holds:
            self.since_ns = self.served_ns = 0
            return 0.0
        t_ns = int(row["t_ns"])
        if not self.since_ns:
            self.since_ns = t_ns
        elif t_ns - self.last_ns <= row["gap_ns"]:
            self.served_ns += t_ns - self.last_ns
        self.last_ns = t_ns
        return self.served_ns / 1e9


@dataclass
class Overspeed:
    """Above 105 % of the rated speed, and above 115 % downwards; upwards that is F09's."""

    facts: LiftFacts

    def row(self, row: Row) -> Said:
        v, rated = row["v"], self.facts.rated_speed_mps
        if not seen(v) or not rated:
            return [(NAN, NAN, 0)] * 2
        fast, down = abs(v) >= 1.05 * rated, -v >= 1.15 * rated
        too_fast_up = v >= 1.15 * rated
        return [(fast and not too_fast_up, not fast, 0), (down, not down, 0)]


@dataclass
class OverspeedUp:
    """Above 115 % of the rated speed upwards."""

    facts: LiftFacts

    def row(self, row: Row) -> Said:
        v, rated = row["v"], self.facts.rated_speed_mps
        if not seen(v) or not rated:
            return [(NAN, NAN, 0)]
        return [(v >= 1.15 * rated, v < 1.15 * rated, 0)]


@dataclass
class Overtravel:
    """More than 50 mm beyond the last landing, or 150 mm; a blow of half of gravity makes the first as bad."""

    facts: LiftFacts
    top: bool
    struck: bool = False

    def beyond(self, z: float) -> float:
        floors = self.facts.floors
        return z - floors[-1].height_m if self.top else floors[0].height_m - z

    def row(self, row: Row) -> Said:
        if not self.facts.floors:
            return [(NAN, NAN, 0)] * 2
        out = seen(row["z_last"]) and self.beyond(row["z_last"]) >= 0.05
        self.struck = out and (self.struck or abs(row["accel"]) > 0.5 * 9.81)
        if not seen(row["z"]):
            return [(NAN, NAN, 0)] * 2
        beyond = self.beyond(row["z"])
        far = beyond >= 0.15 or (self.struck and beyond >= 0.05)
        return [(beyond >= 0.05, beyond < 0.05, 0), (far, not far, 0)]


@dataclass
class StopOutsideZone:
    """Stands outside the door zone for 15 s."""

    facts: LiftFacts
    clock: Clock = field(default_factory=Clock)

    def row(self, row: Row) -> Said:
        offset = abs(row["offset_m"])
        holds = None
        if read(row) and seen(row["still_s"]) and seen(offset) and not row["stale"]:
            holds = at_rest(row) and offset > self.facts.door_zone_m and row["mode"] not in SPECIAL
        served_s = self.clock.tick(row, holds)
        back = offset <= self.facts.door_zone_m if seen(row["z"]) and seen(offset) else NAN
        return [(served_s / 15.0, back, self.clock.since_ns)]


@dataclass
class DoorHeldOpen:
    """The door of a standing car is open for 120 s, in normal mode, where lifts do not park so."""

    facts: LiftFacts
    clock: Clock = field(default_factory=Clock)

    def row(self, row: Row) -> Said:
        door = NAN if row["door_doubt"] else row["door"]
        holds: bool | None
        if (seen(door) and door != OPEN) or not in_service(row) or self.facts.parks_door_open:
            holds = False
        elif not read(row) or not seen(row["still_s"]) or not seen(door) or row["stale"]:
            holds = None
        else:
            holds = at_rest(row)
        served_s = self.clock.tick(row, holds)
        return [(served_s / 120.0, row["door"] == CLOSED if seen(row["door"]) else NAN, self.clock.since_ns)]


@dataclass
class AlarmButton:
    """A press, but where the car is known to stand in its zone with the door open."""

    facts: LiftFacts
    before: float = NAN

    def row(self, row: Row) -> Said:
        alarm, before = row["alarm"], self.before
        self.before = alarm
        if not seen(alarm):
            return [(NAN, NAN, 0)]
        can_leave = row["door"] == OPEN and abs(row["offset_m"]) <= self.facts.door_zone_m
        return [(alarm == 1 and before != 1 and not can_leave, NAN, 0)]


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

    def row(self, row: Row) -> Said:
        door = NAN if row["stale"] or row["door_doubt"] else row["door"]
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
        over = not here or door == CLOSED
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
class Entrapment:
    """A person in a standing car with its door closed, off level for 30 s or at a landing for 90 s.

    One who is not seen for less than 30 s stops the clock. Over with a door open in the zone, or a trip, and nobody
    seen shut in since.
    """

    facts: LiftFacts
    off_level: bool
    since_ns: int = 0
    last_ns: int = 0
    served_ns: int = 0
    unseen_ns: int = 0
    was_seen: bool = False
    let_out: bool = False
    trips: float = 0

    def shut_in(self, row: Row) -> bool | None:
        offset, zone = abs(row["offset_m"]), self.facts.door_zone_m
        if row["stale"]:
            return None
        if row["mode"] in SPECIAL or (seen(row["door"]) and row["door"] != CLOSED):
            return False
        if read(row) and seen(row["still_s"]) and not at_rest(row):
            return False
        if read(row) and seen(offset) and (offset > zone) != self.off_level:
            return False
        if not read(row) or not seen(row["still_s"]) or not seen(offset) or not seen(row["door"]):
            return None
        return True

    def row(self, row: Row) -> Said:
        t_ns, shut = int(row["t_ns"]), self.shut_in(row)
        person = NAN if row["presence_doubt"] else row["presence"]
        on = NAN
        is_seen = shut is True and person == 1
        if shut is False or (shut and seen(person)):
            on = self._tick(row, t_ns, bool(shut), is_seen)
        way_out = read(row) and row["door"] == OPEN and abs(row["offset_m"]) <= self.facts.door_zone_m
        self.let_out = not is_seen and (self.let_out or way_out)
        if on >= 1:
            self.trips = row["trips"]
        over = self.let_out or row["trips"] > self.trips
        return [(on, over if read(row) else NAN, self.since_ns)]

    def _tick(self, row: Row, t_ns: int, shut: bool, is_seen: bool) -> float:
        if self.since_ns and t_ns - self.last_ns <= row["gap_ns"]:
            if self.was_seen:
                self.served_ns += t_ns - self.last_ns
            else:
                self.unseen_ns += t_ns - self.last_ns
        if is_seen:
            self.unseen_ns = 0
            self.since_ns = self.since_ns or t_ns
        self.was_seen, self.last_ns = is_seen, t_ns
        if not shut or (not is_seen and (not self.since_ns or self.unseen_ns >= 30_000_000_000)):
            self.since_ns = self.served_ns = self.unseen_ns = 0
            return 0.0
        return self.served_ns / 1e9 / (30.0 if self.off_level else 90.0) if is_seen else NAN


def ajar(row: Row) -> bool | None:
    """Say whether the door is not closed; None where nobody said, or its last word may be missing."""
    return None if row["door_doubt"] or not seen(row["door"]) else row["door"] != CLOSED


def slows(row: Row) -> bool:
    return not row["accel"] * (row["v"] > 0 or -(row["v"] < 0)) >= 0


def run_limit(row: Row, limit_mps: float) -> float:
    return max(limit_mps, 0.63) if row["mode"] == INSPECTION else limit_mps


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

    def row(self, row: Row) -> Said:
        left_open, speed = self.latch.row(row), abs(row["v"])
        known = seen(speed) and ajar(row) is not None
        runs = speed > run_limit(row, 0.1) and left_open and not self.levels(row, speed)
        served_s = self.clock.tick(row, runs if known else None)
        if not known:
            return [(NAN, NAN, 0)]
        return [(runs and (row["door"] != CLOSING or served_s >= 0.5), NAN, self.clock.since_ns)]

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

    def row(self, row: Row) -> Said:
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

    def row(self, row: Row) -> Said:
        self._arm(row)
        door, from_home = ajar(row), row["z_last"] - self.home_m
        if not read(row) or door is None or not seen(row["z_last"]):
            return [(NAN, NAN, 0)]
        if not self.armed or inspected(row):
            return [(0.0, NAN, 0)]
        zone = self.facts.door_zone_m
        moved = math.copysign(1.0, from_home) * self.way_m >= 0.25 * zone
        far = moved and seen(row["z"]) and abs(from_home) >= zone
        leaves = row["v"] * from_home > 0 or abs(from_home) <= 0.02
        return [(far or (leaves and abs(row["v"]) >= 0.30), NAN, 0)]

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


def inspected(row: Row) -> bool:
    """Tell whether a mechanic has the car, no faster than he may."""
    return row["mode"] == INSPECTION and not abs(row["v_last"]) > 0.63


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

    def row(self, row: Row) -> Said:
        door = NAN if row["door_doubt"] else row["door"]
        person = NAN if row["presence_doubt"] else row["presence"]
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
        opens = seen(door) and door != CLOSED
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

    def row(self, row: Row) -> Said:
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
        t_ns, door = int(row["t_ns"]), row["door"] if in_service(row) else NAN
        known, shut = seen(door), door == CLOSED
        over = row["still_since_ns"] != self.stop_ns or not known or t_ns - self.read_ns > 3_000_000_000
        if over:
            self.cycles, self.burst_ns = [], 0
        elif shut and self.opened:
            self.cycles.append(self.begin_ns)
            if len(self.cycles) >= 3 and t_ns - self.cycles[-3] <= 15_000_000_000:
                self.burst_ns = self.burst_ns or self.cycles[-3]
        if known and not shut and (self.shut or over):
            self.begin_ns = t_ns
        elif over:
            self.begin_ns = 0
        began_open = (not over and self.opened) or door == OPEN
        self.opened = known and not shut and self.begin_ns > 0 and began_open
        self.stop_ns, self.shut = row["still_since_ns"], shut
        if read(row):
            self.read_ns = t_ns


@dataclass
class EmergencyStop:
    """Braked harder than 1.5 m/s² for 0.2 s and at rest within 2 s; where readings are seldom, from 1.5 m/s to rest
    between two of them. Over with the next trip."""

    facts: LiftFacts
    readings: list[Row] = field(default_factory=list)
    smooth: float = 0.0
    braking: list[float] = field(default_factory=list)
    braking_ns: float = 0
    begin: tuple[float, float] = (NAN, NAN)
    brake_ns: float = -math.inf
    from_mps: float = 0.0
    rest_ns: float = -math.inf
    resting: int = 0
    trips: float = 0

    def row(self, row: Row) -> Said:
        heard = seen(row["v"])
        if heard:
            self._brake(row)
            self._come_to_rest(row)
            self.readings = [*self.readings[-1:], {"v": row["v"], "z": row["z_last"], "t_ns": row["t_ns"]}]
        took_s = (self.rest_ns - self.brake_ns) / 1e9 if self.resting else NAN
        stopped = at_rest(row) and self.resting >= 2 and 0 <= took_s <= 2.0 and self.from_mps >= 1.2 * took_s
        if stopped:
            self.trips = row["trips"]
        if not heard:
            return [(NAN, NAN, 0)]
        return [(stopped, row["trips"] > self.trips and not stopped, int(self.brake_ns) if stopped else 0)]

    def _come_to_rest(self, row: Row) -> None:
        if abs(row["v"]) >= 0.1:
            self.resting = 0
            return
        if not self.resting:
            self.rest_ns = row["t_ns"]
        self.resting += 1

    def _brake(self, row: Row) -> None:
        """Follow a braking from reading to reading; one that is hard for long enough is remembered."""
        if not self.readings or not seen(row["accel"]):
            self.smooth, self.braking, self.braking_ns = 0.0, [], 0
            return
        last, dt_ns = self.readings[-1], row["t_ns"] - self.readings[-1]["t_ns"]
        dt_s, before = dt_ns / 1e9, abs(last["v"])
        decel = (before - abs(row["v"])) / max(dt_s, 1e-3)
        self.smooth += (decel - self.smooth) * dt_s / (0.1 + dt_s)
        fine = dt_s < 0.15
        hard = dt_s < 0.4 and (self.smooth if fine else decel) > 1.5 and decel > 0.75
        if not hard:
            self.braking, self.braking_ns = [], 0
        elif not self.braking:
            self.begin = (last["t_ns"], self._trusted(before))
            self.braking, self.braking_ns = [decel], 0
        else:
            self.braking.append(decel)
            self.braking_ns += dt_ns
        if hard and len(self.braking) >= (3 if fine else 2) and self.braking_ns >= 200_000_000:
            self.brake_ns, self.from_mps = self.begin
        elif self._fell(row, last, dt_s):
            self.brake_ns, self.from_mps = last["t_ns"], before

    def _trusted(self, before: float) -> float:
        """Return the speed before the braking, as far as it had not just risen."""
        earlier = abs(self.readings[0]["v"]) + 0.1 if len(self.readings) > 1 else NAN
        return min(before, earlier) if seen(earlier) else before

    def _fell(self, row: Row, last: Row, dt_s: float) -> bool:
        if len(self.readings) < 2 or not 0.4 <= dt_s <= 1.05:
            return False
        earlier, gone_s = self.readings[0], (last["t_ns"] - self.readings[0]["t_ns"]) / 1e9
        went_m = last["z"] - earlier["z"]
        agrees = abs(went_m - (last["v"] + earlier["v"]) / 2 * gone_s) <= 0.3 * gone_s
        steady = last["v"] * earlier["v"] > 0 and abs(last["v"]) <= abs(earlier["v"]) + 0.1
        return abs(last["v"]) > 1.5 and abs(row["v"]) < 0.1 and (agrees or steady)


NaiveRule = Callable[[LiftFacts], object]
NAIVE: dict[str, NaiveRule] = {
    "entrapment-off-level": lambda facts: Entrapment(facts, off_level=True),
    "entrapment-at-level": lambda facts: Entrapment(facts, off_level=False),
    "alarm-button": AlarmButton,
    "stop-outside-zone": StopOutsideZone,
    "unintended-movement": UnintendedMovement,
    "start-door-open": StartDoorOpen,
    "door-opened-running": DoorOpenedRunning,
    "door-open-fault": DoorOpenFault,
    "overspeed": Overspeed,
    "overspeed-up": OverspeedUp,
    "overtravel-top": lambda facts: Overtravel(facts, top=True),
    "overtravel-bottom": lambda facts: Overtravel(facts, top=False),
    "emergency-stop": EmergencyStop,
    "door-close-fault": DoorCloseFault,
    "door-cycling": DoorCycling,
    "door-held-open": DoorHeldOpen,
}
