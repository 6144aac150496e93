"""Detects two clients with one client id: the broker ends the connection of one when the other connects.

    accepted ─► evicted: 1 ─► accepted ─► evicted: 2 ─► accepted ─► evicted: 3 ─► the client id is contested
                 a connection that lasted `LASTING_S`, or that failed in another way, begins the count again

In MQTT 5 a broker gives the reason (session taken over). In MQTT 3.1.1 it only closes the connection, as Mosquitto
2.0.11 does in MQTT 5 too: that is counted where it happens soon after the broker accepted the connection.
"""

from __future__ import annotations

EVICTIONS_LIMIT = 3
LASTING_S = 10.0


class EvictionCount:
    """The number of connections in a row that another client has ended."""

    def __init__(self) -> None:
        self._evictions = 0

    def is_contested(self, lasted_s: float, *, is_taken_over: bool, is_closed: bool) -> bool:
        """Count the end of a connection of `lasted_s`; return whether there were too many evictions.

        `is_taken_over` is the broker's own reason, and `is_closed` that it closed the connection without one.
        """
        is_short = lasted_s < LASTING_S
        if is_taken_over or (is_closed and is_short):
            self._evictions = self._evictions + 1 if is_short else 1
        else:
            self._evictions = 0
        if self._evictions < EVICTIONS_LIMIT:
            return False
        self._evictions = 0
        return True
