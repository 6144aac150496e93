"""The pause before another try: full jitter under a bound that doubles with each failure in a row.

    failures so far   0          1           2           3 ...
    pause drawn from  [0, f)     [0, 2 f)    [0, 4 f)    [0, 8 f) ... never above the limit

Full jitter prevents many clients of one broker or database from reconnecting at the same moment.
"""

from __future__ import annotations

import random

DOUBLINGS_LIMIT = 32
"""More would only overflow: every limit is reached long before."""


def pause_s(failures: int, first_s: float, limit_s: float, chance: float) -> float:
    """Return `chance`, a number in [0, 1), of the bound after `failures` earlier failures."""
    return chance * min(limit_s, first_s * 2.0 ** min(failures, DOUBLINGS_LIMIT))


class Backoff:
    """The failures in a row of an operation that is retried until it succeeds."""

    def __init__(self, first_s: float, limit_s: float) -> None:
        self.failures = 0
        self._first_s, self._limit_s = first_s, limit_s

    def pause_s(self) -> float:
        """Count a failure and return the pause before the next try."""
        pause = pause_s(self.failures, self._first_s, self._limit_s, random.random())
        self.failures += 1
        return pause

    def reset(self) -> None:
        """Reset the pause to the shortest, after a success."""
        self.failures = 0
