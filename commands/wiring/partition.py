"""The lifts that this monitor judges, and the client ids of its connections."""

from __future__ import annotations

from commands.errors import Unusable
from configuration import Configuration
from registry.partition import EVERY_LIFT, Partition
from registry.partition import read as parse_partition


def partition(settings: Configuration) -> Partition:
    """Return the partition of lifts that this monitor judges."""
    try:
        return parse_partition(settings.monitor.partition)
    except ValueError as error:
        raise Unusable(f"monitor.partition: {error}") from None


def client_id(settings: Configuration, role: str) -> str:
    """Return the client id of a connection of the monitor; it names the partition where there are several."""
    own = partition(settings)
    name = settings.broker.client_id
    return f"{name}-{role}" if own == EVERY_LIFT else f"{name}-{own.number}of{own.of}-{role}"
