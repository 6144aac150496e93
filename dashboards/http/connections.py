"""Limits of connections: the time in which a request arrives and an answer is read, and their number.

    waiting ─ first byte … last header: HEADERS_S ─► body: BODY_S + bytes / BODY_BYTES_A_SECOND ─► answer, read
                                                     at WRITE_STEP_BYTES each WRITE_S or faster ─► waiting

uvicorn limits the size of headers and the idle time between two requests. It has no limit for a request that arrives
byte by byte, and its limit of concurrency counts such connections too, so that they would shut everybody out. Here, at
the limit, the server closes the connection that waits longest for its request, of the address that holds most
connections.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADERS_S = 10.0
BODY_S = 20.0
BODY_BYTES_A_SECOND = 16 * 1024
WRITE_S = 20.0
WRITE_STEP_BYTES = 16 * 1024
CONNECTIONS_LIMIT = 800
TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
ARRIVING = (h11.IDLE, h11.SEND_BODY)


class LimitedConnection(H11Protocol):
    """One connection of the server; `dropped` counts the connections that the server ended, by reason."""

    dropped: Callable[[str], object] = staticmethod(lambda reason: None)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept the connection, and end another one beyond the limit."""
        super().connection_made(transport)
        self.phase_since_s = self._read_s = self.loop.time()
        self._phase: tuple[Any, Any] | None = None
        self._received_bytes = self._unsent_bytes = 0
        self._was_read = False
        if len(self.connections) > CONNECTIONS_LIMIT:
            most_dispensable(self, self.connections).drop("crowded")

    def data_received(self, data: bytes) -> None:
        """Count the received bytes, and handle them."""
        self._received_bytes += len(data)
        super().data_received(data)

    def resume_writing(self) -> None:
        """Note that the client read most of the unsent bytes."""
        self._was_read = True
        super().resume_writing()

    @property
    def is_arriving(self) -> bool:
        """Whether the server waits for a request or for the rest of it."""
        return self.conn.their_state in ARRIVING

    @property
    def address(self) -> str:
        """The address of the client."""
        return self.client[0] if self.client else ""

    def check(self, now_s: float) -> None:
        """End the connection where its request arrives, or its answer is read, too slowly."""
        phase = (self.conn.their_state, self.cycle)
        if phase != self._phase:
            self._phase, self.phase_since_s, self._received_bytes = phase, now_s, 0
        if self._is_read():
            self._read_s = now_s
        if now_s - self._read_s > WRITE_S:
            self.drop("slow-reader")
        elif self._is_late(now_s):
            self._time_out()

    def _is_late(self, now_s: float) -> bool:
        """Return whether the request, or the rest of it, should have arrived by now."""
        limit_s = BODY_S + self._received_bytes / BODY_BYTES_A_SECOND
        if self.conn.their_state is h11.IDLE:
            limit_s = HEADERS_S
        return self.is_arriving and not self.transport.is_closing() and now_s - self.phase_since_s > limit_s

    def _is_read(self) -> bool:
        """Return whether the client read enough since this was last so; true also where nothing is unsent."""
        unsent_bytes = self.transport.get_write_buffer_size()
        enough = not unsent_bytes or unsent_bytes <= self._unsent_bytes - WRITE_STEP_BYTES
        if enough or self._was_read or not self._unsent_bytes:
            self._unsent_bytes, self._was_read = unsent_bytes, False
            return True
        return False

    def _time_out(self) -> None:
        """End the connection, after an answer where a part of a request came and no answer was begun."""
        is_idle = self.conn.their_state is h11.IDLE
        if self.conn.trailing_data[0] if is_idle else not self.cycle.response_started:
            self.transport.write(TIMED_OUT)
        self.dropped("slow-request")
        self.transport.close()

    def drop(self, reason: str) -> None:
        """End the connection at once."""
        self.dropped(reason)
        self.transport.abort()


def most_dispensable(newest: LimitedConnection, connections: Iterable[Any]) -> LimitedConnection:
    """Return the connection that waits longest for a request, of the address with most connections; else the newest."""
    others = [each for each in connections if isinstance(each, LimitedConnection) and each is not newest]
    held = Counter(each.address for each in others)
    waiting = [each for each in others if each.is_arriving and not each.transport.is_closing()]
    return max(waiting, key=lambda each: (held[each.address], -each.phase_since_s), default=newest)


def check_connections(connections: Iterable[Any], now_s: float) -> None:
    """End the connections that are too slow."""
    for connection in list(connections):
        if isinstance(connection, LimitedConnection):
            connection.check(now_s)


def connection_class(dropped: Callable[[str], object]) -> type[LimitedConnection]:
    """Return the class of a server's connections, which calls `dropped` with the reason where it ends one."""
    return type("CountedConnection", (LimitedConnection,), {"dropped": staticmethod(dropped)})
