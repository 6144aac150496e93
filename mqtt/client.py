"""An MQTT client for a broker: address, credentials, TLS and session. Nothing here opens a connection."""

from __future__ import annotations

import secrets
import ssl
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from paho.mqtt.client import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from mqtt.buffered_client import BufferedClient

RECEIVE_MAXIMUM = 5_000
"""Unacknowledged messages that a broker may send: with many more, a broker with a full session floods a client before
it answers its SUBSCRIBE; with few, each acknowledgement costs a round trip."""
PACKET_LIMIT_BYTES = 1 << 20
SESSION_KEPT_S = 7 * 24 * 3600
CONNECT_LIMIT_S = 5.0

MQTT5, MQTT311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """The address of a broker, TLS and credentials; the names are the keys of `[broker]` in the configuration."""

    host: str = "127.0.0.1"
    port: int = 1883
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca_file: str | None = None
    protocol: str = "auto"
    certificate_file: str | None = None
    key_file: str | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Session:
    """The session that the broker keeps for a client id while the client is away.

    `kept_s` 0: no session is kept; in MQTT 3.1.1 any other value keeps the session for ever. Without a `client_id` a
    random one is used.
    """

    client_id: str = ""
    kept_s: int = 0


class LastWill(NamedTuple):
    """The message that the broker publishes for a client whose connection breaks."""

    topic: str
    payload: bytes
    retain: bool = False


class BadCertificates(ValueError):
    """The CA file of an address cannot be used."""


def tls_context(address: BrokerAddress) -> ssl.SSLContext | None:
    """Return the TLS context of an address, None without TLS; raise BadCertificates for a useless CA file."""
    if not address.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=address.ca_file)
    except OSError as error:  # ssl.SSLError is one
        why = "it holds no PEM certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise BadCertificates(
            f"broker.ca_file: cannot use {address.ca_file} ({why}); name the PEM file of the CA that signed the "
            "broker's certificate, or leave the key out to trust what this system trusts"
        ) from None
    if address.certificate_file is not None:
        context.load_cert_chain(address.certificate_file, address.key_file)
    return context


def new_client(
    address: BrokerAddress,
    session: Session,
    version: MQTTProtocolVersion,
    tls: ssl.SSLContext | None,
    will: LastWill | None = None,
    *,
    manual_ack: bool = False,
) -> BufferedClient:
    """Return a client for one connection."""
    client = BufferedClient(
        CallbackAPIVersion.VERSION2,
        client_id=session.client_id or f"liftwatch-{secrets.token_hex(5)}",
        protocol=version,
        manual_ack=manual_ack,
        reconnect_on_failure=False,
        clean_session=None if version == MQTT5 else not session.kept_s,
    )
    client.connect_timeout = CONNECT_LIMIT_S
    client.max_inflight_messages_set(0)  # the window is the publisher's: paho searches all messages at each answer
    if address.username is not None:
        client.username_pw_set(address.username, address.password)
    if tls is not None:
        client.tls_set_context(tls)
    if will is not None:
        client.will_set(will.topic, will.payload, qos=1, retain=will.retain)
    return client


def connect_arguments(session: Session, version: MQTTProtocolVersion) -> dict[str, Any]:
    """Return the arguments of `Client.connect` that describe the session."""
    if version != MQTT5:
        return {}
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = session.kept_s
    properties.ReceiveMaximum = RECEIVE_MAXIMUM
    properties.MaximumPacketSize = PACKET_LIMIT_BYTES
    return {"clean_start": not session.kept_s, "properties": properties}
