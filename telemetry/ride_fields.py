"""The names of what is measured of a ride, units at the end; NaN is not measured."""

from __future__ import annotations

AXES, ORDERS, SHOCKS = 3, 20, 4
AXIS = ("x", "y", "z")
BAND = ("low", "mid", "high")
PEAKS = ("x", "y", "z", "z_jerk")
LOADS = ("empty", "occupied")
"""The classes of load, by whether a person was reported in the car."""
BOUNDARIES = tuple(f"boundary_{k}_s" for k in range(7))
"""Seconds from the begin of the trip: 0 half a second before the door began to close, 1 half a metre after the
departure, 2 half a metre before the stop, 3 half a second after the door was fully open, 4 and 5 the first and the last
instant at 95 % of the greatest speed, 6 the stop. 1, 2, 4 and 5 need vibration."""

TRIP = (
    *("from_landing", "to_landing", "from_m", "to_m", "distance_m", "way_m", "duration_s", "peak_mps", "steady_mps"),
    *("back_m", "stop_error_m", "door_open_s", "dwell_s", "door_close_s", "reversals", "mode", "power"),
    *("load_class", *BOUNDARIES),
)
"""Fields of a trip, in the order of `FIELDS`; only some of `BOUNDARIES` need vibration.

The opening is that of the stop at the end; dwell, closing and reversals are those of the stop at which the trip began.
`stop_error_m` is signed, up positive.
"""
STOP = ("door_open_s", "dwell_s", "door_close_s", "reversals")
"""The measurements of a stop."""
MOTION = ("accel_mps2", "decel_mps2", "jerk_mps3", "accel_a95_mps2", "decel_a95_mps2", "jerk_a95_mps3", "v95_mps")
"""The measurements of the motion by the vertical vibration."""
FEATURES = (
    *(f"pp_{peaks}_mps2" for peaks in PEAKS),
    *(f"a95_{peaks}_mps2" for peaks in PEAKS),
    *(f"rms_{axis}_{band}_mps2" for axis in AXIS for band in BAND),
    *(f"kurtosis_{axis}" for axis in AXIS),
    *(f"crest_{axis}" for axis in AXIS),
    *(f"{what}_{i + 1}" for i in range(SHOCKS) for what in ("shock_ratio", "shock_m")),
    *(f"order_{axis}_{k + 1:02d}_mps2" for axis in AXIS for k in range(ORDERS)),
)
"""The measurements of the ride by all vibration; the number of an order is its wave number in fifths of a metre."""
FIELDS = (*TRIP, *MOTION, *FEATURES)
