"""The life of an incident as one table of transitions. Pure.

      an alert fires, a telephone call        all its alerts are closed and it is not by hand: closed
                 │ opened                     a person closes it with a reason: closed
                 ▼                            a person merges it into another incident: merged
             ┌────────┐ ───────────────────────────────────────────────────────────────────▶ ┌────────┐
     folded, │  open  │                                                                      │ closed │
     raised, └────────┘ ◀─────────────────────────────────────────────────────────────────── └────────┘
     called, stages          within 10 s of a person's closing: undone; within 24 h: reopened
                             one of its alerts fires again: reopened by the monitor

    state    event                                     next     entry         what else
    (none)   an alert fires                            open     opened        id from lift and alert; stage `suspected`
    (none)   a telephone call                          open     opened        stage `confirmed`, by hand
    (none)   a report of the public page               open     opened        unconfirmed, by hand
    open     another alert of one of its lifts fires   open     folded        severity and kind never fall
    open     a telephone call about one of its lifts   open     called        by hand
    open     a report about one of its lifts           open     reported      by hand; unconfirmed where it raises the
                                                                              kind
    open     one of its alerts is raised               open     raised        only where its own severity rises
    open     one of its alerts fires again             open     (stored) / raised   raised where it holds people anew
    open     a button is pressed again                 open     pressed       acknowledged, nobody dispatched: no more
    open     an alert of its severity is acknowledged  open     acknowledged
    open     the alert of an entrapment clears         open     release-seen  a person confirms: stage `released`;
                                                                              of each lift that holds people
    open     the last of its alerts closes             closed   closed        not by hand, and no reason
    open     the same, somebody inside whose release   open     (stored)      by hand from now on
             was not seen, or a critical one resolved
    open     an alert closes, otherwise                open     (stored)
    closed   one of its alerts fires again             open     reopened      unless the lift has another open incident:
                                                                              then the alert joins that one
    closed   one of its alerts changes, otherwise      closed   (stored)
    open     ack, assign, comment, stage, close        `alerts.incidents.actions`
    any      merge, split, link                        `alerts.incidents.merging`
    any      report, photograph, answer                `alerts.incidents.reports`
    open     call out, accept, decline, arrive         `alerts.incidents.rescuing`
    open     time                                      `alerts.incidents.rescue_timers`

An incident that becomes more urgent (a higher severity, a more urgent kind, or somebody inside anew) is acknowledged no
more. Where somebody may be inside a lift that held nobody, or after a release, the stages of the rescue are taken back.

A rescue of which people have entered a stage is closed by people, and so is what they reported or reopened: such an
incident is by hand. One that is unconfirmed is confirmed by a call, by a stage that a person enters, and by an alert of
its kind. The alerts of an incident that a person closed are resolved once the time to undo
is over (`alerts.incidents.actions.settles_ns`). The order of an incident's entries is the order of commits.
"""

from __future__ import annotations

from dataclasses import replace

from alerts.alert import CLOSED as ALERT_CLOSED
from alerts.alert import FIRING, Alert, Change, Transition
from alerts.answers import ACKNOWLEDGED as ALERT_ACKNOWLEDGED
from alerts.answers import RESOLVED
from alerts.book import PRESSED, REFIRED
from alerts.book import RAISED as ALERT_RAISED
from alerts.incidents.incident import (
    ACKNOWLEDGED,
    CLOSED,
    CONFIRMED,
    FOLDED,
    NOBODY_INSIDE,
    ON_SITE,
    OPENED,
    PRESSED_AGAIN,
    RAISED,
    RELEASE_SEEN,
    RELEASED,
    REOPENED,
    RESCUE_STAGES,
    SUSPECTED,
    Incident,
    IncidentChange,
    IncidentLift,
    entered,
    incident_id,
    reached,
    with_lift,
    without,
)
from alerts.incidents.kinds import PEOPLE_INSIDE, kind_of, more_severe, more_urgent, more_urgent_call
from alerts.incidents.lift_stages import stages_of_lifts_kept
from alerts.incidents.taking_up import acknowledged, called_anew, unacknowledged, with_help_called_anew
from registry.actor import Actor
from registry.incident_kinds import ENTRAPMENT

FIRES_AGAIN = (REFIRED, ALERT_RAISED, PRESSED)


def opened_by_alert(alert: Alert, at_ns: int) -> IncidentChange:
    """Return the incident that an alert becomes where it folds into no open one."""
    kind = kind_of(alert.rule, alert.severity)
    lift = IncidentLift(alert.lift_id, alert.district, unclosed=1, holds_people=kind in PEOPLE_INSIDE)
    name = incident_id(alert.lift_id, alert.id)
    incident = Incident(name, kind, alert.severity, at_ns, at_ns, (lift,), {SUSPECTED: at_ns})
    return entered(replace(incident, summary=alert.summary), OPENED, at_ns, about=alert.id)


