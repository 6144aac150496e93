"""The kinds of incidents, the most urgent first, and the kind to which an alert or a telephone call belongs."""

from __future__ import annotations

from registry.catalogue import SEVERITIES, catalogue
from registry.incident_kinds import ALARM_CALL, ENTRAPMENT, INCIDENT_KINDS, NUISANCE, OUT_OF_ORDER, UNSAFE, UPKEEP

PEOPLE_INSIDE = (ENTRAPMENT, ALARM_CALL)
"""Kinds in which somebody may be in the car."""
KIND_OF_SEVERITY = {"critical": UNSAFE, "major": OUT_OF_ORDER, "minor": NUISANCE, "trend": UPKEEP}
"""The kind of a rule that is not in the catalogue, or has no kind there."""
SEVERITY_OF_CALL = {ENTRAPMENT: "critical", UNSAFE: "critical", OUT_OF_ORDER: "major", NUISANCE: "minor"}
"""The kinds of incident that people report by telephone, and the severity of each."""


def kind_of(rule: str, severity: str) -> str:
    """Return the kind of incident to which an alert of this rule and severity belongs."""
    entry = catalogue().get(rule)
    return KIND_OF_SEVERITY[severity] if entry is None or entry.incident is None else entry.incident


def more_urgent(one: str, other: str) -> str:
    """Return the more urgent of two kinds."""
    return min(one, other, key=INCIDENT_KINDS.index)


def more_severe(one: str, other: str) -> str:
    """Return the higher of two severities."""
    return max(one, other, key=SEVERITIES.index)


def more_urgent_call(one: str | None, other: str | None) -> str | None:
    """Return the more urgent of two kinds that calls named, None where neither is one."""
    return more_urgent(one, other) if one and other else one or other
