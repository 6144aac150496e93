"""What is known of each car at each row: the state that all rules share, worked out once.

A wild sample is set aside here: a speed or position that could not follow from the last believed one by physics is
believed only when the next one agrees with it. Event states hold until they say otherwise; a reboot forgets them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Car:
    """Columns as long as the batch. NaN is unknown.

    `dt_s`       seconds since this lift's previous row (NaN at its first); a gap is kept as it is
    `v`, `z`     the plausible speed (m/s) and position (m) read at this very row
    `v_last`, `z_last`   the latest plausible ones, NaN once older than `FRESH_S`
    `door`, `presence`, `curtain`, `mode`, `power`, `alarm`   as last said
    `offset_m`   z_last minus the nearest landing (NaN without floors); `landing` its index, -1 unknown
    `still_s`    for how long the car has been still (|v| < 0.05 m/s and within 5 mm); 0 while it moves; `still_since_ns`
    `trips`      completed trips so far (left a landing by more than the levelling range, came to rest)
    """

    lift: NDArray[np.int32]
    t_ns: NDArray[np.int64]
    dt_s: F64
    v: F64
    z: F64
    v_last: F64
    z_last: F64
    door: F64
    presence: F64
    curtain: F64
    mode: F64
    power: F64
    alarm: F64
    stale: F64
    offset_m: F64
    landing: NDArray[np.int32]
    still_s: F64
    still_since_ns: NDArray[np.int64]
    trips: NDArray[np.int64]
