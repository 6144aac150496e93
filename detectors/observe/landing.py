"""The landing nearest to a car."""

from __future__ import annotations

from typing import Any

import numpy as np

from telemetry.compiled import compiled


@compiled
def nearest(z: float, landings_m: Any, guess: int) -> int:
    """Return the index of the landing nearest to position `z`, of two equally near ones the lower; -1 where unknown.

    `landings_m` are the heights of one lift's landings, ascending, NaN beyond the last. The search walks from `guess`
    to the nearest landing: a good guess is quick and a bad one still right.
    """
    if np.isnan(z) or np.isnan(landings_m[0]):
        return -1
    k = min(max(guess, 0), len(landings_m) - 1)
    while k > 0 and not z > (landings_m[k] + landings_m[k - 1]) / 2:
        k -= 1
    while k + 1 < len(landings_m) and z > (landings_m[k + 1] + landings_m[k]) / 2:
        k += 1
    return k
