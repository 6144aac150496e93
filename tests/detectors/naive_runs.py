"""The rules of runs and stops at landings, once more: no run without a way, none too long, no stop off its landing."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from registry.facts import LiftFacts
from telemetry.streams import BATTERY, CLOSED, EMERGENCY_POWER, OPEN
from tests.detectors.naive_row import NAN, Clock, Row, RowScores, at_rest, read, seen


@dataclass
class MotorRunLimit:
    """The speed is 0.05 m/s or more and the position stays within 20 mm, for the limiter's time."""

    facts: LiftFacts
    clock: Clock = field(default_factory=Clock)
    from_m: float = NAN
    speeds: list[float] = field(default_factory=list)

    def limit_s(self) -> float:
        rated = self.facts.rated_speed_mps or NAN
        travel_s = self.facts.floors[-1].height_m / rated + rated / 0.5 + 1.0
        return max(min(max(travel_s + 10.0, 20.0), 45.0), travel_s + 5.0)

    def row(self, row: Row) -> RowScores:
        v, z = row["v"], row["z_last"]
        runs: bool | None = None
        if seen(v):
            self.speeds = [*self.speeds[-5:], v]
            runs = abs(v) >= 0.05
        repeats = len(self.speeds) == 6 and len(set(self.speeds)) == 1
        if runs and (row["stale"] or not seen(z) or repeats):
            runs = None
        moved = abs(z - self.from_m) >= 0.020
        if runs is False or moved or not seen(self.from_m):
            self.from_m = z
        served_s = self.clock.tick(row, False if moved else runs)
        off = NAN if runs is None and not moved else moved or not runs
        return [(served_s / self.limit_s(), off, self.clock.since_ns)]


@dataclass
class RunTooLong:
    """A trip longer than 1.3 times the time of its distance and 3 s; or 60 s in which no landing was passed."""

    facts: LiftFacts
    trips: float = 0
    left: tuple[int, float] | None = None
    from_m: float = 0.0
    stopped: bool = False
    paused: bool = False
    passed: tuple[int, float, float] | None = None
    read_ns: int | None = None
    longest_ns: int = 0

    def limit_s(self, way_m: float) -> float:
        rated, a, j = self.facts.rated_speed_mps or NAN, 0.5, 0.5
        if way_m >= (a * a * rated + rated * rated * j) / (j * a):
            return 1.3 * (way_m / rated + rated / a + a / j) + 3.0
        if way_m >= 2 * a**3 / j**2:
            return 1.3 * (a / j + ((a / j) ** 2 + 4 * way_m / a) ** 0.5) + 3.0
        return 1.3 * (32 * way_m / j) ** (1 / 3) + 3.0

    def landing_s(self) -> float:
        heights = [floor.height_m for floor in self.facts.floors]
        widest = max(above - below for below, above in pairwise(heights))
        return max(widest / (self.facts.rated_speed_mps or NAN) * 1.3 + 10.0, 60.0)

    def row(self, row: Row) -> RowScores:
        t_ns, z = int(row["t_ns"]), row["z_last"]
        rescue = row["mode"] == EMERGENCY_POWER or row["power"] == BATTERY
        known = seen(z) and not row["z_doubt"] and not row["stale"] and not rescue
        since_ns = self.left[0] if self.left else 0
        if read(row):
            if self.read_ns is not None and t_ns - self.read_ns > row["gap_ns"]:
                self.passed = None
            self.longest_ns = max(self.longest_ns, t_ns - self.read_ns if self.read_ns is not None else 0)
            self.read_ns = t_ns
        finished, self.trips = row["trips"] > self.trips, row["trips"]
        trip = passed = NAN
        rests = row["still_s"] >= 2.0
        waits = seen(row["door"]) and row["door"] != CLOSED and abs(row["v_last"]) < 0.05
        if not known:
            self.left = self.passed = None
        elif rests and read(row):
            if finished and self.left and not self.paused and self.longest_ns <= 1_050_000_000:
                run_s = (row["still_since_ns"] - self.left[0] - 2 * self.longest_ns) / 1e9
                trip = run_s / self.limit_s(abs(z - self.left[1]))
            self.left, self.longest_ns, self.from_m = (t_ns, z), 0, z
            self.stopped = self.paused = False
        elif read(row) and waits and abs(z - self.from_m) < 0.5:
            self.left, self.longest_ns = (t_ns, self.from_m), 0
            self.stopped = self.paused = False
        elif read(row) and seen(row["still_s"]):
            self.paused |= self.stopped and row["still_s"] == 0
            self.stopped |= row["still_s"] > 0
        if known and read(row) and seen(row["still_s"]):
            rests_or_waits = rests or waits
            if rests_or_waits or self.passed is None or row["landing"] != self.passed[2]:
                self.passed = (t_ns, z, row["landing"])
            moves = not rests_or_waits and abs(z - self.passed[1]) >= 0.2
            passed = (t_ns - self.passed[0]) / 1e9 / self.landing_s() if moves else 0.0
        over = rests if known and read(row) and seen(row["still_s"]) else NAN
        passed_ns = self.passed[0] if self.passed else 0
        return [(trip, trip < 1.0 if seen(trip) else NAN, since_ns), (passed, over, passed_ns)]


@dataclass
class LevellingError:
    """The median error of the last five stops at a landing, of the lift's last 96, by position at the open door."""

    facts: LiftFacts
    trips: float = 0
    stops: list[tuple[float, float]] = field(default_factory=list)
    found_at: list[float] = field(default_factory=lambda: [NAN] * 3)
    good: list[int] = field(default_factory=lambda: [0] * 3)

    def row(self, row: Row) -> RowScores:
        error, landing = abs(row["offset_m"]), row["landing"]
        stands = seen(row["z"]) and at_rest(row) and row["door"] == OPEN and not row["z_doubt"] and not row["stale"]
        if not stands or not error <= self.facts.door_zone_m or not row["trips"] > self.trips:
            return [(NAN, NAN, 0)] * 3
        self.trips = row["trips"]
        self.stops.append((landing, error))
        here = [float(e) for at, e in self.stops[-96:] if at == landing][-5:]
        median = sorted(here)[2] if len(here) == 5 else NAN
        return [(*self.level(k, limit, median, error, landing), 0) for k, limit in enumerate((0.010, 0.020, 0.035))]

    def level(self, k: int, limit: float, median: float, error: float, landing: float) -> tuple[float, float]:
        on, off = median / limit, NAN
        if landing == self.found_at[k]:
            self.good[k] = self.good[k] + 1 if error <= limit else 0
            off = self.good[k] >= 10
        elif on >= 1.0 and (not seen(self.found_at[k]) or self.good[k] >= 10):
            self.found_at[k], self.good[k] = landing, 0
        return on, off
