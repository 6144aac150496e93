"""The notification of an owed call: what its person needs to know about the incident and the way to its lift. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from alerts.alert import Alert
from alerts.escalation.plan import OwedCall
from alerts.incidents.incident import ON_SITE, Incident, IncidentLift
from alerts.incidents.kinds import PEOPLE_INSIDE
from alerts.incidents.rescue import ARRIVED, FIRM
from alerts.notification import Notification, NotifiedLift
from notify.texts.phrases import LANGUAGES, phrase
from registry.car_floor import between_floors, floor_label
from registry.catalogue import SEVERITIES
from registry.lift_facts import LiftFacts, name_in_language
from store.live import LiveTable


@dataclass(frozen=True, slots=True)
class CalledIncident:
    """An incident as one organisation sees it: those of its lifts that concern the organisation, and their alerts.

    `lift` describes the first of the lifts. `to_telephone` are those who are called out, and can only be telephoned.
    """

    incident: Incident
    lift: NotifiedLift
    lifts: Sequence[IncidentLift]
    alerts: Sequence[Alert] = ()
    to_telephone: Sequence[str] = ()

    @property
    def is_late(self) -> bool:
        """Whether somebody may be inside, and nobody has arrived in time, or comes though the level has risen."""
        rescue = self.incident.rescue
        if rescue is None or not self.incident.may_hold_people or ON_SITE in self.incident.stages:
            return False
        comes = any(each.is_coming for each in rescue.call_outs)
        return ARRIVED in rescue.overdue or (rescue.level > FIRM and not comes)


def owed_notification(call: OwedCall, about: CalledIncident) -> Notification:
    """Return the notification of a call. Of a rescue the kind says what has happened, of others the worst alert.

    Of a rescue that does not get on, a sentence says so, and whom to telephone.
    """
    incident = about.incident
    summary = {} if incident.kind in PEOPLE_INSIDE else _worst_summary(about)
    if about.is_late:
        summary = {language: _late(about, language) for language in LANGUAGES}
    return Notification(
        call.key,
        call.callee.person_id,
        incident.id,
        incident.kind,
        incident.severity,
        incident.opened_ns,
        about.lift,
        summary,
        others=len(about.lifts) - 1,
        may_hold_people=any(lift.holds_people for lift in about.lifts),
        is_repeat=call.call > 0,
    )


def notified_lift(lift: IncidentLift, facts: LiftFacts | None) -> NotifiedLift:
    """Return what is known of a lift for the way to it."""
    if facts is None:
        return NotifiedLift(lift.lift_id, lift.district)
    where = (facts.name, facts.address, facts.lat, facts.lon, facts.timezone)
    return NotifiedLift(lift.lift_id, lift.district, *where)


def with_floor(lift: NotifiedLift, facts: LiftFacts | None, table: LiveTable | None) -> NotifiedLift:
    """Return a lift with the floor of its car, or the floors between which the car is, by the latest readings."""
    if table is None or lift.lift_id not in table.lift_id:
        return lift
    row = int(np.flatnonzero(table.lift_id == lift.lift_id)[0])
    between = between_floors(facts, float(table.position_m[row]))
    floor = floor_label(facts, int(table.landing[row]))
    return replace(lift, floor=None if between else floor, between=between)


def _late(about: CalledIncident, language: str) -> str:
    names = [name_in_language(each, language) for each in about.to_telephone]
    if not names:
        return phrase(language, "late")
    return phrase(language, "late.telephone", names=phrase(language, "list").join(names))


def _worst_summary(about: CalledIncident) -> dict[str, str]:
    own = {lift.lift_id for lift in about.lifts}
    theirs = [alert for alert in about.alerts if alert.lift_id in own]
    worst = max(theirs, key=lambda alert: (SEVERITIES.index(alert.severity), -alert.onset_ns), default=None)
    return {} if worst is None else dict(worst.summary)
