"""A client for a broker: its address, TLS, credentials and session."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Any

from paho.mqtt.client import CallbackAPIVersion, Client, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

RECEIVE_MAXIMUM = 65_535
PACKET_LIMIT_BYTES = 1 << 20
SESSION_KEPT_S = 7 * 24 * 3600
RETRY_FIRST_S = 0.5
RETRY_LIMIT_S = 30.0
KEEPALIVE_S = 30


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """How to reach a broker, and as whom."""

    host: str = "127.0.0.1"
    port: int = 1883
    username: str | None = None
    password: str | None = None
    tls: bool = False
    ca_file: str | None = None
    client_id: str = "liftwatch"
    protocol: str = "auto"
    session_kept_s: int = SESSION_KEPT_S
    """How long the broker keeps what is said while we are away (0: not at all; 3.1.1 knows only 0 and for ever)."""


def mqtt_client(address: BrokerAddress, role: str, *, version: MQTTProtocolVersion, manual_ack: bool = False) -> Client:
    """Return a client for `address` with a session under `{client_id}-{role}`."""
    arguments: dict[str, Any] = (
        {} if version == MQTTProtocolVersion.MQTTv5 else {"clean_session": not address.session_kept_s}
    )
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=f"{address.client_id}-{role}",
        protocol=version,
        manual_ack=manual_ack,
        **arguments,
    )
    if address.username is not None:
        client.username_pw_set(address.username, address.password)
    if address.tls:
        client.tls_set(ca_certs=address.ca_file, tls_version=ssl.PROTOCOL_TLS_CLIENT)
    return client


def connect_arguments(address: BrokerAddress, version: MQTTProtocolVersion) -> dict[str, Any]:
    """Return what `Client.connect` needs to say of the session."""
    if version != MQTTProtocolVersion.MQTTv5:
        return {}
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = address.session_kept_s
    properties.ReceiveMaximum = RECEIVE_MAXIMUM
    properties.MaximumPacketSize = PACKET_LIMIT_BYTES
    return {"clean_start": not address.session_kept_s, "properties": properties}
