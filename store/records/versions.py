"""Versions of lifts, alerts and incidents: a change that names its base version is refused once there is a newer one.

A lift's version follows from its facts alone, an alert's is the number of its transitions, an incident's that of its
entries. The check runs inside the transaction of the change, so that of two changes made from one version exactly one
is applied.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

import orjson

from alerts.alert import Alert
from alerts.incidents.incident import Incident
from registry.lift_facts import LiftFacts

VERSION_BYTES = 8
UNREGISTERED = "unregistered"


class VersionConflict(Exception):
    """A change whose base version is not the newest one, `current`."""

    def __init__(self, current: str) -> None:
        super().__init__(f"the newest version is {current}")
        self.current = current


def lift_version(facts: LiftFacts | None) -> str:
    """Return the version of a lift's facts; None is a lift that is not registered."""
    if facts is None:
        return UNREGISTERED
    return hashlib.blake2b(orjson.dumps(facts), digest_size=VERSION_BYTES).hexdigest()


def alert_version(alert: Alert) -> str:
    """Return the version of an alert."""
    return str(alert.transitions)


def incident_version(incident: Incident) -> str:
    """Return the version of an incident."""
    return str(incident.entries)


def require_version(current: str, expected: Collection[str] | None) -> None:
    """Raise VersionConflict where `current` is none of the `expected` versions; None expects nothing."""
    if expected is not None and current not in expected:
        raise VersionConflict(current)
