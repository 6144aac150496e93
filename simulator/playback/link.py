"""The fleet's one connection to the broker: MQTT 5 where the broker takes it, else 3.1.1; QoS 1; it always comes back.

Driven by the calling thread alone: `publish` queues and sends, `attend` waits and meanwhile serves the socket. What
waits while the broker is away is kept up to `KEPT_LIMIT` messages, the oldest dropped first and counted; the window of
unacknowledged messages is the broker's own where it names one. One connection carries one last will: it is the first
lift's, and the others fall silent with it. Who has no will only speaks, and hears no requests for faults.
"""

from __future__ import annotations

import logging
import random
import select
import time
from collections import deque
from threading import Event

from paho.mqtt.client import CallbackAPIVersion, Client, ConnectFlags, MQTTMessage, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from simulator.terminals.messages import Packet

log = logging.getLogger("liftwatch.simulator")

EAR = "sim/v1/+/fault"
WINDOW = 2_000
KEPT_LIMIT = 20_000
HEARD_LIMIT = 1_000
RETRY_FIRST_S = 0.5
RETRY_LIMIT_S = 30.0
CONNECT_S = 5.0
KEEPALIVE_S = 30
SERVE_S = 0.1


class Link:
    """A connection that comes back; `heard` holds the fault requests that came, at most `HEARD_LIMIT` at a time."""

    def __init__(
        self, host: str, port: int, username: str | None, password: str | None, will: Packet | None = None
    ) -> None:
        self.host, self.port, self._credentials, self._will = host, port, (username, password), will
        self.heard: deque[tuple[str, bytes]] = deque()
        self.sent = self.acknowledged = self.dropped = 0
        self.up, self.trouble = False, "no answer"
        self._waiting: deque[Packet] = deque()
        self._window = WINDOW
        self._version = MQTTProtocolVersion.MQTTv5
        self._welcome = False
        self._missed = logging.WARNING
        self._failures = 0
        self._retry_at = 0.0
        self._client = self._new_client()

    def publish(self, packet: Packet) -> None:
        """Send a packet; wait for the window to open where the broker is there to open it."""
        self._waiting.append(packet)
        if len(self._waiting) > KEPT_LIMIT:
            self._waiting.popleft()
            self.dropped += 1
        self._flush()
        while self._waiting and self.up:
            self._serve(SERVE_S)

    def meet(self, within_s: float, ended: Event) -> None:
        """Wait for so long at most, or until `ended`, for the broker to let us in; `trouble` says why it did not."""
        until = time.monotonic() + within_s
        self._missed = logging.DEBUG  # who waits is told what came of it
        while not self.up and time.monotonic() < until and not ended.is_set():
            self._serve(SERVE_S)
        self._missed = logging.WARNING

    def attend(self, wait_s: float, ended: Event) -> None:
        """Serve the connection for so long (once, where there is no time), or until `ended`."""
        until = time.monotonic() + wait_s
        while True:
            self._serve(min(max(until - time.monotonic(), 0.0), SERVE_S))
            if ended.is_set() or time.monotonic() >= until:
                return

    def close(self, within_s: float) -> None:
        """Leave politely, once what was said is acknowledged or the time is over; a broker not met yet is met first."""
        until = time.monotonic() + within_s
        while (self._waiting or self.acknowledged < self.sent) and time.monotonic() < until:
            if self._welcome and not self.up:
                break
            self._serve(SERVE_S)
        self._client.disconnect()

    def _flush(self) -> None:
        while self._waiting and self.up and self.sent - self.acknowledged < self._window:
            packet = self._waiting.popleft()
            self._client.publish(packet.topic, packet.payload, qos=1, retain=packet.retain)
            self.sent += 1

    def _serve(self, wait_s: float) -> None:
        """Read and write what is ready; connect where there is no connection and it is time to."""
        client = self._client
        sock = client.socket()
        if sock is None:
            self._come_back(wait_s)
            return
        readers, writers, _ = select.select([sock], [sock] if client.want_write() else [], [], wait_s)
        if readers:
            client.loop_read()
        if writers:
            client.loop_write()
        client.loop_misc()
        self._flush()
        if client.socket() is None:
            self._lost()

    def _come_back(self, wait_s: float) -> None:
        pause_s = self._retry_at - time.monotonic()
        if pause_s > 0:
            time.sleep(min(pause_s, wait_s))
            return
        try:
            self._client.connect(self.host, self.port, KEEPALIVE_S)
        except OSError as error:
            self.trouble = str(error)
            log.log(self._missed, "broker %s:%d cannot be reached (%s); trying again", self.host, self.port, error)
            self._back_off()

    def _lost(self) -> None:
        """The connection broke; where it never let us in, the broker may speak the other version."""
        self.up = False
        if not self._welcome:
            five = self._version == MQTTProtocolVersion.MQTTv5
            self._version = MQTTProtocolVersion.MQTTv311 if five else MQTTProtocolVersion.MQTTv5
            self._client = self._new_client()
        self._back_off()

    def _back_off(self) -> None:
        """Set the next try with full jitter."""
        limit_s = min(RETRY_LIMIT_S, RETRY_FIRST_S * 2 ** min(self._failures, 16))
        self._failures += 1
        self._retry_at = time.monotonic() + random.uniform(0.0, limit_s)

    def _new_client(self) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, protocol=self._version)
        client.max_inflight_messages_set(0)  # the window is ours: paho's own searches every message at each answer
        client.connect_timeout = CONNECT_S
        if self._credentials[0] is not None:
            client.username_pw_set(*self._credentials)
        if self._will is not None:
            client.will_set(self._will.topic, self._will.payload, qos=1, retain=self._will.retain)
        client.on_connect, client.on_publish, client.on_message = self._on_connect, self._on_publish, self._on_message
        return client

    def _on_connect(
        self, client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self.trouble = str(reason)
            older = reason == "Unsupported protocol version" and self._version == MQTTProtocolVersion.MQTTv5
            log.log(
                logging.INFO if older else logging.ERROR, "broker %s:%d refuses us: %s", self.host, self.port, reason
            )
            return
        self._window = min(WINDOW, getattr(properties, "ReceiveMaximum", WINDOW))
        self._welcome = self.up = True
        self._failures = 0
        if self._will is not None:
            client.subscribe(EAR, qos=1)

    def _on_publish(self, *_: object) -> None:
        self.acknowledged += 1

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        if len(self.heard) < HEARD_LIMIT:
            self.heard.append((message.topic, bytes(message.payload)))


def say(host: str, port: int, username: str | None, password: str | None, topic: str, payload: bytes) -> None:
    """Publish one message and leave; OSError where the broker is not there, refuses us, or does not answer."""
    answers: list[ReasonCode] = []
    client = Client(CallbackAPIVersion.VERSION2)
    client.on_connect = lambda _client, _data, _flags, reason, _properties: answers.append(reason)
    client.connect_timeout = CONNECT_S
    if username is not None:
        client.username_pw_set(username, password)
    client.connect(host, port)
    info = client.publish(topic, payload, qos=1)
    until = time.monotonic() + CONNECT_S
    while (sock := client.socket()) is not None and not info.is_published() and time.monotonic() < until:
        select.select([sock], [], [], SERVE_S)
        client.loop_read()
    if not info.is_published():
        raise ConnectionError(f"broker {host}:{port} did not take it: {answers[0] if answers else 'no answer'}")
    client.disconnect()
