"""Ctrl-C and SIGTERM as an event, so that playing and recording end in order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ended_by_signals(stop: threading.Event | None = None) -> Iterator[threading.Event]:
    """Yield `stop`, or a new event; Ctrl-C and SIGTERM set it, where the caller is in the main thread."""
    ended = stop or threading.Event()
    is_main = threading.current_thread() is threading.main_thread()
    before = {n: signal.signal(n, lambda *_: ended.set()) for n in (signal.SIGINT, signal.SIGTERM) if is_main}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
