"""The same arithmetic as the fast code, one lift and one row at a time: what it must equal, bit for bit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from detectors.observe import gaps, sensor
from detectors.observe.rest import CREEP_M, PEAK_INTERVAL_NS, STILL_MPS, STILL_S, TRIP_MIN_M
from detectors.rule import Level
from registry.facts import LiftFacts
from tests.detectors.naive_states import NaiveStates
from tests.detectors.naive_trips import NaiveRide

NAN = math.nan
Edge = tuple[int, str, int]


def gaps_ns(t_ns: Sequence[int]) -> list[int]:
    """Return how long an interval may be at each row of a lift that reads nothing."""
    intervals = [0, *(later - earlier for earlier, later in pairwise(t_ns))]
    out, broken_ns = [], gaps.NEVER_NS
    for t, interval, before in zip(t_ns, intervals, [0, *intervals], strict=False):
        if interval > limit_ns(before):
            broken_ns = t
        out.append(min(limit_ns(before), t - broken_ns))
    return out


def limit_ns(interval_ns: int) -> int:
    return min(max(gaps.GAP_INTERVALS * interval_ns, int(gaps.GAP_S * 1e9)), int(gaps.GAP_MOST_S * 1e9))


def findings(
    level: Level,
    t_ns: Sequence[int],
    on: Sequence[float],
    off: Sequence[float],
    gap_ns: Sequence[int] | None = None,
    since_ns: Sequence[int] | None = None,
) -> list[Edge]:
    """Return (row, "on" or "off", onset) of one lift's score; `since_ns` 0 is the row at which it rose."""
    edges: list[Edge] = []
    run: list[int] = []
    held_ns = onset_ns = 0
    is_open, found_ns, due = False, 0, 0
    for i, (t, longest_ns) in enumerate(zip(t_ns, gap_ns or gaps_ns(t_ns), strict=True)):
        was_open, edge = is_open, ""
        value = off[i] if is_open else on[i]
        if value < 1.0:
            run, held_ns = [], 0
        elif value >= 1.0:
            if run and t - run[-1] <= longest_ns:
                held_ns += t - run[-1]
            if not run and not is_open:
                onset_ns = (since_ns[i] if since_ns else 0) or t
            run.append(t)
            needed, hold_s = (level.clear_readings, level.clear_s) if is_open else (level.readings, level.hold_s)
            if len(run) >= needed and held_ns >= round(hold_s * 1e9):
                edge = "off" if is_open else "on"
                is_open, run, held_ns, found_ns, due = not is_open, [], 0, t, 0
        if was_open and is_open and level.again_s and not math.isnan(on[i]):
            due = due + (t - found_ns >= round(level.again_s * 1e9)) if on[i] >= 1.0 else 0
            if due >= level.readings:
                edge, found_ns, due = "on", t, 0
        if edge:
            edges.append((i, edge, onset_ns))
    return edges


@dataclass
class Channel:
    """The last believed value of a measured channel, and the one set aside since."""

    value: float = NAN
    at_ns: int = gaps.NEVER_NS
    odd: float = NAN
    odd_ns: int = gaps.NEVER_NS

    def update(self, value: float, near: bool, agrees: bool, t_ns: int) -> bool:
        """Take a reading in; return whether it is believed."""
        if math.isnan(value):
            return False
        if near or agrees or math.isnan(self.value):
            self.value, self.at_ns, self.odd = value, t_ns, NAN
            return True
        self.odd, self.odd_ns = value, t_ns
        return False