def on_alert_joining(incident: Incident, alert: Alert, at_ns: int) -> IncidentChange:
    """Fold an alert that is not closed into an open incident."""
    lift = incident.lift(alert.lift_id) or joining_lift(incident, alert.lift_id, alert.district)
    grown = with_lift(incident, replace(lift, unclosed=lift.unclosed + 1))
    return entered(_as_urgent_as(grown, alert, at_ns), FOLDED, at_ns, about=alert.id)


def joining_lift(incident: Incident, lift_id: str, district: str) -> IncidentLift:
    """Return a lift that joins an incident: it is taken up where all others are."""
    return IncidentLift(lift_id, district, acknowledged=all(lift.acknowledged for lift in incident.lifts))


def on_alert_leaving(incident: Incident, alert: Alert, was: str) -> IncidentChange:
    """Take an alert out of a closed incident: it fires again and joins the open one of its lift."""
    assert not incident.is_open, "alerts leave an open incident by a split"
    return IncidentChange(_counted(incident, alert.lift_id, -_unclosed(was)), None)


def on_alert(incident: Incident, change: Change, was: str) -> IncidentChange | None:
    """Apply a change of one of the incident's alerts, whose state `was` another; None where nothing changes."""
    alert, transition = change.alert, change.transition
    assert transition is not None, "an alert changes its state by a transition"
    counted = _counted(incident, alert.lift_id, _unclosed(alert.state) - _unclosed(was))
    if alert.state == FIRING and transition.kind in FIRES_AGAIN:
        return _on_firing_again(counted, alert, transition)
    if not incident.is_open:
        return _stored(incident, counted)
    if was == FIRING and transition.by is None and _shows_release(counted, alert):
        seen = _with_release_seen(counted, alert.lift_id, transition.at_ns)
        if not _is_over(seen):
            return entered(seen, RELEASE_SEEN, transition.at_ns, about=alert.id)
        counted = seen
    by = _author(transition)
    takes_up = transition.kind == ALERT_ACKNOWLEDGED and alert.severity == incident.severity
    own = counted.lift(alert.lift_id)
    is_taken_up = own is not None and incident.acknowledged_for_lifts([own]) is not None
    if takes_up and not is_taken_up and by is not None:
        counted = acknowledged(counted, by, transition.at_ns, {alert.lift_id})
        if not _is_over(counted):
            return entered(counted, ACKNOWLEDGED, transition.at_ns, by, about=alert.id)
    if counted.unclosed < incident.unclosed and _is_over(counted):
        if _asks_for_a_reason(counted, transition):
            return IncidentChange(replace(counted, by_hand=True), None)
        closed = reached(counted, CLOSED, transition.at_ns)
        return entered(closed, CLOSED, transition.at_ns, by)
    return _stored(incident, counted)


def more_urgent_than(incident: Incident, kind: str, severity: str, lift: IncidentLift, at_ns: int) -> Incident:
    """Return the incident at least as urgent as a kind, a severity and one of its lifts that may hold people."""
    held = incident.lift(lift.lift_id)
    assert held is not None, "the lift is in the incident"
    is_seen = held.release_seen or (incident.rescue is not None and incident.rescue.release_seen_ns is not None)
    is_anew = lift.holds_people and (is_seen or not held.holds_people)
    urgent = replace(incident, kind=more_urgent(incident.kind, kind), severity=more_severe(incident.severity, severity))
    if is_anew:
        urgent = _holding_anew(urgent, held, at_ns)
    if is_anew or (urgent.kind, urgent.severity) != (incident.kind, incident.severity):
        return called_anew(urgent, at_ns)
    return urgent


def with_call(incident: Incident, lift_id: str, kind: str) -> Incident:
    """Return the incident by hand, with the kind that a call or a report named of one of its lifts."""
    lift = incident.lift(lift_id)
    assert lift is not None, "the lift is in the incident"
    called = with_lift(incident, replace(lift, called=more_urgent_call(lift.called, kind)))
    return replace(called, called=incident.called or kind, by_hand=True)


def _holding_anew(incident: Incident, lift: IncidentLift, at_ns: int) -> Incident:
    """Return the incident with somebody inside a lift, which held nobody or in which a release was seen.

    The stages of the rescue are taken back: they were reached for other people. The rescue of other lifts goes on.
    """
    goes_on = any(each.holds_people and not each.release_seen for each in incident.lifts if each != lift)
    rescue = replace(incident.rescue, release_seen_ns=None) if goes_on and incident.rescue is not None else None
    own = replace(lift, holds_people=True, release_seen=False, stages={}, proven=None)
    held = with_lift(replace(incident, rescue=rescue), own)
    held = with_lift(stages_of_lifts_kept(held), own)
    if rescue is not None and ON_SITE in incident.stages:
        held = replace(held, rescue=replace(rescue, since_ns=at_ns, overdue=(), proven=None))
    return without(held, *RESCUE_STAGES, *((CONFIRMED,) if RELEASED in incident.stages else ()))


