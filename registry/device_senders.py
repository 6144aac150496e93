"""The fact `gateway_id` of the lifts of new devices: the monitor refuses messages of a lift from any other sender.

fact of the lift        device is the lift's own      device is a gateway
none                    becomes the lift's own id     becomes the gateway's id
the lift's own id       stays                         becomes the gateway's id
another gateway         stays; the lift may send      stays, and is reported
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from registry.lift_facts import LiftFacts


class SenderChanges(NamedTuple):
    """Facts to be changed, lifts that name another gateway, and lifts that are not registered."""

    changed: list[LiftFacts]
    other_gateway: list[LiftFacts]
    unregistered: list[str]


def sender_changes(devices: Iterable[tuple[str, Iterable[str]]], lifts: Mapping[str, LiftFacts]) -> SenderChanges:
    """Return what to change for devices, each an id and its lifts; `lifts` are the registered lifts by id."""
    found = SenderChanges([], [], [])
    for device_id, own in devices:
        for lift_id in own:
            facts = lifts.get(lift_id)
            if facts is None:
                found.unregistered.append(lift_id)
            elif facts.gateway_id is None or (facts.gateway_id == lift_id != device_id):
                found.changed.append(replace(facts, gateway_id=device_id))
            elif device_id not in (facts.gateway_id, lift_id):
                found.other_gateway.append(facts)
    return found
