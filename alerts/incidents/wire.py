"""The incident as JSON: the body of the API, of the incident topic and of the live stream. Nothing may be renamed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alerts.incidents.incident import CLOSED, Incident, IncidentLift
from telemetry.instant import rfc3339, text


def incident_json(incident: Incident, is_visible: Callable[[IncidentLift], bool] = lambda lift: True) -> dict[str, Any]:
    """Return an incident with those of its lifts that are visible, those that may hold people first."""
    lifts = [lift for lift in incident.lifts if is_visible(lift)]
    first = lifts[0] if lifts else incident.lifts[0]
    changed_ns = max((lift.thresholds_changed_ns or 0 for lift in lifts), default=0)
    return {
        "id": incident.id,
        "lift_id": first.lift_id,
        "district": first.district,
        "lifts": [_lift(lift) for lift in sorted(lifts, key=lambda lift: not lift.holds_people)],
        "building": incident.building,
        "kind": incident.kind,
        "severity": incident.severity,
        "state": incident.state,
        "stage": incident.stage,
        "stages": {stage: rfc3339(at_ns) for stage, at_ns in incident.stages.items()},
        "opened": rfc3339(incident.opened_ns),
        "closed": text(incident.stages.get(CLOSED)),
        "active": rfc3339(incident.active_ns),
        "acknowledged": incident.acknowledged_ns is not None,
        "owner": incident.owner,
        "may_hold_people": incident.may_hold_people,
        "by_hand": incident.by_hand,
        "closed_by": incident.closed_by,
        "reason": incident.reason,
        "merged_into": incident.merged_into,
        "links": list(incident.links),
        **_thresholds_changed(changed_ns or None),
    }


def _lift(lift: IncidentLift) -> dict[str, Any]:
    return {
        "lift_id": lift.lift_id,
        "district": lift.district,
        "open_alerts": lift.unclosed,
        "holds_people": lift.holds_people,
        **_thresholds_changed(lift.thresholds_changed_ns),
    }


def _thresholds_changed(at_ns: int | None) -> dict[str, str]:
    return {} if at_ns is None else {"thresholds_changed": rfc3339(at_ns)}
