"""The latest state of each lift, for those who look at the fleet, out of the state of its judge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.observe import clock
from detectors.observe.rest import STILL_MPS
from telemetry.arrays import Memory


def latest(states: Mapping[str, Memory]) -> dict[str, NDArray[Any]]:
    """Return the latest state of each lift, one array for each column; NaN (landing -1) is unknown.

    `position_m`, `landing` (index into the floors), `speed_mps` (0 at rest), `direction` (-1, 0, 1), `last_trip_ns`
    (when the last trip ended, by the lift's clock; 0 where none is known), `door`, `presence`, `mode`, `power`
    (codes of `telemetry.streams`), `last_seen_ns` (its latest sign of life by arrival; 0 never), `blind_since_ns`
    (the arrival since which messages of the lift are received but not judged; 0 where they are judged), `unjudged`
    (the number of the reason).
    """
    rows, heard = states["rows"], states["arrivals"]
    rests = (rows["still_ns"] >= 0) & (np.abs(rows["speed"]) < STILL_MPS)
    speed_mps = np.where(rests, 0.0, rows["speed"])
    lifts, trip_ns = np.arange(len(rows), dtype=np.int32), np.ascontiguousarray(rows["trip_ns"])
    return {
        "position_m": rows["z"].copy(),
        "landing": np.where(np.isnan(rows["z"]), -1, rows["landing"]),
        "speed_mps": speed_mps,
        "direction": np.sign(speed_mps),
        "last_trip_ns": np.maximum(rows["trip_ns"] - clock.ahead_ns(states["clock"], lifts, trip_ns), 0),
        "last_seen_ns": heard["seen_ns"].copy(),
        "blind_since_ns": np.where(heard["blind"], heard["unjudged_ns"], 0),
        "unjudged": heard["reason"].copy(),
        **{name: rows[name].copy() for name in ("door", "presence", "mode", "power")},
    }
