"""Connections to a mail server that end by a deadline, whatever the server does: it may send a byte now and then.

limit_s over ─► the socket is shut down ─► the read or write under way fails, and so does every later one
"""

from __future__ import annotations

import contextlib
import smtplib
import socket
import threading
import time
from typing import Any


class BoundedSmtp(smtplib.SMTP):
    """A connection that is not used later than `limit_s` after its beginning, plus the `timeout` of one read."""

    def __init__(self, *address: Any, limit_s: float, **settings: Any) -> None:
        self._end_s = time.monotonic() + limit_s
        self._ending = threading.Timer(limit_s, self._end)
        self._ending.daemon = True
        self._ending.start()
        try:
            super().__init__(*address, **settings)
        except BaseException:
            self._ending.cancel()
            raise

    def send(self, s: Any) -> None:
        """Send bytes; raise TimeoutError after the deadline."""
        if time.monotonic() >= self._end_s:
            self.close()
            raise TimeoutError("the mail server did not finish in time")
        super().send(s)

    def close(self) -> None:
        """Close the connection."""
        self._ending.cancel()
        super().close()

    def _end(self) -> None:
        if self.sock is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)  # not that of TLS, which would wait for the peer


class BoundedSmtpTls(BoundedSmtp, smtplib.SMTP_SSL):
    """The same inside TLS from the beginning."""
