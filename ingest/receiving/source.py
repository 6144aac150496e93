"""Sources of messages: a source returns arrived messages, and acknowledges those that are stored.

`take`, then `acknowledge`: a recording, another receiver or a clustered log can stand in the same place. A message is
acknowledged only once it is in the journal; the broker sends all others again, and a repeat is harmless.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage

from mqtt.client import SESSION_KEPT_S, BrokerAddress, Session
from mqtt.connection import BrokerConnection
from telemetry.streams import PAYLOAD_LIMIT_BYTES, STREAMS

log = logging.getLogger("liftwatch.receive")

TOPICS = ("lift/v1/#",)
"""All that begins as a lift's topic does: a topic that is wrong by a letter is to be refused, not lost."""
FORMER_TOPICS = [f"lift/v1/+/+/{stream}" for stream in STREAMS]
"""The subscriptions of sessions from before: a broker may send a message once for each that fits."""


class ClientIdContested(Exception):
    """Another client uses the client id of this source, and each evicts the other; the text has the remedy."""


class Arrival(NamedTuple):
    """A message that has arrived and is not yet acknowledged; `receipt` belongs to its source."""

    arrived_ns: int
    topic: str
    payload: bytes
    retained: bool
    receipt: Any


class Source(Protocol):
    """A stream of messages from lifts."""

    def take(self, wait_s: float) -> list[Arrival]:
        """Return the messages that have arrived, waiting at most `wait_s` for the first."""

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Acknowledge stored messages, so that they are not sent again."""

    last_error: str | None
    """Why no message would arrive; safe from any thread."""

    @property
    def is_subscribed(self) -> bool:
        """Whether a message that a lift publishes now would arrive; safe from any thread."""

    def close(self) -> None:
        """Disconnect."""


class MqttSource(BrokerConnection):
    """The messages of all lifts at a broker; everything but `is_subscribed` belongs to one thread."""

    def __init__(self, address: BrokerAddress, client_id: str, session_kept_s: int = SESSION_KEPT_S) -> None:
        super().__init__(address, Session(client_id, session_kept_s), TOPICS, must_subscribe=True, manual_ack=True)
        self._arrivals: list[Arrival] = []

    def take(self, wait_s: float) -> list[Arrival]:
        """Return the messages that have arrived, connecting first where there is no connection.

        Raises `ClientIdContested` once another client has ended three connections in a row.
        """
        self.serve(wait_s)
        if self.is_contested:
            raise ClientIdContested(self.error_line())
        taken, self._arrivals = self._arrivals, []
        return taken

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Acknowledge on the connection that brought them; on another one the broker sends them again by itself."""
        client = self._client
        if client is None:
            return
        receipts = (arrival.receipt for arrival in arrivals)
        client.acknowledge([mid for connection, mid, qos in receipts if qos and connection == self.connections])
        client.loop_write()

    def _on_connect(self, client: Client, data: object, flags: ConnectFlags, *reason: Any) -> None:
        super()._on_connect(client, data, flags, *reason)
        if self.is_connected and flags.session_present:
            client.unsubscribe(FORMER_TOPICS)

    def _on_subscribe(self, *arguments: Any) -> None:
        super()._on_subscribe(*arguments)
        log.info("receiving from %s by MQTT %s", self.address, self.version.name)

    def _received(self, message: MQTTMessage) -> None:
        receipt = (self.connections, message.mid, message.qos)
        payload = bytes(message.payload[: PAYLOAD_LIMIT_BYTES + 1])  # one byte too many is enough to be refused
        self._arrivals.append(Arrival(time.time_ns(), message.topic, payload, message.retain, receipt))
