"""The days of a world: of each it lives the first `day_s` seconds from its start's time of day, and leaps to the next.

    lived seconds   0 ──── 1800 │ 1800 ──── 3600 │ ...            day_s = 1800
    calendar        day 1, 7:00-7:30 │ day 2, 7:00-7:30 │ ...

The law: everything in the world counts lived seconds; only instants that are said or written are of the calendar. No
day comes after the last of `days`: what would end after it ends in its own time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

DAY_S = 86_400
NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Calendar:
    """From a start, a whole second of UTC in nanoseconds."""

    start_ns: int
    day_s: int = DAY_S
    days: float = math.inf

    def skipped_s(self, simulated_s: float) -> int:
        """Return how many seconds had been leapt over by then."""
        return int(min(simulated_s // self.day_s, self.days - 1)) * (DAY_S - self.day_s)

    def instant_ns(self, simulated_s: float) -> int:
        """Return the instant of a lived second, to the millisecond, as lifts say instants."""
        return self.start_ns + self.skipped_s(simulated_s) * NS + round(simulated_s * 1000) * 1_000_000

    def simulated_s(self, elapsed_s: float) -> float:
        """Return how many seconds are lived in the first `elapsed_s` of the calendar."""
        day = min(elapsed_s // DAY_S, self.days - 1)
        within_s = elapsed_s - day * DAY_S
        return day * self.day_s + (within_s if day == self.days - 1 else min(within_s, self.day_s))
