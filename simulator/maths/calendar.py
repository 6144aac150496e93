"""The calendar of a world that simulates the first `day_s` seconds, from the start's time of day, of each of its days.

    simulated time    0 ──── 1800 │ 1800 ──── 3600 │ ...            day_s = 1800
    calendar          day 1, 7:00-7:30 │ day 2, 7:00-7:30 │ ...

Everything inside the world counts seconds of simulated time; only instants in messages and files follow the calendar.
After the last of `days` days no time is skipped.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

DAY_S = 86_400
NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Calendar:
    """A calendar that starts at `start_ns`, a whole second of UTC in nanoseconds."""

    start_ns: int
    day_s: int = DAY_S
    days: float = math.inf

    def skipped_s(self, simulated_s: float) -> int:
        """Return how many seconds have been skipped up to this simulated time."""
        return int(min(simulated_s // self.day_s, self.days - 1)) * (DAY_S - self.day_s)

    def instant_ns(self, simulated_s: float) -> int:
        """Return the instant of a simulated time, rounded to milliseconds as in messages."""
        return self.start_ns + self.skipped_s(simulated_s) * NS + round(simulated_s * 1000) * 1_000_000

    def simulated_s(self, elapsed_s: float) -> float:
        """Return how many seconds of the first `elapsed_s` calendar seconds are simulated."""
        day = min(elapsed_s // DAY_S, self.days - 1)
        within_s = elapsed_s - day * DAY_S
        return day * self.day_s + (within_s if day == self.days - 1 else min(within_s, self.day_s))
