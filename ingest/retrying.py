"""Calls to a store that may be away, tried again with full jitter until they succeed or the process stops."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event

from mqtt.backoff import Backoff

FIRST_PAUSE_S = 0.5


def retry_while_unavailable(
    act: Callable[[], object],
    unavailable: type[Exception],
    stopping: Event,
    log: logging.Logger,
    *,
    limit_s: float,
    attempts: int | None = None,
) -> bool:
    """Call `act` until it does not raise `unavailable`; return False where `stopping` or `attempts` came first."""
    backoff = Backoff(FIRST_PAUSE_S, limit_s)
    while True:
        try:
            act()
            return True
        except unavailable as error:
            log.warning("waiting for a store: %s", error)
            pause_s = backoff.pause_s()
            if backoff.failures == attempts or stopping.wait(pause_s):
                return False
