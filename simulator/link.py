"""The fleet's one connection to the broker: MQTT 5 where the broker takes it, else 3.1.1; QoS 1; always comes back.

A publish never blocks for the network: it waits only while more than `UNACKNOWLEDGED_LIMIT` messages are on their way,
and while the broker is away what exceeds `KEPT_LIMIT` is dropped and counted. One connection carries one last will:
it is the first lift's, and the others fall silent with it.
"""

from __future__ import annotations

import logging
import queue
import random
import threading

from paho.mqtt.client import (
    CallbackAPIVersion,
    Client,
    ConnectFlags,
    MQTTErrorCode,
    MQTTMessage,
    MQTTProtocolVersion,
)
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from simulator.bundles import Packet

log = logging.getLogger("liftwatch.simulator")

EAR = "sim/v1/+/fault"
UNACKNOWLEDGED_LIMIT = 2_000
KEPT_LIMIT = 20_000
HEARD_LIMIT = 1_000
RETRY_FIRST_S = 0.5
RETRY_LIMIT_S = 30.0
CONNECT_S = 5.0
KEEPALIVE_S = 30
_VERSIONS = (MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311)


class Link:
    """A connection that keeps itself up in a thread of its own; `heard` holds the fault messages it was sent."""

    def __init__(self, host: str, port: int, username: str | None, password: str | None, will: Packet) -> None:
        self._host, self._port, self._credentials, self._will = host, port, (username, password), will
        self.heard: queue.Queue[tuple[str, bytes]] = queue.Queue(HEARD_LIMIT)
        self.sent = self.acknowledged = self.dropped = self.connects = 0
        self.up = threading.Event()
        self._room = threading.Event()
        self._stop = threading.Event()
        self._version = 0
        self._proven = False
        self._client = self._new_client()
        self._thread = threading.Thread(target=self._keep_up, name="simulator-link", daemon=True)
        self._thread.start()

    def publish(self, packet: Packet) -> None:
        """Send a packet, waiting for room only while the broker is there to make it."""
        while self.sent - self.acknowledged >= UNACKNOWLEDGED_LIMIT and self.up.is_set() and not self._stop.is_set():
            self._room.clear()
            self._room.wait(0.1)
        info = self._client.publish(packet.topic, packet.payload, qos=1, retain=packet.retain)
        if info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            self.dropped += 1
        else:
            self.sent += 1

    def close(self, within_s: float) -> None:
        """Wait a moment for what is on its way, then leave politely."""
        deadline = threading.Event()
        for _ in range(int(within_s / 0.05)):
            if self.acknowledged >= self.sent or not self.up.is_set():
                break
            deadline.wait(0.05)
        self._stop.set()
        self._client.disconnect()
        self._thread.join(timeout=CONNECT_S)

    def _new_client(self) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, protocol=_VERSIONS[self._version])
        client.max_inflight_messages_set(UNACKNOWLEDGED_LIMIT)
        client.max_queued_messages_set(KEPT_LIMIT)
        client.connect_timeout = CONNECT_S
        if self._credentials[0] is not None:
            client.username_pw_set(*self._credentials)
        client.will_set(self._will.topic, self._will.payload, qos=1, retain=self._will.retain)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_publish, client.on_message = self._on_publish, self._on_message
        return client

    def _keep_up(self) -> None:
        """Connect, serve the socket, and come back with full jitter when it breaks."""
        tries = 0
        while not self._stop.is_set():
            connects = self.connects
            try:
                if connects and self._proven:
                    self._client.reconnect()
                else:
                    self._client.connect(self._host, self._port, keepalive=KEEPALIVE_S)
                while not self._stop.is_set() and self._client.loop(0.5) == MQTTErrorCode.MQTT_ERR_SUCCESS:
                    pass
                self._other_version()
            except OSError as error:
                log.warning("broker %s:%d is not there (%s); trying again", self._host, self._port, error)
            self.up.clear()
            tries = 0 if self.connects > connects else tries + 1
            self._stop.wait(random.uniform(0, min(RETRY_LIMIT_S, RETRY_FIRST_S * 2**tries)))

    def _other_version(self) -> None:
        """Try the other MQTT version next where this one never got an answer that lets us in."""
        if not self._proven and not self._stop.is_set():
            self._version = 1 - self._version
            self._client = self._new_client()

    def _on_connect(
        self, client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            log.warning("broker %s:%d refuses us: %s", self._host, self._port, reason)
            return
        self._proven = True
        self.connects += 1
        client.subscribe(EAR, qos=1)
        self.up.set()

    def _on_disconnect(self, *_: object) -> None:
        self.up.clear()
        self._room.set()

    def _on_publish(self, *_: object) -> None:
        self.acknowledged += 1
        self._room.set()

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        try:
            self.heard.put_nowait((message.topic, bytes(message.payload)))
        except queue.Full:
            self.dropped += 1
