"""F37 power loss: the terminal reports that it runs on its battery.

    power    mains ‾‾\\__battery______________/‾‾mains‾‾‾‾‾‾
    alert    __________[###############################]____    after `hold_s`, and until mains for `clear_s`

A terminal without mains may send nothing but statuses, and may send them once a minute: so a power lasts by the
readings, also across a silence in which no message is missing, or between two reports by the times of these reports.
What lies between readings where messages are missing does not count. A last will is silence (F41), no loss of power.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.observe.gaps import NEVER_NS
from detectors.observe.row_table import RowTable
from detectors.rule import MAJOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records
from telemetry.streams import BATTERY

MEMORY = np.dtype(
    [
        ("power", np.float64),  # at the last row; NaN unknown
        ("since_ns", np.int64),  # since when
        ("row_ns", np.int64),  # the last row
        ("lasted_ns", np.int64),  # for how long so far, by the rows
        ("reported_ns", np.int64),  # the first status by itself that reported this power
    ],
    align=True,
)


@dataclass(frozen=True, slots=True)
class PowerLoss:
    """Scores 1 once the power was a battery for `hold_s`, and clears once it was the mains for `clear_s`."""

    hold_s: float = 2.0
    clear_s: float = 60.0

    def start(self, n: int) -> Memory:
        """Return `n` records of an unknown power."""
        return records(n, MEMORY, power=np.nan, reported_ns=NEVER_NS)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row from the first report of the power on."""
        state, n = copied(state), len(rows)
        lasted_ns, since_ns = np.empty(n, np.int64), np.empty(n, np.int64)
        _run(state, rows.lift, rows.t_ns, rows.missing, rows.power, rows.status_after_ns, lasted_ns, since_ns)
        is_lost, is_known = rows.power == BATTERY, ~np.isnan(rows.power)
        on, off = is_lost & (lasted_ns >= self.hold_s * 1e9), ~is_lost & (lasted_ns >= self.clear_s * 1e9)
        evidence = {"offset_m": np.abs(rows.offset_m), "speed_mps": np.abs(rows.v_last)}
        return state, (Score(np.where(is_known, on, np.nan), np.where(is_known, off, np.nan), evidence, since_ns),)


@compiled
def _run(
    memory: Any, lift: Any, t_ns: Any, missing: Any, power: Any, after_ns: Any, lasted_ns: Any, since_ns: Any
) -> None:
    for k in range(len(lift)):
        own = memory[lift[k]]
        is_reported = after_ns[k] == after_ns[k]  # not NaN
        own_ns = t_ns[k] + (np.int64(after_ns[k]) if is_reported else 0)
        if power[k] != own["power"]:
            own["power"], own["since_ns"], own["lasted_ns"], own["reported_ns"] = power[k], own_ns, 0, NEVER_NS
        elif missing[k]:
            own["reported_ns"] = NEVER_NS
        else:
            own["lasted_ns"] += t_ns[k] - own["row_ns"]
        own["row_ns"] = t_ns[k]
        if is_reported and own["reported_ns"] == NEVER_NS:
            own["reported_ns"] = own_ns
        lasted_ns[k] = own["lasted_ns"]
        if is_reported:
            lasted_ns[k] = max(lasted_ns[k], own_ns - own["reported_ns"])
        since_ns[k] = own["since_ns"]


LEVEL = Level(MAJOR, readings=1, clear_readings=1)
RULE = Rule.from_catalogue("power-loss", PowerLoss(), (LEVEL,))
