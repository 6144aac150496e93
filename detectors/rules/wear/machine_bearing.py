"""F35 machine or bearing defect: blows in the vibration of the machine that follow the turning of its sheave.

    envelope   _|____|____|____|__     a comb over the way of the car: lines twice as high as the median line or more
    and        kurtosis above 5, or a velocity of zone C (2.8 mm/s), or 4 dB above the machine's own usual one

The comb alone shows no damage, and neither do the others: both are required. It needs an accelerometer on the machine,
2 000 Hz or more; that of the car does not feel the bearings through the ropes, and without the other nothing is judged.
Which part is damaged is inferred from lines a metre at most, since no fact describes the bearing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.observe.features import FeatureTable
from detectors.observe.vibrations.machine import SLOWEST_MPS
from detectors.rule import MINOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records

MEMORY = np.dtype(
    [
        ("blocks", np.int64),  # of the running machine, and their mean square velocity while it is learned
        ("usual", np.float64),
        ("kurtosis", np.float64),  # averages over the last blocks
        ("velocity", np.float64),
    ],
    align=True,
)


@dataclass(frozen=True, slots=True)
class MachineBearing:
    """Scores the lesser of the comb, and of the greatest of kurtosis and velocity, as shares of their limits.

    `zone_c_mmps`: ISO 20816-3, group 2, rigid. `learns`: the running seconds over which the usual velocity is learned;
    `averages`: over about so many blocks kurtosis and velocity are averaged.
    """

    comb: float = 2.0
    kurtosis: float = 5.0
    zone_c_mmps: float = 2.8
    rise_db: float = 4.0
    learns: int = 600
    averages: int = 20

    def start(self, n: int) -> Memory:
        """Return `n` machines that have not run."""
        return records(n, MEMORY)

    def step(self, state: Memory, features: FeatureTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each block of a running machine for which there is a comb."""
        state, n = copied(state), len(features)
        on, off, kurtosis, velocity_mmps = np.full((4, n), np.nan)
        limits = (self.comb, self.kurtosis, self.zone_c_mmps, 10.0 ** (self.rise_db / 20.0), self.learns, self.averages)
        _run(
            state, features.lift, np.abs(features.speed_mps), features.machine_kurtosis, features.machine_mmps,
            features.comb, limits, on, off, kurtosis, velocity_mmps,
        )  # fmt: skip
        evidence = {
            "comb": features.comb,
            "limit_comb": np.full(n, self.comb),
            "per_metre": features.comb_per_m,
            "kurtosis": kurtosis,
            "limit_kurtosis": np.full(n, self.kurtosis),
            "velocity_mmps": velocity_mmps,
            "limit_mmps": np.full(n, self.zone_c_mmps),
        }
        return state, (Score(on, off, evidence),)


@compiled
def _run(
    memory: Any, lift: Any, speed: Any, kurtosis: Any, mmps: Any, comb: Any, limits: Any, on: Any, off: Any,
    kurtosis_now: Any, mmps_now: Any,
) -> None:  # fmt: skip
    comb_limit, kurtosis_limit, zone_mmps, rise, learns, averages = limits
    for k in range(len(lift)):
        if np.isnan(kurtosis[k]) or not speed[k] >= SLOWEST_MPS:
            continue
        own = memory[lift[k]]
        own["blocks"] += 1
        share = 1.0 / min(own["blocks"], averages)
        own["kurtosis"] = (
            kurtosis[k] if own["blocks"] == 1 else own["kurtosis"] + share * (kurtosis[k] - own["kurtosis"])
        )
        own["velocity"] = mmps[k] if own["blocks"] == 1 else own["velocity"] + share * (mmps[k] - own["velocity"])
        if own["blocks"] <= learns:
            own["usual"] += (mmps[k] ** 2 - own["usual"]) / own["blocks"]
        kurtosis_now[k], mmps_now[k] = own["kurtosis"], own["velocity"]
        if np.isnan(comb[k]):
            continue
        other = max(own["kurtosis"] / kurtosis_limit, own["velocity"] / zone_mmps)
        if own["blocks"] > learns:
            other = max(other, own["velocity"] / max(rise * np.sqrt(own["usual"]), 1e-9))
        on[k] = min(comb[k] / comb_limit, other)
        off[k] = 1.0 if on[k] < 1.0 else 0.0


LEVELS = (Level(MINOR, readings=10, clear_readings=60),)
RULE = Rule.from_catalogue("machine-bearing", MachineBearing(), LEVELS, table="features")