@dataclass
class NaiveCar:
    """One car, updated one row after the other."""

    facts: LiftFacts
    v: Channel = field(default_factory=Channel)
    z: Channel = field(default_factory=Channel)
    accel: float = 0.0
    rate: float = NAN
    speed: float = NAN
    speed_ns: int = gaps.NEVER_NS
    fast_z: float = NAN
    slow_z: float = NAN
    still_ns: int = -1
    since_ns: int = gaps.NEVER_NS
    motion_ns: int = gaps.NEVER_NS
    doubt: bool = False
    settled: bool = False
    way_m: float = 0.0
    trips: int = 0
    before: float = 0.0
    way_ns: int = gaps.NEVER_NS
    z_left: float = NAN
    z_stop: float = NAN
    last_ns: int = gaps.NEVER_NS
    read_ns: int = gaps.NEVER_NS
    interval_ns: int = 0
    jumped: bool = False
    referring: int = 0
    broken_ns: int = gaps.NEVER_NS
    sure: float = 0.0
    states: NaiveStates = field(default_factory=NaiveStates)
    ride: NaiveRide = field(default_factory=NaiveRide)
    peak: float = 0.0
    left_ns: int = gaps.NEVER_NS
    trip: dict[str, float] | None = None

    def row(self, t_ns: int, reboot: bool, **read: float) -> dict[str, float]:
        """Return the observations of the car at this row."""
        self.states.update(t_ns, reboot, read, self.still_ns)
        if reboot or read["gap"] > 0:
            self.broken_ns = t_ns
        if reboot:
            self.v, self.z = Channel(), Channel()
            self.rate, self.speed, self.speed_ns = NAN, NAN, gaps.NEVER_NS
            self.z_left = NAN
            self.ride.forget()
        gap_ns = limit_ns(self.interval_ns)
        v, z = self._possible_speed(read["v"]), self._possible_place(read["z"])
        self._measure(t_ns, gap_ns, not (math.isnan(v) and math.isnan(z)))
        self.last_ns = t_ns
        accel_now, believed_v = self._update_speed(t_ns, v)
        trips = self.trips
        rate_now, believed_z = self._update_place(t_ns, z)
        v_now = NAN
        if believed_v:
            v_now = v
        elif t_ns - self.v.at_ns > gap_ns:
            v_now = rate_now
        if not math.isnan(v_now):
            self.speed, self.speed_ns = v_now, t_ns
        v_last = self.speed if t_ns - self.speed_ns <= gap_ns else NAN
        z_last = self.z.value if t_ns - self.z.at_ns <= gap_ns else NAN
        self.trip = None
        self.ride.note(t_ns, v, believed_v, z if believed_z else NAN)
        if believed_z or not math.isnan(v_now):
            self._rest(t_ns, gap_ns, v_last, z_last, believed_z)
        sure = 0.0 if math.isnan(v_now) else self.sure
        offset = abs(self._offset(z_last)) if believed_z else NAN
        self.states.rule_out_open_door(sure, offset, self.facts.door_zone_m, t_ns)
        quiet = t_ns - self.motion_ns > gap_ns or self.doubt
        self._refer(self.trips > trips, abs(self._offset(z_last)))
        return {
            **self.states.known(),
            "v": v_now,
            "gap_ns": min(gap_ns, t_ns - self.broken_ns),
            "z": z if believed_z else NAN,
            "accel": accel_now,
            "v_last": v_last,
            "z_last": z_last,
            "offset_m": self._offset(z_last),
            "landing": self._landing(z_last),
            "unentered": self.states.unentered,
            "missing": self.states.missed_ns == t_ns,
            "set_aside": not (believed_z or math.isnan(z)),
            "z_doubt": self.referring > 0,
            "still_s": NAN if quiet else max(self.still_ns, 0) / 1e9,
            "still_since_ns": self.since_ns,
            "trips": self.trips,
        }

    def _measure(self, t_ns: int, gap_ns: int, reads: bool) -> None:
        """Measure the interval between two readings; of a lift that reads nothing, between any two of its rows."""
        before_ns = gaps.NEVER_NS
        if reads and self.read_ns != gaps.NEVER_NS:
            before_ns = self.read_ns
        elif reads or t_ns - self.read_ns > int(gaps.GAP_MOST_S * 1e9):
            before_ns = self.last_ns
        if before_ns > self.states.missed_ns:
            self.interval_ns = t_ns - before_ns
            if self.interval_ns > gap_ns:
                self.broken_ns = t_ns
        if reads:
            self.read_ns = t_ns

    def _possible_speed(self, v: float) -> float:
        rated = self.facts.rated_speed_mps
        most = sensor.SPEED_MAX_RATED * rated + sensor.SPEED_MAX_MORE_MPS if rated else math.inf
        return v if abs(v) <= min(most, sensor.SPEED_MAX_MPS) else NAN

    def _possible_place(self, z: float) -> float:
        beyond = sensor.SHAFT_BEYOND_M
        outside = z < -beyond or (self.facts.floors and z > self.facts.floors[-1].height_m + beyond)
        return NAN if outside else z

    def _update_speed(self, t_ns: int, v: float) -> tuple[float, bool]:
        rated = self.facts.rated_speed_mps
        largest = max(sensor.SPEED_STEP_MPS, sensor.SPEED_STEP_RATED * rated if rated else 0.0)

        def reach(then_ns: int) -> float:
            return sensor.SPEED_MARGIN_MPS + min(sensor.JERKED_MPS2 * age(t_ns, then_ns), largest)

        dt_s, last = age(t_ns, self.v.at_ns), self.v.value
        near = abs(v - last) <= reach(self.v.at_ns)
        if not self.v.update(v, near, abs(v - self.v.odd) <= reach(self.v.odd_ns), t_ns):
            return NAN, False
        if not near or not 0.0 < dt_s <= gaps.GAP_S:
            self.accel = 0.0
            return NAN, True
        self.accel += ((v - last) / dt_s - self.accel) * dt_s / (sensor.ACCEL_TAU_S + dt_s)
        return self.accel, True

    def _update_place(self, t_ns: int, z: float) -> tuple[float, bool]:
        rated = self.facts.rated_speed_mps
        unknown = sensor.PLACE_SPEED_RATED * rated if rated else sensor.PLACE_SPEED_MPS
        known = [abs(x) for x in (self.rate, self.speed) if not math.isnan(x)]

        def reach(then_ns: int, speed: float) -> float:
            span_s = min(age(t_ns, then_ns), gaps.GAP_S)
            return sensor.PLACE_MARGIN_M + span_s * (speed + sensor.PLACE_STEP_MPS2 * span_s)

        dt_s, last, last_rate = age(t_ns, self.z.at_ns), self.z.value, self.rate
        near = abs(z - last) <= reach(self.z.at_ns, max(known, default=unknown))
        rests = self.v.at_ns == t_ns and all(abs(x) < STILL_MPS for x in (self.v.value, self.before, last_rate))
        if abs(z - last) > 0.35 and rests and 0.5 <= dt_s <= 1.05 and age(t_ns, self.way_ns) <= 1.05:
            near = False
        self.jumped = False
        if not self.z.update(z, near, abs(z - self.z.odd) <= reach(self.z.odd_ns, unknown), t_ns):
            return NAN, False
        self.jumped = not near and dt_s <= gaps.GAP_S
        self.fast_z = z if math.isnan(self.fast_z) else ema(self.fast_z, z, dt_s, sensor.CREEP_FAST_TAU_S)
        self._slow_after = z if math.isnan(self.slow_z) else ema(self.slow_z, z, dt_s, sensor.CREEP_SLOW_TAU_S)
        if not near or not 0.0 < dt_s <= gaps.GAP_S:
            self.rate = NAN
            return NAN, True
        raw = (z - last) / dt_s
        self.rate = raw if math.isnan(last_rate) else ema(last_rate, raw, dt_s, sensor.RATE_TAU_S)
        turned = self.rate * last_rate < 0.0 and min(abs(self.rate), abs(last_rate)) > STILL_MPS
        return (NAN if turned else self.rate), True

    def _rest(self, t_ns: int, gap_ns: int, v_last: float, z_last: float, believed_z: bool) -> None:
        if not math.isnan(v_last):
            self.sure = min(abs(v_last), abs(self.before)) if t_ns - self.way_ns <= gap_ns else 0.0
            if t_ns - self.way_ns > PEAK_INTERVAL_NS and abs(self.before) >= STILL_MPS:
                self.peak = NAN
            elif not math.isnan(self.peak):
                self.peak = max(self.peak, min(abs(v_last), abs(self.before)))
            if t_ns - self.way_ns <= gap_ns:
                self.way_m += (self.before + v_last) / 2 * (t_ns - self.way_ns) / 1e9
            self.before, self.way_ns = v_last, t_ns
        moves = abs(v_last) >= STILL_MPS or abs(self.fast_z - self.slow_z) >= CREEP_M
        if believed_z:
            self.slow_z = self._slow_after
        dt_ns = t_ns - self.motion_ns
        counted = dt_ns if dt_ns <= gap_ns else 0
        if moves and self.still_ns >= 0 and not self.doubt:
            self.doubt = True
            return
        self.doubt = False
        self.motion_ns = t_ns
        if moves:
            self.still_ns, self.settled = -1, False
            if believed_z:
                self.fast_z = self.slow_z = self.z.value
            return
        if self.still_ns < 0:
            self.still_ns, self.since_ns, self.z_stop = 0, t_ns, z_last
        else:
            self.still_ns += counted
        if math.isnan(self.z_stop):
            self.z_stop = z_last
        if self.still_ns >= int(STILL_S * 1e9):
            if not self.settled:
                come_m = self.z_stop - self.z_left
                borne_out_m = abs(self.way_m) if math.isnan(come_m) else min(abs(self.way_m), abs(come_m))
                self.trips += borne_out_m > TRIP_MIN_M
                if borne_out_m > TRIP_MIN_M and self.left_ns != gaps.NEVER_NS:
                    self.trip = self._finished(t_ns, self.way_m if math.isnan(come_m) else come_m)
            self.settled, self.way_m, self.peak, self.left_ns = True, 0.0, 0.0, t_ns
            self.ride.begin(self.fast_z if t_ns - self.z.at_ns <= int(gaps.GAP_MOST_S * 1e9) else NAN)
            if not math.isnan(z_last):
                self.z_left = z_last

    def _finished(self, t_ns: int, distance_m: float) -> dict[str, float]:
        """Return what the trips' table holds of a trip."""
        known = {
            "t_ns": t_ns,
            "gap_ns": 0,
            "start_ns": self.left_ns,
            "stop_ns": self.since_ns,
            "from_m": self.z_left,
            "to_m": self.z_stop,
            "offset_m": abs(self._offset(self.z_stop)),
            "distance_m": distance_m,
            "stale": False,
        }
        states = {name: self.states.known()[name] for name in ("mode", "power")}
        is_whole = self.states.missed_ns < self.left_ns
        return known | states | self.ride.summary(self.since_ns, self.way_m, distance_m, self.peak, is_whole)

    def _refer(self, arrived: bool, miss_m: float) -> None:
        """Doubt a position that jumped, until two trips in a row ended within 50 mm of a landing."""
        if self.jumped or (self.referring and arrived and miss_m > sensor.REFERENCE_M):
            self.referring = sensor.REFERENCES
        elif self.referring and arrived and miss_m <= sensor.REFERENCE_M:
            self.referring -= 1

    def _landing(self, z: float) -> int:
        """Return the index of the nearest landing, of two equally near ones the lower; -1 unknown."""
        if math.isnan(z) or not self.facts.floors:
            return -1
        return min(range(len(self.facts.floors)), key=lambda k: abs(z - self.facts.floors[k].height_m))

    def _offset(self, z: float) -> float:
        if math.isnan(z) or not self.facts.floors:
            return NAN
        return min((z - floor.height_m for floor in self.facts.floors), key=abs)


def age(t_ns: int, then_ns: int) -> float:
    return (t_ns - then_ns) / 1e9


def ema(last: float, new: float, dt_s: float, tau_s: float) -> float:
    return last + (new - last) * dt_s / (tau_s + dt_s)
