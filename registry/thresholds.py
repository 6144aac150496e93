"""The facts that are thresholds of rules: a wrong one can hide a dangerous lift, so a change requires a reason.

An alert of a lift whose thresholds were changed within `RECENT_NS` carries the time of the change.
"""

from __future__ import annotations

from registry.lift_facts import LiftFacts

THRESHOLD_FACTS = ("floors", "rated_speed_mps", "door_zone_m", "parks_door_open")
RECENT_NS = 30 * 24 * 3600 * 1_000_000_000


def changes_threshold(before: LiftFacts, after: LiftFacts) -> bool:
    """Return whether two states of a lift's facts differ in a threshold."""
    return any(getattr(before, fact) != getattr(after, fact) for fact in THRESHOLD_FACTS)
