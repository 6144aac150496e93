"""F38 once more, from lists of all pauses and all trips."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from detectors.rules.stalled import Pauses
from telemetry.streams import CLOSED
from tests.detectors.naive_row import NAN, Row, seen

HOUR_NS = 3_600_000_000_000


@dataclass
class NaiveStalled:
    """The pause since the last trip, against a quarter of an hour or the lift's own pauses."""

    limits: Pauses
    stops: list[int] = field(default_factory=list)
    pauses: list[tuple[bool, float]] = field(default_factory=list)
    last_ns: int | None = None
    idle_ns: int = 0
    trips: int = 0
    is_busy: bool = False
    is_whole: bool = False
    limit_s: float = NAN
    visits: int = 0
    used: bool = False

    def row(self, row: Row) -> tuple[float, float]:
        if not seen(row["still_s"]):
            return NAN, NAN
        t_ns = int(row["t_ns"])
        if self.last_ns is None or t_ns - self.last_ns > max(row["gap_ns"], self.limits.gap_s * 1e9):
            self.idle_ns, self.is_whole, self.visits, self.is_busy = 0, False, 0, self._busy(t_ns)
        else:
            self.idle_ns += t_ns - self.last_ns
        self.last_ns = t_ns
        if row["trips"] != self.trips:
            self._stop(int(row["still_since_ns"]), t_ns)
            self.trips = int(row["trips"])
        uses = row["presence"] == 1 or row["curtain"] == 1 or (seen(row["door"]) and row["door"] != CLOSED)
        idle_s = self.idle_ns / 1e9
        self.visits += uses and not self.used and idle_s > self.limits.after_s
        self.used = uses
        limits_s = [max(self.limit_s, self.limits.idle_s)] if seen(self.limit_s) else []
        if self.visits and row["door"] == CLOSED and self._busy(t_ns):
            limits_s.append(self.limits.idle_s)
        if row["still_s"] == 0 or not (seen(row["v"]) or seen(row["z"])):
            return NAN, NAN
        if not limits_s:
            return 0.0, 1.0 if self.is_whole else NAN
        on = max(idle_s / limit_s for limit_s in limits_s)
        if on < 1 and seen(self.limit_s):
            on = idle_s / limits_s[0]
        elif on < 1:
            on = 0.0
        return on, 0.0 if on >= 1 else (1.0 if self.is_whole else NAN)

    def _stop(self, stop_ns: int, t_ns: int) -> None:
        if self.is_whole:
            self.pauses.append((self.is_busy, self.idle_ns / 1e9))
        self.idle_ns, self.is_whole, self.visits, self.is_busy = t_ns - stop_ns, True, 0, self._busy(stop_ns)
        self.stops.append(stop_ns)
        alike = sorted(pause_s for busy, pause_s in self.pauses if busy == self.is_busy)
        self.limit_s = NAN
        if len(alike) >= self.limits.fewest:
            longest_s = alike[int(np.ceil(self.limits.share * len(alike))) - 1]
            bin_number = np.floor(4 * np.log2(max(longest_s, 8.0) / 8.0))
            self.limit_s = self.limits.margin * 8.0 * 2 ** ((bin_number + 1) / 4)

    def _busy(self, t_ns: int) -> bool:
        day = [stop for stop in self.stops if stop // (24 * HOUR_NS) % 7 == t_ns // (24 * HOUR_NS) % 7]
        hour = [stop for stop in day if stop // HOUR_NS % 24 == t_ns // HOUR_NS % 24]
        days = len({stop // (24 * HOUR_NS) for stop in day})
        return days >= self.limits.busy_days and len(hour) >= self.limits.busy_share * len(day)
