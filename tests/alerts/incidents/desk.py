"""A desk with some lifts: findings go through the alert book, and its changes through the ledger of incidents.

As the records do, a person's acknowledgement of an incident acknowledges its alerts, and the alerts of an incident that
a person closed are resolved when the time to undo is over.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from alerts.alert import CLOSED, FIRING, Alert, Change
from alerts.answers import Answer, Refused
from alerts.incidents.actions import Call, IncidentAction, on_action, on_call, settles_ns
from alerts.incidents.incident import Incident, IncidentChange
from alerts.incidents.ledger import IncidentLedger
from alerts.incidents.merging import link, merge
from alerts.incidents.splitting import divide, split
from alerts.ledger import Ledger
from detectors.rule import Level, Rule
from registry.actor import Actor
from tests.alerts.rules import DISTRICT, LIFT, T0, S, occurrence, rule

ENTRAPMENT = rule("entrapment-off-level", Level(3))
BUTTON = rule("alarm-button", Level(3, by_hand=True))
ANN, BOB = Actor.named("ann"), Actor.named("bob")


class IncidentDesk:
    """The alerts and incidents of some lifts; every time is in seconds since `T0`."""

    def __init__(self, buildings: Mapping[str, str] | None = None) -> None:
        self.alerts = Ledger()
        self.buildings = buildings
        self.incidents: dict[str, Incident] = {}
        self.changes: list[IncidentChange] = []
        self.every_alert: dict[str, Alert] = {}
        self.member_of: dict[str, str] = {}

    def find(self, what: Rule, kind: str, at_s: float, severity: int | None = None, lift_id: str = LIFT) -> None:
        """Apply a finding; the monitor notices it a second later."""
        self.settle(at_s + 1)
        seen = len(self.alerts.changes)
        self.alerts.apply([occurrence(what, kind, at_s, severity, lift_id=lift_id)])
        self._pass_on(self.alerts.changes[seen:])

    def answer(self, what: Rule, kind: str, at_s: float, lift_id: str = LIFT, by: Actor = ANN) -> None:
        """Apply a person's answer to the newest alert of a rule."""
        self.settle(at_s)
        seen = len(self.alerts.changes)
        self.alerts.answer(lift_id, what.slug, Answer(kind, by), T0 + round(at_s * S))
        self._pass_on(self.alerts.changes[seen:])

    def act(self, incident_id: str, kind: str, at_s: float, by: Actor = ANN, **more: Any) -> IncidentChange | None:
        """Apply a person's action to an incident."""
        self.settle(at_s)
        incident, now_ns = self.incidents[incident_id], T0 + round(at_s * S)
        unclosed = [alert for alert in self.alerts_of(incident_id) if alert.state != CLOSED]
        others = any(
            other.folds(lift.lift_id)
            for other in self.incidents.values()
            for lift in incident.lifts
            if other.id != incident_id and lift.folds
        )
        change = on_action(incident, IncidentAction(kind, by, **more), now_ns, unclosed, has_other=others)
        self._take(change)
        if change is not None and kind == "ack":
            self._answer_all(unclosed, Answer("ack", by), now_ns)
        return change

    def call(self, kind: str, at_s: float, lift_id: str = LIFT, callback: str | None = None) -> Incident:
        """Enter a telephone call; return its incident."""
        self.settle(at_s)
        own = next((one for one in self.incidents.values() if one.folds(lift_id)), None)
        change = on_call(own, Call(lift_id, DISTRICT, kind, ANN, callback), T0 + round(at_s * S))
        self._take(change)
        return change.incident

    def merge(self, into: str, other: str, at_s: float) -> None:
        """Merge an incident into another one."""
        self.settle(at_s)
        for change in merge(self.incidents[into], self.incidents[other], T0 + round(at_s * S), ANN):
            self._take(change)
        self._move(other, into)

    def split(self, incident_id: str, taken: set[str], at_s: float, lift_ids: Collection[str] = ()) -> Incident:
        """Split alerts and lifts off an incident; return the new one."""
        self.settle(at_s)
        alerts = self.alerts_of(incident_id)
        chosen = [alert for alert in alerts if alert.id in taken]
        left = [alert for alert in alerts if alert.id not in taken]
        division = divide(self.incidents[incident_id], chosen, left, lift_ids)
        kept, new = split(self.incidents[incident_id], division, T0 + round(at_s * S), ANN)
        self._take(kept)
        self._take(new)
        self.member_of |= {alert.id: new.incident.id for alert in division.taken}
        return new.incident

    def link(self, one: str, other: str, at_s: float) -> None:
        """Link two incidents."""
        for change in link(self.incidents[one], self.incidents[other], T0 + round(at_s * S), ANN) or ():
            self._take(change)

    def settle(self, at_s: float) -> None:
        """Resolve the alerts of incidents that people closed long enough ago."""
        now_ns = T0 + round(at_s * S)
        for incident in list(self.incidents.values()):
            due_ns = settles_ns(incident)
            if due_ns is not None and due_ns <= now_ns:
                by = Actor.named(str(incident.closed_by))
                self._answer_all(self.alerts_of(incident.id), Answer("resolve", by), now_ns)

    def alerts_of(self, incident_id: str) -> list[Alert]:
        """Return the alerts of an incident."""
        return [alert for alert in self.every_alert.values() if self.member_of.get(alert.id) == incident_id]

    def only(self, lift_id: str = LIFT) -> Incident:
        """Return the one incident of a lift."""
        (found,) = [one for one in self.incidents.values() if one.lift(lift_id) is not None]
        return found

    def story(self, incident_id: str) -> list[str]:
        """Return the kinds of an incident's entries."""
        entries = (change.entry for change in self.changes)
        return [entry.kind for entry in entries if entry is not None and entry.incident_id == incident_id]

    def firing(self) -> list[Alert]:
        """Return the alerts that fire."""
        return [alert for alert in self.every_alert.values() if alert.state == FIRING]

    def _answer_all(self, alerts: list[Alert], answer: Answer, now_ns: int) -> None:
        for alert in alerts:
            newest = self.alerts.newest[alert.lift_id][alert.rule]
            if newest.id != alert.id:
                self.alerts.newest[alert.lift_id][alert.rule] = alert
            seen = len(self.alerts.changes)
            try:
                self.alerts.answer(alert.lift_id, alert.rule, answer, now_ns)
            except Refused:
                continue
            finally:
                if newest.id != alert.id:
                    self.alerts.newest[alert.lift_id][alert.rule] = newest
            self._pass_on(self.alerts.changes[seen:])

    def _pass_on(self, changes: list[Change]) -> None:
        """Apply changes of alerts by a ledger that is loaded and written back, as the records do."""
        members = {alert: (incident, self.every_alert[alert].state) for alert, incident in self.member_of.items()}
        ledger = IncidentLedger(self.incidents.values(), members, self.buildings)
        for change in changes:
            self.every_alert[change.alert.id] = change.alert
            ledger.apply(change)
        for done in ledger.changes:
            self._take(done)
        for moved, into in ledger.moves:
            self._move(moved, into)
        self.member_of |= ledger.joined

    def _take(self, change: IncidentChange | None) -> None:
        if change is not None:
            self.incidents[change.incident.id] = change.incident
            self.changes.append(change)

    def _move(self, incident_id: str, into: str) -> None:
        for alert, name in self.member_of.items():
            if name == incident_id:
                self.member_of[alert] = into
