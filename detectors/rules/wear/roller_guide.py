"""F34 roller or guide-shoe defect: a vibration that repeats with the way of the car, more than it used to.

    spectrum over the way   __|‾|___|‾|__      a wheel of 125 mm turns 2.5 times a metre, whatever the speed
    usual                   __|_|___|_|__      6 dB more than over the first fifty trips, at 1.2 to 3.5 a metre

Both horizontal axes count, each wave number by itself; the powers of the last ten trips or so are averaged, since the
spectrum of one trip is mostly chance. Without vibration, or on trips that are too short for it, nothing is judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.observe.rides.memory import SEGMENT_M
from detectors.observe.rides.table import RideTable
from detectors.rule import TREND, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records
from telemetry.ride_fields import ORDERS

AXES = "xy"
FEWEST, MOST = 1.2, 3.5
"""The turns a metre of the wheels that guide a car."""
NUMBERS = tuple(k for k in range(1, ORDERS + 1) if FEWEST <= k / SEGMENT_M <= MOST)
LINES = len(AXES) * len(NUMBERS)
MEMORY = np.dtype(
    [
        ("usual", np.float64, (LINES,)),  # the mean power of each line over the first trips
        ("power", np.float64, (LINES,)),  # the average over the last ones
        ("rides", np.int64),
        ("since_ns", np.int64),
        ("good", np.int64),
    ],
    align=True,
)


@dataclass(frozen=True, slots=True)
class RollerGuide:
    """Scores the greatest rise of a line above its usual power, as a share of `rise_db`.

    `learns`: the trips over which the usual power is learned. `averages`: about so many trips are averaged.
    """

    rise_db: float = 6.0
    learns: int = 50
    averages: int = 10
    good_trips: int = 10

    def start(self, n: int) -> Memory:
        """Return `n` lifts without a trip."""
        return records(n, MEMORY)

    def step(self, state: Memory, rides: RideTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each ride that has a spectrum."""
        state, n = copied(state), len(rides)
        names = [f"order_{axis}_{k:02d}_mps2" for axis in AXES for k in NUMBERS]
        power = np.ascontiguousarray(np.array([rides.column(name) for name in names]).reshape(LINES, n).T ** 2)
        on, off, rise_db, wave_m, since_ns = *np.full((4, n), np.nan), np.zeros(n, np.int64)
        lengths_m = np.array([SEGMENT_M / k for _ in AXES for k in NUMBERS])
        counts = (self.rise_db, self.learns, self.averages, self.good_trips)
        _run(state, rides.lift, rides.start_ns, power, lengths_m, counts, on, off, rise_db, wave_m, since_ns)
        evidence = {"rise_db": rise_db, "limit_db": np.full(n, self.rise_db), "wavelength_m": wave_m}
        return state, (Score(on, off, evidence, since_ns),)


@compiled
def _run(
    memory: Any, lift: Any, start_ns: Any, power: Any, lengths_m: Any, counts: Any, on: Any, off: Any, rise_db: Any,
    wave_m: Any, since_ns: Any,
) -> None:  # fmt: skip
    limit_db, learns, averages, good_trips = counts
    for k in range(len(lift)):
        if np.isnan(power[k]).any():
            continue
        own = memory[lift[k]]
        own["rides"] += 1
        if own["rides"] <= learns:
            for line in range(LINES):
                own["usual"][line] += (power[k, line] - own["usual"][line]) / own["rides"]
                own["power"][line] = own["usual"][line]
            continue
        worst, most = 0, 0.0
        for line in range(LINES):
            own["power"][line] += (power[k, line] - own["power"][line]) / averages
            ratio = own["power"][line] / max(own["usual"][line], 1e-12)
            if ratio > most:
                worst, most = line, ratio
        rise_db[k], wave_m[k] = 10.0 * np.log10(max(most, 1e-12)), lengths_m[worst]
        on[k] = rise_db[k] / limit_db
        own["good"] = 0 if on[k] >= 1.0 else own["good"] + 1
        if on[k] < 0.5:
            own["since_ns"] = 0
        elif own["since_ns"] == 0:
            own["since_ns"] = start_ns[k]
        off[k] = 1.0 if own["good"] >= good_trips else 0.0
        since_ns[k] = own["since_ns"]


LEVELS = (Level(TREND, readings=3, clear_readings=1),)
RULE = Rule.from_catalogue("roller-guide", RollerGuide(), LEVELS, table="rides")
