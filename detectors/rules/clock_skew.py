"""F42 clock skew: a lift's clock is wrong, or is set back repeatedly.

    clock_s   0  0  5  5  5  5  5  0  0            steady for `hold_s`: skew; near 0 again: in time
    clock_s   0 -900 -700 -500 -300 -100  0        a backlog, which catches up: no skew
    set back        x                 x            for the second time within `day_s`

Only arrivals of messages with a time of their own are judged; the difference is that of the last reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.observe.arrivals import ArrivalTable
from detectors.rule import TREND, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records

MEMORY = np.dtype(
    [
        ("clock_s", np.float64),  # the difference that has been steady, NaN in time
        ("since_ns", np.int64),  # since this arrival
        ("stepped_ns", np.int64),  # the latest arrival with which the clock was set back, and the one before; 0 none
        ("stepped_before_ns", np.int64),
    ],
    align=True,
)


@dataclass(frozen=True, slots=True)
class ClockSkew:
    """Scores 1 where the clock has been off steadily, or was set back twice."""

    limit_s: float = 2.0
    steady_s: float = 2.0
    hold_s: float = 60.0
    day_s: float = 86_400.0

    def start(self, n: int) -> Memory:
        """Return `n` lifts whose clocks are in time."""
        return records(n, MEMORY, clock_s=np.nan)

    def step(self, state: Memory, arrivals: ArrivalTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score the rows of messages; a tick has no time of the lift's clock."""
        n, state = len(arrivals), copied(state)
        on, off, steps, since_ns = np.full(n, np.nan), np.full(n, np.nan), np.zeros(n), np.zeros(n, np.int64)
        if not np.isnan(arrivals.clock_s).all():
            limits = (self.limit_s, self.steady_s, round(self.hold_s * 1e9), round(self.day_s * 1e9))
            columns = (arrivals.lift, arrivals.t_ns, arrivals.clock_s, arrivals.stepped)
            _run(state, *columns, limits, on, off, steps, since_ns)
        evidence = {"clock_s": arrivals.clock_s, "limit_s": np.full(n, self.limit_s), "steps": steps}
        return state, (Score(on, off, evidence, since_ns=since_ns),)


@compiled
def _run(
    memory: Any,
    lift: Any,
    t_ns: Any,
    clock_s: Any,
    stepped: Any,
    limits: tuple[float, float, int, int],
    on: Any,
    off: Any,
    steps: Any,
    since_ns: Any,
) -> None:
    limit_s, steady_s, hold_ns, day_ns = limits
    for k in range(len(lift)):
        own = memory[lift[k]]
        if np.isnan(clock_s[k]):
            continue
        if stepped[k]:
            own["stepped_before_ns"], own["stepped_ns"] = own["stepped_ns"], t_ns[k]
        for step_ns in (own["stepped_before_ns"], own["stepped_ns"]):
            steps[k] += step_ns > 0 and t_ns[k] - step_ns <= day_ns
        if abs(clock_s[k]) <= limit_s:
            own["clock_s"] = np.nan
        elif not abs(clock_s[k] - own["clock_s"]) <= steady_s:
            own["clock_s"], own["since_ns"] = clock_s[k], t_ns[k]
        is_off = not np.isnan(own["clock_s"])
        since_ns[k] = own["since_ns"] if is_off else t_ns[k]
        on[k] = steps[k] >= 2 or (is_off and t_ns[k] - own["since_ns"] >= hold_ns)
        off[k] = steps[k] < 2 and not is_off


RULE = Rule.from_catalogue("clock-skew", ClockSkew(), (Level(TREND, readings=1),), table="arrivals")
