"""Retries calls to a store that may be unavailable, with full jitter, until they succeed or the process stops."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from mqtt.backoff import Backoff
from store.outage import Outage

FIRST_PAUSE_S = 0.5


def retry_while_unavailable(
    act: Callable[[], object],
    unavailable: type[Exception] | tuple[type[Exception], ...],
    stopping: Event,
    outage: Outage,
    *,
    limit_s: float,
    attempts: int | None = None,
) -> bool:
    """Call `act` until it does not raise `unavailable`; return False where `stopping` or `attempts` came first."""
    backoff = Backoff(FIRST_PAUSE_S, limit_s)
    while True:
        try:
            act()
            outage.over()
            return True
        except unavailable as error:
            outage.failed(error)
            pause_s = backoff.pause_s()
            if backoff.failures == attempts or stopping.wait(pause_s):
                return False
