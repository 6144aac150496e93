"""Trips from a stored series of one lift, by the same recurrence as for a running lift."""

from __future__ import annotations

import numpy as np

from detectors.observe import acceleration, features, rows, trips
from detectors.observe.trips import TripTable
from registry.facts import FleetFacts
from telemetry.arrays import F64, I64
from telemetry.batch import readings


def cut_trips(t_ns: I64, v_mps: F64, z_m: F64, landings_m: F64) -> TripTable:
    """Return the trips that begin and end in a series of one lift.

    Parameters
    ----------
    t_ns : (n,) ascending instants
    v_mps, z_m : (n,) speed and position, NaN where not read; either may be all NaN
    landings_m : (floors,) heights of the landings, ascending; empty or NaN where unknown
    """
    lift = np.zeros(len(t_ns), dtype=np.int32)
    batch = readings(lift, t_ns, v_mps=v_mps, z_m=z_m)
    _, nothing, silent = features.step(acceleration.start(1), None)
    _, _, found = rows.step(rows.start(1), batch, nothing, silent, _facts(landings_m))
    return trips.table(found)


def _facts(landings_m: F64) -> FleetFacts:
    """Return the facts of one lift with landings only."""
    unknown, no = np.full(1, np.nan), np.zeros(1, dtype=np.bool_)
    landings = np.append(landings_m, np.nan)[None, :]
    return FleetFacts(unknown, unknown, landings, unknown, no, no, {})
