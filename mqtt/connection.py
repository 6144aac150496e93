"""A connection to a broker that reconnects, driven by the calling thread only.

    serve ─► pause over ─► connect ─► CONNACK ─► SUBSCRIBE ─► packets, both ways ─► lost ─┐
      ▲                    MQTT 5, else 3.1.1                                             │
      ├──────────────────── no pause ◄── the connection was ready for `SETTLED_S` ◄───────┤
      └──────────────────── pause with full jitter ◄── refused, closed or silent ◄────────┘

`mqtt.version` chooses between MQTT 5 and 3.1.1; an attempt in 3.1.1 follows at once on the one in MQTT 5.
After the third eviction in a row by another client with the same client id, the next connection waits for
`CONTESTED_PAUSE_S`.
"""

from __future__ import annotations

import logging
import math
import select
import ssl
import time
from collections.abc import Sequence
from threading import Event
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from mqtt import failures
from mqtt.backoff import Backoff
from mqtt.buffered_client import BufferedClient
from mqtt.client import MQTT5, MQTT311, BrokerAddress, LastWill, Session, connect_arguments, new_client, tls_context
from mqtt.eviction import EvictionCount
from mqtt.failure_log import FailureLog
from mqtt.version import VersionChoice

log = logging.getLogger("liftwatch.mqtt")

RETRY_FIRST_S, RETRY_LIMIT_S = 0.5, 15.0
SETTLED_S = 5.0
"""A connection that was ready for so long and is lost is opened again at once, and its next failure is the first."""
CONTESTED_PAUSE_S = 60.0
KEEPALIVE_S = 30
ANSWER_LIMIT_S = 10.0
"""How long a broker may send nothing at all after CONNECT, and after SUBSCRIBE."""
SERVE_S = 0.1
READ_LIMIT_MESSAGES, READ_LIMIT_BYTES = 1024, 8 << 20
"""How much `serve` reads at once: it must fit into the smallest journal there can be."""


class SubscriptionRefused(OSError):
    """The broker refuses this user every subscription."""


