"""A client that publishes with QoS 1: every message until the broker has acknowledged it, in order, at least once.

    publish ─► waiting ─► in flight ─► acknowledged, or refused
                 ▲            │
                 └────────────┘ the connection was lost: sent again on the next one

While there is no connection, `KEPT_LIMIT` messages wait; above that the oldest are dropped and counted. The window of
messages in flight is the broker's own where it names one. After a connection that was lost with messages in flight the
window is one message until that message is answered: Mosquitto 2.0.11 closes the connection after it has refused a
message, and its answer is lost where it had not read the messages behind that one.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from threading import Event
from typing import NamedTuple

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from mqtt import failures
from mqtt.client import BrokerAddress, LastWill, Session
from mqtt.connection import ANSWER_LIMIT_S, SERVE_S, BrokerConnection, log

WINDOW = 2_000
KEPT_LIMIT = 20_000
RECEIVED_LIMIT = 1_000
PUBLISH_LIMIT_S = ANSWER_LIMIT_S + 5.0


class NotPublished(OSError):
    """The broker did not acknowledge a message; the text is the reason."""


class _Publication(NamedTuple):
    topic: str
    payload: bytes
    retain: bool


class Publisher(BrokerConnection):
    """Publishes; keeps messages that arrive on `topics` in `received`, at most `RECEIVED_LIMIT` messages at a time."""

    def __init__(
        self, address: BrokerAddress, client_id: str = "", topics: Sequence[str] = (), will: LastWill | None = None
    ) -> None:
        super().__init__(address, Session(client_id), topics, will)
        self.received: deque[tuple[str, bytes]] = deque()
        self.acknowledged = self.refused = self.dropped = 0
        self._waiting: deque[_Publication] = deque()
        self._in_flight: dict[int, _Publication] = {}
        self._window = self._widest_window = WINDOW

    @property
    def unacknowledged(self) -> int:
        """The number of messages that the broker has not answered yet."""
        return len(self._waiting) + len(self._in_flight)

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """Send a message; while connected, wait for space in the window."""
        self._waiting.append(_Publication(topic, payload, retain))
        if len(self._waiting) > KEPT_LIMIT:
            self._waiting.popleft()
            self.dropped += 1
        self._send()
        while self._waiting and self.is_connected:
            self.serve(SERVE_S)

    def serve(self, wait_s: float) -> None:
        """Serve the connection, and send waiting messages."""
        super().serve(wait_s)
        self._send()

    def wait(self, wait_s: float, ended: Event) -> None:
        """Serve the connection for `wait_s` (once where that is 0), or until `ended` is set."""
        end = time.monotonic() + wait_s
        while True:
            self.serve(min(max(end - time.monotonic(), 0.0), SERVE_S))
            if ended.is_set() or time.monotonic() >= end:
                return

    def flush(self, within_s: float) -> bool:
        """Serve until the broker has answered every message, or a connection is lost; return whether it has."""
        end = time.monotonic() + within_s
        while self.unacknowledged and time.monotonic() < end and (self.is_connected or not self.was_connected):
            self.serve(SERVE_S)
        return not self.unacknowledged

    def discard(self) -> None:
        """Discard the messages that are not acknowledged."""
        self._waiting.clear()
        self._in_flight.clear()

    def _send(self) -> None:
        while self._waiting and self._client and self.is_connected and len(self._in_flight) < self._window:
            publication = self._waiting.popleft()
            sent = self._client.publish(publication.topic, publication.payload, qos=1, retain=publication.retain)
            self._in_flight[sent.mid] = publication

    def _opened(self, properties: Properties | None) -> None:
        self._widest_window = min(WINDOW, getattr(properties, "ReceiveMaximum", WINDOW))
        self._window = min(self._window, self._widest_window)

    def _closed(self) -> None:
        self._window = 1 if self._in_flight else WINDOW
        self._waiting.extendleft(reversed(self._in_flight.values()))
        self._in_flight.clear()

    def _received(self, message: MQTTMessage) -> None:
        if len(self.received) < RECEIVED_LIMIT:
            self.received.append((message.topic, bytes(message.payload)))

    def _on_publish(
        self, _client: Client, _data: object, mid: int, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        publication = self._in_flight.pop(mid, None)
        if publication is None:
            return
        self._window = self._widest_window
        if not reason.is_failure:
            self.acknowledged += 1
            self._end_reason = None
            return
        self.refused += 1
        self.last_error = self._end_reason = failures.of_publishing(reason, publication.topic)
        if self.refused == 1 and not self.is_quiet:
            log.error("broker %s: %s", self.address, self.last_error)


def publish_once(address: BrokerAddress, topic: str, payload: bytes, within_s: float = PUBLISH_LIMIT_S) -> None:
    """Publish one message and disconnect; raise NotPublished at the first failure, or without an answer in time."""
    publisher = Publisher(address)
    publisher.is_quiet = True
    publisher.publish(topic, payload)
    end = time.monotonic() + within_s
    while publisher.unacknowledged and publisher.last_error is None and time.monotonic() < end:
        publisher.serve(SERVE_S)
    publisher.close()
    if not publisher.acknowledged:
        raise NotPublished(publisher.error_line())
