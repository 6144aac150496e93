"""The columns of the table of rows: a row for each reading of a lift, with the state of its car at that reading.

`rows` computes them, once for all rules; the rules that read rows take a `RowTable`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.observe.acceleration import Accelerations
from telemetry.arrays import F64, I64, Bools


class RowColumns(NamedTuple):
    """The columns of `RowTable`."""

    lift: NDArray[np.int32]
    t_ns: I64
    gap_ns: I64
    dt_s: F64
    v: F64
    z: F64
    accel: F64
    v_last: F64
    z_last: F64
    door: F64
    presence: F64
    curtain: F64
    mode: F64
    power: F64
    alarm: F64
    status_after_ns: F64
    late_press: F64
    offset_m: F64
    still_s: F64
    still_since_ns: I64
    trips: I64
    impact_ns: I64
    landing: I64
    at_rest: Bools
    z_doubt: Bools
    unentered: Bools
    missing: Bools
    set_aside: Bools
    accelerometer_doubt: Bools
    stale: Bools
    accelerations: Accelerations


class RowTable(RowColumns):
    """One row for each reading, sorted by lift and then time. NaN is unknown.

    `dt_s`               seconds since this lift's previous row (NaN at its first); a gap is kept as it is
    `gap_ns`             how long ago the last reading may be; what is older, or was before messages went missing, is
                         unknown (`gaps.longest_ns`)
    `v`, `z`             the believed speed (m/s) and position (m) read at this very row; where no speed is sent, `v` is
                         worked out from the position
    `accel`              smoothed change of the speed that was read (m/s²), NaN where none was or after a jump
    `v_last`, `z_last`   the latest believed ones, NaN once older than that
    `door`, `presence`, `curtain`, `alarm`   as reported last, unknown where messages that went missing put that in
                         doubt (`events`)
    `mode`, `power`      as reported last
    `status_after_ns`    how long after this row's instant a status by itself reported the button or the power here
    `late_press`         1 where a press of the alarm button came late: `alarm` does not show it; 0 where `alarm`
                         shows a press that was raised before
    `offset_m`           z_last minus the nearest landing (NaN without floors); `landing` its index, -1 unknown
    `z_doubt`            True where the position jumped, and was not found at landings since (`sensor`)
    `unentered`          True where a person is reported who cannot have come in, or must have left: `presence` is
                         unknown (`events`)
    `missing`            True where messages are missing before the row, or the device restarted
    `set_aside`          True where a position was read that is not believed (`sensor`)
    `accelerometer_doubt`  True where the accelerometer is dead, silent or off its zero (`vibrations.accelerometer`)
    `still_s`            for how long the car has been still (|v| < 0.05 m/s, no creep of 5 mm in 2 s) since it came to
                         rest; 0 while it moves, NaN in a gap and at a single odd reading
    `at_rest`            True where the car is known to stand still, be it for a moment
    `still_since_ns`     when it came to rest (the last time it did, while it moves)
    `trips`              completed trips so far
    `impact_ns`          when the vibration last showed an impact, in a block that began by then
    `stale`              True where the row sets state and must raise nothing
    `accelerations`      the car's own acceleration out of its vibration: no column, a table of its own (`features`)
    """

    def __len__(self) -> int:
        return int(self.lift.shape[0])
