"""The actions of people on an incident, as in the table of `alerts.incidents.table`. Pure.

    state    action                                        next     entry          what else
    (none)   call                                          open     opened         a kind of `SEVERITY_OF_CALL`
    open     call                                          open     called         as urgent as the call, by hand;
                                                                                   somebody inside, nobody dispatched:
                                                                                   acknowledged no more
    open     ack; ack by another                           open     acknowledged   each person is kept; of own lifts
    open     ack by the same person a minute later         open     acknowledged   shows that it is looked after
    open     assign                                        open     assigned
    any      comment                                       same     commented      each is added
    any      answer                                        same     answered       the reports of the public page
    open     call-out, accept, decline, arrive             open     called-out, …  `alerts.incidents.rescuing`
    open     stage                                         open     (the stage)    forward alone, where it has them;
                                                                                   `alerts.incidents.releasing`; of one
                                                                                   lift `alerts.incidents.lift_stages`
    open     retract                                       open     retracted      `alerts.incidents.retracting`
    open     close                                         closed   closed
    closed   reopen within 10 s of a person's closing      open     undone         as it was before the closing
    closed   reopen within 24 h                            open     reopened       acknowledged no more, by hand;
                                                                                   who was inside is inside again

Refused: closing without a reason what is critical; closing while a person may be inside, unless the reason says that
nobody is; closing while the condition of an alert holds that clears by itself, or while a report of the public page has
no answer; a rescue stage where nobody can be inside; reopening what was merged, or later than 24 h, or while another
incident of a lift is open.

Repeating an action changes nothing (None), except comments and calls.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from alerts.alert import FIRING, Alert
from alerts.answers import Refused
from alerts.incidents.incident import (
    ACKNOWLEDGED,
    ANSWERED,
    ASSIGNED,
    CALLED,
    CLOSED,
    COMMENTED,
    CONFIRMED,
    NOBODY_INSIDE,
    NOTIFIED,
    OPENED,
    REASONS,
    RELEASED,
    REOPENED,
    RESCUE_STAGES,
    STAGES,
    SUSPECTED,
    UNDONE,
    Incident,
    IncidentChange,
    IncidentLift,
    entered,
    incident_id,
    reached,
    without,
)
from alerts.incidents.kinds import PEOPLE_INSIDE, SEVERITY_OF_CALL
from alerts.incidents.lift_stages import with_stage_of_lift
from alerts.incidents.releasing import released
from alerts.incidents.rescuing import RescueStep, on_step
from alerts.incidents.retracting import retract
from alerts.incidents.table import more_urgent_than, reopened, with_call
from alerts.incidents.taking_up import acknowledged, unacknowledged, with_help_called_anew
from registry.actor import Actor

UNDO_NS = 10 * 1_000_000_000
AGAIN_NS = 60 * 1_000_000_000
REOPEN_NS = 24 * 3600 * 1_000_000_000
STAGES_OF_PEOPLE = (CONFIRMED, *RESCUE_STAGES)
"""The stages that a person enters; the others follow from notifying, acknowledging and closing."""


@dataclass(frozen=True, slots=True)
class IncidentAction:
    """A person's action on an incident: ack, assign (`to`), comment and answer (`note`), stage and retract (`stage`,
    with `lift_id` of one lift), close (`reason`, `note`, and the `answer` to reports), reopen, or a step of a rescue.

    Other organisations read the note where it is `shared`.
    """

    kind: str
    by: Actor
    note: str | None = None
    to: str | None = None
    stage: str | None = None
    reason: str | None = None
    shared: bool = False
    answer: str | None = None
    lift_id: str | None = None
    rescue: RescueStep | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A telephone call about a lift: the reported kind, and the number to call back."""

    lift_id: str
    district: str
    kind: str
    by: Actor
    callback: str | None = None


