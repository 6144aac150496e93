"""Merging and linking of incidents, and what `alerts.incidents.splitting` does. Pure.

    merged   open ◀── open     the alerts and call-outs of the second join the first; the second is closed as a
                               duplicate; acknowledged no more where the second waits and is at least as severe
    split    open ──▶ open     some alerts of the first become an incident of their own
    linked   any ◀──▶ any      each names the other

The monitor merges too: the incidents of a building's lifts, when the building loses its power. A split gives a lift
that stays in the first incident too a second open incident, into which no later alert of the lift folds.
"""

from __future__ import annotations

from dataclasses import replace

from alerts.answers import Refused
from alerts.incidents.incident import (
    CLOSED,
    CONFIRMED,
    DISPATCHED,
    LINKED,
    MERGED,
    ON_SITE,
    RESCUE_STAGES,
    Incident,
    IncidentChange,
    entered,
    reached,
    with_lift,
)
from alerts.incidents.kinds import more_severe, more_urgent_call
from alerts.incidents.rescue import joined
from alerts.incidents.table import joining_lift, more_urgent_than
from alerts.incidents.taking_up import called_anew
from registry.actor import Actor

Pair = tuple[IncidentChange, IncidentChange]


def merge(into: Incident, other: Incident, now_ns: int, by: Actor | None = None, note: str | None = None) -> Pair:
    """Merge an open incident into another one; return the changes of both. Raises `Refused`."""
    if into.id == other.id:
        raise Refused("itself", "An incident is not merged into itself: name another one.")
    if not (into.is_open and other.is_open):
        raise Refused("closed", "Only open incidents are merged: reopen the one that is closed, or link the two.")
    grown = into
    for lift in other.lifts:
        own = grown.lift(lift.lift_id) or replace(joining_lift(into, lift.lift_id, lift.district), folds=False)
        called = more_urgent_call(own.called, lift.called)
        both = replace(own, unclosed=own.unclosed + lift.unclosed, folds=own.folds or lift.folds, called=called)
        grown = more_urgent_than(with_lift(grown, both), other.kind, other.severity, lift, now_ns)
    by_hand, called = grown.by_hand or other.by_hand, grown.called or other.called
    unconfirmed = all(each.unconfirmed for each in (into, other) if each.kind == grown.kind)
    unanswered, building = into.unanswered + other.unanswered, grown.building or other.building
    grown = replace(grown, by_hand=by_hand, called=called, building=building)
    grown = replace(grown, unconfirmed=unconfirmed, unanswered=unanswered, owner=into.owner or other.owner)
    grown = _with_rescue_of(grown, into, other)
    if into.acknowledged_ns is not None and _is_waiting(other, into.severity):
        grown = called_anew(grown, now_ns)
    links = dict.fromkeys(each for each in (*grown.links, *other.links) if each not in (into.id, other.id))
    grown = replace(grown, links=tuple(links))
    if not into.summary or grown.kind != into.kind:
        grown = replace(grown, summary=other.summary or into.summary)
    emptied = tuple(replace(lift, unclosed=0, holds_people=False) for lift in other.lifts)
    closed_by = None if by is None else by.name
    closed = replace(other, unanswered=0, lifts=emptied, merged_into=into.id, closed_by=closed_by, reason="duplicate")
    return (
        entered(grown, MERGED, now_ns, by, about=other.id, note=note),
        entered(reached(closed, CLOSED, now_ns), MERGED, now_ns, by, about=into.id, note=note),
    )


def link(one: Incident, other: Incident, now_ns: int, by: Actor, note: str | None = None) -> Pair | None:
    """Link two incidents, open or closed; None where they are linked already. Raises `Refused`."""
    if one.id == other.id:
        raise Refused("itself", "An incident is not linked to itself: name another one.")
    if other.id in one.links and one.id in other.links:
        return None
    return (
        entered(replace(one, links=with_link(one.links, other.id)), LINKED, now_ns, by, about=other.id, note=note),
        entered(replace(other, links=with_link(other.links, one.id)), LINKED, now_ns, by, about=one.id, note=note),
    )


def _is_waiting(incident: Incident, severity: str) -> bool:
    """Return whether nobody has acknowledged an incident at least as severe."""
    return incident.acknowledged_ns is None and more_severe(incident.severity, severity) == incident.severity


def _with_rescue_of(grown: Incident, into: Incident, other: Incident) -> Incident:
    """Return the grown incident with the rescues of both, or of the one in which somebody may be inside.

    Somebody is on the way where one of them was dispatched. Help is on site where all who may be inside have it.
    """
    for lift in other.lifts:
        own, held = into.lift(lift.lift_id), grown.lift(lift.lift_id)
        is_out = own is None or own.release_seen or not own.holds_people
        if held is not None:
            seen, stages = is_out if lift.release_seen else held.release_seen, {**lift.stages, **held.stages}
            grown = with_lift(grown, replace(held, release_seen=seen, stages=stages))
    if not other.may_hold_people:
        return grown if into.may_hold_people or other.rescue is None else replace(grown, rescue=other.rescue)
    if not into.may_hold_people:
        taken = {stage: at for stage, at in other.stages.items() if stage in (CONFIRMED, *RESCUE_STAGES)}
        return replace(grown, rescue=other.rescue, stages={**taken, **grown.stages})
    assert into.rescue is not None, "somebody may be inside"
    assert other.rescue is not None, "somebody may be inside"
    is_begun_anew = ON_SITE in into.stages and ON_SITE not in other.stages
    own_rescue = grown.rescue if is_begun_anew and grown.rescue is not None else into.rescue
    own_rescue = replace(own_rescue, release_seen_ns=into.rescue.release_seen_ns)
    stages = dict(grown.stages)
    for stage in (CONFIRMED, *RESCUE_STAGES):
        times = [each.stages[stage] for each in (into, other) if stage in each.stages]
        if times and (stage in (CONFIRMED, DISPATCHED) or len(times) == 2):
            stages[stage] = min(times)
    return replace(grown, stages=stages, rescue=joined(own_rescue, other.rescue))


def with_moved_link(incident: Incident, moved: str, into: str) -> Incident:
    """Return an incident whose link to a merged incident leads to the one that it was merged into."""
    links = dict.fromkeys(into if each == moved else each for each in incident.links)
    return replace(incident, links=tuple(links))


def with_link(links: tuple[str, ...], name: str) -> tuple[str, ...]:
    """Return the linked incidents with one more."""
    return links if name in links else (*links, name)
