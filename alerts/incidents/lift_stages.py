"""Stages of a rescue that a person enters for one lift of an incident. Pure.

    dispatched, on-site, released    of a lift that holds people; the others' rescue goes on

The incident reaches a stage once every lift that holds people has reached it, and `released` once no lift holds people.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from alerts.answers import Refused
from alerts.incidents.incident import (
    DISPATCHED,
    ON_SITE,
    RELEASED,
    RESCUE_STAGES,
    Incident,
    IncidentLift,
    reached,
    with_lift,
)


def with_stage_of_lift(incident: Incident, lift_id: str, stage: str, now_ns: int) -> Incident | None:
    """Return an open incident of which a lift has reached a stage; None where it had. Raises `Refused`."""
    lift = incident.lift(lift_id)
    if lift is None or stage not in RESCUE_STAGES:
        raise Refused("lift_id", "is no lift of this incident; name one, with dispatched, on-site or released")
    if stage in lift.stages:
        return None
    if not lift.holds_people:
        raise Refused("no-rescue", f"Nobody is inside {lift_id}: its rescue is over, or never began.")
    later = [each for each in RESCUE_STAGES[RESCUE_STAGES.index(stage) + 1 :] if each in lift.stages]
    if later:
        raise Refused("stage-passed", f"Lift {lift_id} is past {stage}: it has reached {later[-1]}.")
    is_out = stage == RELEASED
    moved = replace(
        lift,
        stages={**lift.stages, stage: now_ns},
        holds_people=not is_out,
        release_seen=lift.release_seen and not is_out,
    )
    after = with_lift(replace(incident, by_hand=True, unconfirmed=False), moved)
    return with_shared_stages(with_released(after, (lift_id,)) if is_out else after, now_ns)


def with_stage_of_lifts(incident: Incident, lift_ids: Collection[str], stage: str, now_ns: int) -> Incident:
    """Return an open incident of which those of these lifts that hold people have reached a stage, or are past it."""
    for lift in incident.lifts:
        if lift.holds_people and lift.lift_id in lift_ids and not _has_reached(lift, stage):
            incident = with_stage_of_lift(incident, lift.lift_id, stage, now_ns) or incident
    return incident


def stages_of_lifts_kept(incident: Incident) -> Incident:
    """Return an incident whose lifts with people inside have its stages of the rescue, before these are taken back."""
    own = {stage: at for stage, at in incident.stages.items() if stage in (DISPATCHED, ON_SITE)}
    lifts = (
        replace(lift, stages={**own, **lift.stages}) if lift.holds_people and own else lift for lift in incident.lifts
    )
    return replace(incident, lifts=tuple(lifts))


def with_released(incident: Incident, lift_ids: Iterable[str]) -> Incident:
    """Return an incident whose rescue has these lifts among those of which people reported the release."""
    rescue = incident.rescue
    if rescue is None:
        return incident
    return replace(incident, rescue=replace(rescue, released=tuple(dict.fromkeys((*rescue.released, *lift_ids)))))


def with_shared_stages(incident: Incident, now_ns: int) -> Incident:
    """Return an incident that has reached the stages of every lift that holds people; released where none does."""
    if not incident.may_hold_people:
        return reached(incident, RELEASED, now_ns)
    inside = [lift for lift in incident.lifts if lift.holds_people]
    for stage in (DISPATCHED, ON_SITE):
        if stage not in incident.stages and all(_has_reached(lift, stage) for lift in inside):
            incident = reached(incident, stage, now_ns)
    return incident


def _has_reached(lift: IncidentLift, stage: str) -> bool:
    return any(each in lift.stages for each in RESCUE_STAGES[RESCUE_STAGES.index(stage) :])
