"""The facts that are thresholds of rules: a wrong one can hide a dangerous lift, so a change requires a reason.

An alert of a lift whose thresholds were changed within `RECENT_NS` carries the time of the change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from registry.lift_facts import NEEDS, LiftFacts
from registry.organisations import Organisation
from registry.roles import OrganisationKind

THRESHOLD_FACTS = (*NEEDS, "door_zone_m", "parks_door_open")
"""Facts with which rules compare, and those that they need: without such a fact its rules are not judged."""
RECENT_NS = 30 * 24 * 3600 * 1_000_000_000


def changes_threshold(before: LiftFacts, after: LiftFacts) -> bool:
    """Return whether two states of a lift's facts differ in a threshold."""
    return bool(different_thresholds(before, after))


def different_thresholds(before: LiftFacts, after: LiftFacts) -> list[str]:
    """Return the thresholds in which two states of a lift's facts differ."""
    return [fact for fact in THRESHOLD_FACTS if getattr(before, fact) != getattr(after, fact)]


def with_thresholds_of(before: LiftFacts, after: LiftFacts) -> LiftFacts:
    """Return the later state of a lift's facts with the thresholds of the former one."""
    return replace(after, **{fact: getattr(before, fact) for fact in THRESHOLD_FACTS})


def asks_second_person(lift: LiftFacts, organisations: Iterable[Organisation]) -> bool:
    """Return whether an operator, the lift's firm or its owner asks for a second person."""
    return any(
        each.settings.second_person and each.closed_ns is None
        for each in organisations
        if each.kind is OrganisationKind.OPERATOR or {lift.maintenance_firm, lift.owner} & each.names
    )
