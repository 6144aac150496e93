"""F41 once more, written from the contract: one lift, one message or tick of the clock after the other.

A lift is silent since its last sign of life, or since its last will where that came later; a last will is no sign of
life. Silence counts from when the monitor listens.
"""

from __future__ import annotations

from dataclasses import dataclass

SUSPECT_HEARTBEATS, OFFLINE_S, WILL_S, HEARTBEAT_S = 3, 360.0, 60.0, 60.0


@dataclass
class Lift:
    """The last arrivals of one lift by the monitor's clock, in seconds; None is never."""

    received_s: float | None = None
    will_s: float | None = None
    heartbeat_s: float = HEARTBEAT_S
    offline_since_s: float | None = None

    def receive(self, at_s: float, *, will: bool, heartbeat_s: float | None) -> tuple[str, float] | None:
        """Take in one message; return "off" and since when the lift was silent, where the message ends its silence."""
        self.heartbeat_s = heartbeat_s or self.heartbeat_s
        if will:
            self.will_s = at_s
            return None
        self.received_s = at_s
        if self.offline_since_s is None:
            return None
        since_s, self.offline_since_s = self.offline_since_s, None
        return "off", since_s

    def tick(self, now_s: float, *, listening_since_s: float, excused: bool) -> tuple[str, float] | None:
        """Return "on" and since when the lift is silent, where that has become too long."""
        if self.offline_since_s is not None or (self.received_s is None and self.will_s is None) or excused:
            return None
        since_s, limit_s = self._silent()
        if now_s - max(since_s, listening_since_s) < limit_s:
            return None
        self.offline_since_s = since_s
        return "on", since_s

    def _silent(self) -> tuple[float, float]:
        """Return since when the lift is silent, and for how long it may be."""
        if self.will_s is not None and (self.received_s is None or self.will_s > self.received_s):
            return self.will_s, WILL_S
        assert self.received_s is not None
        return self.received_s, max(OFFLINE_S, SUSPECT_HEARTBEATS * self.heartbeat_s)
