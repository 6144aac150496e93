"""The rules that rest on an emergency stop, once more."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field

from scipy.stats import linregress

from registry.facts import LiftFacts
from telemetry.streams import BATTERY, CLOSED
from tests.detectors.naive_row import NAN, Row, RowScores, at_rest, seen
from tests.detectors.naive_running import EmergencyStop


class SafetyChainOpen:
    """A stop outside the door zone that was braked softly or hard, the mains on, and that no other fault explains."""

    def __init__(self, facts: LiftFacts) -> None:
        self.facts, self.zone_m = facts, facts.door_zone_m
        self.run: list[tuple[float, float]] = []
        """Speed and door at each reading of the last run, and the speed before it."""
        self.ended = False
        self.stop, self.soft = EmergencyStop(facts), SoftStop()
        self.trips_at_stop = 0
        self.on_battery = self.is_placed = False

    def row(self, row: Row) -> RowScores:
        ((on, off, since_ns),) = self.stop.row(row)
        if at_rest(row):
            self.ended = True
        elif abs(row["v"]) >= 0.1:
            if self.ended:
                self.run, self.ended = [], False
            self.run.append((self.soft.last_mps, row["door"]))
            self.run.append((abs(row["v"]), row["door"]))
        self.soft.row(row)
        self.is_placed = at_rest(row) and (self.is_placed or seen(row["z"]))
        is_soft = self.soft.began_ns is not None and self.is_placed and seen(row["v"])
        if row["power"] == BATTERY:
            self.on_battery = True
        elif abs(row["v"]) > 0.4:
            self.on_battery = False
        outside: float = NAN
        if self.on_battery or self._is_explained():
            outside = 0.0
        elif seen(row["offset_m"]) and not row["z_doubt"]:
            is_within = self.facts.floors[0].height_m <= row["z_last"] <= self.facts.floors[-1].height_m
            outside = float(abs(row["offset_m"]) > self.zone_m and is_within)
        if is_soft and outside == 1:
            self.trips_at_stop = row["trips"]
        if seen(off):
            off = min(off, float(row["trips"] > self.trips_at_stop))
        if on == 1:
            return [(0.0, off, 0), (outside, off, since_ns)]
        return [(outside if is_soft else on, off, (self.soft.began_ns or 0) if is_soft else 0), (on, off, 0)]

    def _is_explained(self) -> bool:
        """The door was open in the last run, or two readings in a row were above 115 % of the rated speed."""
        too_fast = 1.15 * (self.facts.rated_speed_mps or NAN)
        runs_away = any(self.run[k][0] > too_fast < self.run[k + 1][0] for k in range(0, len(self.run), 2))
        return runs_away or any(door > CLOSED for _, door in self.run)


@dataclass
class SoftStop:
    """A slow-down from more than 0.4 m/s to rest by 0.5 m/s² or more, until the door opens or the car goes on."""

    readings: list[tuple[int, float]] = field(default_factory=list)
    """Instant and speed of each reading since the car last rested, or since a gap."""
    begin: int | None = None
    last_ns: float = -math.inf
    last_mps: float = NAN
    door: float = NAN
    began_ns: int | None = None

    def row(self, row: Row) -> None:
        if seen(row["v"]):
            self._follow(row, abs(row["v"]))
        if row["door"] > CLOSED and self.door == CLOSED:
            self.began_ns = None

    def _follow(self, row: Row, speed: float) -> None:
        if row["t_ns"] - self.last_ns > row["gap_ns"]:
            self.readings, self.begin, self.began_ns = [], None, None
        self.last_ns, self.last_mps = row["t_ns"], speed
        if speed < 0.1:
            self._rest(row["door"])
            self.readings, self.begin = [], None
            return
        if speed > 0.4:
            self.began_ns = None
        if self.begin is not None and speed > min(v for _, v in self.readings[self.begin :]) + 0.1:
            self.readings, self.begin = [], None
        self.readings.append((row["t_ns"], speed))
        top = max(v for _, v in self.readings)
        if self.begin is None and top > 0.4 and speed < top - 0.1:
            self.begin = len(self.readings) - 1

    def _rest(self, door: float) -> None:
        """Take in a car that comes to rest."""
        if self.begin is None:
            return
        braking = self.readings[self.begin :]
        (first_ns, first), (last_ns, last) = braking[0], braking[-1]
        if len(braking) >= 2 and first - last >= 0.5 * ((last_ns - first_ns) / 1e9):
            self.began_ns, self.door = first_ns, door


@dataclass
class LongBraking:
    """Braked stops from 0.8 m/s: two of three below 0.7 of the median of eight usual ones, or a falling line."""

    facts: LiftFacts
    speeds: list[tuple[float, float, float]] = field(default_factory=list)
    """Instant, speed and position of each reading since the car last rested, or since a gap."""
    begin: int | None = None
    rests_ns: float = NAN
    resting: int = 0
    usual: list[float] = field(default_factory=list)
    stops: list[float] = field(default_factory=list)
    longs: list[bool] = field(default_factory=list)
    unlearned: int = 0
    found: tuple[float, float, int] = (NAN, NAN, 0)

    def row(self, row: Row) -> RowScores:
        if not seen(row["v"]):
            return [(NAN, NAN, 0)]
        z = NAN if row["z_doubt"] else row["z"]
        self._follow(row, abs(row["v"]), z)
        if self.resting >= 2 and self.begin is not None and at_rest(row) and seen(z):
            outside = seen(row["offset_m"]) and abs(row["offset_m"]) > self.facts.door_zone_m
            began_ns, speed, place = self.speeds[self.begin]
            self._stop(int(began_ns), speed, abs(z - place), outside)
            self.speeds, self.begin = [], None
        return [self.found]

    def _follow(self, row: Row, speed: float, z: float) -> None:
        here = (row["t_ns"], speed, z)
        if self.speeds and row["t_ns"] - self.last_ns > row["gap_ns"]:
            self.speeds, self.begin, self.resting = [here], None, 0
        self.last_ns = row["t_ns"]
        if speed < 0.1:
            if not self.resting and self.begin is not None:
                self._end()
            self.resting += 1
            if self.begin is None:
                self.speeds = []
            return
        self.resting = 0
        self.speeds.append(here)
        if self.begin is not None and speed > min(v for _, v, _ in self.speeds[self.begin : -1]) + 0.1:
            self.begin, self.speeds = None, [here]
        top = max(v for _, v, _ in self.speeds)
        if self.begin is None and 0.8 < speed < top - 0.1 and seen(z):
            self.begin = len(self.speeds) - 1

    def _end(self) -> None:
        """The speed reaches zero on the line through the first and the last reading of the braking."""
        assert self.begin is not None
        (first_ns, first, _), (last_ns, last, _) = self.speeds[self.begin], self.speeds[-1]
        if len(self.speeds) - self.begin < 4 or first <= last:
            self.begin = None
        else:
            self.rests_ns = last_ns + int(last * ((last_ns - first_ns) / 1e9) / (first - last) * 1e9)

    def _stop(self, began_ns: int, speed: float, way_m: float, outside: bool) -> None:
        took_s = (self.rests_ns - began_ns) / 1e9
        decel = speed**2 / 2 / max(way_m, 1e-3)
        if not 0.85 <= 2 * way_m / (speed * took_s) <= 1.12 or not (decel > 1.5 or outside):
            return
        self.stops.append(decel)
        usual = statistics.median(self.usual[-8:]) if len(self.usual) >= 8 else NAN
        is_long = decel < 0.7 * usual
        self.longs = [] if decel >= 0.85 * usual else [*self.longs, is_long][-3:]
        score = 0.0 if math.isnan(usual) else self._change() / -0.15
        if sum(self.longs) >= 2:
            score = max(score, 0.7 * usual / decel, 1.0)
        since_ns = self.found[2]
        if not is_long and score < 1:
            since_ns = 0
        elif since_ns == 0:
            since_ns = began_ns
        self.unlearned = self.unlearned + 1 if is_long else 0
        if not is_long or self.unlearned > 8:
            self.usual.append(decel)
        self.found = (score, float(not any(self.longs) and score < 1), since_ns)

    def _change(self) -> float:
        if len(self.stops) < 8:
            return 0.0
        line = linregress(range(8), self.stops[-8:])
        return 7 * line.slope / line.intercept if line.slope <= -3.143 * line.stderr else 0.0
