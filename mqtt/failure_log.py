"""The log of a connection's failures: the same failure once a minute, however often the connection is retried.

`store.outage.Outage` limits the log of any other dependency: it has one line a minute whatever the failure, and logs
the end of the outage too.
"""

from __future__ import annotations

import logging
import time

LOG_EVERY_S = 60.0


class FailureLog:
    """Logs the failures of the connection to one broker."""

    def __init__(self, broker: object, log: logging.Logger) -> None:
        self._broker, self._log = broker, log
        self._last, self._again_at = "", 0.0

    def failed(self, why: str, *, is_refused: bool, is_quiet: bool) -> None:
        """Log a failed attempt, another failure than the last one at once; where `is_quiet`, at the level DEBUG."""
        if is_quiet or (why == self._last and time.monotonic() < self._again_at):
            level = logging.DEBUG
        else:
            level = logging.ERROR if is_refused else logging.WARNING
            self._last, self._again_at = why, time.monotonic() + LOG_EVERY_S
        self._log.log(level, "broker %s: %s; retrying", self._broker, why)
