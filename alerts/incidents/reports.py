"""Reports of the public page: anybody beside the lift, or in the car, says what is wrong, and reads the answer. Pure.

A report opens an incident of its lift or joins the open one, which is unconfirmed as long as nothing but reports says
what it is. Its text is the only thing that is known of the reporter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from alerts.incidents.incident import (
    DISPATCHED,
    ON_SITE,
    OPENED,
    PHOTOGRAPHED,
    REPORTED,
    SUSPECTED,
    Incident,
    IncidentChange,
    IncidentLift,
    entered,
    incident_id,
)
from alerts.incidents.kinds import PEOPLE_INSIDE, SEVERITY_OF_CALL
from alerts.incidents.rescue import S_NS, RescueTimes
from alerts.incidents.table import more_urgent_than, with_call
from alerts.incidents.taking_up import called_anew
from registry.incident_kinds import ENTRAPMENT, OUT_OF_ORDER

KINDS_OF_REPORTS = (ENTRAPMENT, OUT_OF_ORDER)
NOTE_CHARS = 500
ANSWERED_NS = round(RescueTimes().answer_s * S_NS)


@dataclass(frozen=True, slots=True)
class PublicReport:
    """A report: `number` is what the reporter names on the telephone, `id` the digest of the secret in the address."""

    number: int
    id: str
    incident_id: str
    lift_id: str
    district: str
    kind: str
    at_ns: int
    note: str | None = None
    answer: str | None = None
    answered_ns: int | None = None


def on_report(
    incident: Incident | None, lift_id: str, district: str, kind: str, note: str | None, now_ns: int
) -> IncidentChange:
    """Open an incident for a report, or enter the report into the open incident of its lift.

    A report that somebody is inside has the incident acknowledged anew where nobody was dispatched `ANSWERED_NS` after
    the acknowledgement; within this time several passengers may report the same.
    """
    severity = SEVERITY_OF_CALL[kind]
    reported = IncidentLift(lift_id, district, holds_people=kind in PEOPLE_INSIDE, called=kind)
    if incident is None:
        name = incident_id(lift_id, f"report {now_ns}")
        incident = Incident(name, kind, severity, now_ns, now_ns, (reported,), {SUSPECTED: now_ns}, by_hand=True)
        opened = replace(incident, called=kind, unconfirmed=True, unanswered=1)
        return entered(opened, OPENED, now_ns, about=kind, note=note, shared=True)
    urgent = more_urgent_than(incident, kind, severity, reported, now_ns)
    unconfirmed = incident.unconfirmed or urgent != incident
    if reported.holds_people and _waits_for_help(urgent, now_ns):
        urgent = called_anew(urgent, now_ns)
    called = with_call(urgent, lift_id, kind)
    grown = replace(called, unconfirmed=unconfirmed, unanswered=incident.unanswered + 1)
    return entered(grown, REPORTED, now_ns, about=kind, note=note, shared=True)


def _waits_for_help(incident: Incident, now_ns: int) -> bool:
    """Return whether the incident was acknowledged `ANSWERED_NS` ago or earlier, and nobody was dispatched since."""
    if incident.acknowledged_ns is None or {DISPATCHED, ON_SITE} & incident.stages.keys():
        return False
    return now_ns - incident.acknowledged_ns >= ANSWERED_NS


def on_photo(incident: Incident, number: int, now_ns: int) -> IncidentChange:
    """Enter that a photo was added to a report."""
    return entered(incident, PHOTOGRAPHED, now_ns, about=str(number))
