"""The observations of one lift at one row, and predicates of them for the rules. Nothing here calls the fast code."""

from __future__ import annotations

import math
from dataclasses import dataclass

from telemetry.streams import CLOSED, FIRE, FIREFIGHTER, INSPECTION, NORMAL, OUT_OF_SERVICE

NAN = math.nan
Row = dict[str, float]
RowScores = list[tuple[float, float, int]]
SPECIAL = (INSPECTION, FIRE, FIREFIGHTER, OUT_OF_SERVICE)


def seen(value: float) -> bool:
    return not math.isnan(value)


def read(row: Row) -> bool:
    """Return whether this row reads a speed or a position."""
    return seen(row["v"]) or seen(row["z"])


def at_rest(row: Row) -> bool:
    return row["still_s"] > 0 or (row["still_s"] == 0 and row["still_since_ns"] == row["t_ns"])


def in_service(row: Row) -> bool:
    return not seen(row["mode"]) or row["mode"] == NORMAL


def inspected(row: Row) -> bool:
    """Return whether the car is on inspection, no faster than inspection allows."""
    return row["mode"] == INSPECTION and not abs(row["v_last"]) > 0.63


def ajar(row: Row) -> bool | None:
    """Return whether the door is not closed; None where that is unknown."""
    return row["door"] != CLOSED if seen(row["door"]) else None


def slows(row: Row) -> bool:
    return not row["accel"] * (row["v"] > 0 or -(row["v"] < 0)) >= 0


def run_limit(row: Row, limit_mps: float) -> float:
    return max(limit_mps, 0.63) if row["mode"] == INSPECTION else limit_mps


@dataclass
class Clock:
    """How long a condition has held; an unknown condition (None) stops the clock."""

    since_ns: int = 0
    last_ns: int = 0
    served_ns: int = 0

    def tick(self, row: Row, holds: bool | None) -> float:
        """Return for how long the condition has held, in seconds."""
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
