"""F25 levelling error: stops at one landing miss it again and again.

    door      __/opening/‾‾open‾‾      the first position read at the fully open door after a trip: the stop's error
    error                 x            the median of the last five at the landing: above 10, 20 or 35 mm

Stops count at each landing by itself, of the last `STOPS` stops of the lift. It is over where ten stops in a row at the
landing that was found kept the limit; another landing is found after that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.observe.row_table import RowTable
from detectors.rule import MAJOR, MINOR, TREND, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records
from telemetry.streams import OPEN

STOPS, MEDIAN_OF = 96, 5
MEMORY = np.dtype(
    [
        ("trips", np.int64),  # the completed trips at the latest stop that was measured
        ("stops", np.int64),  # the stops measured so far; they stand in the ring one after the other
        ("landing", np.int16, (STOPS,)),
        ("error_m", np.float64, (STOPS,)),
        ("found_at", np.int64, (3,)),  # the landing that each level found, -1 none
        ("good", np.int64, (3,)),  # the stops in a row that kept its limit there
    ],
    align=True,
)


@dataclass(frozen=True, slots=True)
class LevellingError:
    """Scores the median error of a landing's last stops as a share of three limits."""

    trend_m: float = 0.010
    minor_m: float = 0.020
    major_m: float = 0.035
    good_stops: int = 10

    def start(self, n: int) -> Memory:
        """Return `n` lifts of which no stop was measured."""
        return records(n, MEMORY, found_at=-1)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row that measures a stop."""
        state, n = copied(state), len(rows)
        limits = np.array([self.trend_m, self.minor_m, self.major_m])
        on, off, error_m, number = np.full((3, n), np.nan), np.full((3, n), np.nan), np.full(n, np.nan), np.zeros(n)
        measures = ~np.isnan(rows.z) & rows.at_rest & (rows.door == OPEN) & ~rows.z_doubt & ~rows.stale
        measures &= np.abs(rows.offset_m) <= facts.door_zone_m[rows.lift]
        _run(
            state, rows.lift, measures, rows.trips, rows.landing, rows.offset_m, limits, self.good_stops, on, off,
            error_m, number,
        )  # fmt: skip
        shown = {"error_m": error_m, "landing": number}
        return state, tuple(Score(on[i], off[i], shown | {"limit_m": np.full(n, limits[i])}) for i in range(3))


@compiled
def _run(
    memory: Any, lift: Any, measures: Any, trips: Any, landing: Any, offset_m: Any, limits: Any, good_stops: int,
    on: Any, off: Any, error_m: Any, number: Any,
) -> None:  # fmt: skip
    for k in range(len(lift)):
        own = memory[lift[k]]
        if not measures[k] or trips[k] <= own["trips"]:
            continue
        own["trips"] = trips[k]
        place, error = own["stops"] % STOPS, abs(offset_m[k])
        own["landing"][place], own["error_m"][place] = landing[k], error
        own["stops"] += 1
        median_m = _median(own, landing[k])
        error_m[k], number[k] = median_m, landing[k] + 1.0
        for level in range(3):
            on[level, k] = median_m / limits[level]
            if landing[k] == own["found_at"][level]:
                own["good"][level] = own["good"][level] + 1 if error <= limits[level] else 0
                off[level, k] = 1.0 if own["good"][level] >= good_stops else 0.0
            elif on[level, k] >= 1.0 and (own["found_at"][level] < 0 or own["good"][level] >= good_stops):
                own["found_at"][level], own["good"][level] = landing[k], 0


@compiled
def _median(own: Any, landing: int) -> float:
    """Return the median error of the last stops at a landing, NaN where there are too few."""
    errors, count = np.empty(MEDIAN_OF), 0
    for back in range(1, min(own["stops"], STOPS) + 1):
        place = (own["stops"] - back) % STOPS
        if own["landing"][place] == landing:
            errors[count] = own["error_m"][place]
            count += 1
            if count == MEDIAN_OF:
                return float(np.sort(errors)[MEDIAN_OF // 2])
    return np.nan


LEVELS = tuple(Level(severity, readings=1, clear_readings=1) for severity in (TREND, MINOR, MAJOR))
RULE = Rule.from_catalogue("levelling-error", LevellingError(), LEVELS, needs=("floors", "position_source"))
