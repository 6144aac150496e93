"""F03 alarm button: somebody in the car calls for help.

    button  __/‾‾‾\\____    pressed when it turns true, or is true at the first report after a start of the device:
    press   __|_________    better one call counted twice than one lost

A press is left out only while the car is known to stand in its door zone with the door open (the filter of EN 81-28):
an unknown state never suppresses a call, and a button that is still pressed when the door closes is a call then.

    door    ‾‾‾‾open‾‾\\__closing__closed        button  ___/‾‾‾‾‾‾‾‾‾‾‾‾        press   _________|_______

The door does not suppress a press that comes late, or long after the last report of the door. The onset is when the
press was reported, by the lift's clock. Only a person clears the alert.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.observe.row_table import RowTable
from detectors.rule import CRITICAL, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records
from telemetry.streams import OPEN

MEMORY = np.dtype(
    [
        ("alarm", np.float64),  # the button at the last row: 1 pressed, 0 not, NaN unknown
        ("filtered", np.bool_),  # whether it is pressed and has been left out so far
    ],
    align=True,
)


@dataclass(frozen=True, slots=True)
class AlarmButton:
    """Scores 1 at a press that is a call for help."""

    def start(self, n: int) -> Memory:
        """Return `n` buttons of unknown state."""
        return records(n, MEMORY, alarm=np.nan)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row from the first report of the button on."""
        state, on, offset_m = copied(state), np.empty(len(rows)), np.abs(rows.offset_m)
        after_ns = np.nan_to_num(rows.status_after_ns).astype(np.int64)
        outdated = after_ns > rows.gap_ns
        _run(
            state, rows.lift, rows.stale, rows.alarm, rows.late_press, outdated, rows.door, offset_m,
            facts.door_zone_m, on,
        )  # fmt: skip
        unseen = outdated & (rows.late_press == 1.0)  # the readings of that time are still to come
        measured = {"position_m": rows.z_last, "offset_m": offset_m, "speed_mps": np.abs(rows.v_last)}
        evidence = {name: np.where(unseen, np.nan, value) for name, value in measured.items()}
        off = np.where(np.isnan(on), np.nan, on < 1.0)
        return state, (Score(on, off, evidence, rows.t_ns + after_ns, is_reported=True),)


@compiled
def _run(
    memory: Any, lift: Any, stale: Any, alarm: Any, late_press: Any, outdated: Any, door: Any, offset_m: Any,
    zone_m: Any, on: Any,
) -> None:  # fmt: skip
    for k in range(len(lift)):
        own = memory[lift[k]]
        can_leave = door[k] == OPEN and offset_m[k] <= zone_m[lift[k]] and not outdated[k]
        calls = alarm[k] == 1.0 and (own["alarm"] != 1.0 or own["filtered"])
        own["alarm"], own["filtered"] = alarm[k], calls and can_leave and not stale[k]
        on[k] = 1.0 if calls and not can_leave else 0.0
        if np.isnan(alarm[k]):
            on[k] = np.nan
        if late_press[k] == late_press[k]:  # not NaN
            on[k] = late_press[k]


LEVEL = Level(CRITICAL, readings=1, clear_readings=1, by_hand=True)
RULE = Rule.from_catalogue("alarm-button", AlarmButton(), (LEVEL,))
