"""Splitting of incidents: some alerts, or lifts, become an incident of their own. Pure.

    a lift that is named, or whose alerts are all taken    moves, with its calls, its reports and the people inside
    a lift some of whose alerts are taken                  is in both; its calls and reports stay
    any other lift                                         stays

A split releases nobody: a lift that holds people holds them in one of the two incidents, or in both where alerts of
both say so. Each of them that holds people has the rescue: its beginning, its call-outs, and its stages.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from alerts.alert import CLOSED as ALERT_CLOSED
from alerts.alert import Alert
from alerts.answers import Refused
from alerts.incidents.incident import (
    ACKNOWLEDGED,
    CONFIRMED,
    RESCUE_STAGES,
    SPLIT,
    SUSPECTED,
    Incident,
    IncidentLift,
    entered,
    incident_id,
    without,
)
from alerts.incidents.kinds import PEOPLE_INSIDE, SEVERITY_OF_CALL, kind_of, more_severe, more_urgent, more_urgent_call
from alerts.incidents.lift_stages import with_shared_stages
from alerts.incidents.merging import Pair, with_link
from registry.actor import Actor
from registry.incident_kinds import INCIDENT_KINDS

NO_REPORTS: Mapping[str, int] = MappingProxyType({})
STAGES_OF_NEW = (SUSPECTED, ACKNOWLEDGED, CONFIRMED, *RESCUE_STAGES)


@dataclass(frozen=True, slots=True)
class Division:
    """How an incident is divided: `taken` and `left` are all its alerts, `moved` the lifts that leave it.

    `unanswered` is the number of reports without an answer of each lift.
    """

    taken: Collection[Alert]
    left: Collection[Alert]
    moved: Collection[str]
    unanswered: Mapping[str, int]


def divide(
    incident: Incident,
    taken: Collection[Alert],
    left: Collection[Alert],
    lift_ids: Collection[str] = (),
    unanswered: Mapping[str, int] = NO_REPORTS,
) -> Division:
    """Return the division that takes alerts, and named lifts with all of theirs, off an open incident.

    Where nothing would stay, the calls and reports of the lifts that are not named do. Raises `Refused`.
    """
    if not incident.is_open:
        raise Refused("closed", "Only an open incident is split: reopen it first.")
    taken = [*taken, *(alert for alert in left if alert.lift_id in lift_ids)]
    left = [alert for alert in left if alert.lift_id not in lift_ids]
    own = {lift.lift_id for lift in incident.lifts}
    moved = own & ({alert.lift_id for alert in taken} - {alert.lift_id for alert in left} | set(lift_ids))
    if moved == own:
        called = {lift.lift_id for lift in _with_calls(incident, taken).lifts if lift.called}
        moved -= called - set(lift_ids)
    if moved == own or not (taken or moved):
        raise Refused("nothing-left", "Name some alerts or lifts of the incident, and not all of them.")
    return Division(taken, left, moved, unanswered)


def split(incident: Incident, division: Division, now_ns: int, by: Actor, note: str | None = None) -> Pair:
    """Split an open incident; return the changes of the incident and of the new one."""
    whole = _with_calls(incident, [*division.taken, *division.left])
    concerned = {alert.lift_id for alert in division.taken} | set(division.moved)
    first = min(division.taken, key=lambda alert: (alert.onset_ns, alert.id), default=None)
    named = min(division.moved) if first is None else first.lift_id
    taken = tuple(_taken(lift, division) for lift in whole.lifts if lift.lift_id in concerned)
    held = {lift.lift_id for lift in taken if lift.holds_people}
    left = tuple(_left(lift, division, held) for lift in whole.lifts if lift.lift_id not in division.moved)
    reports = sum(division.unanswered.get(lift_id, 0) for lift_id in division.moved)
    stages = {stage: at for stage, at in incident.stages.items() if stage in STAGES_OF_NEW}
    stages |= {stage: now_ns for stage in (SUSPECTED, ACKNOWLEDGED) if stage in stages}
    new = Incident(
        incident_id(named, f"{incident.id} {incident.entries}"),
        incident.kind,
        incident.severity,
        opened_ns=now_ns,
        active_ns=now_ns,
        lifts=taken,
        stages=stages,
        owner=incident.owner,
        acknowledged_by=incident.acknowledged_by,
        acknowledged_for=incident.acknowledged_for,
        links=(incident.id,),
        unconfirmed=incident.unconfirmed,
        unanswered=reports,
        rescue=incident.rescue,
    )
    kept = replace(incident, lifts=left, links=with_link(incident.links, new.id))
    kept = replace(kept, unanswered=incident.unanswered - reports)
    return (
        entered(_part(kept, division.left, now_ns), SPLIT, now_ns, by, about=new.id, note=note),
        entered(_part(new, division.taken, now_ns), SPLIT, now_ns, by, about=incident.id, note=note),
    )


def _with_calls(incident: Incident, alerts: Collection[Alert]) -> Incident:
    """Return the incident whose lifts have its calls; one of an earlier version has none of them by lift."""
    if incident.called is None or any(lift.called for lift in incident.lifts):
        return incident
    inside = _inside(alerts)
    holding = {lift.lift_id for lift in incident.lifts if lift.holds_people and lift.lift_id not in inside}
    own = holding if incident.called in PEOPLE_INSIDE and holding else {incident.lift_id}
    lifts = (replace(lift, called=incident.called if lift.lift_id in own else None) for lift in incident.lifts)
    return replace(incident, lifts=tuple(lifts))


def _taken(lift: IncidentLift, division: Division) -> IncidentLift:
    """Return a lift in the new incident."""
    counted = replace(lift, unclosed=_unclosed(division.taken, lift.lift_id))
    if lift.lift_id in division.moved:
        return counted
    holds = lift.holds_people and lift.lift_id in _inside(division.taken)
    mine = counted if holds else replace(counted, holds_people=False, release_seen=False, stages={}, proven=None)
    return replace(mine, folds=False, called=None)


def _left(lift: IncidentLift, division: Division, held: Collection[str]) -> IncidentLift:
    """Return a lift in the incident that is split; `held` are the lifts that hold people in the new one."""
    counted = replace(lift, unclosed=_unclosed(division.left, lift.lift_id))
    says = lift.lift_id in _inside(division.left) or lift.called in PEOPLE_INSIDE
    if not lift.holds_people or says or lift.lift_id not in held:
        return counted
    return replace(counted, holds_people=False, release_seen=False)


def _part(incident: Incident, alerts: Collection[Alert], now_ns: int) -> Incident:
    """Return one of the two incidents with the urgency, the sentence and the rescue of its alerts and calls."""
    called = None
    for lift in incident.lifts:
        called = more_urgent_call(called, lift.called)
    kind, severity = _urgency(alerts, called, incident)
    unconfirmed = incident.unconfirmed and all(kind_of(each.rule, each.severity) != kind for each in alerts)
    by_hand = incident.by_hand or called is not None or not incident.unclosed
    part = replace(incident, kind=kind, severity=severity, called=called, unconfirmed=unconfirmed, by_hand=by_hand)
    part = replace(part, summary=_summary(alerts))
    if kind not in PEOPLE_INSIDE:
        return replace(without(part, *RESCUE_STAGES), rescue=None)
    if not part.may_hold_people or part.rescue is None:
        return part
    is_seen = all(lift.release_seen for lift in part.lifts if lift.holds_people)
    own = {lift.lift_id for lift in part.lifts}
    rescue = replace(
        part.rescue,
        release_seen_ns=(part.rescue.release_seen_ns or now_ns) if is_seen else None,
        released=tuple(each for each in part.rescue.released if each in own),
    )
    return with_shared_stages(replace(part, rescue=rescue), now_ns)


def _urgency(alerts: Collection[Alert], called: str | None, part: Incident) -> tuple[str, str]:
    """Return the most urgent kind and the highest severity of alerts and of what a call reported.

    Those of the whole incident, which `part` still has, count where nothing else says why somebody may be inside.
    """
    found = [(kind_of(alert.rule, alert.severity), alert.severity) for alert in alerts]
    found += [(called, SEVERITY_OF_CALL[called])] if called else []
    kind, severity = found[0] if found else (part.kind, part.severity)
    for other_kind, other_severity in found[1:]:
        kind, severity = more_urgent(kind, other_kind), more_severe(severity, other_severity)
    return (part.kind, part.severity) if part.may_hold_people and kind not in PEOPLE_INSIDE else (kind, severity)


def _summary(alerts: Collection[Alert]) -> Mapping[str, str]:
    """Return the sentence of the most urgent of these alerts, the first of them where several are; empty of none."""
    found = [(INCIDENT_KINDS.index(kind_of(each.rule, each.severity)), each.onset_ns, each.id) for each in alerts]
    first = min(found, default=None)
    return next((each.summary for each in alerts if first is not None and each.id == first[2]), {})


def _inside(alerts: Collection[Alert]) -> set[str]:
    """Return the lifts of which an alert says that somebody may be inside."""
    return {alert.lift_id for alert in alerts if kind_of(alert.rule, alert.severity) in PEOPLE_INSIDE}


def _unclosed(alerts: Collection[Alert], lift_id: str) -> int:
    return sum(alert.lift_id == lift_id and alert.state != ALERT_CLOSED for alert in alerts)