class BrokerConnection:
    """A connection to `address`, subscribed to `topics`; subclasses handle messages.

    `last_error` is why the last attempt failed, `is_refused` whether another attempt would fail the same way, and
    `is_contested` whether that is because another client uses the client id. While `is_quiet`, failures are not
    logged: the caller reads `last_error`.
    Raises `BadCertificates` for a CA file that cannot be used; for the network it raises nothing.
    """

    def __init__(
        self,
        address: BrokerAddress,
        session: Session,
        topics: Sequence[str] = (),
        will: LastWill | None = None,
        *,
        must_subscribe: bool = False,
        manual_ack: bool = False,
    ) -> None:
        self.address = address
        self.is_connected = self.is_subscribed = self.is_refused = self.was_connected = False
        self.is_quiet = self.is_contested = False
        self.last_error: str | None = None
        self.connections = 0
        self._session, self._topics, self._will = session, topics, will
        self._must_subscribe, self._manual_ack = must_subscribe, manual_ack
        self._tls = tls_context(address)
        self._client: BufferedClient | None = None
        self._connack: ReasonCode | None = None
        self._versions = VersionChoice(address.protocol)
        self._end_reason: str | None = None
        self._is_taken_over = False
        self._evictions = EvictionCount()
        self._backoff = Backoff(RETRY_FIRST_S, RETRY_LIMIT_S)
        self._retry_at = self._answer_by = 0.0
        self._ready_since = math.inf
        self._failure_log = FailureLog(address, log)
        self._read_messages = self._read_bytes = 0

    @property
    def version(self) -> MQTTProtocolVersion:
        """The MQTT version of the connection, or of the next attempt."""
        return self._versions.version

    @property
    def is_ready(self) -> bool:
        """Whether the broker has accepted the connection and, with `must_subscribe`, the subscription."""
        return self.is_subscribed if self._must_subscribe else self.is_connected

    def connect(self, within_s: float, ended: Event | None = None) -> str | None:
        """Serve until the connection is ready and return None; return the reason for a refusal or a time-out."""
        end = time.monotonic() + within_s
        self.is_quiet = True
        while not (self.is_ready or self.is_refused or time.monotonic() > end or (ended and ended.is_set())):
            self.serve(SERVE_S)
        self.is_quiet = False
        return None if self.is_ready else self.last_error or failures.NO_ANSWER

    def error_line(self) -> str:
        """Return the last error as a line for the operator."""
        return f"the broker {self.address} cannot be used: {self.last_error or failures.NO_ANSWER}"

    def serve(self, wait_s: float) -> None:
        """Connect when the pause is over; else wait at most `wait_s` for the socket, then read and write packets."""
        client = self._client or self._open(wait_s)
        if client is None:
            return
        try:
            self._exchange(client, wait_s)
        except Exception as error:  # whatever was wrong with a packet, the next connection starts afresh
            self._lost(str(error) or type(error).__name__)
            return
        if client.socket() is None:
            why = self._end_reason or failures.of_closing(self.address, is_accepted=self._was_accepted())
            self._lost(why, is_closed=self._end_reason is None)
        elif time.monotonic() > self._answer_by:
            self._lost(failures.of_silence(self.address), is_silent=True)

    def close(self) -> None:
        """Disconnect; the broker keeps the session until it expires."""
        client, self._client = self._client, None
        self.is_connected = self.is_subscribed = False
        if client is not None:
            client.disconnect()
            client.loop_write()
            _close_socket(client)

    def _received(self, message: MQTTMessage) -> None:
        """Take a message."""

    def _on_publish(
        self, _client: Client, _data: object, mid: int, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        """Take the broker's answer to a published message."""

    def _opened(self, properties: Properties | None) -> None:
        """Handle an accepted connection."""

    def _closed(self) -> None:
        """Handle a lost connection."""

    def _open(self, wait_s: float) -> BufferedClient | None:
        """Open a connection, or wait for the end of the pause."""
        pause_s = self._retry_at - time.monotonic()
        if pause_s > 0:
            time.sleep(min(pause_s, wait_s))
            return None
        client = self._new_client()
        self.connections += 1
        self.is_refused = self.is_contested = self._is_taken_over = False
        self._connack, self._end_reason = None, None
        arguments = connect_arguments(self._session, self.version)
        try:
            client.connect(self.address.host, self.address.port, KEEPALIVE_S, **arguments)
        except (OSError, ValueError) as error:
            self.is_refused = isinstance(error, ssl.SSLCertVerificationError)
            self._evictions = EvictionCount()
            self._failed(failures.of_connecting(error, self.address))
            return None
        self._client, self._answer_by = client, time.monotonic() + ANSWER_LIMIT_S
        return client

    def _new_client(self) -> BufferedClient:
        client = new_client(
            self.address, self._session, self.version, self._tls, self._will, manual_ack=self._manual_ack
        )
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_subscribe, client.on_message = self._on_subscribe, self._on_message
        client.on_publish = self._on_publish
        if self._manual_ack:
            client.on_socket_register_write = lambda *_: None  # acknowledgements wait for one loop_write
        return client

    def _exchange(self, client: BufferedClient, wait_s: float) -> None:
        sock: Any = client.socket()
        if sock is None:  # it broke while something was published
            return
        is_decrypted = isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
        has_bytes = client.has_received or is_decrypted  # `select` does not see these bytes
        writers = [sock] if client.want_write() else []
        readable, _, _ = select.select([sock], writers, [], 0.0 if has_bytes else wait_s)
        if readable or has_bytes:
            self._read(client)
        if client.want_write():
            client.loop_write()
        client.loop_misc()

    def _read(self, client: Client) -> None:
        self._read_messages = self._read_bytes = 0
        while self._read_messages < READ_LIMIT_MESSAGES and self._read_bytes < READ_LIMIT_BYTES:
            before = self._read_messages
            client.loop_read()
            if self._read_messages == before:
                break
        if self._read_messages and self._answer_by < math.inf:  # a full session may come before the SUBACK
            self._answer_by = time.monotonic() + ANSWER_LIMIT_S

    def _lost(self, why: str, *, is_closed: bool = False, is_silent: bool = False) -> None:
        """Abandon a connection, which the broker closed without a reason where `is_closed`; prepare the next one."""
        client, self._client = self._client, None
        if client is not None:
            _close_socket(client)
        lasted_s = time.monotonic() - self._ready_since
        self.is_connected = self.is_subscribed = False
        self._ready_since = math.inf
        self._closed()
        tried, chosen = self.version, self._versions.after(self._connack, is_silent=is_silent)
        if tried == MQTT5 and chosen == MQTT311:
            log.info("broker %s: no MQTT 5 (%s); trying 3.1.1", self.address, why)
            return
        self.is_contested = self._evictions.is_contested(
            lasted_s, is_taken_over=self._is_taken_over, is_closed=is_closed and self._was_accepted()
        )
        if self.is_contested:
            why, self.is_refused = failures.of_contest(self._session.client_id, is_certain=self._is_taken_over), True
        self._failed(why, is_first=lasted_s > SETTLED_S)

    def _was_accepted(self) -> bool:
        return self._connack is not None and not self._connack.is_failure

    def _failed(self, why: str, *, is_first: bool = False) -> None:
        """Note and log a failed attempt, and set the time of the next one: at once after the first failure."""
        self.last_error = why
        self._failure_log.failed(why, is_refused=self.is_refused, is_quiet=self.is_quiet)
        if is_first:
            self._backoff.reset()
        pause_s = CONTESTED_PAUSE_S if self.is_contested else 0.0 if is_first else self._backoff.pause_s()
        self._retry_at = time.monotonic() + pause_s

    def _on_connect(
        self, client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        self._connack = reason
        if reason.is_failure:
            self.is_refused = str(reason) in failures.LASTING_REFUSALS
            self._end_reason = failures.of_refusal(reason, self.address)
            return
        self.is_connected = self.was_connected = True
        self._note_success()
        self._answer_by = math.inf
        if self._topics:
            self._answer_by = time.monotonic() + ANSWER_LIMIT_S
            options: Any = SubscribeOptions(qos=1) if self.version == MQTT5 else 1
            client.subscribe([(topic, options) for topic in self._topics])
        self._opened(properties)

    def _on_subscribe(
        self, _client: Client, _data: object, _mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        self._answer_by = math.inf
        refused = [reason for reason in reasons if reason.is_failure]
        self.is_subscribed = len(refused) < len(reasons)
        self._note_success()
        if not refused:
            return
        why = failures.of_subscription(refused[0], len(refused), self._topics)
        if self._must_subscribe and not self.is_subscribed:
            self.is_refused = True
            raise SubscriptionRefused(why)
        log.error("broker %s: %s", self.address, why)

    def _note_success(self) -> None:
        if self.is_ready:
            self.last_error = None
            self._ready_since = min(self._ready_since, time.monotonic())

    def _on_disconnect(
        self, _client: Client, _data: object, flags: DisconnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._is_taken_over = reason == failures.TAKEN_OVER
            self._end_reason = failures.of_disconnect(reason)

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self._read_messages += 1
        self._read_bytes += len(message.payload)
        self._received(message)


def _close_socket(client: Client) -> None:
    sock: Any = client.socket()
    if sock is not None:
        sock.close()
