"""A file of SQLite that many threads use: its settings, and the turns of the threads that write."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

BUSY_TIMEOUT_S = 20.0
BUSY_PAUSE_S = 0.1
WAL_LIMIT_BYTES = 64 * 1024 * 1024


class WriterBusy(Exception):
    """Another thread has written for longer than `BUSY_TIMEOUT_S`."""


class WriterTurns:
    """The threads of this process that write, in the order in which they came.

    SQLite has one writer at a time, and another one asks again after pauses that grow to 0.1 s: many threads overtake
    each other, and one may wait for seconds.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._is_taken = False

    @contextmanager
    def turn(self, limit_s: float = BUSY_TIMEOUT_S) -> Iterator[None]:
        """Wait for the turn of this thread; raise WriterBusy after `limit_s`."""
        self._take(limit_s)
        try:
            yield
        finally:
            self._pass_on()

    def _take(self, limit_s: float) -> None:
        with self._lock:
            if not self._is_taken:
                self._is_taken = True
                return
            mine = threading.Event()
            self._waiting.append(mine)
        if mine.wait(limit_s):
            return
        with self._lock:
            if mine.is_set():  # its turn came as it gave up
                return
            self._waiting.remove(mine)
        raise WriterBusy(f"another thread has been writing for {limit_s:g} s")

    def _pass_on(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._is_taken = False


def prepare(connection: Any, _record: object) -> None:
    """Leave transactions to us instead of the driver, and allow reading during a write."""
    connection.isolation_level = None
    _write_ahead(connection)
    connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}")


def begin(connection: Connection) -> None:
    """Begin a transaction with the options of its connection."""
    options = connection.get_execution_options()
    connection.exec_driver_sql(f"PRAGMA synchronous = {'FULL' if options.get('durable', True) else 'NORMAL'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes") else "BEGIN")


def _write_ahead(connection: Any) -> None:
    """Turn on the write-ahead log; retry, since SQLite does not wait for another process that does so to a new file."""
    end_s = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end_s:
                raise
            time.sleep(random.uniform(0, BUSY_PAUSE_S))
