"""The rules of wear, once more."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from detectors.observe.gaps import GAP_NS
from registry.facts import LiftFacts
from telemetry.streams import CLOSED
from tests.detectors.naive_row import NAN, Row, RowScores, seen
from tests.detectors.naive_trips import LastTrips, is_rescue


@dataclass
class TractionSlip:
    """The ways by speed and position differ by more than 0.5 % and 50 mm beside their usual ratio, on 5 of 10 trips."""

    facts: LiftFacts
    last: LastTrips = field(default_factory=lambda: LastTrips(10))
    learned: list[float] = field(default_factory=list)

    def row(self, trip: Row) -> RowScores:
        moved = trip["to_m"] - trip["from_m"]
        unknown: RowScores = [(NAN, NAN, self.last.first_ns)]
        if not abs(moved) >= 6.0 or is_rescue(trip) or not seen(trip["way_m"]):
            return unknown
        excess = trip["way_m"] / moved - 1.0
        if abs(excess) > 0.10:
            return unknown
        if len(self.learned) < 20:
            self.learned.append(excess)
            return unknown
        slip_m = abs(excess - sum(self.learned) / 20) * abs(moved)
        slips = self.last.add(slip_m > max(0.005 * abs(moved), 0.050), trip["start_ns"])
        return [(slips / 5, self.last.good >= 10, self.last.first_ns)]


@dataclass
class ExcessRelevelling:
    """Three moves of 8 to 100 mm back to the landing at one stop, or stops with one: more than 5 % of fifty in 24 h."""

    facts: LiftFacts
    stop: dict[str, float] | None = None
    stops: list[dict[str, float]] = field(default_factory=list)
    offsets: list[float] = field(default_factory=list)
    far: float = NAN
    comes_back: bool = False
    read_ns: float = -math.inf
    bad_ns: float = 0

    def row(self, row: Row) -> RowScores:
        t_ns, z = int(row["t_ns"]), row["z"]
        leaves = abs(row["v_last"]) > 0.30
        if leaves:
            self.stop, self.offsets = None, []
        opened = seen(row["door"]) and row["door"] != CLOSED and seen(z) and not row["z_doubt"] and not row["stale"]
        opened = opened and abs(row["offset_m"]) <= self.facts.door_zone_m and not leaves
        if opened and (self.stop or row["still_s"] >= 1.0):
            self._read(t_ns, abs(row["offset_m"]))
        elif seen(z):
            self.offsets = []
        last = self.stops[-1]["hour"] if self.stops else 0
        day = [stop for stop in self.stops if stop["hour"] > last - 24]
        moved = sum(stop["moves"] > 0 for stop in day)
        is_day = bool(self.stops) and last - self.stops[0]["hour"] >= 23
        share = moved / len(day) if len(day) >= 50 and is_day else 0.0
        moves = self.stop["moves"] if self.stop else 0
        since_ns = int(self.stop["first_ns"]) if self.stop else 0
        if not seen(z):
            return [(NAN, NAN, since_ns)]
        on = max(moves / 3, share / 0.05 if share > 0.05 else 0.0)
        self.bad_ns = t_ns if on >= 1.0 else self.bad_ns
        return [(on, t_ns - self.bad_ns >= 86_400 * 10**9, since_ns)]

    def _read(self, t_ns: int, offset: float) -> None:
        if not self.stop:
            self.stop = {"hour": t_ns // (3600 * 10**9), "moves": 0, "first_ns": 0}
            self.stops.append(self.stop)
        if t_ns - self.read_ns > GAP_NS:
            self.offsets = []
        self.read_ns = t_ns
        self.offsets.append(offset)
        if len(self.offsets) < 3:
            self.far, self.comes_back = NAN, False
            return
        mean = sum(self.offsets[-3:]) / 3
        if self.comes_back and mean <= self.far + 0.003:
            self.far = min(self.far, mean)
            return
        self.comes_back = False
        self.far = max(self.far, mean) if seen(self.far) else mean
        if 0.008 <= self.far - mean <= 0.100:
            self.far, self.comes_back = mean, True
            self.stop["moves"] += 1
            self.stop["first_ns"] = self.stop["first_ns"] or t_ns
