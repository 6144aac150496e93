"""The rules over rides, once more: one ride after the other, with the names of its fields."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from registry.facts import LiftFacts
from tests.detectors.naive_row import NAN, Row, RowScores, seen
from tests.detectors.naive_trips import LastTrips

WEEK_NS = 7 * 86_400 * 10**9


@dataclass
class Limits:
    """Three of the last ten rides beyond a limit: trend. 1.5 times on three of ten, or for seven days: minor."""

    last: LastTrips = field(default_factory=lambda: LastTrips(10))
    far: list[bool] = field(default_factory=list)
    usual: float = 0.0
    bounded: bool = False
    learned: list[float] = field(default_factory=list)

    def scores(self, ride: Row, shares: list[float], at_once: bool) -> RowScores:
        known = [share for share in shares if seen(share)]
        if not known:
            return [(NAN, NAN, self.last.first_ns)] * 2
        share = max(known)
        limit = 1.0
        if self.usual and len(self.learned) < 20:
            self.learned.append(share)
            if not self.bounded:
                return [(NAN, NAN, self.last.first_ns)] * 2
            limit = 1.5
        elif self.usual:
            limit = max(self.usual * sum(self.learned) / 20, 1.0)
            limit = min(limit, 1.5) if self.bounded else limit
        bad = self.last.add(share > limit, ride["start_ns"])
        self.far.append(share > (1.5 if self.bounded else 1.5 * limit))
        lasts = bad >= 3 and ride["t_ns"] - self.last.first_ns >= WEEK_NS
        over = self.last.good >= 10
        trend, minor = max(bad / 3, at_once), max(sum(self.far[-10:]) / 3, lasts)
        return [(trend, over, self.last.first_ns), (minor, over, self.last.first_ns)]


@dataclass
class Vibration:
    """Peak to peak and A95 of some axes beyond their limits."""

    facts: LiftFacts
    axes: str
    pp_mps2: float
    a95_mps2: float
    limits: Limits = field(default_factory=Limits)

    def row(self, ride: Row) -> RowScores:
        shares = [ride[f"pp_{axis}_mps2"] / self.pp_mps2 for axis in self.axes]
        shares += [ride[f"a95_{axis}_mps2"] / self.a95_mps2 for axis in self.axes]
        return self.limits.scores(ride, shares, False)


@dataclass
class HarshRide:
    """Acceleration and jerk beyond their limits, on rides that end at a landing; one acceleration is enough."""

    facts: LiftFacts
    limits: Limits = field(default_factory=lambda: Limits(usual=1.2, bounded=True))

    def row(self, ride: Row) -> RowScores:
        landing = ride["to_landing"]
        height = self.facts.floors[int(landing) if seen(landing) else 0].height_m
        if abs(ride["to_m"] - height) > self.facts.door_zone_m:
            return self.limits.scores(ride, [], False)
        accels = [ride["accel_mps2"], ride["decel_mps2"]]
        hard = any(accel > 1.5 for accel in accels)
        return self.limits.scores(ride, [*(accel / 1.5 for accel in accels), ride["jerk_mps3"] / 2.5], hard)


@dataclass
class RailJoint:
    """A shock at a place on 14 of its last 20 passes, twice as strong as those of the lift's first fifty trips."""

    facts: LiftFacts
    rides: int = 0
    usual: list[float] = field(default_factory=list)
    places: list[tuple[float, int, list[bool]]] = field(default_factory=list)

    def row(self, ride: Row) -> RowScores:
        margin = ride["peak_mps"] ** 2
        low, high = sorted((ride["from_m"], ride["to_m"]))
        low, high = low + margin, high - margin
        if not (seen(ride["kurtosis_x"]) or seen(ride["kurtosis_y"])) or not high > low:
            return [(NAN, NAN, 0)]
        self.rides += 1
        shocks = [(ride[f"shock_ratio_{k}"], ride[f"shock_m_{k}"]) for k in (1, 2, 3, 4)]
        if self.rides <= 50:
            self.usual += [ratio for ratio, _ in shocks[:1] if ratio > 4.5]
            return [(NAN, NAN, 0)]
        limit = max(4.5, 2.0 * sum(self.usual) / len(self.usual)) if self.usual else 4.5
        near = 0.17 * ride["peak_mps"]
        strong = [at for ratio, at in shocks if ratio > limit]
        for at, _, passes in self.places:
            if low <= at <= high:
                passes.append(any(abs(shock - at) <= near for shock in strong))
        for shock in strong:
            if low <= shock <= high:
                self._remember(shock, near, int(ride["start_ns"]))
        shares = [sum(passes[-20:]) / 20 if len(passes) >= 20 else 0.0 for _, _, passes in self.places]
        most = max(shares, default=0.0)
        since_ns = self.places[shares.index(most)][1] if most else 0
        return [(most / 0.7, most < 0.35, since_ns)]

    def _remember(self, shock: float, near: float, start_ns: int) -> None:
        if any(abs(at - shock) <= 2 * near for at, _, _ in self.places):
            return
        new = (shock, start_ns, [True])
        if len(self.places) < 12:
            self.places.append(new)
        else:
            counts = [sum(passes[-20:]) for _, _, passes in self.places]
            self.places[counts.index(min(counts))] = new


@dataclass
class RollerGuide:
    """The average power of a line between 1.2 and 3.5 a metre rises by 6 dB over its mean of the first fifty trips."""

    facts: LiftFacts
    learned: list[list[float]] = field(default_factory=list)
    power: list[float] = field(default_factory=list)
    good: int = 0
    since_ns: int = 0

    def row(self, ride: Row) -> RowScores:
        lines = [ride[f"order_{axis}_{k:02d}_mps2"] ** 2 for axis in "xy" for k in range(6, 18)]
        if not all(map(seen, lines)):
            return [(NAN, NAN, 0)]
        if len(self.learned) < 50:
            self.learned.append(lines)
            self.power = [sum(column) / len(column) for column in zip(*self.learned, strict=True)]
            return [(NAN, NAN, 0)]
        usual = [sum(column) / 50 for column in zip(*self.learned, strict=True)]
        self.power = [was + (now - was) / 10 for was, now in zip(self.power, lines, strict=True)]
        rise = max(10 * math.log10(now / was) for now, was in zip(self.power, usual, strict=True)) / 6.0
        self.good = 0 if rise >= 1.0 else self.good + 1
        if rise < 0.5:
            self.since_ns = 0
        elif not self.since_ns:
            self.since_ns = int(ride["start_ns"])
        return [(rise, self.good >= 10, self.since_ns)]
