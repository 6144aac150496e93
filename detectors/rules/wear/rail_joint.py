"""F33 rail-joint impact: a shock at the same place of the shaft, pass after pass.

    height   3 m      8 m      13 m
    trip 1   ~~~~~~~~~|~~~~~~~~~~~~    a peak of more than 4.5 times the vibration around it, and twice the usual peaks
    trip 2   ~~~~~~~~~|~~~~|~~~~~~~    within 0.17 s of travel of the same height in 70 % of twenty passes or more

A place is remembered from its first shock on. It was passed where the trip came by well away from its ends, at more
than half of its speed. The vibration of people and doors comes anywhere; a joint or a bracket of the rails stays where
it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.observe.rides.table import RideTable
from detectors.rule import TREND, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records
from telemetry.ride_fields import SHOCKS

PLACES, KEPT = 12, 20
MEMORY = np.dtype(
    [
        ("place_m", np.float64, (PLACES,)),  # the heights that are remembered, NaN where none is
        ("passed", np.int64, (PLACES,)),  # how often each was passed, and the last passes, a bit each (1: a shock)
        ("hits", np.int64, (PLACES,)),
        ("first_ns", np.int64, (PLACES,)),
        ("trips", np.int64),  # the trips measured so far, and the mean ratio of the shocks of the first ones
        ("shocks", np.int64),
        ("usual", np.float64),
    ],
    align=True,
)


@dataclass(frozen=True, slots=True)
class RailJoint:
    """Scores the share of passes with a shock at the worst place, as a share of `hit_share`.

    `near_s`: how exactly the height of a shock is known, as a time of travel at the trip's speed. `ends_mps2`: by so
    gentle an acceleration the parts of a trip at less than half of its speed are left out. `usual`: a shock is so many
    times as strong as those of the lift's first `learns` trips.
    """

    ratio: float = 4.5
    near_s: float = 0.17
    hit_share: float = 0.7
    ends_mps2: float = 0.5
    usual: float = 2.0
    learns: int = 50

    def start(self, n: int) -> Memory:
        """Return `n` lifts of which no place is remembered."""
        return records(n, MEMORY, place_m=np.nan)

    def step(self, state: Memory, rides: RideTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each ride whose shocks are measured."""
        state, n = copied(state), len(rides)
        names = [(f"shock_ratio_{k + 1}", f"shock_m_{k + 1}") for k in range(SHOCKS)]
        shocks = np.array([[rides.column(name) for name in pair] for pair in names]).reshape(SHOCKS, 2, n)
        from_m, to_m = rides.column("from_m"), rides.column("to_m")
        margin_m = rides.column("peak_mps") ** 2 / (2.0 * self.ends_mps2)
        low_m, high_m = np.minimum(from_m, to_m) + margin_m, np.maximum(from_m, to_m) - margin_m
        measured = ~np.isnan(rides.column("kurtosis_x")) | ~np.isnan(rides.column("kurtosis_y"))
        on, off, place_m, hits, passes = *np.full((3, n), np.nan), np.zeros(n), np.zeros(n)
        since_ns = np.zeros(n, np.int64)
        limits = (self.ratio, self.hit_share, self.usual, self.learns)
        near_m = self.near_s * rides.column("peak_mps")
        _run(
            state, rides.lift, rides.start_ns, low_m, high_m, near_m, measured, shocks, limits, on, off, place_m, hits,
            passes, since_ns,
        )  # fmt: skip
        evidence = {"position_m": place_m, "hits": hits, "passes": passes}
        return state, (Score(on, off, evidence, since_ns),)


@compiled
def _run(
    memory: Any, lift: Any, start_ns: Any, low_m: Any, high_m: Any, near_m: Any, measured: Any, shocks: Any,
    limits: Any, on: Any, off: Any, place_m: Any, hits: Any, passes: Any, since_ns: Any,
) -> None:  # fmt: skip
    ratio_least, hit_share, usual, learns = limits
    for k in range(len(lift)):
        if not measured[k] or not high_m[k] > low_m[k]:
            continue
        own = memory[lift[k]]
        own["trips"] += 1
        if own["trips"] <= learns:
            if shocks[0, 0, k] > ratio_least:
                own["shocks"] += 1
                own["usual"] += (shocks[0, 0, k] - own["usual"]) / own["shocks"]
            continue
        ratio = max(ratio_least, usual * own["usual"])
        for at in range(PLACES):
            if low_m[k] <= own["place_m"][at] <= high_m[k]:
                _pass(own, at, _is_hit(shocks[:, :, k], own["place_m"][at], ratio, near_m[k]))
        for shock in range(SHOCKS):
            height_m = shocks[shock, 1, k]
            if shocks[shock, 0, k] > ratio and low_m[k] <= height_m <= high_m[k]:
                _remember(own, height_m, near_m[k], start_ns[k])
        worst, most = -1, 0.0
        for at in range(PLACES):
            share = _share(own, at)
            if share > most:
                worst, most = at, share
        on[k] = most / hit_share
        off[k] = 1.0 if most < hit_share / 2 else 0.0
        if worst >= 0:
            place_m[k], since_ns[k] = own["place_m"][worst], own["first_ns"][worst]
            passes[k] = min(own["passed"][worst], KEPT)
            hits[k] = round(most * passes[k])


@compiled
def _is_hit(shocks: Any, at_m: float, ratio: float, near_m: float) -> bool:
    hit = False
    for shock in range(SHOCKS):
        hit = hit or (shocks[shock, 0] > ratio and abs(shocks[shock, 1] - at_m) <= near_m)
    return bool(hit)


@compiled
def _pass(own: Any, at: int, is_hit: bool) -> None:
    own["passed"][at] += 1
    own["hits"][at] = ((own["hits"][at] << 1) & ((1 << KEPT) - 1)) | is_hit


@compiled
def _share(own: Any, at: int) -> float:
    """Return the share of the last passes of a place that had a shock, 0 before there are enough passes."""
    if np.isnan(own["place_m"][at]) or own["passed"][at] < KEPT:
        return 0.0
    count = 0
    for bit in range(KEPT):
        count += (own["hits"][at] >> bit) & 1
    return count / KEPT


@compiled
def _remember(own: Any, height_m: float, near_m: float, start_ns: int) -> None:
    """Remember a place that is not remembered yet: in a free row, or in that of the one with the fewest shocks."""
    free, fewest = -1, 1 << 30
    for at in range(PLACES):
        if abs(own["place_m"][at] - height_m) <= 2.0 * near_m:
            return
        count = -1
        if not np.isnan(own["place_m"][at]):
            count = 0
            for bit in range(KEPT):
                count += (own["hits"][at] >> bit) & 1
        if count < fewest:
            free, fewest = at, count
    own["place_m"][free], own["passed"][free], own["hits"][free] = height_m, 1, 1
    own["first_ns"][free] = start_ns


LEVELS = (Level(TREND, readings=1, clear_readings=1),)
RULE = Rule.from_catalogue("rail-joint", RailJoint(), LEVELS, needs=("position_source",), table="rides")
