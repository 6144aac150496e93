"""The broker: its address from the configuration, and connections that it has accepted."""

from __future__ import annotations

from threading import Event
from typing import TypeVar

from commands.errors import Unusable
from commands.wiring.certificates import client_certificate
from configuration import Configuration
from mqtt.client import BadCertificates, BrokerAddress, tls_context
from mqtt.connection import BrokerConnection

FIRST_ANSWER_S = 12.0
"""How long a command waits for the broker's first answer."""

Connection = TypeVar("Connection", bound=BrokerConnection)


def broker_address(settings: Configuration) -> BrokerAddress:
    """Return the address of the broker in `[broker]`; raise Unusable where its CA file cannot be used."""
    where = settings.broker
    address = BrokerAddress(
        where.host,
        where.port,
        where.username,
        where.password(),
        where.tls,
        str(where.ca_file) if where.ca_file else None,
        where.protocol,
        *client_certificate(settings),
    )
    try:
        tls_context(address)
    except BadCertificates as error:
        raise Unusable(str(error)) from None
    return address


def connected(connection: Connection, ended: Event | None = None) -> Connection:
    """Return the connection once the broker has accepted it, or `ended` is set; raise Unusable where it does not."""
    if connection.connect(FIRST_ANSWER_S, ended) is None or (ended and ended.is_set()):
        return connection
    connection.close()
    raise Unusable(connection.error_line())
