"""Who has taken an incident up, and when people are called about it anew. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from alerts.incidents.incident import ACKNOWLEDGED, DISPATCHED, ON_SITE, Incident, reached, without
from registry.actor import Actor


def acknowledged(incident: Incident, by: Actor, at_ns: int, lift_ids: Collection[str] | None = None) -> Incident:
    """Return the incident acknowledged by one person more, who may act on these lifts of it (None: on all).

    It is an acknowledged one where no lift holds people that nobody has taken up.
    """
    names, firms = (*incident.acknowledged_by, by.name), (*incident.acknowledged_for, by.organisation)
    lifts = tuple(
        replace(lift, acknowledged=lift.acknowledged or lift_ids is None or lift.lift_id in lift_ids)
        for lift in incident.lifts
    )
    signed = replace(
        incident,
        lifts=lifts,
        acknowledged_by=tuple(dict.fromkeys(names)),
        acknowledged_for=tuple(dict.fromkeys(firms)),
    )
    waits = any(lift.holds_people and not lift.acknowledged for lift in lifts)
    return signed if waits or incident.acknowledged_ns is not None else reached(signed, ACKNOWLEDGED, at_ns)


def unacknowledged(incident: Incident) -> Incident:
    """Return the incident as one that nobody has taken up."""
    lifts = tuple(replace(lift, acknowledged=False) for lift in incident.lifts)
    return replace(without(incident, ACKNOWLEDGED), lifts=lifts, acknowledged_by=(), acknowledged_for=())


def called_anew(incident: Incident, at_ns: int) -> Incident:
    """Return the incident as one that nobody has taken up, about which people are called from `at_ns` on."""
    return replace(unacknowledged(incident), risen_ns=at_ns)


def with_help_called_anew(incident: Incident, at_ns: int) -> Incident:
    """Return an incident in which somebody calls for help again: called about anew where it is acknowledged and nobody
    is on the way.

    One that nobody has acknowledged does not rise: the calls of its escalation go on from where they are.
    """
    is_helped = bool({DISPATCHED, ON_SITE} & incident.stages.keys())
    return incident if is_helped or incident.acknowledged_ns is None else called_anew(incident, at_ns)
