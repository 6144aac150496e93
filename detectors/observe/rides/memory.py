"""The record of a lift's ride under way: bounded, whatever the trip's length and the rate of its vibration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.observe.gaps import NEVER_NS
from detectors.observe.rides import weighting
from telemetry.arrays import I64, Memory
from telemetry.compiled import put, records, taken
from telemetry.ride_fields import AXES, FIELDS, ORDERS, SHOCKS, STOP

SECTIONS = weighting.CHAIN + weighting.BANDS + weighting.SHAPES + 1
BINS, BINS_AN_OCTAVE, LEAST_MPS2 = 240, 24, 0.002
"""Peak-to-peak values and jerks are counted in logarithmic bins, from `LEAST_MPS2` over ten octaves."""
LOBES = 128
"""How many peak-to-peak values of an axis wait until the car has gone on by `EDGE_M`; beyond it the oldest is lost."""
PARTS = 128
"""For how many tenths of a second the way of the car is kept."""
LINE = 80
"""The most readings in a line of a second."""
PROFILE = 450
"""How many speeds and accelerations of a trip are kept, five a second (90 s); of a longer one their A95 are unknown."""
SEGMENT_M = 5.0
"""Wave numbers of the spectrum: multiples of 1 / `SEGMENT_M` a metre, over segments of travel of that length."""

VIBRATION = np.dtype(
    [
        ("filter", np.float64, (SECTIONS, 2, AXES)),
        ("v_mps", np.float64),  # speed and way of the car where the block ends
        ("way_m", np.float64),
        ("z_m", np.float64),
        ("begin_ns", np.int64),  # the begin of the first block of the trip
        ("edge", np.float64),  # tenths of a second from there until the car had gone `boundaries.EDGE_M`, NaN before
        ("samples", np.int64),  # since the trip began
        ("last_peak", np.float64, (AXES,)),  # of the half wave before this one, NaN where there was none
        ("peak", np.float64, (AXES,)),  # of this half wave, with its sign
        ("lobe", np.float32, (AXES, LOBES)),  # values that wait, and the tenth of a second in which each ended
        ("lobe_part", np.int16, (AXES, LOBES)),
        ("lobes", np.int32, (AXES,)),  # how many came, and how many of them went
        ("gone", np.int32, (AXES,)),
        ("part_m", np.float32, (PARTS,)),  # the way at the end of each tenth of a second
        ("part_steady", np.int8, (PARTS,)),  # whether the acceleration was constant there
        ("bins", np.uint16, (AXES + 1, BINS)),  # x, y, z where the acceleration is constant, z elsewhere
        ("most", np.float64, (AXES + 1,)),
        ("line", np.float64, (LINE,)),  # the acceleration, some 50 readings a second
        ("lines", np.int64),
        ("total", np.float64),
        ("moved", np.int64),  # for how many further readings the jerk counts
        ("accel_low", np.float64),
        ("accel_high", np.float64),
        ("jerk", np.float64),
        ("jerk_bins", np.uint16, (BINS,)),
        ("profile_accel", np.int16, (PROFILE,)),  # mm/s², mm/s
        ("profile_speed", np.int16, (PROFILE,)),
        ("profiles", np.int64),
        ("cruises", np.bool_),  # whether the car runs at a constant speed; over that time:
        ("cruise_samples", np.int64),
        ("band", np.float64, (weighting.BANDS, AXES)),  # sums of squares
        ("square", np.float64, (AXES,)),
        ("fourth", np.float64, (AXES,)),
        ("crest", np.float64, (AXES,)),
        ("near", np.float64, (AXES,)),  # the local mean square, and squares and peaks of the tenth under way
        ("near_sum", np.float64, (AXES,)),
        ("near_peak", np.float64, (AXES,)),
        ("shock", np.float64, (SHOCKS, 2)),  # the greatest ratios of peak to local RMS, and where
        ("mean", np.float64, (AXES,)),  # the reading under way of the spectrum
        ("wave", np.float64, (AXES, ORDERS, 2)),  # of the segment under way
        ("wave_m", np.float64),
        ("waves", np.int64),
        ("order", np.float64, (AXES, ORDERS)),  # sums of squared amplitudes over whole segments
        ("segments", np.int64),
    ],
    align=True,
)

"""What is kept of the vibration while a car is under way; nothing in it matters while the car rests."""

CAR = np.dtype(
    [
        ("t_ns", np.int64),  # the last row, the speed and the position there
        ("v_mps", np.float64),
        ("z_m", np.float64),
        ("rests", np.bool_),  # whether the car has rested for `rest.STILL_S`
        ("left", np.bool_),  # whether it has left its stop since, and whether it does so at this row
        ("leaves", np.bool_),
        ("door", np.float64),
        ("opening_ns", np.int64),  # when the door last began to open, was open, and began to close
        ("opened_ns", np.int64),
        ("closing_ns", np.int64),
        ("closed_ns", np.int64),  # when the door of the stop at which the trip began last began to close
        ("load", np.float64),  # whether a person was reported since the car left, NaN where that is not known
        ("stop", np.float64, (len(STOP),)),  # of the stop under way, and of the one at which the trip began
        ("start", np.float64, (len(STOP),)),
        ("waits", np.bool_),  # whether a finished ride waits for its door
        ("start_ns", np.int64),
        ("stop_ns", np.int64),
        ("mode", np.float64),
        ("values", np.float64, (len(FIELDS),)),
        ("end_ns", np.int64),  # the end of the last block of vibration, and its rate, 0 without one
        ("hz", np.int64),
        ("is_whole", np.bool_),  # whether the vibration since the rest was read without a gap
        ("under_way", np.bool_),  # whether the record of the vibration holds anything
        ("base", np.float64, (AXES,)),  # what is taken off each axis before the filters
    ],
    align=True,
)
"""One record for each lift: the car, its door, and the ride that waits to be complete."""
INSTANTS = ("t_ns", "opening_ns", "opened_ns", "closing_ns", "closed_ns", "end_ns")


CARS, VIBRATIONS = "ride_cars", "ride_vibration"
"""The names of both arrays of records."""


class Changed(NamedTuple):
    """The records of these lifts after a batch; `shaken` are those with a record of vibration that may have changed."""

    lifts: I64
    cars: Memory
    shaken: I64
    vibration: Memory


def start(n: int) -> dict[str, Memory]:
    """Return the records of `n` lifts without readings so far; those of the vibration take memory once used."""
    unknown = dict.fromkeys(("v_mps", "z_m", "door", "load", "stop", "start", "values"), np.nan)
    cars = records(n, CAR, **unknown, **dict.fromkeys(INSTANTS, NEVER_NS))
    return {CARS: cars, VIBRATIONS: records(n, VIBRATION)}


def apply(memory: Mapping[str, Memory], changed: Changed) -> None:
    """Write changed records into `memory`."""
    put(memory[CARS], changed.lifts, changed.cars)
    put(memory[VIBRATIONS], changed.shaken, changed.vibration)


def packed(memory: Mapping[str, Memory], lifts: NDArray[np.intp]) -> dict[str, Memory]:
    """Return the records of the vibration of those of `lifts` that are under way: nothing in the others matters."""
    return {VIBRATIONS: taken(memory[VIBRATIONS], lifts[memory[CARS]["under_way"][lifts]])}


def unpack(known: Mapping[str, Memory], fresh: Mapping[str, Memory]) -> None:
    """Write the `packed` records of `known` to their lifts in `fresh`, whose cars are those of `known`.

    Where they are of another version, the rides under way are not measured.
    """
    cars, own = fresh[CARS], known.get(VIBRATIONS)
    lifts = np.flatnonzero(cars["under_way"])
    if own is not None and own.dtype == VIBRATION and len(own) == len(lifts):
        put(fresh[VIBRATIONS], lifts, own)
    else:
        cars["is_whole"] = cars["under_way"] = False