def on_action(
    incident: Incident,
    action: IncidentAction,
    now_ns: int,
    alerts: Collection[Alert] = (),
    *,
    has_other: bool = False,
    acting: Collection[str] | None = None,
    unanswered: int = 0,
) -> IncidentChange | None:
    """Apply a person's action; return None where it was applied already. Raises `Refused`.

    `alerts` are those of the incident that are not closed. `has_other`: another open incident folds alerts of a lift.
    `acting` are the lifts that the person may act on, None all; of the other lifts are `unanswered` reports.
    """
    if action.kind == "close":
        _require_closable(incident, action, alerts)
    if action.kind == "reopen":
        _require_reopenable(incident, now_ns, has_other)
    if action.rescue is not None:
        by, note = action.by, action.note
        return on_step(incident, action.rescue, by, now_ns, note, shared=action.shared, acting=acting)
    if action.kind == "retract":
        assert action.stage is not None, "the stage that is taken back is named"
        named = (action.stage, action.lift_id, action.by)
        return retract(incident, *named, now_ns, action.note, shared=action.shared)
    if action.kind == "ack":
        done = _ack(incident, action, now_ns, acting)
    elif action.kind == "answer":
        done = _answer(incident, unanswered)
    else:
        done = _ACTIONS[action.kind](incident, action, now_ns)
    if done is None:
        return None
    after, kind = done
    if kind == RELEASED and action.lift_id is None:
        after = released(after, alerts)
    more = {"about": action.reason if action.kind == "close" else action.lift_id, "to": action.to}
    return entered(after, kind, now_ns, action.by, note=action.note, shared=action.shared, **more)


def on_call(incident: Incident | None, call: Call, now_ns: int) -> IncidentChange:
    """Open an incident for a telephone call, or enter the call into the open incident of its lift.

    A call that somebody is inside has the incident acknowledged anew where nobody was dispatched yet.
    """
    severity, holds_people = SEVERITY_OF_CALL[call.kind], call.kind in PEOPLE_INSIDE
    called = IncidentLift(call.lift_id, call.district, holds_people=holds_people, called=call.kind)
    if incident is None:
        name = incident_id(call.lift_id, f"call {now_ns}")
        stages = {SUSPECTED: now_ns, CONFIRMED: now_ns}
        incident = Incident(name, call.kind, severity, now_ns, now_ns, (called,), stages, by_hand=True)
        return entered(replace(incident, called=call.kind), OPENED, now_ns, call.by, note=call.callback)
    urgent = more_urgent_than(incident, call.kind, severity, called, now_ns)
    if holds_people:
        urgent = with_help_called_anew(urgent, now_ns)
    known = replace(with_call(urgent, call.lift_id, call.kind), unconfirmed=False)
    known = known if CONFIRMED in known.stages else reached(known, CONFIRMED, now_ns)
    return entered(known, CALLED, now_ns, call.by, about=call.kind, note=call.callback)


def on_notified(incident: Incident, at_ns: int, note: str | None = None, to: str | None = None) -> IncidentChange:
    """Enter an attempt to notify somebody (`to`); the first reaches the stage `notified`, as does the first of a rescue
    that began later."""
    since_ns = incident.rescue.since_ns if incident.rescue and incident.may_hold_people else incident.opened_ns
    is_reached = incident.stages.get(NOTIFIED, since_ns - 1) >= since_ns
    after = incident if is_reached or not incident.is_open else reached(incident, NOTIFIED, at_ns)
    return entered(after, NOTIFIED, at_ns, note=note, to=to)


def settles_ns(incident: Incident) -> int | None:
    """Return when the alerts of an incident that a person closed are resolved; None where none are to be."""
    if incident.closed_ns is None or incident.closed_by is None or incident.unclosed == 0:
        return None
    return incident.closed_ns + UNDO_NS


Moved = tuple[Incident, str] | None
"""The incident after an action, and the kind of the entry; None where it was done already."""


def _ack(incident: Incident, action: IncidentAction, now_ns: int, acting: Collection[str] | None) -> Moved:
    """Return the incident acknowledged; once more by the same person where nobody looked after it for `AGAIN_NS`."""
    is_known = action.by.name in incident.acknowledged_by
    if is_known and not incident.is_open:
        return None
    _refuse_closed(incident, "acknowledge")
    after = acknowledged(incident, action.by, now_ns, acting)
    return None if is_known and after == incident and now_ns - incident.active_ns < AGAIN_NS else (after, ACKNOWLEDGED)


def _assign(incident: Incident, action: IncidentAction, now_ns: int) -> Moved:
    if incident.owner == action.to:
        return None
    _refuse_closed(incident, "assign")
    return replace(incident, owner=action.to), ASSIGNED


