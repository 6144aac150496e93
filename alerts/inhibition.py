"""Inhibition: inhibited alerts are stored and published, but not delivered.

An alert that follows from an open power loss or silence of the same lift is inhibited by it. A critical alert is never
inhibited by a cause.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from alerts.alert import FIRING, Alert

SHELVED, UNSHELVED = "shelved", "unshelved"
POWER_LOSS, OFFLINE = "power-loss", "offline"
CAUSES = (POWER_LOSS, OFFLINE)
LEAD_NS = 5_000_000_000  # a stop may be seen this much before the loss of power that made it


def held_by(rule: str, severity: str, onset_ns: int, causes: Iterable[Alert]) -> str | None:
    """Return the slug of the cause from which an alert of `rule` that began at `onset_ns` follows, or None.

    A loss of power explains silence; silence does not explain a loss of power.
    """
    if severity == "critical" or rule == POWER_LOSS:
        return None
    firing = {cause.rule: cause for cause in causes if cause.state == FIRING}
    for slug in CAUSES:
        if slug != rule and slug in firing and onset_ns >= firing[slug].onset_ns - LEAD_NS:
            return slug
    return None


def unshelved(alert: Alert, causes: Iterable[Alert]) -> Alert:
    """Return the alert unshelved, inhibited by one of `causes` where it follows from it."""
    held = held_by(alert.rule, alert.severity, alert.onset_ns, causes)
    return replace(alert, shelved_until_ns=None, inhibited_by=held)
