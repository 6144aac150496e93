"""The thread that writes counted acts, readings of series and refused requests, to the audit log.

A route only counts; the thread writes every `FLUSH_S`, once more at the end. Once a day it logs the head of the chain,
so that the head is also kept where the log goes, and removes sessions, tokens and links that have expired.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from store.records.audit.counted import ActCounts
from store.records.audit.writing import CountedAct
from store.records.repository import Records
from telemetry.instant import DAY_NS, NS_PER_S

log = logging.getLogger(__name__)

FLUSH_S = 5.0


class AuditWriter:
    """The counted acts of one dashboards process."""

    def __init__(
        self, records: Callable[[], Records], session_s: float, now_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._records, self._session_ns, self._now_ns = records, int(session_s * NS_PER_S), now_ns
        self._counts, self._lock = ActCounts(), threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audit writer", daemon=True)
        self._day, self._is_failing = -1, False

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Write the counts so far, and stop the thread."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def count(self, act: CountedAct, value: str, span_ns: tuple[int, int] | None = None) -> None:
        """Count an act that concerned a `value`, and readings of a span of time."""
        with self._lock:
            self._counts.count(act, self._now_ns(), value, span_ns)

    def _run(self) -> None:
        while not self._stopping.wait(FLUSH_S):
            self._try()
        self._try(everything=True)

    def _try(self, everything: bool = False) -> None:
        """Write the counts that are due; counts that cannot be written are kept for the next round."""
        try:
            self._write(self._now_ns(), everything)
            self._is_failing = False
        except Exception as error:  # the counts are kept: the next attempt writes them
            if not self._is_failing:
                log.warning("the audit log cannot be written now, and is written later: %s", error)
            self._is_failing = True

    def _write(self, now_ns: int, everything: bool) -> None:
        with self._lock:
            due = self._counts.due(now_ns, everything)
        if due:
            self._records().write_counted(due)
            with self._lock:
                self._counts.written(due)
        if now_ns // DAY_NS != self._day:
            log.info("audit log: the head of the chain is %s", self._records().audit_head())
            self._records().remove_expired(now_ns, now_ns - self._session_ns)
            self._day = now_ns // DAY_NS
