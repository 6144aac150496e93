"""F40 sensor fault: a sensor reads what cannot be.

    speed      0 0 0 0 0 0 0 0      the same reading again and again, while the position moves otherwise: stuck or dead
    position   /‾‾‾‾‾‾‾‾‾‾‾‾‾‾
    position   3.00 3.00 3.00       the same reading again and again, while the speed adds up to a way: stuck
    presence   0 0 0 0 0 0 1 1      a person who was not in the car when its door closed, a minute ago or longer

The two streams of motion must be `apart_m` apart. What reads a coarse speed steadily and truly is not stuck.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.observe.gaps import NEVER_NS
from detectors.observe.rows import RowTable
from detectors.rule import MINOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records

MEMORY = np.dtype(
    [
        ("v", np.float64),  # the speed that repeats itself, how often, since when, and the position then
        ("v_equal", np.int64),
        ("v_since_ns", np.int64),
        ("v_place_m", np.float64),
        ("z", np.float64),  # the position that repeats itself, how often, since when, and the way by the speed since
        ("z_equal", np.int64),
        ("z_since_ns", np.int64),
        ("z_way_m", np.float64),
        ("t_ns", np.int64),  # the last row with a speed
        ("person_ns", np.int64),  # since when a person is reported who cannot have come in, 0 none
        ("v_bad", np.bool_),
        ("z_bad", np.bool_),
    ],
    align=True,
)


@dataclass(frozen=True, slots=True)
class SensorFault:
    """Scores 1 while a sensor reads what cannot be."""

    equal: int = 5
    apart_m: float = 0.5

    def start(self, n: int) -> Memory:
        """Return `n` lifts whose sensors have read nothing."""
        return records(n, MEMORY, v=np.nan, v_place_m=np.nan, z=np.nan, t_ns=NEVER_NS)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row that reads a speed or a position, or at which the presence is known to be wrong."""
        state, n = copied(state), len(rows)
        faulty, since_ns = np.zeros((3, n)), np.zeros(n, np.int64)
        _run(
            state, rows.lift, rows.t_ns, rows.gap_ns, rows.v, rows.z, rows.z_last, rows.unentered, self.equal,
            self.apart_m, faulty, since_ns,
        )  # fmt: skip
        on = faulty.max(axis=0, initial=0.0)
        on[np.isnan(rows.v) & np.isnan(rows.z) & ~rows.unentered] = np.nan
        evidence = dict(zip(("faulty_speed", "faulty_position", "faulty_presence"), faulty, strict=True))
        return state, (Score(on, 1.0 - on, evidence, since_ns),)


@compiled
def _run(
    memory: Any, lift: Any, t_ns: Any, gap_ns: Any, v: Any, z: Any, z_last: Any, unentered: Any, equal: int,
    apart_m: float, faulty: Any, since_ns: Any,
) -> None:  # fmt: skip
    for k in range(len(lift)):
        own = memory[lift[k]]
        if not np.isnan(v[k]):
            _note_speed(own, t_ns[k], gap_ns[k], v[k], z_last[k], equal, apart_m)
        if not np.isnan(z[k]):
            _note_place(own, t_ns[k], z[k], equal, apart_m)
        if not unentered[k]:
            own["person_ns"] = 0
        elif own["person_ns"] == 0:
            own["person_ns"] = t_ns[k]
        faulty[0, k], faulty[1, k], faulty[2, k] = own["v_bad"], own["z_bad"], unentered[k]
        if own["v_bad"]:
            since_ns[k] = own["v_since_ns"]
        elif own["z_bad"]:
            since_ns[k] = own["z_since_ns"]
        else:
            since_ns[k] = own["person_ns"]


@compiled
def _note_speed(own: Any, t_ns: int, gap_ns: int, v: float, z_last: float, equal: int, apart_m: float) -> None:
    """Compare the way of a speed that repeats itself with the positions; add up the way of a position that does."""
    near = t_ns - own["t_ns"] <= gap_ns
    if near:
        own["z_way_m"] += v * (t_ns - own["t_ns"]) / 1e9
    if v != own["v"] or not near or np.isnan(own["v_place_m"]):
        own["v"], own["v_equal"], own["v_since_ns"], own["v_place_m"] = v, 0, t_ns, z_last
        own["v_bad"] = False
    else:
        own["v_equal"] += 1
    own["t_ns"] = t_ns
    way_m = v * (t_ns - own["v_since_ns"]) / 1e9
    if own["v_equal"] >= equal and abs(z_last - own["v_place_m"] - way_m) > apart_m + 0.05 * abs(way_m):
        own["v_bad"] = True


@compiled
def _note_place(own: Any, t_ns: int, z: float, equal: int, apart_m: float) -> None:
    if z != own["z"]:
        own["z"], own["z_equal"], own["z_since_ns"], own["z_way_m"], own["z_bad"] = z, 0, t_ns, 0.0, False
    else:
        own["z_equal"] += 1
    if own["z_equal"] >= equal and abs(own["z_way_m"]) > apart_m:
        own["z_bad"] = True


RULE = Rule.from_catalogue("sensor-fault", SensorFault(), (Level(MINOR, clear_readings=10),))