def nobody_inside(incident: Incident) -> Incident:
    """Return the incident with none of its lifts holding people."""
    return replace(
        incident, lifts=tuple(replace(lift, holds_people=False, release_seen=False) for lift in incident.lifts)
    )


def reopened(incident: Incident, at_ns: int, *, by_person: bool = False) -> Incident:
    """Return a closed incident open again.

    Nobody is inside where the reason of its closing said so, unless a person takes this closing back.
    """
    if incident.closed_by is not None:
        incident = unacknowledged(incident)
    if incident.reason in NOBODY_INSIDE and not by_person:
        incident = nobody_inside(incident)
    return replace(without(incident, CLOSED), closed_by=None, closed_for=None, reason=None, risen_ns=at_ns)


def _on_firing_again(incident: Incident, alert: Alert, transition: Transition) -> IncidentChange:
    at_ns = transition.at_ns
    if not incident.is_open:
        return entered(_as_urgent_as(reopened(incident, at_ns), alert, at_ns), REOPENED, at_ns, about=alert.id)
    urgent = _as_urgent_as(incident, alert, at_ns)
    if transition.kind == PRESSED:
        return entered(with_help_called_anew(urgent, at_ns), PRESSED_AGAIN, at_ns, about=alert.id)
    if urgent == incident:
        return IncidentChange(urgent, None)
    return entered(urgent, RAISED, at_ns, about=alert.id)


def _as_urgent_as(incident: Incident, alert: Alert, at_ns: int) -> Incident:
    kind = kind_of(alert.rule, alert.severity)
    lift = IncidentLift(alert.lift_id, alert.district, holds_people=kind in PEOPLE_INSIDE)
    urgent = more_urgent_than(incident, kind, alert.severity, lift, at_ns)
    if not incident.summary or (urgent.kind, urgent.severity) != (incident.kind, incident.severity):
        urgent = replace(urgent, summary=alert.summary)
    return replace(urgent, unconfirmed=incident.unconfirmed and urgent.kind != kind)


def _counted(incident: Incident, lift_id: str, more: int) -> Incident:
    """Return the incident with so many more alerts of a lift that are not closed."""
    lift = incident.lift(lift_id)
    assert lift is not None, "the lifts of an incident are those of its alerts"
    assert lift.unclosed + more >= 0, "no more alerts close than are open"
    return with_lift(incident, replace(lift, unclosed=lift.unclosed + more)) if more else incident


def _author(transition: Transition) -> Actor | None:
    """Return who made a transition of an alert, None for the monitor."""
    if transition.by is None:
        return None
    return replace(Actor.named(transition.by), organisation=transition.organisation)


def _shows_release(incident: Incident, alert: Alert) -> bool:
    """Return whether the end of an alert's condition shows that the last person has left the alert's lift."""
    is_entrapment, lift = kind_of(alert.rule, alert.severity) == ENTRAPMENT, incident.lift(alert.lift_id)
    holds = lift is not None and lift.holds_people and not lift.release_seen
    return alert.state != FIRING and is_entrapment and holds


def _with_release_seen(incident: Incident, lift_id: str, at_ns: int) -> Incident:
    """Return the incident with the release of a lift seen, and of the rescue where it is the last that holds people."""
    lift, rescue = incident.lift(lift_id), incident.rescue
    assert lift is not None, "the lift is in the incident"
    assert rescue is not None, "somebody may be inside"
    seen = with_lift(incident, replace(lift, release_seen=True))
    if any(each.holds_people and not each.release_seen for each in seen.lifts):
        return seen
    return replace(seen, rescue=replace(rescue, release_seen_ns=at_ns))


def _asks_for_a_reason(incident: Incident, transition: Transition) -> bool:
    """Return whether a person closes an incident whose alerts are all closed: somebody may be inside, or a person
    resolved the last alert of a critical one."""
    if any(lift.holds_people and not lift.release_seen for lift in incident.lifts):
        return True
    return incident.severity == "critical" and transition.kind == RESOLVED


def _is_over(incident: Incident) -> bool:
    return incident.unclosed == 0 and not incident.by_hand


def _unclosed(state: str) -> int:
    return int(state != ALERT_CLOSED)


def _stored(before: Incident, after: Incident) -> IncidentChange | None:
    return None if after == before else IncidentChange(after, None)
