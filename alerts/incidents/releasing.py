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
from alerts.incidents.lift_stages import with_released
from alerts.incidents.table import nobody_inside


def released(incident: Incident, alerts: Collection[Alert]) -> Incident:
    """Return an incident that has reached the stage `released` with the lifts emptied that its alerts leave.

    Raises `Refused` where the alerts leave none.
    """
    rescue = incident.rescue
    holding = [lift for lift in incident.lifts if lift.holds_people]
    if rescue is None or (len(holding) <= 1 and not rescue.released):
        return with_released(nobody_inside(incident), (lift.lift_id for lift in holding))
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
        stages = {**lift.stages, RELEASED: incident.stages[RELEASED]}
        after = with_lift(after, replace(lift, stages=stages, holds_people=False, release_seen=False))
    after = with_released(after, (lift.lift_id for lift in out))
    return without(after, RELEASED) if after.may_hold_people else after
