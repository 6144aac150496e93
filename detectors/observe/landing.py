"""Which landing a car is nearest to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


def nearest(
    z: F64, lift: NDArray[np.int32], guess: NDArray[np.int32], landings_m: F64
) -> tuple[NDArray[np.int32], F64]:
    """Return for each row the index of the nearest landing (-1 unknown) and z minus its height.

    `guess` is a landing for each lift; the walk from there to the nearest is as long as the way between them, so a
    good guess is quick and a bad one still right.
    """
    halfway = (landings_m[:, 1:] + landings_m[:, :-1]) / 2
    edge = np.full((len(landings_m), 1), np.inf)
    bounds = np.concatenate([-edge, np.where(np.isnan(halfway), np.inf, halfway), edge], axis=1)
    every, floor = np.arange(len(landings_m)), np.minimum(np.maximum(guess, 0), bounds.shape[1] - 2)
    low, high = bounds[every, floor], bounds[every, floor + 1]
    index = floor[lift]
    known = ~(np.isnan(z) | np.isnan(landings_m[:, 0])[lift])
    todo = np.flatnonzero(known & ((z <= low[lift]) | (z > high[lift])))
    while len(todo):
        mine, here = lift[todo], index[todo]
        move = (z[todo] > bounds[mine, here + 1]).astype(np.int32) - (z[todo] <= bounds[mine, here])
        walking = move != 0
        todo = todo[walking]
        index[todo] += move[walking]
    height = landings_m[lift, index]
    return np.where(known, index, np.int32(-1)), np.where(known, z - height, np.nan)
