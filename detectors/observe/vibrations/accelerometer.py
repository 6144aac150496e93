"""Whether the accelerometer of a car is in doubt: it reads nothing but zero in motion, is silent, or is off zero.

    speed      1.7 1.7 1.7 1.7 1.7      zero on all axes over five blocks of a moving car: dead
    vibration  0.0 0.0 0.0 0.0 0.0
    blocks     | | | |   .   .   .      none over five trips after a hundred blocks: silent
    mean       _____/‾‾‾‾‾‾‾‾‾‾‾‾‾      0.3 m/s² on an axis over a minute or more: loose and tilted, or drifting

A car that goes up and down accelerates by nothing on the whole. An axis that reads gravity is compared with that.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from telemetry.compiled import compiled

ZEROS, MOVING_MPS = 5, 0.3
USUAL_BLOCKS, SILENT_TRIPS = 100, 5
OFF_MPS2, BACK_MPS2, AVERAGED = 0.3, 0.2, 60.0
GRAVITY_MPS2, NEAR_GRAVITY_MPS2 = 9.81, 2.0
FIELDS = [
    ("blocks", np.int64),  # of vibration so far, and the completed trips at the last one
    ("block_trips", np.int64),
    ("zeros", np.int64),  # the blocks in a row that are zero while the car moves
    ("mean_mps2", np.float32, (3,)),  # the averages over the last blocks
    ("off", np.bool_),
]
"""The fields of an accelerometer that has sent nothing, all zero at first."""


@compiled
def take_block(own: Any, mean_mps2: Any, is_zero: bool) -> None:
    """Take in the mean of a block of each axis; `is_zero`: no sample of the block differs from zero."""
    own["block_trips"], own["blocks"] = own["trips"], own["blocks"] + 1
    if not is_zero:
        own["zeros"] = 0
    elif abs(own["speed"]) > MOVING_MPS:
        own["zeros"] += 1
    worst = 0.0
    for axis in range(3):
        share = 1.0 / min(float(own["blocks"]), AVERAGED)
        own["mean_mps2"][axis] += share * (mean_mps2[axis] - own["mean_mps2"][axis])
        off = abs(own["mean_mps2"][axis])
        if abs(off - GRAVITY_MPS2) < NEAR_GRAVITY_MPS2:
            off = abs(off - GRAVITY_MPS2)
        worst = max(worst, off)
    own["off"] = own["blocks"] >= AVERAGED and worst > (BACK_MPS2 if own["off"] else OFF_MPS2)


@compiled
def is_doubtful(own: Any) -> bool:
    """Return whether the accelerometer is dead, silent or off its zero."""
    silent = own["blocks"] >= USUAL_BLOCKS and own["trips"] - own["block_trips"] >= SILENT_TRIPS
    return bool(silent or own["zeros"] >= ZEROS or own["off"])
