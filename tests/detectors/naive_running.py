"""The rules of the run, once more: its speed, its ends, its braking. Of F13 only the part that reads the speed."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from registry.facts import LiftFacts
from tests.detectors.naive_row import NAN, Row, RowScores, at_rest, seen


@dataclass
class Overspeed:
    """Above 105 % of the rated speed, and above 115 % downwards; upwards that is F09's."""

    facts: LiftFacts

    def row(self, row: Row) -> RowScores:
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

    def row(self, row: Row) -> RowScores:
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
    inside_m: float = NAN
    way_m: float = NAN
    speed: tuple[float, float] = (NAN, -math.inf)
    stop_m: float = NAN
    trip_m: float = NAN

    def beyond(self, z: float) -> float:
        floors = self.facts.floors
        return z - floors[-1].height_m if self.top else floors[0].height_m - z

    def row(self, row: Row) -> RowScores:
        if not self.facts.floors:
            return [(NAN, NAN, 0)] * 2
        out = seen(row["z_last"]) and not row["z_doubt"] and self.beyond(row["z_last"]) >= 0.05
        self.struck = out and (self.struck or abs(row["accel"]) > 0.5 * 9.81)
        if seen(row["v"]):
            since_ns = row["t_ns"] - self.speed[1]
            gone_m = (self.speed[0] + row["v"]) / 2 * since_ns / 1e9 if since_ns <= row["gap_ns"] else NAN
            self.way_m += gone_m
            self.trip_m += gone_m if seen(row["accel"]) else NAN
            self.speed = (row["v"], row["t_ns"])
        if not seen(row["z"]) or row["z_doubt"]:
            return [(NAN, NAN, 0)] * 2
        if at_rest(row) and abs(row["offset_m"]) <= 0.05:
            self.stop_m, self.trip_m = row["z"], 0.0
        moved_m = row["z"] - self.stop_m
        apart_m, most_m = abs(moved_m - self.trip_m), max(0.25, 0.015 * abs(moved_m))
        beyond = self.beyond(row["z"])
        out_m, way_m = (row["z"] - self.inside_m, self.way_m) if self.top else (self.inside_m - row["z"], -self.way_m)
        if beyond < 0.05:
            self.inside_m, self.way_m = row["z"], 0.0
        elif way_m < 0.5 * out_m - 0.02 or apart_m > most_m:
            return [(NAN, NAN, 0)] * 2
        struck = self.struck and beyond >= 0.05
        if beyond >= 0.15 and not struck and not apart_m <= most_m:
            return [(True, False, 0), (NAN, NAN, 0)]
        far = beyond >= 0.15 or (self.struck and beyond >= 0.05)
        return [(beyond >= 0.05, beyond < 0.05, 0), (far, not far, 0)]


@dataclass
class EmergencyStop:
    """Braked harder than 1.5 m/s² for 0.2 s and at rest within 2 s; where readings are seldom, from 1.5 m/s to rest
    between two of them. Or by 1.4 m/s² on average between 90 and 10 % of the speed. Over with the next trip."""

    facts: LiftFacts
    readings: list[Row] = field(default_factory=list)
    smooth: float = 0.0
    braking: list[float] = field(default_factory=list)
    braking_ns: float = 0
    begin: tuple[float, float] = (NAN, NAN)
    brake_ns: float = -math.inf
    from_mps: float = 0.0
    slowing: list[tuple[int, float]] = field(default_factory=list)
    rest_ns: float = -math.inf
    resting: int = 0
    trips: float = 0

    def row(self, row: Row) -> RowScores:
        has_speed = seen(row["v"])
        if has_speed:
            self._brake(row)
            self._come_to_rest(row)
            self.readings = [*self.readings[-1:], {"v": row["v"], "z": row["z_last"], "t_ns": row["t_ns"]}]
        took_s = (self.rest_ns - self.brake_ns) / 1e9 if self.resting else NAN
        stopped = (
            at_rest(row)
            and self.resting >= 2
            and 0 <= took_s <= max(2.0, self.from_mps / 1.5)
            and self.from_mps >= 1.2 * took_s
        )
        if stopped:
            self.trips = row["trips"]
        if not has_speed:
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
            self.slowing = [(int(row["t_ns"]), abs(row["v"]))]
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
        if dt_s >= 0.4 or before - abs(row["v"]) <= 0.75 * dt_s:
            self.slowing = []
        self.slowing.append((int(row["t_ns"]), abs(row["v"])))
        self._stop_short()

    def _stop_short(self) -> None:
        """Average a stop over the times at which the speed passed 90 and 10 % of that at which it began to fall."""
        (begin_ns, top), *_ = self.slowing
        if not 0.4 <= top <= 1.5 or len(self.slowing) < 3 or not self.slowing[-1][1] <= 0.1 * top < self.slowing[-2][1]:
            return
        if any(0.1 * top < v < 0.9 * top for _, v in self.slowing):
            t_ns, v = zip(*self.slowing, strict=True)
            took_s = np.diff(np.interp([-0.9 * top, -0.1 * top], -np.array(v), t_ns))[0] / 1e9
            if 0.8 * top / took_s > 1.4 and self.brake_ns < begin_ns:
                self.brake_ns, self.from_mps = begin_ns, top

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
