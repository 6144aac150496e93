"""The broker: its files, and a connection that signs in and subscribes as the monitor does."""

from __future__ import annotations

from collections.abc import Iterator

from commands.checks.config_check import ConfigCheck
from commands.wiring.broker import broker_address, connected
from commands.wiring.partition import client_id, partition
from configuration import Configuration
from ingest.receiving.source import MqttSource


def checks(settings: Configuration) -> Iterator[ConfigCheck]:
    """Return the checks of `[broker]` and the partition, which is a part of the client id."""
    where = settings.broker
    yield ConfigCheck("monitor.partition", lambda: f"{partition(settings).number} of {partition(settings).of}")
    if where.password_file:
        yield ConfigCheck(
            "broker.password_file", lambda: f"{where.password_file} holds {len(where.password() or '')} characters"
        )
    if where.tls and where.ca_file:
        without_password = settings.model_copy(update={"broker": where.model_copy(update={"password_file": None})})
        yield ConfigCheck("broker.ca_file", lambda: broker_address(without_password).ca_file or "")
    yield ConfigCheck(
        "broker", lambda: _connect(settings), ("monitor.partition", "broker.password_file", "broker.ca_file")
    )


def _connect(settings: Configuration) -> str:
    """Connect with a session that leaves nothing behind; return address and protocol version."""
    source = connected(MqttSource(broker_address(settings), client_id(settings, "check-monitor"), session_kept_s=0))
    source.close()
    return f"{source.address} by {source.version.name}"
