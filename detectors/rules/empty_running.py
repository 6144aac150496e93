"""F39: the car runs on and on with nobody in it.

    speed     _/‾‾\\_/‾‾\\__/‾‾\\_/‾‾\\_ ... _/‾‾\\_____________
    presence  _____________________ ... ___________________     0 all the time
    time        |-------------------- `hold_s`     |---| a rest of `rest_s` ends it

A presence sensor that has not changed within `trips_toggled` trips before may be dead: it says nothing about the car.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors import hold
from detectors.observe.gaps import NEVER_NS
from detectors.observe.row_table import RowTable
from detectors.rule import TREND, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records

MEMORY = np.dtype(
    [
        *hold.FIELDS,  # the time of running on
        ("person", np.float64),  # the presence as last known
        ("trips_toggled", np.int64),  # the completed trips when it last changed, -1: it never did
        ("trips_begun", np.int64),  # the completed trips when the running began
    ],
    align=True,
)


@dataclass(frozen=True, slots=True)
class EmptyRunning:
    """Scores how long the empty car has run without a rest, as a share of `hold_s`."""

    hold_s: float = 900.0
    rest_s: float = 30.0
    trips_toggled: int = 50

    def start(self, n: int) -> Memory:
        """Return `n` cars that do not run, with a presence that never changed."""
        return records(n, MEMORY, last_ns=NEVER_NS, person=np.nan, trips_toggled=-1)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row at which rest and presence are known."""
        state, since_ns = copied(state), np.empty(len(rows), dtype=np.int64)
        on, off, held_s, trips = np.empty((4, len(rows)))
        _run(
            state, rows.lift, rows.t_ns, rows.gap_ns, rows.stale, rows.still_s, rows.presence, rows.trips,
            (self.hold_s, self.rest_s), self.trips_toggled, on, off, held_s, trips, since_ns,
        )  # fmt: skip
        evidence = {"held_s": held_s, "limit_s": np.full(len(rows), self.hold_s), "trips": trips}
        return state, (Score(on, off, evidence, since_ns),)


@compiled
def _run(
    memory: Any, lift: Any, t_ns: Any, gap_ns: Any, stale: Any, still_s: Any, presence: Any, trips: Any,
    limits_s: tuple[float, float], most_trips: int, on: Any, off: Any, held_s: Any, made: Any, since_ns: Any,
) -> None:  # fmt: skip
    for k in range(len(lift)):
        own = memory[lift[k]]
        person, rests = presence[k], still_s[k] >= limits_s[1]
        if not np.isnan(person):
            if person != own["person"] and not np.isnan(own["person"]):
                own["trips_toggled"] = trips[k]
            own["person"] = person
        if own["since_ns"] == 0:
            own["trips_begun"] = trips[k]
        works = own["trips_toggled"] >= 0 and own["trips_begun"] - own["trips_toggled"] <= most_trips
        holds = 1.0
        if rests or person == 1.0:
            holds = 0.0
        elif stale[k] or np.isnan(still_s[k]) or np.isnan(person) or not works:
            holds = np.nan
        elif own["since_ns"] == 0 and still_s[k] > 0.0:
            holds = 0.0  # the running begins with a run
        held_s[k] = hold.serve(own, t_ns[k], gap_ns[k], holds)
        made[k], since_ns[k] = trips[k] - own["trips_begun"], own["since_ns"]
        on[k] = held_s[k] / limits_s[0]
        off[k] = 1.0 if rests or person == 1.0 else 0.0
        if np.isnan(still_s[k]) and person != 1.0:
            off[k] = np.nan


RULE = Rule.from_catalogue("empty-running", EmptyRunning(), (Level(TREND, readings=1),))
