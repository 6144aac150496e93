"""Jumping: people in the car shake it at 1 to 5 Hz behind its closed door, while its speed does not change.

    speed      ___/‾‾‾‾‾‾‾‾‾‾‾‾‾‾\\______
    1 to 5 Hz  __/\\_/‾‾‾‾‾‾‾‾\\__/\\_______    a block in which the speed changes is shaken by the ride itself
    observed        |--------|               `SHAKEN_LEAST` shaken blocks, none more than `APART_NS` after another

A block is judged when the next one of the car tells the speed at its end. Without vibration, without a speed, or
without a person in the car nothing is observed: somebody who works on the roof shakes the car too, and so does a door.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.behaviour.observation import JUMPING, write
from detectors.observe.gaps import NEVER_NS
from telemetry.compiled import compiled
from telemetry.streams import CLOSED

SWAY_MPS2, STEADY_MPS = 0.2, 0.1
SHAKEN_LEAST, APART_NS = 3, 8_000_000_000

FIELDS = [
    ("person", np.float64),  # the presence at the last row
    ("block_ns", np.int64),  # the last block: its begin and end, the speed when it began, its shaking, and the person
    ("block_end_ns", np.int64),
    ("block_mps", np.float64),
    ("block_sway", np.float64),
    ("block_shut", np.bool_),  # whether the door was closed at the last row
    ("block_person", np.float64),
    ("jump_ns", np.int64),  # when the shaking began, 0: there is none; its last block's end, its blocks, and the most
    ("jump_last_ns", np.int64),
    ("jumps", np.int64),
    ("jump_served_ns", np.int64),
    ("jump_sway", np.float64),
]
START = {"person": np.nan, "block_ns": NEVER_NS, "block_person": np.nan}


@compiled
def note_block(own: Any, block: Any, serves: bool) -> None:
    """Take in a block of the car's vibration: judge the block before it."""
    begin_ns, end_ns = own["block_ns"], own["block_end_ns"]
    follows = begin_ns != NEVER_NS and 0 <= block.start_ns - end_ns < end_ns - begin_ns
    is_shut = own["open_door"] == CLOSED
    steady = own["block_shut"] and is_shut and abs(block.speed_mps - own["block_mps"]) <= STEADY_MPS
    if follows and steady and serves and own["block_person"] == 1.0 and own["block_sway"] >= SWAY_MPS2:
        if own["jump_ns"] == 0:
            own["jump_ns"], own["jumps"], own["jump_served_ns"], own["jump_sway"] = begin_ns, 0, 0, 0.0
        own["jumps"] += 1
        own["jump_served_ns"] += end_ns - begin_ns
        own["jump_last_ns"], own["jump_sway"] = end_ns, max(own["jump_sway"], own["block_sway"])
    own["block_ns"], own["block_end_ns"] = block.start_ns, block.end_ns
    own["block_mps"], own["block_sway"], own["block_shut"] = block.speed_mps, block.sway_rms, is_shut
    own["block_person"] = own["person"]


@compiled
def note(own: Any, lift: int, row: Any, found: Any, count: int) -> int:
    """Take in a row; return the number of observations."""
    own["person"] = row.presence
    if own["jump_ns"] != 0 and row.t_ns - own["jump_last_ns"] > APART_NS:
        begin_ns, own["jump_ns"] = own["jump_ns"], 0
        if own["jumps"] >= SHAKEN_LEAST:
            values = (own["jump_served_ns"] / 1e9, own["jump_sway"])
            return write(found, count, JUMPING, lift, (row.t_ns, begin_ns, own["jump_last_ns"]), values)
    return count
