"""The rules that rest on an emergency stop, once more."""

from __future__ import annotations

from registry.facts import LiftFacts
from telemetry.streams import BATTERY
from tests.detectors.naive_row import NAN, Row, RowScores, seen
from tests.detectors.naive_running import EmergencyStop


class SafetyChainOpen:
    """An emergency stop that ends outside the door zone, the mains on."""

    def __init__(self, facts: LiftFacts) -> None:
        self.zone_m = facts.door_zone_m
        self.stop = EmergencyStop(facts)

    def row(self, row: Row) -> RowScores:
        ((on, off, since_ns),) = self.stop.row(row)
        if on == 1:
            if row["power"] == BATTERY:
                on = 0.0
            elif not seen(row["offset_m"]) or row["z_doubt"]:
                on = NAN
            else:
                on = abs(row["offset_m"]) > self.zone_m
        return [(on, off, since_ns)]
