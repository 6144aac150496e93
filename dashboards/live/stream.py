"""The live stream: server-sent events to everyone who listens, encoded once and shared.

    watch thread ── publish ──► loop ── one chunk for each listener's filter ──► its bounded queue ──► its socket

An event's id is `{version}-{transition}`: the fleet's version and the last transition told, so that a listener who
comes back says what it has and gets what it lacks. A lift's events of one batch carry the version before it, and the
batch ends with its own id alone, so that a batch cut off in the middle is told again. A listener that does not
keep up is ended, counted, and comes back by itself.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from dashboards.http.metrics import Meters
from dashboards.http.problem import away

KEEP_ALIVE_S = 15.0
SEND_LIMIT_S = 20.0
QUEUE_LIMIT_BYTES = 4 * 1024 * 1024
LISTENERS_LIMIT = 500
RETRY_MS = 2000
HUNG_UP = "hung up"
ID_PATTERN = re.compile(r"(\d{1,19})-(\d{1,19})", re.ASCII)


class Mark(NamedTuple):
    """How far a listener is: the fleet's version and the last transition."""

    version: int
    transition: int

    def __str__(self) -> str:
        return f"{self.version}-{self.transition}"


def mark(text: str | None) -> Mark | None:
    """Return the mark in a Last-Event-ID; None where it is none of ours, which begins anew."""
    match = ID_PATTERN.fullmatch(text or "")
    return Mark(int(match[1]), int(match[2])) if match else None


class Event(NamedTuple):
    """One event as it goes over the wire, and whom it is about."""

    lift_id: str
    district: str | None
    wire: bytes


def event(kind: str, at: Mark, about: dict[str, Any]) -> Event:
    """Return `about` (an alert or a lift) as an event."""
    wire = b"event: %b\nid: %b\ndata: %b\n\n" % (kind.encode(), str(at).encode(), orjson.dumps(about))
    return Event(about["lift_id"], about["district"], wire)


def closing(at: Mark) -> bytes:
    """Return the id alone: it moves the listener's mark and is no event."""
    return b"id: %b\n\n" % str(at).encode()


@dataclass(frozen=True, slots=True)
class Interest:
    """What a listener wants to hear of; empty means everything."""

    district: str | None = None
    lift_ids: frozenset[str] = frozenset()

    def takes(self, lift_id: str, district: str | None) -> bool:
        """Whether it is about one of these lifts."""
        if self.lift_ids and lift_id not in self.lift_ids:
            return False
        return self.district is None or district == self.district

    def chunk(self, events: Iterable[Event], end: Mark) -> bytes:
        """Return the events of interest as one piece of wire, ending with the mark; empty where there are none."""
        wire = b"".join(one.wire for one in events if self.takes(one.lift_id, one.district))
        return wire + closing(end) if wire else b""


@dataclass(eq=False, slots=True)
class Listener:
    """One open stream: what it wants, and what it has yet to be sent."""

    interest: Interest
    waiting: deque[bytes] = field(default_factory=deque)
    waiting_bytes: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    ended: str | None = None

    def put(self, chunk: bytes) -> None:
        """Queue a piece, however large; or end the stream when its queue is full already."""
        if self.waiting_bytes > QUEUE_LIMIT_BYTES:
            self.end("slow")
            return
        self.waiting.append(chunk)
        self.waiting_bytes += len(chunk)
        self.arrived.set()

    def end(self, reason: str) -> None:
        """End the stream; what waits is forgotten."""
        self.ended = self.ended or reason
        self.waiting.clear()
        self.waiting_bytes = 0
        self.arrived.set()

    async def next(self) -> bytes:
        """Return all that waits, or a keep-alive comment when nothing came for a while."""
        if not self.waiting and self.ended is None:
            try:
                async with asyncio.timeout(KEEP_ALIVE_S):
                    await self.arrived.wait()
            except TimeoutError:
                return b": nothing new\n\n"
        chunk = b"".join(self.waiting)
        self.waiting.clear()
        self.waiting_bytes = 0
        self.arrived.clear()
        return chunk


class Hub:
    """All open streams of this process. Lives on the event loop; `publish` alone is called from elsewhere."""

    def __init__(self, meters: Meters) -> None:
        self.meters = meters
        self.listeners: set[Listener] = set()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.closed = False

    def join(self, interest: Interest) -> Listener:
        """Return a new listener; a problem (503) where there are too many."""
        if self.closed or len(self.listeners) >= LISTENERS_LIMIT:
            raise away("live stream", f"{LISTENERS_LIMIT} listeners are served at most; try again later")
        self.loop = asyncio.get_running_loop()
        listener = Listener(interest)
        self.listeners.add(listener)
        self.meters.listeners.set(len(self.listeners))
        return listener

    def leave(self, listener: Listener) -> None:
        """Forget a listener, counting why where it was we who ended it."""
        self.listeners.discard(listener)
        self.meters.listeners.set(len(self.listeners))
        if listener.ended not in (None, HUNG_UP):
            self.meters.dropped.labels(listener.ended).inc()

    def wanted(self) -> set[str] | None:
        """Return the only lifts that anybody listens to; None where somebody listens to more than named ones."""
        named = [listener.interest.lift_ids for listener in list(self.listeners)]
        return set().union(*named) if all(named) else None

    def publish(self, events: Sequence[Event], end: Mark) -> None:
        """Tell every listener; callable from any thread."""
        if self.loop is not None and not self.loop.is_closed() and events:
            self.loop.call_soon_threadsafe(self._deliver, events, end)

    def _deliver(self, events: Sequence[Event], end: Mark) -> None:
        chunks: dict[Interest, bytes] = {}
        for listener in list(self.listeners):
            if listener.interest not in chunks:
                chunks[listener.interest] = listener.interest.chunk(events, end)
            if chunks[listener.interest] and listener.ended is None:
                listener.put(chunks[listener.interest])

    def close(self) -> None:
        """End every stream, so that the server can stop."""
        self.closed = True
        for listener in list(self.listeners):
            listener.end("shutdown")


class Stream(Response):
    """The answer that goes on: first what the listener lacks, then what happens."""

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, listener: Listener, lacks: Callable[[], Iterable[bytes]]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self.hub, self.listener, self.lacks = hub, listener, lacks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.create_task(self._until_gone(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await self._send(send, b"retry: %d\n\n" % RETRY_MS)
            for chunk in await asyncio.to_thread(lambda: list(self.lacks())):
                await self._send(send, chunk)
            while self.listener.ended is None:
                await self._send(send, await self.listener.next())
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except (TimeoutError, OSError):
            self.listener.end("slow")
        finally:
            gone.cancel()
            self.hub.leave(self.listener)

    async def _send(self, send: Send, chunk: bytes) -> None:
        """Send a piece, giving up on a listener that takes nothing for a while."""
        if chunk:
            async with asyncio.timeout(SEND_LIMIT_S):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def _until_gone(self, receive: Receive) -> None:
        """Wait for the listener to hang up."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self.listener.end(HUNG_UP)
