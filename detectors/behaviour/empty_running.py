"""Empty running: a lift in service makes trip after trip with nobody in the car, as with phantom calls.

    speed     _/‾‾\\_/‾‾\\__/‾‾\\_/‾‾\\_______________
    presence  ________________________________/‾‾   0 all the time
    observed   |------------------|                 ended by a person, or by a rest of `REST_NS`

Observed are `TRIPS_LEAST` trips in a row, or runs of `RUN_NS` together: a car that turns at once makes no trips. Trips
and runs with an unknown presence do not count. A presence sensor that has not changed
within `TOGGLED_TRIPS` trips before may be dead.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.behaviour.observation import EMPTY_RUNNING, write
from detectors.observe.gaps import NEVER_NS
from telemetry.compiled import compiled

TRIPS_LEAST, RUN_NS, REST_NS, TOGGLED_TRIPS = 5, 300_000_000_000, 180_000_000_000, 50

FIELDS = [
    ("seen", np.float64),  # the presence as last known
    ("seen_trips", np.int64),  # the completed trips when the presence last changed, -1: it never did
    ("unseen", np.bool_),  # whether the presence was unknown since the last trip
    ("made_trips", np.int64),  # the completed trips, the instant, and whether the empty car ran, at the last row
    ("run_last_ns", np.int64),
    ("runs", np.bool_),
    ("empty_ns", np.int64),  # when the empty car set off, 0: it has not; when it last ran
    ("empty_last_ns", np.int64),
    ("empty_trips", np.int64),  # the trips since, and the time for which it ran
    ("empty_run_ns", np.int64),
]
START = {"seen": np.nan, "seen_trips": -1, "run_last_ns": NEVER_NS}


@compiled
def note(own: Any, lift: int, row: Any, serves: bool, found: Any, count: int) -> int:
    """Take in a row; return the number of observations."""
    if own["empty_ns"] != 0 and (row.presence == 1.0 or not serves or row.t_ns - own["empty_last_ns"] > REST_NS):
        count = _end(own, lift, row.t_ns, found, count)
    if np.isnan(row.presence):
        own["unseen"] = True
    else:
        if row.presence != own["seen"] and not np.isnan(own["seen"]):
            own["seen_trips"] = row.trips
        own["seen"] = row.presence
    runs = serves and row.presence == 0.0 and row.still_s == 0.0
    if runs:
        _run(own, row)
    if row.trips != own["made_trips"]:
        if own["empty_ns"] != 0 and not own["unseen"]:
            own["empty_trips"] += 1
        own["made_trips"], own["unseen"] = row.trips, np.isnan(row.presence)
    own["runs"], own["run_last_ns"] = runs, row.t_ns
    return count


@compiled
def _run(own: Any, row: Any) -> None:
    """Note that the empty car runs."""
    if own["empty_ns"] == 0:
        own["empty_ns"], own["empty_trips"], own["empty_run_ns"] = row.t_ns, 0, 0
    if own["runs"] and row.t_ns - own["run_last_ns"] <= row.gap_ns:
        own["empty_run_ns"] += row.t_ns - own["run_last_ns"]
    own["empty_last_ns"] = row.t_ns


@compiled
def _end(own: Any, lift: int, t_ns: int, found: Any, count: int) -> int:
    begin_ns, own["empty_ns"] = own["empty_ns"], 0
    works = own["seen_trips"] >= 0 and own["made_trips"] - own["seen_trips"] - own["empty_trips"] <= TOGGLED_TRIPS
    if works and (own["empty_trips"] >= TRIPS_LEAST or own["empty_run_ns"] >= RUN_NS):
        values = (float(own["empty_trips"]), own["empty_run_ns"] / 1e9)
        return write(found, count, EMPTY_RUNNING, lift, (t_ns, begin_ns, own["empty_last_ns"]), values)
    return count
