"""Takes back a stage of a rescue that a person entered by mistake. Pure.

    released      whoever was inside is inside again, and a release that telemetry has seen counts no more
    on-site       nobody has arrived
    dispatched    where nobody who accepted comes: who cannot come declines
    of one lift   the same of this lift alone; the others' rescue is as before

The rescue and its timers go on from when they began. The incident is acknowledged no more, and people are called about
it again, except where those who accepted still come. The entry `retracted` names the stage (`about`), the lift (`to`)
and why (`note`). A stage that was not reached changes nothing; later stages are taken back first.
"""

from __future__ import annotations

from dataclasses import replace

from alerts.answers import Refused
from alerts.incidents.incident import (
    DISPATCHED,
    ON_SITE,
    RELEASED,
    RESCUE_STAGES,
    RETRACTED,
    Incident,
    IncidentChange,
    IncidentLift,
    entered,
    without,
)
from alerts.incidents.lift_stages import stages_of_lifts_kept
from alerts.incidents.rescue import Rescue
from alerts.incidents.taking_up import called_anew
from registry.actor import Actor


def retract(
    incident: Incident, stage: str, lift_id: str | None, by: Actor, now_ns: int, note: str | None, *, shared: bool
) -> IncidentChange | None:
    """Take back a stage, of one lift or of all; None where it was not reached. Raises `Refused`."""
    assert stage in RESCUE_STAGES, f"{stage} is no stage of a rescue"
    if lift_id is not None and incident.lift(lift_id) is None:
        raise Refused("lift_id", "is no lift of this incident; name one of its lifts, or none")
    if not incident.is_open:
        raise Refused(
            "closed", "The incident is closed: there is nothing left to retract; reopen it first, or add a comment."
        )
    lifts = _lifts_past(incident, stage, lift_id)
    if not lifts and (stage not in incident.stages or lift_id is not None):
        return None
    _refuse_later(incident, stage, lifts)
    if stage == DISPATCHED and incident.rescue is not None and _comes(incident.rescue):
        raise Refused("coming", "Somebody who accepted comes: enter that they cannot come instead.")
    names = {lift.lift_id for lift in lifts}
    incident = incident if lift_id is None else stages_of_lifts_kept(incident)
    before = (_before(lift, stage) if lift.lift_id in names else lift for lift in incident.lifts)
    after = without(replace(incident, lifts=tuple(before), by_hand=True), stage)
    if after.rescue is not None:
        after = replace(after, rescue=_rescue_before(after.rescue, stage, names))
    still_comes = stage == ON_SITE and after.rescue is not None and _comes(after.rescue)
    after = after if still_comes else called_anew(after, now_ns)
    return entered(after, RETRACTED, now_ns, by, about=stage, to=lift_id, note=note, shared=shared)


def _lifts_past(incident: Incident, stage: str, lift_id: str | None) -> list[IncidentLift]:
    """Return the lifts that have reached a stage: by their own entry, or by that of the incident."""
    own = [lift for lift in incident.lifts if lift_id in (None, lift.lift_id)]
    if stage != RELEASED:
        is_shared = stage in incident.stages
        return [lift for lift in own if lift.holds_people and (is_shared or stage in lift.stages)]
    named = incident.rescue.released if incident.rescue is not None else ()
    if not named and RELEASED in incident.stages:
        named = tuple(lift.lift_id for lift in incident.lifts)
    return [lift for lift in own if lift.lift_id in named and not lift.holds_people]


def _refuse_later(incident: Incident, stage: str, lifts: list[IncidentLift]) -> None:
    reached = {*incident.stages, *(each for lift in lifts for each in lift.stages)}
    later = [each for each in RESCUE_STAGES[RESCUE_STAGES.index(stage) + 1 :] if each in reached]
    if later:
        raise Refused("stage-passed", f"The incident is past {stage}: take {later[-1]} back first.")


def _before(lift: IncidentLift, stage: str) -> IncidentLift:
    """Return a lift as it is without a stage."""
    stages = {each: at for each, at in lift.stages.items() if each != stage}
    if stage == RELEASED:
        return replace(lift, stages=stages, holds_people=True, release_seen=False)
    return replace(lift, stages=stages, proven=None if stage == ON_SITE else lift.proven)


def _rescue_before(rescue: Rescue, stage: str, names: set[str]) -> Rescue:
    """Return the rescue as it is without a stage of these lifts."""
    if stage == RELEASED:
        left = tuple(each for each in rescue.released if each not in names)
        return replace(rescue, released=left, release_seen_ns=None)
    if stage == ON_SITE:
        call_outs = tuple(replace(each, arrived_ns=None) for each in rescue.call_outs)
        return replace(rescue, call_outs=call_outs, proven=None)
    return rescue


def _comes(rescue: Rescue) -> bool:
    """Return whether somebody accepted and has not arrived."""
    return any(each.is_coming and each.arrived_ns is None for each in rescue.call_outs)
