"""F21 light curtain dead: nothing interrupts it over days of use, and the door closes on people.

    door      cycle after cycle: 200 at least, over a day at least
    curtain   ________________________________    never interrupted in any of them
    car       more than 20 trips with a person     somebody must have passed it
    door      closing, opening again: 3 times      with a person inside: it was turned back by force

Each of the four is needed. A cycle counts where the curtain was known throughout; one interruption resets everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.observe.row_table import RowTable
from detectors.rule import MAJOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records
from telemetry.streams import CLOSED, CLOSING, OPEN, OPENING

MEMORY = np.dtype(
    [
        ("since_ns", np.int64),  # when the first cycle without an interruption began, 0 none
        ("cycles", np.int64),
        ("ridden", np.int64),  # the trips with a person
        ("reversals", np.int64),
        ("trips", np.int64),  # the completed trips at the last row
        ("door", np.float64),  # the door as known last
        ("begun_ns", np.int64),  # when the cycle under way began, 0 where none is or the curtain was not known in it
    ],
    align=True,
)


@dataclass(frozen=True, slots=True)
class CurtainDead:
    """Scores the least of cycles, time, trips with a person and reversals, each as a share of what is needed."""

    cycles: int = 200
    lasting_s: float = 86_400.0
    ridden_trips: int = 21
    reversals: int = 3

    def start(self, n: int) -> Memory:
        """Return `n` lifts whose door has not moved."""
        return records(n, MEMORY, door=np.nan)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row at which the light curtain is known."""
        state, n = copied(state), len(rows)
        on, off = np.full((2, n), np.nan)
        cycles, ridden, reversals = np.zeros((3, n))
        since_ns = np.zeros(n, np.int64)
        needed = (self.cycles, self.lasting_s, self.ridden_trips, self.reversals)
        _run(
            state, rows.lift, rows.t_ns, rows.door, rows.curtain, rows.presence, rows.trips, rows.stale, needed, on,
            off, cycles, ridden, reversals, since_ns,
        )  # fmt: skip
        evidence = {"cycles": cycles, "trips": ridden, "reversals": reversals}
        return state, (Score(on, off, evidence, since_ns),)


@compiled
def _run(
    memory: Any, lift: Any, t_ns: Any, door: Any, curtain: Any, presence: Any, trips: Any, stale: Any, needed: Any,
    on: Any, off: Any, cycles: Any, ridden: Any, reversals: Any, since_ns: Any,
) -> None:  # fmt: skip
    for k in range(len(lift)):
        own = memory[lift[k]]
        if stale[k]:
            continue
        if curtain[k] == 1.0:
            own["since_ns"], own["cycles"], own["ridden"], own["reversals"], own["begun_ns"] = 0, 0, 0, 0, 0
        else:
            _follow(own, t_ns[k], door[k], curtain[k], presence[k], trips[k])
        own["trips"] = trips[k]
        if not np.isnan(door[k]):
            own["door"] = door[k]
        cycles[k], ridden[k], reversals[k] = own["cycles"], own["ridden"], own["reversals"]
        since_ns[k] = own["since_ns"]
        if not np.isnan(curtain[k]):
            lasted_s = (t_ns[k] - own["since_ns"]) / 1e9 if own["since_ns"] > 0 else 0.0
            on[k] = min(
                own["cycles"] / needed[0], lasted_s / needed[1], own["ridden"] / needed[2], own["reversals"] / needed[3]
            )
            off[k] = curtain[k]


@compiled
def _follow(own: Any, t_ns: int, door: float, curtain: float, presence: float, trips: int) -> None:
    """Count the cycles, the reversals and the trips of a curtain that is not interrupted."""
    if np.isnan(curtain) or np.isnan(door):
        own["begun_ns"] = 0
        return
    if own["door"] == CLOSED and door != CLOSED:
        own["begun_ns"] = t_ns
    elif own["door"] != CLOSED and door == CLOSED and own["begun_ns"] > 0:
        own["cycles"] += 1
        if own["since_ns"] == 0:
            own["since_ns"] = own["begun_ns"]
        own["begun_ns"] = 0
    if own["door"] == CLOSING and (door in (OPENING, OPEN)) and presence == 1.0 and own["begun_ns"] > 0:
        own["reversals"] += 1
    if trips > own["trips"] and presence == 1.0:
        own["ridden"] += 1


LEVELS = (Level(MAJOR, readings=1, clear_readings=1),)
RULE = Rule.from_catalogue("curtain-dead", CurtainDead(), LEVELS)
