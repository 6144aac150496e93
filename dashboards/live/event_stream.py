"""The live stream: server-sent events, encoded once for each filter and broadcast to all subscribers.

    poller thread ── publish ──► event loop ── one chunk for each filter ──► bounded queues ──► sockets of subscribers

An event's id is `{version}-{transition}-{entry}`: the version of the fleet, and the last transition of an alert and
entry of an incident that were sent. A subscriber that reconnects sends the id back and receives the events it missed.
The events of one batch carry the id of the batch before, and the batch ends with its own id alone, so that an
interrupted batch is sent again as a whole. A subscriber that reads too slowly is disconnected and counted; browsers
reconnect by themselves.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from dashboards.http.metrics import ServerMetrics
from dashboards.http.problem import RETRY_AFTER_S, Problem, unavailable
from dashboards.live.fleet_view import LiftIndex
from registry.scope import ALL_LIFTS, LiftScope

log = logging.getLogger(__name__)

KEEP_ALIVE_S = 15.0
SEND_LIMIT_S = 20.0
QUEUE_LIMIT_BYTES = 4 * 1024 * 1024
SUBSCRIBERS_LIMIT = 500
SUBSCRIBERS_OF_AN_ADDRESS_LIMIT = 100
SUBSCRIBERS_OF_AN_ACCOUNT_LIMIT = 30
ACCESS_CHECK_S = 2.0
RETRY_MS = 2000
HUNG_UP = "hung up"
ID_PATTERN = re.compile(r"(\d{1,19})-(\d{1,19})(?:-(\d{1,19}))?", re.ASCII)
NEWEST = 2**63 - 1
"""The entry in the position of an id without one: no incident before now is sent."""


class StreamPosition(NamedTuple):
    """A position in the stream: the version of the fleet, the last transition and the last entry of an incident."""

    version: int
    transition: int
    entry: int = 0

    def __str__(self) -> str:
        return f"{self.version}-{self.transition}-{self.entry}"


def parse_position(text: str | None) -> StreamPosition | None:
    """Return the position in a Last-Event-ID; None where the text is none, and the stream starts from now."""
    match = ID_PATTERN.fullmatch(text or "")
    return StreamPosition(int(match[1]), int(match[2]), int(match[3] or NEWEST)) if match else None


class StreamEvent(NamedTuple):
    """One encoded event, with its lift and district for the filters.

    Scopes for which `is_whole` is false receive the event as `reduced`, which lacks what is hidden from them.
    """

    lift_id: str
    district: str | None
    wire: bytes
    reduced: bytes = b""
    is_whole: Callable[[LiftScope, LiftIndex], bool] = lambda scope, index: True

    def wire_for(self, scope: LiftScope, index: LiftIndex) -> bytes:
        """Return the event as a subscriber of this scope receives it."""
        return self.wire if scope.everything or self.is_whole(scope, index) else self.reduced


def encode_event(kind: str, at: StreamPosition, about: dict[str, Any]) -> StreamEvent:
    """Return `about` (an alert, an incident or a lift) as an encoded event."""
    wire = b"event: %b\nid: %b\ndata: %b\n\n" % (kind.encode(), str(at).encode(), orjson.dumps(about))
    return StreamEvent(about["lift_id"], about["district"], wire)


def encode_position(at: StreamPosition) -> bytes:
    """Return an id without an event: the browser stores the position and dispatches nothing."""
    return b"id: %b\n\n" % str(at).encode()


@dataclass(frozen=True, slots=True)
class EventFilter:
    """The district and the lifts that a subscriber receives events of, empty means all; and the subscriber's scope."""

    district: str | None = None
    lift_ids: frozenset[str] = frozenset()
    scope: LiftScope = ALL_LIFTS

    def matches(self, lift_id: str, district: str | None, index: LiftIndex) -> bool:
        """Return whether events of this lift pass the filter, where `index` has the lifts of the fleet."""
        if self.lift_ids and lift_id not in self.lift_ids:
            return False
        if self.district is not None and district != self.district:
            return False
        return self.scope.everything or index.has(lift_id, self.scope)

    def encode(self, events: Iterable[StreamEvent], end: StreamPosition, index: LiftIndex) -> bytes:
        """Return the events that pass the filter as bytes that end with the position; empty where none passes."""
        wire = b"".join(
            one.wire_for(self.scope, index) for one in events if self.matches(one.lift_id, one.district, index)
        )
        return wire + encode_position(end) if wire else b""


class EventBatch:
    """The events of one batch by lift: a filter of a few lifts costs these lifts, not the whole batch."""

    def __init__(self, events: Sequence[StreamEvent], index: LiftIndex) -> None:
        self.events, self.index = events, index
        self._by_lift: dict[str, list[int]] = {}
        for place, event in enumerate(events):
            self._by_lift.setdefault(event.lift_id, []).append(place)

    def encode(self, event_filter: EventFilter, end: StreamPosition) -> bytes:
        """Return the events that pass the filter, in their order, as `EventFilter.encode`."""
        if not event_filter.lift_ids:
            return event_filter.encode(self.events, end, self.index)
        places = sorted(place for lift_id in event_filter.lift_ids for place in self._by_lift.get(lift_id, ()))
        return event_filter.encode([self.events[place] for place in places], end, self.index)


