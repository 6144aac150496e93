"""Why a broker cannot be used, as one line for the operator: the failure, and the key of `[broker]` to check."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from os.path import commonpath

from paho.mqtt.reasoncodes import ReasonCode

from mqtt.client import BrokerAddress

UNSUPPORTED_VERSION = "Unsupported protocol version"
TAKEN_OVER = "Session taken over"
LASTING_REFUSALS = frozenset(
    {
        "Bad user name or password",
        "Not authorized",
        "Client identifier not valid",
        "Banned",
        "Bad authentication method",
    }
)
"""Refusals that trying again does not change; the others are of a broker that is busy or not ready."""
NO_ANSWER = "no answer"
OTHER_NAME = (62, 64)
"""OpenSSL's codes for a certificate of another host name, and of another IP address."""


def of_connecting(error: Exception, address: BrokerAddress) -> str:
    """Return why no connection could be opened."""
    match error:
        case ssl.SSLCertVerificationError(verify_code=code) if code in OTHER_NAME:
            return f"{error.verify_message}; set broker.host to a name in the broker's certificate"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted ({error.verify_message}); name the file of its CA in broker.ca_file"
        case ssl.SSLError():
            return f"TLS failed ({error.reason or error}); check that broker.port is its TLS port"
        case socket.gaierror():
            return f"{error.strerror}; set broker.host to a name that resolves"
        case OSError():
            why = (error.strerror or str(error)).lower()
            return f"{why}; start one there, or set broker.host and broker.port"
        case _:
            return f"{error}; check broker.host and broker.port"


def of_refusal(reason: ReasonCode, address: BrokerAddress) -> str:
    """Return why the broker did not accept the connection."""
    if str(reason) in ("Bad user name or password", "Not authorized"):
        who = "a client without a user name" if address.username is None else f"the user {address.username!r}"
        return f"it refuses {who} ({reason}); set broker.username and broker.password_file"
    if str(reason) == "Client identifier not valid":
        return f"it refuses the client id ({reason}); set broker.client_id"
    if str(reason) == UNSUPPORTED_VERSION:
        return f'it does not support this version of MQTT ({reason}); set broker.protocol = "auto"'
    return f"it refuses the connection ({reason})"


def of_disconnect(reason: ReasonCode) -> str:
    """Return the reason that the broker gave for the end of a connection."""
    return f"it ended the connection ({reason})"


def of_contest(client_id: str, *, is_certain: bool) -> str:
    """Return why a connection is evicted again and again; without the broker's reason that is the likely cause only."""
    uses = "another client uses" if is_certain else "it closes each connection soon: probably another client uses"
    return (
        f"{uses} the client id {client_id!r}, and each evicts the other; end the other client (a second monitor, or a "
        "device with this id), or set broker.client_id to an id that this monitor alone uses"
    )


def of_closing(address: BrokerAddress, *, is_accepted: bool) -> str:
    """Return why a connection ended without a reason."""
    may_want_tls = not (address.tls or is_accepted)
    return "it closed the connection" + ("; if this is its TLS port, set broker.tls = true" if may_want_tls else "")


def of_silence(address: BrokerAddress) -> str:
    """Return why a broker that accepts connections does not answer."""
    return f"{NO_ANSWER} to MQTT; check broker.port" + ("" if address.tls else " and broker.tls")


def of_subscription(reason: ReasonCode, refused: int, topics: Sequence[str]) -> str:
    """Return why messages are not received."""
    together = topics[0] if len(topics) == 1 else f"{commonpath(topics)}/#"
    return f"it refuses {refused} of {len(topics)} subscriptions ({reason}); allow this user to read {together}"


def of_publishing(reason: ReasonCode, topic: str) -> str:
    """Return why a message was not accepted."""
    return f"it refuses messages on {topic} ({reason}); allow this user to write there"