def _comment(incident: Incident, action: IncidentAction, now_ns: int) -> Moved:
    return incident, COMMENTED


def _answer(incident: Incident, left: int) -> Moved:
    return (replace(incident, unanswered=left), ANSWERED) if incident.unanswered > left else None


def _stage(incident: Incident, action: IncidentAction, now_ns: int) -> Moved:
    stage = action.stage
    assert stage in STAGES_OF_PEOPLE, f"{stage} is no stage that people enter"
    if stage in incident.stages and action.lift_id is None:
        return None
    _refuse_closed(incident, "enter")
    if action.lift_id is not None:
        moved = with_stage_of_lift(incident, action.lift_id, stage, now_ns)
        return None if moved is None else (moved, stage)
    if stage in RESCUE_STAGES and incident.kind not in PEOPLE_INSIDE:
        raise Refused("no-rescue", f"Nobody can be inside: an incident of kind {incident.kind} has no stage {stage}.")
    later = [each for each in RESCUE_STAGES if each in incident.stages and STAGES.index(each) > STAGES.index(stage)]
    if stage in RESCUE_STAGES and later:
        raise Refused("stage-passed", f"The incident is past {stage}: it has reached {later[-1]}.")
    by_hand = incident.by_hand or incident.kind in PEOPLE_INSIDE
    return replace(reached(incident, stage, now_ns), by_hand=by_hand, unconfirmed=False), stage


def _close(incident: Incident, action: IncidentAction, now_ns: int) -> Moved:
    if not incident.is_open:
        return None
    by = action.by
    closed = replace(incident, closed_by=by.name, closed_for=by.organisation, reason=action.reason)
    return reached(closed, CLOSED, now_ns), CLOSED


def _reopen(incident: Incident, action: IncidentAction, now_ns: int) -> Moved:
    if incident.closed_ns is None:
        return None
    if incident.closed_by is not None and now_ns < incident.closed_ns + UNDO_NS:
        undone = replace(without(incident, CLOSED), closed_by=None, closed_for=None, reason=None)
        return replace(undone, by_hand=undone.by_hand or undone.unclosed == 0), UNDONE
    return replace(unacknowledged(reopened(incident, now_ns, by_person=True)), by_hand=True), REOPENED


def _require_closable(incident: Incident, action: IncidentAction, alerts: Collection[Alert]) -> None:
    if not incident.is_open:
        return
    if incident.severity == "critical" and action.reason is None:
        raise Refused("reason", f"A critical incident is closed with a reason: one of {', '.join(REASONS)}.")
    if action.reason == "other" and not (action.note or "").strip():
        raise Refused("note", "The reason `other` needs a note that says what it was.")
    if incident.may_hold_people and action.reason not in NOBODY_INSIDE:
        raise Refused(
            "person-inside",
            "Somebody may still be inside: enter the stage `released`, or close it with the reason "
            f"{', '.join(NOBODY_INSIDE[:-1])} or {NOBODY_INSIDE[-1]}.",
        )
    if incident.unanswered:
        raise Refused("answer", "Somebody reported it on the public page: write the answer that the reporter reads.")
    holding = sorted({alert.rule for alert in alerts if alert.state == FIRING and not alert.by_hand})
    if holding:
        detail = f"The condition of {', '.join(holding)} still holds: the incident can be closed once it has cleared."
        raise Refused("condition-holds", detail)


def _require_reopenable(incident: Incident, now_ns: int, has_other: bool) -> None:
    if incident.closed_ns is None:
        return
    if incident.merged_into is not None:
        raise Refused("merged", "The incident was merged into another one: split that one instead.")
    if now_ns >= incident.closed_ns + REOPEN_NS:
        raise Refused("too-late", "The incident was closed more than 24 hours ago: open a new one, and link the two.")
    if has_other:
        raise Refused("another-open", "Another incident of its lift is open: comment there, or link the two.")


def _refuse_closed(incident: Incident, verb: str) -> None:
    if not incident.is_open:
        detail = f"The incident is closed: there is nothing left to {verb}; reopen it first, or add a comment."
        raise Refused("closed", detail)


_ACTIONS: dict[str, Callable[[Incident, IncidentAction, int], Moved]] = {
    "assign": _assign,
    "comment": _comment,
    "stage": _stage,
    "close": _close,
    "reopen": _reopen,
}
