"""F41 once more, written from the contract: one lift, one look at the clock after the other.

A lift is silent since its last sign of life, or since its last will where that came later; a last will is no sign of
life. The count begins anew where the monitor was away or a backlog drains.
"""

from __future__ import annotations

from dataclasses import dataclass

SUSPECT_HEARTBEATS, OFFLINE_S, WILL_S, HEARTBEAT_S = 3, 360.0, 60.0, 60.0


@dataclass
class Lift:
    """What is known of one lift by the monitor's clock, in seconds; None is never."""

    spoke_s: float | None = None
    will_s: float | None = None
    heartbeat_s: float = HEARTBEAT_S
    counted_from_s: float = 0.0
    offline_since_s: float | None = None

    def hear(self, at_s: float, *, will: bool, heartbeat_s: float | None) -> None:
        """Take in one message."""
        if will:
            self.will_s = at_s
        else:
            self.spoke_s = at_s
        self.heartbeat_s = heartbeat_s or self.heartbeat_s

    def look(self, now_s: float, *, draining: bool, excused: bool) -> tuple[str, float] | None:
        """Return "on" or "off" and since when it is or was silent, where something changed."""
        if draining:
            self.counted_from_s = now_s
        if self.offline_since_s is not None:
            if self.spoke_s is None or self.spoke_s <= self.offline_since_s:
                return None
            since_s, self.offline_since_s = self.offline_since_s, None
            return "off", since_s
        if (self.spoke_s is None and self.will_s is None) or excused:
            return None
        since_s, limit_s = self._silent()
        if now_s - max(since_s, self.counted_from_s) < limit_s:
            return None
        self.offline_since_s = since_s
        return "on", since_s

    def _silent(self) -> tuple[float, float]:
        """Return since when it is silent, and for how long it may be."""
        if self.will_s is not None and (self.spoke_s is None or self.will_s > self.spoke_s):
            return self.will_s, WILL_S
        assert self.spoke_s is not None
        return self.spoke_s, max(OFFLINE_S, SUSPECT_HEARTBEATS * self.heartbeat_s)
