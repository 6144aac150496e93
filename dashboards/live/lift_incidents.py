"""The open incidents that people reported, or in which somebody may be inside, by lift: its alerts may say less."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import orjson

from alerts.incidents.kinds import PEOPLE_INSIDE
from registry.catalogue import SEVERITIES
from store.records.repository import IncidentAnnouncement
from telemetry.instant import parse, rfc3339


class LiftIncident(NamedTuple):
    """An open incident as one of its lifts has it; `severity` is "critical" only where the lift may hold people, or
    where the incident is not about people inside."""

    id: str
    kind: str
    severity: str
    opened_ns: int
    holds_people: bool


IncidentsOfLifts = Mapping[str, Mapping[str, LiftIncident]]
"""By the id of the incident, then by that of the lift."""


def lifts_of_incident(incident: Mapping[str, Any]) -> dict[str, LiftIncident]:
    """Return what an incident, as its JSON, says about its lifts; of a reported fault, about the first lift alone."""
    if incident["state"] != "open":
        return {}
    reported = incident["lift_id"] if incident["by_hand"] else None
    about = [lift for lift in incident["lifts"] if lift["holds_people"] or lift["lift_id"] == reported]
    return {lift["lift_id"]: _lift_incident(incident, lift["holds_people"]) for lift in about}


def _lift_incident(incident: Mapping[str, Any], holds_people: bool) -> LiftIncident:
    kind, severity = incident["kind"], "critical" if holds_people else incident["severity"]
    if kind in PEOPLE_INSIDE and not holds_people:
        severity = "major"  # they are out, and somebody has yet to say why they were in
    return LiftIncident(incident["id"], kind, severity, parse(incident["opened"]), holds_people)


def after_entries(before: IncidentsOfLifts, entries: Iterable[IncidentAnnouncement]) -> IncidentsOfLifts:
    """Return the incidents after entries in their order."""
    after = dict(before)
    for entry in entries:
        if found := lifts_of_incident(orjson.loads(entry.incident_json)):
            after[entry.incident_id] = found
        else:
            after.pop(entry.incident_id, None)
    return after


def worst_by_lift(incidents: IncidentsOfLifts) -> dict[str, LiftIncident]:
    """Return the most severe incident of each lift, of several the one that was opened first."""
    worst: dict[str, LiftIncident] = {}
    for lifts in incidents.values():
        for lift_id, found in lifts.items():
            worst[lift_id] = max(worst.get(lift_id, found), found, key=_rank)
    return worst


def incident_document(incident: LiftIncident | None) -> dict[str, Any] | None:
    """Return the incident of a lift as JSON, None where it has none."""
    if incident is None:
        return None
    named = {"id": incident.id, "kind": incident.kind, "severity": incident.severity}
    return {**named, "opened": rfc3339(incident.opened_ns), "holds_people": incident.holds_people}


def _rank(incident: LiftIncident) -> tuple[int, int]:
    return SEVERITIES.index(incident.severity), -incident.opened_ns
