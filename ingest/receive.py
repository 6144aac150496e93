"""Where messages come from.

A source hands over what has come and is told what is safe: `take`, then `acknowledge`. That is the whole seam, so that
a recording, another receiver or a clustered log can stand in its place. An MQTT message is acknowledged only once it is
in the journal; whatever was not is sent again by the broker, and a repeat is harmless.
"""

from __future__ import annotations

import logging
import random
import select
import time
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from paho.mqtt.client import Client, MQTTMessage, MQTTProtocolVersion
from paho.mqtt.subscribeoptions import SubscribeOptions

from mqtt.client import KEEPALIVE_S, RETRY_FIRST_S, RETRY_LIMIT_S, BrokerAddress, connect_arguments, mqtt_client
from telemetry.streams import PAYLOAD_LIMIT_BYTES, STREAMS

log = logging.getLogger("liftwatch.receive")

READ_AT_ONCE = 1024
TAKE_LIMIT_BYTES = 8 << 20
"""What is handed over at once must fit into the smallest journal that can be had."""
FIRST_WAIT_S = 0.2
GREETING_LIMIT_S = 4.0
"""A broker that speaks 3.1.1 alone may say nothing at all to a greeting in MQTT 5."""
UNSUPPORTED_VERSION = "Unsupported protocol version"


class Arrival(NamedTuple):
    """A message that has come and is not yet acknowledged; `receipt` is the source's own."""

    arrived_ns: int
    topic: str
    payload: bytes
    retained: bool
    receipt: Any