@dataclass(eq=False, slots=True)
class Subscriber:
    """One open stream: its filter, its client's address and account, and the queue of chunks that are not sent yet.

    `is_allowed` returns whether the account may still see the events of the filter.
    """

    event_filter: EventFilter
    address: str = ""
    account: str = ""
    is_allowed: Callable[[], bool] = lambda: True
    waiting: deque[bytes] = field(default_factory=deque)
    waiting_bytes: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    ended: str | None = None

    def put(self, chunk: bytes) -> None:
        """Queue a chunk of any size; end the stream where its queue is over the limit already."""
        if self.waiting_bytes > QUEUE_LIMIT_BYTES:
            self.end("slow")
            return
        self.waiting.append(chunk)
        self.waiting_bytes += len(chunk)
        self.arrived.set()

    def end(self, reason: str) -> None:
        """End the stream and drop its queue."""
        self.ended = self.ended or reason
        self.waiting.clear()
        self.waiting_bytes = 0
        self.arrived.set()

    async def next(self) -> bytes:
        """Return all queued chunks, or a keep-alive comment after `KEEP_ALIVE_S` without a chunk."""
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


class EventBroadcaster:
    """All open streams of this process. Methods run on the event loop; `publish` may be called from any thread."""

    def __init__(self, server_metrics: ServerMetrics) -> None:
        self.server_metrics = server_metrics
        self.listeners: set[Subscriber] = set()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.closed = False

    def subscribe(
        self,
        event_filter: EventFilter,
        address: str = "",
        account: str = "",
        is_allowed: Callable[[], bool] = lambda: True,
    ) -> Subscriber:
        """Return a new subscriber; a problem at the limit of its address or account (429) or of all (503)."""
        if sum(each.address == address for each in self.listeners) >= SUBSCRIBERS_OF_AN_ADDRESS_LIMIT:
            raise _too_many("address", SUBSCRIBERS_OF_AN_ADDRESS_LIMIT)
        if account and sum(each.account == account for each in self.listeners) >= SUBSCRIBERS_OF_AN_ACCOUNT_LIMIT:
            raise _too_many("account", SUBSCRIBERS_OF_AN_ACCOUNT_LIMIT)
        if self.closed or len(self.listeners) >= SUBSCRIBERS_LIMIT:
            raise unavailable("live stream", f"{SUBSCRIBERS_LIMIT} listeners are served at most; try again later")
        self.loop = asyncio.get_running_loop()
        subscriber = Subscriber(event_filter, address, account, is_allowed)
        self.listeners.add(subscriber)
        self.server_metrics.listeners.set(len(self.listeners))
        return subscriber

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Remove a subscriber; count the reason where the server ended the stream."""
        self.listeners.discard(subscriber)
        self.server_metrics.listeners.set(len(self.listeners))
        if subscriber.ended not in (None, HUNG_UP):
            self.server_metrics.dropped.labels(subscriber.ended).inc()

    def wanted(self) -> set[str] | None:
        """Return the lifts that subscribers select by id; None where a subscriber selects a district or all lifts."""
        named = [subscriber.event_filter.lift_ids for subscriber in list(self.listeners)]
        return set().union(*named) if all(named) else None

    def publish(self, events: Sequence[StreamEvent], end: StreamPosition, index: LiftIndex) -> None:
        """Send events to every subscriber whose scope has their lift in the index; thread-safe."""
        if self.loop is not None and not self.loop.is_closed() and events:
            self.loop.call_soon_threadsafe(self._deliver, events, end, index)

    def _deliver(self, events: Sequence[StreamEvent], end: StreamPosition, index: LiftIndex) -> None:
        chunks: dict[EventFilter, bytes] = {}
        batch = EventBatch(events, index)
        for subscriber in list(self.listeners):
            if subscriber.event_filter not in chunks:
                chunks[subscriber.event_filter] = batch.encode(subscriber.event_filter, end)
            if chunks[subscriber.event_filter] and subscriber.ended is None:
                subscriber.put(chunks[subscriber.event_filter])

    async def watch_access(self) -> None:
        """End the streams whose accounts may no longer see them, until this task is cancelled."""
        while True:
            await asyncio.sleep(ACCESS_CHECK_S)
            for subscriber in list(self.listeners):
                try:
                    is_allowed = subscriber.ended is not None or await asyncio.to_thread(subscriber.is_allowed)
                except Exception:  # one broken check must not end the watch of all other streams
                    log.exception("the access of a live stream cannot be checked: the stream ends")
                    is_allowed = False
                if not is_allowed:
                    subscriber.end("access")

    def close(self) -> None:
        """End every stream and accept no new subscribers, so that the server can stop."""
        self.closed = True
        for subscriber in list(self.listeners):
            subscriber.end("shutdown")


def _too_many(what: str, limit: int) -> Problem:
    detail = f"One {what} is served {limit} live streams at most: close some first."
    return Problem(429, "too-many-streams", detail, headers={"Retry-After": str(RETRY_AFTER_S)})


class EventStreamResponse(Response):
    """The streaming response: first the events that the subscriber missed, then new events."""

    media_type = "text/event-stream"

    def __init__(
        self, broadcaster: EventBroadcaster, subscriber: Subscriber, missed: Callable[[], Iterable[bytes]]
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self.broadcaster, self.subscriber, self.missed = broadcaster, subscriber, missed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.create_task(self._until_gone(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await self._send(send, b"retry: %d\n\n" % RETRY_MS)
            missed = iter(self.missed())
            while self.subscriber.ended is None and (chunk := await asyncio.to_thread(next, missed, None)) is not None:
                await self._send(send, chunk)
            while self.subscriber.ended is None:
                await self._send(send, await self.subscriber.next())
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except (TimeoutError, OSError):
            self.subscriber.end("slow")
        finally:
            gone.cancel()
            self.broadcaster.unsubscribe(self.subscriber)

    async def _send(self, send: Send, chunk: bytes) -> None:
        """Send a chunk; raise TimeoutError where the client reads nothing for `SEND_LIMIT_S`."""
        if chunk:
            async with asyncio.timeout(SEND_LIMIT_S):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def _until_gone(self, receive: Receive) -> None:
        """Wait for the client to disconnect, then end the subscription."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self.subscriber.end(HUNG_UP)
