"""The outage of a dependency, and its log: a line a minute, however often the dependency is retried.

    failed ─► warning      failed, failed, …      failed ─► warning      over ─► info
    0 s                    nothing is logged      60 s                   75 s

`mqtt.backoff` has the pauses between retries.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

LOG_EVERY_S = 60.0


class Outage:
    """The outage of one dependency. `effect` begins each line of the log: "storing waits".

    While one that `blocks` lasts, the process is not ready.

    One thread reports; any may read `cause`, None while nothing is wrong.
    """

    def __init__(
        self, effect: str, log: logging.Logger, now_s: Callable[[], float] = time.monotonic, *, blocks: bool = True
    ) -> None:
        self.effect, self.blocks = effect, blocks
        self.cause: str | None = None
        self._log, self._now_s = log, now_s
        self._began_s, self._logged_s = 0.0, -LOG_EVERY_S
        self._is_logged = False

    @property
    def reasons(self) -> list[str]:
        """Return the effect with its cause; nothing while nothing is wrong."""
        return [] if self.cause is None else [f"{self.effect}: {self.cause}"]

    def failed(self, error: object, level: int = logging.WARNING, *, exc_info: bool = False) -> None:
        """Note a failure; log it unless one was logged within the last minute."""
        now_s = self._now_s()
        if self.cause is None:
            self._began_s = now_s
        self.cause = str(error)
        if now_s - self._logged_s >= LOG_EVERY_S:
            self._logged_s, self._is_logged = now_s, True
            self._log.log(level, "%s: %s", self.effect, error, exc_info=exc_info)

    def over(self) -> None:
        """Note a success; log the end of an outage that was logged."""
        if self.cause is None:
            return
        self.cause = None
        if self._is_logged:
            self._is_logged = False
            self._log.info("%s: over after %.0f s", self.effect, self._now_s() - self._began_s)
