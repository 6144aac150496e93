"""Sensors that repeat themselves: of speed or position while the other one shows motion, of door or presence in use.

    speed      1.7 1.7 1.8 1.7 1.7        positions that are equal to the last digit while the car moves on
    position   9.0 9.0 9.0 9.0 9.0
    presence   0 0 0 0 0 0 0 0 0 0        no person in thirty trips, while people interrupt the light curtain
    curtain    _|‾|__|‾|_|‾|__|‾|_

    position   9.0 31 9.1 9.1 2.0 9.2       five positions in ten minutes that no car follows

What repeats itself while messages or readings are missing proves nothing, and neither does the position of a barometer.
A sensor that has been found stays found until it reads something else.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.observe.gaps import NEVER_NS
from detectors.observe.rest import PEAK_INTERVAL_NS, STILL_MPS
from telemetry.compiled import compiled
from telemetry.streams import CLOSED

SAME = 5
"""So many equal readings in a row are looked at (a resting or a cruising car has them too)."""
APART_M, ROUNDED_MPS = 0.5, 0.06
"""How far apart both sensors must be: at least the first, and what a running speed in steps of 0.1 m/s is off."""
STEP_M, STEPS = 0.02, 3
"""A car that moves comes on by so much in so many readings: a position that jumps does it once."""
TRIPS, USES = 30, 10
JUMPS, JUMPS_NS = 5, 600_000_000_000
"""So many positions within this time that jump and return are no single glitches."""

FIELDS = [
    ("v", np.float64),  # the last reading of each sensor, when, and how often in a row it has been the same
    ("v_ns", np.int64),
    ("same_v", np.int64),
    ("z", np.float64),
    ("z_ns", np.int64),
    ("same_z", np.int64),
    ("way_m", np.float64),  # the way by the speed since the position repeats itself
    ("expected_m", np.float64),  # the way by the repeated speed, for how long, and from which position it counts
    ("expected_s", np.float64),
    ("begin_m", np.float64),
    ("steps", np.int64),  # the readings in which the car came on since
    ("frozen_v", np.bool_),
    ("frozen_z", np.bool_),
    ("uses", np.int64, (2,)),  # of presence and door: the uses and the trips when it last changed
    ("trips", np.int64, (2,)),
    ("was", np.float64, (2,)),
    ("place_ns", np.int64),  # when a position was last believed, and one since then was not
    ("wild_ns", np.int64),
    ("jump_ns", np.int64, (JUMPS,)),  # the last positions that jumped and returned, in a ring, and their number
    ("jumps", np.int64),
    ("used", np.bool_),  # whether the curtain was interrupted when last known
]
START = dict.fromkeys(("v_ns", "z_ns", "place_ns", "wild_ns", "jump_ns"), NEVER_NS) | dict.fromkeys(
    ("v", "z", "begin_m", "was"), np.nan
)


@compiled
def note_motion(own: Any, t_ns: int, v: float, z: float, breaks: bool) -> None:
    """Take in a speed and a position (NaN where none was read or believed) at a row.

    `breaks`: messages are missing before this row.
    """
    if breaks or (not np.isnan(v) and t_ns - own["v_ns"] > PEAK_INTERVAL_NS):
        _begin_anew(own)
    if breaks or (not np.isnan(z) and t_ns - own["z_ns"] > PEAK_INTERVAL_NS):
        _begin_anew(own)
    if not np.isnan(v):
        _note_speed(own, t_ns, v)
    if not np.isnan(z):
        _note_place(own, t_ns, z)
    apart_m = abs(own["z"] - own["begin_m"] - own["expected_m"] - own["v"] * (own["z_ns"] - own["v_ns"]) / 1e9)
    if own["same_v"] >= SAME and own["steps"] >= STEPS and apart_m > APART_M + ROUNDED_MPS * own["expected_s"]:
        own["frozen_v"] = True
    if own["same_z"] >= SAME and abs(own["way_m"]) > APART_M:
        own["frozen_z"] = True


@compiled
def _begin_anew(own: Any) -> None:
    own["same_v"] = own["same_z"] = own["steps"] = 0
    own["way_m"] = own["expected_m"] = own["expected_s"] = 0.0
    own["begin_m"] = np.nan


@compiled
def _note_speed(own: Any, t_ns: int, v: float) -> None:
    since_s = (t_ns - own["v_ns"]) / 1e9
    if own["same_v"] > 0 and own["same_z"] > 0:
        mean = (v + own["v"]) / 2
        own["way_m"] += mean * since_s if abs(mean) >= STILL_MPS else 0.0
    if v == own["v"] and own["same_v"] > 0:
        own["same_v"] += 1
        own["expected_m"] += v * since_s
        own["expected_s"] += since_s if abs(v) >= STILL_MPS else 0.0
    else:
        own["frozen_v"] = own["frozen_v"] and v == own["v"]
        own["same_v"], own["steps"], own["expected_m"], own["expected_s"] = 1, 0, 0.0, 0.0
        own["begin_m"] = np.nan  # the position before it is that of another time: an interval at speed
    own["v"], own["v_ns"] = v, t_ns


@compiled
def _note_place(own: Any, t_ns: int, z: float) -> None:
    if abs(z - own["z"]) >= STEP_M and own["same_z"] > 0:
        own["steps"] += 1
    if z == own["z"] and own["same_z"] > 0:
        own["same_z"] += 1
    else:
        own["frozen_z"] = own["frozen_z"] and z == own["z"]
        own["same_z"], own["way_m"] = 1, 0.0
    if np.isnan(own["begin_m"]) and own["same_v"] > 0:
        own["begin_m"], own["expected_m"], own["expected_s"] = z, own["v"] * (own["v_ns"] - t_ns) / 1e9, 0.0
    own["z"], own["z_ns"] = z, t_ns


@compiled
def note_wild(own: Any, t_ns: int, z: float, is_set_aside: bool, doubtful: bool) -> bool:
    """Note a position that is not believed, between two that are; return whether they are too many."""
    if is_set_aside:
        own["wild_ns"] = t_ns if t_ns - own["place_ns"] <= PEAK_INTERVAL_NS else NEVER_NS
    elif not np.isnan(z):
        if t_ns - own["wild_ns"] <= PEAK_INTERVAL_NS and not doubtful:
            own["jump_ns"][own["jumps"] % JUMPS] = own["wild_ns"]
            own["jumps"] += 1
        own["wild_ns"], own["place_ns"] = NEVER_NS, t_ns
    return bool(t_ns - own["jump_ns"][own["jumps"] % JUMPS] <= JUMPS_NS)


@compiled
def note_use(own: Any, presence: float, door: float, curtain: float, trips: int) -> tuple[bool, bool]:
    """Take in the states of a row; return whether the presence never reads a person, and the door is always closed.

    A use is an interruption of the light curtain, and for the door a change of the presence too.
    """
    interrupted = curtain == 1.0 and not own["used"]
    if not np.isnan(curtain):
        own["used"] = curtain == 1.0
    changed = not np.isnan(presence) and presence != own["was"][0]
    for which, state in ((0, presence), (1, door)):
        own["uses"][which] += interrupted or (which == 1 and changed)
        if not np.isnan(state) and state != own["was"][which]:
            own["was"][which], own["uses"][which], own["trips"][which] = state, 0, trips
    dead = own["was"][0] == 0.0 and own["uses"][0] >= USES and trips - own["trips"][0] >= TRIPS
    shut = own["was"][1] == CLOSED and own["uses"][1] >= USES and trips - own["trips"][1] >= TRIPS
    return dead, shut