class Source(Protocol):
    """Something that messages come from."""

    def take(self, wait_s: float) -> list[Arrival]:
        """Return what has come, waiting at most `wait_s` for the first; empty where nothing did."""

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Say that these are safe and need not be sent again."""

    def hearing(self) -> bool:
        """Say whether what is said now would reach us; safe from any thread."""

    def close(self) -> None:
        """Leave."""


class MqttSource:
    """The lifts of a broker, by paho-mqtt, driven from `take` by the calling thread alone."""

    def __init__(self, address: BrokerAddress) -> None:
        self.address = address
        self.version = MQTTProtocolVersion.MQTTv311 if address.protocol == "3.1.1" else MQTTProtocolVersion.MQTTv5
        self.subscribed = False
        self.refusal: str | None = None
        self.trouble = "no answer"
        self.connections = 0
        self._client: Client | None = None
        self._pending: list[Arrival] = []
        self._pending_bytes = 0
        self._failures = 0
        self._missed = logging.WARNING
        self._retry_at = 0.0
        self._greeted_by = 0.0

    def take(self, wait_s: float) -> list[Arrival]:
        """Return what has come, connecting first where there is no connection; never raises for the network."""
        self._listen(wait_s)
        taken, self._pending, self._pending_bytes = self._pending, [], 0
        return taken

    def reach(self, within_s: float) -> str | None:
        """Wait until the broker lets us hear, and return None; or return why it does not. Nothing that came is lost."""
        end = time.monotonic() + within_s
        self._missed = logging.DEBUG  # who waits is told what came of it
        while not self.subscribed and self.refusal is None and time.monotonic() < end:
            self._listen(FIRST_WAIT_S)
        self._missed = logging.WARNING
        return None if self.subscribed else self.refusal or self.trouble

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Acknowledge on the connection that brought them; on another one the broker sends them again by itself."""
        client = self._client
        if client is None:
            return
        for arrival in arrivals:
            connection, mid, qos = arrival.receipt
            if qos and connection == self.connections:
                client.ack(mid, qos)
        client.loop_write()

    def hearing(self) -> bool:
        """Say whether the broker lets us hear."""
        return self.subscribed

    def close(self) -> None:
        """Disconnect, keeping the session for next time."""
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_write()
            self._client = None

    def _listen(self, wait_s: float) -> None:
        client = self._connected(wait_s)
        if client is None:
            return
        if not self.subscribed and time.monotonic() > self._greeted_by:
            self._miss("no answer to our greeting")
            self._dropped()
            return
        try:
            self._read(client, wait_s)
        except Exception as error:  # whatever a packet or a socket did, the next connection starts afresh
            self._miss(str(error))
            self._dropped()

    def _connected(self, wait_s: float) -> Client | None:
        if self._client is not None and self._client.socket() is not None:
            return self._client
        if self._client is not None:
            self._dropped()
        pause_s = self._retry_at - time.monotonic()
        if pause_s > 0:
            time.sleep(min(pause_s, wait_s))
            return None
        client = mqtt_client(self.address, "monitor", version=self.version, manual_ack=True)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_socket_register_write = lambda *_: None  # acknowledgements wait for one loop_write
        self.connections += 1
        try:
            arguments = connect_arguments(self.address, self.version)
            client.connect(self.address.host, self.address.port, KEEPALIVE_S, **arguments)
        except (OSError, ValueError) as error:
            self._miss(str(error))
            self._back_off()
            return None
        self._client = client
        self._greeted_by = time.monotonic() + GREETING_LIMIT_S
        return client

    def _read(self, client: Client, wait_s: float) -> None:
        sock: Any = client.socket()
        writers = [sock] if client.want_write() else []
        select.select([sock], writers, [], wait_s)
        for _ in range(READ_AT_ONCE):
            before = len(self._pending)
            client.loop_read()
            if len(self._pending) == before or self._pending_bytes > TAKE_LIMIT_BYTES:
                break
        if client.want_write():
            client.loop_write()
        client.loop_misc()

    def _dropped(self) -> None:
        """Forget a lost connection; one that never subscribed may be a broker that speaks 3.1.1 alone."""
        if not self.subscribed and self.address.protocol == "auto":
            is_5 = self.version == MQTTProtocolVersion.MQTTv5
            self.version = MQTTProtocolVersion.MQTTv311 if is_5 else MQTTProtocolVersion.MQTTv5
        self._client = None
        self.subscribed = False
        self._back_off()

    def _miss(self, why: str) -> None:
        """Say why the broker is not heard."""
        self.trouble = why
        log.log(self._missed, "broker %s:%d is not heard (%s); retrying", self.address.host, self.address.port, why)

    def _back_off(self) -> None:
        """Wait with full jitter before the next try."""
        limit_s = min(RETRY_LIMIT_S, RETRY_FIRST_S * 2 ** min(self._failures, 16))
        self._failures += 1
        self._retry_at = time.monotonic() + random.uniform(0.0, limit_s)

    def _on_connect(self, client: Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason == UNSUPPORTED_VERSION and self.address.protocol == "auto":
            return  # it closes the connection, and the next one speaks 3.1.1
        if reason.is_failure:
            self.refusal = str(reason)
            log.error("broker %s:%d refuses us: %s", self.address.host, self.address.port, reason)
            return
        self.refusal = None
        if self.version == MQTTProtocolVersion.MQTTv5:
            wanted: Any = [(f"lift/v1/+/+/{stream}", SubscribeOptions(qos=1)) for stream in STREAMS]
        else:
            wanted = [(f"lift/v1/+/+/{stream}", 1) for stream in STREAMS]
        client.subscribe(wanted)

    def _on_subscribe(self, _client: Client, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        if len(refused) == len(reasons):
            self.refusal = f"it lets us hear nothing ({refused[0]}); allow this user to read lift/v1/#"
            log.error("broker %s:%d: %s", self.address.host, self.address.port, self.refusal)
            return
        if refused:
            log.error("broker lets us hear less than we ask for: %s; allow lift/v1/# to read", ", ".join(refused))
        else:
            log.info("hearing lifts at %s:%d by MQTT %s", self.address.host, self.address.port, self.version.name)
        self.subscribed = True
        self._failures = 0

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        receipt = (self.connections, message.mid, message.qos)
        payload = bytes(message.payload[: PAYLOAD_LIMIT_BYTES + 1])  # one byte too many is enough to be refused
        self._pending_bytes += len(payload)
        self._pending.append(Arrival(time.time_ns(), message.topic, payload, message.retain, receipt))
