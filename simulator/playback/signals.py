"""Ctrl-C and SIGTERM as an event, so that playing and recording end in good order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ended_by_signals(stop: threading.Event | None = None) -> Iterator[threading.Event]:
    """Give `stop`, or a new event, that Ctrl-C and SIGTERM set meanwhile, where the process's signals are ours."""
    ended = stop or threading.Event()
    ours = threading.current_thread() is threading.main_thread()
    before = {n: signal.signal(n, lambda *_: ended.set()) for n in (signal.SIGINT, signal.SIGTERM) if ours}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
