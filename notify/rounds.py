"""The loop of a thread that delivers from the records: round after round, until the thread is stopped.

round ─► there is more ─► round              round ─► failed ─► pause with full jitter ─► round
      ─► nothing more ─► wake, or the poll is over ─► round
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from mqtt.backoff import Backoff
from store.outage import Outage


def repeat_rounds(
    deliver: Callable[[], bool],
    outage: Outage,
    wake: threading.Event,
    stopping: threading.Event,
    *,
    backoff: Backoff,
    poll_s: float,
    expected: tuple[type[Exception], ...],
    pause: Callable[[float], object] | None = None,
) -> None:
    """Call `deliver` until `stopping`: at once again where there is more to deliver, else on `wake` or after `poll_s`.

    `deliver` returns whether there is more. A failure is noted in `outage`, with its traceback unless it is `expected`;
    then `pause` waits for the seconds that `backoff` gives.
    """
    while not stopping.is_set():
        try:
            more = deliver()
            backoff.reset()
            outage.over()
            if not more:
                wake.wait(poll_s)
                wake.clear()
        except Exception as error:  # one transition or delivery must not end all later ones
            outage.failed(error, exc_info=not isinstance(error, expected))
            (pause or stopping.wait)(backoff.pause_s())
