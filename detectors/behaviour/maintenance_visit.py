"""A maintenance visit: from the first to the last use of the inspection mode, and what was tried meanwhile.

    mode      normal | inspection | normal | inspection | normal
    visit            |----------------------------------|···|     the test trips after it belong to it
    known                                                   `AGAIN_NS` after the last inspection mode

Noted are the time in inspection mode; trips in it, and the landings at which the car stood; trips in normal mode
between and within `TEST_NS` after; cycles of the door and presses of the alarm button in inspection mode. A visit
shorter than `LEAST_NS` in which nothing was tried is none. One that does not end is noted once a day.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.behaviour.observation import MAINTENANCE_VISIT, write
from detectors.observe.gaps import NEVER_NS
from telemetry.behaviour_fields import LANDINGS_A_FIELD
from telemetry.compiled import compiled
from telemetry.streams import CLOSED, INSPECTION

AGAIN_NS, TEST_NS, LEAST_NS, MOST_NS = 900_000_000_000, 120_000_000_000, 60_000_000_000, 86_400_000_000_000

FIELDS = [
    ("visit_ns", np.int64),  # when the visit began, 0: there is none
    ("visit_end_ns", np.int64),  # the end so far: of the inspection mode, or of a test trip
    ("inspected_to_ns", np.int64),  # when the inspection mode was left last
    ("inspects", np.bool_),
    ("visit_last_ns", np.int64),  # the last row
    ("inspected_ns", np.int64),
    ("visit_made", np.int64),  # the completed trips at the last row
    ("inspection_trips", np.int64),
    ("test_trips", np.int64),
    ("visit_opened", np.bool_),  # whether the door was not closed since it was closed in inspection mode
    ("visit_shut", np.bool_),
    ("cycles", np.int64),
    ("visit_alarm", np.float64),
    ("presses", np.int64),
    ("lower", np.int64),
    ("upper", np.int64),
]
START = {"visit_alarm": np.nan, "visit_last_ns": NEVER_NS}


@compiled
def note(own: Any, lift: int, row: Any, found: Any, count: int) -> int:
    """Take in a row; return the number of observations."""
    if row.mode == INSPECTION and not own["inspects"] and own["visit_ns"] == 0:
        _begin(own, row.t_ns)
    if own["visit_ns"] != 0:
        inspects = row.mode == INSPECTION
        if inspects:
            _note_inspection(own, row)
        elif own["inspects"] and not np.isnan(row.mode):
            own["visit_end_ns"] = own["inspected_to_ns"] = row.t_ns
        own["inspects"] = inspects or (own["inspects"] and np.isnan(row.mode))
        if row.trips != own["visit_made"]:
            _note_trip(own, row)
        is_over = not own["inspects"] and row.t_ns - own["inspected_to_ns"] >= AGAIN_NS
        is_endless = own["inspects"] and row.t_ns - own["visit_ns"] >= MOST_NS
        if is_endless:
            own["visit_end_ns"] = row.t_ns
        if is_over or is_endless:
            count = _end(own, lift, row.t_ns, found, count)
    own["visit_made"], own["visit_last_ns"], own["visit_alarm"] = row.trips, row.t_ns, row.alarm
    return count


@compiled
def _begin(own: Any, t_ns: int) -> None:
    own["visit_ns"] = own["visit_end_ns"] = own["inspected_to_ns"] = t_ns
    own["inspected_ns"] = own["inspection_trips"] = own["test_trips"] = own["cycles"] = own["presses"] = 0
    own["lower"] = own["upper"] = 0
    own["visit_shut"] = own["visit_opened"] = False


@compiled
def _note_inspection(own: Any, row: Any) -> None:
    """Note the time, the landing, the door and the alarm button at a row in inspection mode."""
    if own["inspects"] and row.t_ns - own["visit_last_ns"] <= row.gap_ns:
        own["inspected_ns"] += row.t_ns - own["visit_last_ns"]
    if row.still_s > 0.0 and 0 <= row.landing < LANDINGS_A_FIELD:
        own["lower"] |= 1 << row.landing
    elif row.still_s > 0.0 and LANDINGS_A_FIELD <= row.landing < 2 * LANDINGS_A_FIELD:
        own["upper"] |= 1 << (row.landing - LANDINGS_A_FIELD)
    if row.door == CLOSED:
        if own["visit_shut"] and own["visit_opened"]:
            own["cycles"] += 1
        own["visit_shut"], own["visit_opened"] = True, False
    elif row.door > CLOSED:
        own["visit_opened"] = True
    if row.alarm == 1.0 and own["visit_alarm"] == 0.0:
        own["presses"] += 1


@compiled
def _note_trip(own: Any, row: Any) -> None:
    """Count a finished trip: in inspection mode, or as a test run."""
    if own["inspects"]:
        own["inspection_trips"] += 1
    elif row.still_since_ns - own["inspected_to_ns"] <= TEST_NS:
        own["test_trips"] += 1
        own["visit_end_ns"] = row.still_since_ns


@compiled
def _end(own: Any, lift: int, t_ns: int, found: Any, count: int) -> int:
    begin_ns, own["visit_ns"] = own["visit_ns"], 0
    own["inspects"] = False
    tried = own["inspection_trips"] + own["cycles"] + own["presses"]
    if own["visit_end_ns"] - begin_ns < LEAST_NS and tried == 0:
        return count
    values = (
        *(own["inspected_ns"] / 1e9, float(own["inspection_trips"]), float(own["test_trips"]), float(own["cycles"])),
        *(float(own["presses"]), float(own["lower"]), float(own["upper"])),
    )
    return write(found, count, MAINTENANCE_VISIT, lift, (t_ns, begin_ns, own["visit_end_ns"]), values)
