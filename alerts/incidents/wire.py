"""The incident as JSON: the body of the API, of the incident topic and of the live stream. Nothing may be renamed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from alerts.incidents.incident import CLOSED, RELEASED, Incident, IncidentLift
from alerts.incidents.rescue import CallOut
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
        "summary": dict(incident.summary) or None,
        "state": incident.state,
        "stage": incident.stage,
        "stages": {stage: rfc3339(at_ns) for stage, at_ns in incident.stages.items()},
        "opened": rfc3339(incident.opened_ns),
        "closed": text(incident.stages.get(CLOSED)),
        "active": rfc3339(incident.active_ns),
        "acknowledged": _acknowledged_ns(incident, lifts) is not None,
        "owner": incident.owner,
        "may_hold_people": incident.may_hold_people,
        "by_hand": incident.by_hand,
        "closed_by": incident.closed_by,
        "reason": incident.reason,
        "merged_into": incident.merged_into,
        "links": list(incident.links),
        "unconfirmed": incident.unconfirmed,
        "unanswered": incident.unanswered,
        "rescue": _rescue(incident),
        **_thresholds_changed(changed_ns or None),
    }


def _acknowledged_ns(incident: Incident, lifts: Sequence[IncidentLift]) -> int | None:
    """Return since when an incident is taken up; who sees some of its lifts alone reads that of these."""
    is_whole = len(lifts) == len(incident.lifts)
    return incident.acknowledged_ns if is_whole or not lifts else incident.acknowledged_for_lifts(lifts)


def _rescue(incident: Incident) -> dict[str, Any] | None:
    """Return the rescue; its end is `automatic` where telemetry alone has seen it and no person confirmed it."""
    rescue = incident.rescue
    if rescue is None:
        return None
    return {
        "since": rfc3339(rescue.since_ns),
        "level": rescue.level,
        "overdue": list(rescue.overdue),
        "expected": text(rescue.expected_ns),
        "proven": rescue.proven,
        "release_seen": text(rescue.release_seen_ns),
        "automatic": rescue.release_seen_ns is not None and RELEASED not in incident.stages,
        "call_outs": [_call_out(each) for each in rescue.call_outs],
    }


def _call_out(call_out: CallOut) -> dict[str, Any]:
    named = ("number", "level", "who", "answer", "reason", "place")
    times = {name: text(getattr(call_out, f"{name}_ns")) for name in ("called", "answered", "expected", "arrived")}
    return {name: getattr(call_out, name) for name in named} | times


def _lift(lift: IncidentLift) -> dict[str, Any]:
    return {
        "lift_id": lift.lift_id,
        "district": lift.district,
        "open_alerts": lift.unclosed,
        "holds_people": lift.holds_people,
        **({"stages": {stage: rfc3339(at_ns) for stage, at_ns in lift.stages.items()}} if lift.stages else {}),
        **({"proven": lift.proven} if lift.proven else {}),
        **_thresholds_changed(lift.thresholds_changed_ns),
    }


def _thresholds_changed(at_ns: int | None) -> dict[str, str]:
    return {} if at_ns is None else {"thresholds_changed": rfc3339(at_ns)}
