"""Tallies of trips: how many of the last ones were bad, and how many in a row were good.

trip    good bad good bad bad good good good ...
bad_of     0   1    1   2   3    3    3    2     of the last five
good       1   0    1   0   0    1    2    3     in a row
"""

from __future__ import annotations

from typing import Any

import numpy as np

from telemetry.compiled import inlined

FIELDS = [("bad_bits", np.int64), ("good", np.int64), ("first_ns", np.int64)]
"""The fields of a tally, 0 at first: a bit for each of the last trips (1 bad), the good trips in a row, and when the
first bad trip of them began."""


@inlined
def ones(bits: int, window: int) -> int:
    """Return how many of the last `window` bits are 1."""
    count = 0
    for place in range(window):
        count += (bits >> place) & 1
    return count


@inlined
def count(tally: Any, is_bad: bool, since_ns: int, window: int) -> int:
    """Count one trip; return how many of the last `window` were bad."""
    kept = (tally["bad_bits"] << 1) & ((1 << window) - 1)
    if is_bad:
        if kept == 0:
            tally["first_ns"] = since_ns
        tally["good"] = 0
    else:
        tally["good"] += 1
    tally["bad_bits"] = kept | is_bad
    return ones(tally["bad_bits"], window)
