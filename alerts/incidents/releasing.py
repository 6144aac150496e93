"""Which lifts of an incident nobody is inside any more, when a person enters the stage `released`. Pure.

The stage names no lift. Where one lift holds people, everybody is out. Where several did, those alone are released of
which no alert that somebody is inside fires; while another lift holds people the incident does not reach the stage, and
the rescue goes on. Where such an alert fires for each of them, the stage is refused.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from alerts.alert import FIRING, Alert
from alerts.answers import Refused
from alerts.incidents.incident import RELEASED, Incident, with_lift, without
from alerts.incidents.kinds import PEOPLE_INSIDE, kind_of
from alerts.incidents.table import nobody_inside


def released(incident: Incident, alerts: Collection[Alert]) -> Incident:
    """Return an incident that has reached the stage `released` with the lifts emptied that its alerts leave.

    Raises `Refused` where the alerts leave none.
    """
    rescue = incident.rescue
    holding = [lift for lift in incident.lifts if lift.holds_people]
    if rescue is None or (len(holding) <= 1 and not rescue.released):
        return nobody_inside(incident)
    firing = [alert for alert in alerts if alert.state == FIRING]
    inside = {alert.lift_id for alert in firing if kind_of(alert.rule, alert.severity) in PEOPLE_INSIDE}
    out = [lift for lift in holding if lift.lift_id not in inside]
    if not out and holding:
        raise Refused(
            "person-inside",
            "Alerts say that somebody is inside each of several lifts: enter the release once one has cleared, or "
            "resolve an alert that clears by hand alone.",
        )
    after = incident
    for lift in out:
        after = with_lift(after, replace(lift, holds_people=False, release_seen=False))
    if not after.may_hold_people:
        return after
    names = (*rescue.released, *(lift.lift_id for lift in out if lift.lift_id not in rescue.released))
    return without(replace(after, rescue=replace(rescue, released=names)), RELEASED)
