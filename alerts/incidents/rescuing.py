"""The steps of a rescue by people, as in the drawing of `alerts.incidents.rescue`. Pure.

Accepting acknowledges the incident and reaches the stage `dispatched`; declining afterwards takes both back where
nobody else comes. Arriving reaches `on-site`. An action that was done already returns None.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from alerts.answers import Refused
from alerts.incidents.incident import (
    ACCEPTED,
    ACKNOWLEDGED,
    ARRIVED,
    CALLED_OUT,
    DECLINED,
    DISPATCHED,
    NO_ANSWER,
    ON_SITE,
    Incident,
    IncidentChange,
    IncidentLift,
    entered,
    reached,
    with_lift,
    without,
)
from alerts.incidents.lift_stages import with_stage_of_lifts
from alerts.incidents.rescue import (
    CALL_OUTS_MOST,
    FIRM,
    CallOut,
    Rescue,
    with_call_out,
)
from alerts.incidents.taking_up import acknowledged, called_anew
from registry.actor import Actor

CALL_OUT, ACCEPT, DECLINE, ARRIVE, SILENT = RESCUE_STEPS = ("call-out", "accept", "decline", "arrive", "no-answer")


@dataclass(frozen=True, slots=True)
class RescueStep:
    """An entry of a person: a call-out of somebody (`who`), its answer or that there is none, or an arrival.

    `number` is that of a call-out. `place` is where those who accept come from, and of an arrival the place of the lift
    `lift_id` whose label was scanned; None where the label proves no place.
    """

    kind: str
    number: int | None = None
    who: str | None = None
    level: int = FIRM
    place: str | None = None
    expected_ns: int | None = None
    reason: str | None = None
    lift_id: str | None = None


def on_step(
    incident: Incident,
    step: RescueStep,
    by: Actor,
    now_ns: int,
    note: str | None = None,
    *,
    shared: bool = False,
    acting: Collection[str] | None = None,
) -> IncidentChange | None:
    """Apply what a person enters; None where it was applied already. Raises `Refused`.

    `acting` are the lifts that the person may act on, None all. While another lift holds people, accepting and arriving
    reach the stages of these lifts alone, and an arrival by a scan that of the scanned lift.
    """
    if step.kind == ARRIVE:
        arrived = _arrive(incident, step, by, now_ns, acting)
        about = {"about": step.place, "to": step.lift_id}
        return None if arrived is None else entered(arrived, ARRIVED, now_ns, by, note=note, shared=shared, **about)
    done = _STEPS[step.kind](incident, step, by, now_ns)
    if done is None:
        return None
    after, own = done
    if step.kind == ACCEPT and acting is not None and _holds_others(incident, acting):
        own_lifts = acknowledged(replace(incident, rescue=after.rescue, by_hand=True), by, now_ns, acting)
        after = with_stage_of_lifts(own_lifts, acting, DISPATCHED, now_ns)
    about = {"about": str(own.number), "to": own.who}
    return entered(after, _ENTRIES[step.kind], now_ns, by, note=note or step.reason, shared=shared, **about)


def _call_out(incident: Incident, step: RescueStep, by: Actor, now_ns: int) -> Called:
    """Return the incident with a call-out more; None where the same is waiting for an answer or comes."""
    rescue = _rescue_of(incident)
    assert step.who is not None, "a call-out names whom it calls"
    if any(each.who == step.who and each.answer in (None, ACCEPTED) for each in rescue.call_outs):
        return None
    if len(rescue.call_outs) >= CALL_OUTS_MOST:
        raise Refused("call-outs", f"{CALL_OUTS_MOST} call-outs are the most: enter further ones as comments.")
    made = CallOut(len(rescue.call_outs) + 1, step.level, step.who, now_ns)
    return _by_hand(incident, with_call_out(rescue, made)), made


def _accept(incident: Incident, step: RescueStep, by: Actor, now_ns: int) -> Called:
    """Return the incident with a call-out accepted: of its number, or a new one of the person who comes unasked."""
    rescue = _rescue_of(incident)
    who = step.who or by.organisation or by.name
    new = CallOut(len(rescue.call_outs) + 1, step.level, who, now_ns)
    asked = _call_out_of(rescue, step) or next((each for each in rescue.call_outs if each.who == who), new)
    place, expected_ns = step.place or asked.place, step.expected_ns or asked.expected_ns
    answered = replace(asked, answer=ACCEPTED, answered_ns=now_ns, reason=None)
    accepted = replace(answered, place=place, expected_ns=expected_ns)
    if replace(accepted, answered_ns=asked.answered_ns) == asked:
        return None
    after = _by_hand(incident, with_call_out(rescue, accepted))
    if ACKNOWLEDGED not in after.stages:
        after = acknowledged(after, by, now_ns)
    return (after if DISPATCHED in after.stages else reached(after, DISPATCHED, now_ns)), accepted


def _decline(incident: Incident, step: RescueStep, by: Actor, now_ns: int) -> Called:
    """Return the incident with a call-out declined, also one that was accepted before.

    Where nobody else comes then, the incident is as before the acceptance: not acknowledged, and nobody dispatched.
    """
    rescue = _rescue_of(incident)
    asked = _call_out_of(rescue, step)
    if asked is None:
        raise Refused("number", "Name the call-out that is declined by its number.")
    if asked.answer == DECLINED:
        return None
    declined = replace(asked, answer=DECLINED, answered_ns=now_ns, reason=step.reason, expected_ns=None)
    after = with_call_out(rescue, declined)
    left = _by_hand(incident, after)
    is_helped = ON_SITE in left.stages or any(each.is_coming for each in after.call_outs)
    if asked.is_coming and not is_helped:
        left = without(called_anew(left, now_ns), DISPATCHED)
    return left, declined


def _no_answer(incident: Incident, step: RescueStep, by: Actor, now_ns: int) -> Called:
    """Return the incident with a call-out that nobody answers, before its time is over; None where that is known.

    One that was answered keeps its answer: whoever accepted declines.
    """
    rescue = _rescue_of(incident)
    asked = _call_out_of(rescue, step)
    if asked is None:
        raise Refused("number", "Name the call-out that nobody answers by its number.")
    if asked.answer == NO_ANSWER:
        return None
    if asked.answer is not None:
        raise Refused("answered", f"{asked.who} has answered call-out {asked.number}: enter that they cannot come.")
    silent = replace(asked, answer=NO_ANSWER, answered_ns=now_ns)
    return _by_hand(incident, with_call_out(rescue, silent)), silent


def _arrive(
    incident: Incident, step: RescueStep, by: Actor, now_ns: int, acting: Collection[str] | None
) -> Incident | None:
    """Return the incident with people on site: at the lift of the code that they scanned, where they did."""
    rescue, scanned = _rescue_of(incident), _scanned(incident, step)
    if ON_SITE in incident.stages and (scanned is None or step.place in (None, scanned.proven)):
        return None
    mine = (by.organisation, by.name)
    coming = [each for each in rescue.call_outs if each.is_coming and each.arrived_ns is None]
    is_only = len(coming) == 1 and acting is None
    own = _call_out_of(rescue, step) or next((each for each in coming if each.who in mine or is_only), None)
    if own is not None:
        rescue = with_call_out(rescue, replace(own, arrived_ns=now_ns))
    there = _by_hand(incident, rescue)
    if scanned is not None:
        there, acting = with_lift(there, replace(scanned, proven=step.place or scanned.proven)), [scanned.lift_id]
    if acting is not None and _holds_others(incident, acting):
        there = with_stage_of_lifts(acknowledged(there, by, now_ns, acting), acting, ON_SITE, now_ns)
        if ON_SITE not in there.stages:
            is_known = there.lifts == incident.lifts and (own is None or own.arrived_ns is not None)
            return None if is_known else there
    after = replace(there, rescue=replace(rescue, proven=step.place or rescue.proven))
    if ACKNOWLEDGED not in after.stages:
        after = acknowledged(after, by, now_ns)
    after = replace(after, unconfirmed=False)
    return after if ON_SITE in after.stages else reached(after, ON_SITE, now_ns)


def _scanned(incident: Incident, step: RescueStep) -> IncidentLift | None:
    """Return the lift whose code was scanned, None where none was; refuse a lift that the incident does not have."""
    if step.lift_id is None:
        return None
    found = incident.lift(step.lift_id)
    if found is None:
        raise Refused("lift_id", f"Lift {step.lift_id} is no lift of this incident any more.")
    return found


def _holds_others(incident: Incident, acting: Collection[str]) -> bool:
    """Return whether a lift holds people that is not one of those that a person may act on."""
    return any(lift.holds_people and lift.lift_id not in acting for lift in incident.lifts)


Called = tuple[Incident, CallOut] | None
"""The incident after a step, and the call-out that the step is about; None where it was done already."""
_STEPS = {CALL_OUT: _call_out, ACCEPT: _accept, DECLINE: _decline, SILENT: _no_answer}
_ENTRIES = {CALL_OUT: CALLED_OUT, ACCEPT: ACCEPTED, DECLINE: DECLINED, SILENT: NO_ANSWER}


def _rescue_of(incident: Incident) -> Rescue:
    """Return the rescue of an open incident; refuse where nobody can be inside."""
    if not incident.is_open:
        raise Refused("closed", "The incident is closed: there is nobody left to call out; reopen it first.")
    if incident.rescue is None:
        raise Refused("no-rescue", f"Nobody can be inside: an incident of kind {incident.kind} has no rescue.")
    return incident.rescue


def _call_out_of(rescue: Rescue, step: RescueStep) -> CallOut | None:
    """Return the call-out that a step names, None where it names none; refuse a number that there is not."""
    if step.number is None:
        return None
    found = rescue.call_out(step.number)
    if found is None:
        raise Refused("number", f"There is no call-out {step.number} of this incident.")
    return found


def _by_hand(incident: Incident, rescue: Rescue) -> Incident:
    return replace(incident, rescue=rescue, by_hand=True)
