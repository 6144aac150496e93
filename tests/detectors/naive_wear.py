"""The rules of wear, once more."""

from __future__ import annotations

from dataclasses import dataclass, field

from registry.facts import LiftFacts
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
