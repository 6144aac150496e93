"""The facts of an incident from which an organisation's calls are planned. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from alerts.alert import Alert
from alerts.escalation.facts import IncidentFacts
from alerts.incidents.incident import Incident, IncidentLift
from alerts.incidents.rescue import DECLINED, CallOut
from registry.lift_facts import LiftFacts

CRITICAL = "critical"


def incident_facts(
    incident: Incident, lifts: Sequence[IncidentLift], registered: LiftFacts | None, organisation: str
) -> IncidentFacts:
    """Return the facts of an incident for an organisation that these of its lifts concern, by name.

    It is taken up for the organisation where somebody of its own, or whoever may act on these lifts, has done it.
    `registered` are the facts of the first of the lifts.
    """
    lift, acknowledged_ns = lifts[0], incident.acknowledged_for_lifts(lifts)
    if organisation in incident.acknowledged_for:
        acknowledged_ns = acknowledged_ns or incident.active_ns
    address = "" if registered is None else (registered.address or "").strip()
    return IncidentFacts(
        incident.id,
        incident.kind,
        incident.severity,
        lift.lift_id,
        lift.district,
        since_ns=max(incident.opened_ns, incident.risen_ns or 0),
        building=incident.building or address or None,
        acknowledged_ns=acknowledged_ns,
        last_activity_ns=incident.active_ns,
        closed_ns=incident.closed_ns,
    )


def called_out_facts(facts: IncidentFacts, call_out: CallOut) -> IncidentFacts:
    """Return the facts for an organisation that is called out: from its call-out on, until it has accepted.

    Whoever takes the incident up after the call-out ends its calls too.
    """
    acknowledged_ns = facts.acknowledged_ns
    if acknowledged_ns is not None and acknowledged_ns < call_out.called_ns:
        acknowledged_ns = None
    if call_out.is_coming:
        acknowledged_ns = call_out.answered_ns
    return replace(facts, since_ns=call_out.called_ns, acknowledged_ns=acknowledged_ns)


def helping_call_outs(incident: Incident) -> dict[str, CallOut]:
    """Return the last call-out of each firm, rescue point or person, but of those who have declined."""
    call_outs = () if incident.rescue is None else incident.rescue.call_outs
    last = {each.who: each for each in call_outs}
    return {who: each for who, each in last.items() if each.answer != DECLINED}


def not_accepted(call_out: CallOut | None) -> CallOut | None:
    """Return a call-out that nobody has accepted."""
    return None if call_out is None or call_out.is_coming else call_out


def lifts_by_organisation(
    incident: Incident, organisations: Mapping[str, Sequence[str]]
) -> dict[str, list[IncidentLift]]:
    """Return the lifts that each organisation is called about, those that may hold people first.

    `organisations` are those that each lift concerns.
    """
    found: dict[str, list[IncidentLift]] = {}
    for lift in sorted(incident.lifts, key=lambda each: not each.holds_people):
        for organisation_id in organisations[lift.lift_id]:
            found.setdefault(organisation_id, []).append(lift)
    return found


def is_held_back(incident: Incident, unclosed: Collection[Alert]) -> bool:
    """Return whether nobody is called: another cause, or a shelving, inhibits each alert of it; never a critical one.

    What a person has reported is never held back.
    """
    if incident.severity == CRITICAL or incident.by_hand or not unclosed:
        return False
    return all(alert.inhibited_by is not None for alert in unclosed)
