"""Decides which incident an alert is folded into, and applies changes of alerts to incidents by their table. Pure.

A caller that stores incidents makes a ledger of those that the changed alerts are in or may join, applies the changes
in their order, and writes back `changed`, `changes`, `moves` and the incident of each alert in `joined`.

    an alert of an incident       that incident; where it is closed and the alert fires again, the open one of its lift
    an alert of none, firing      the open incident of its lift into which alerts fold, or a new one
    a loss of power, firing       the open incident of its building without power: that of its lift is merged into it
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

from alerts.alert import FIRING, Alert, Change
from alerts.incidents.incident import Incident, IncidentChange, folding_only, with_building
from alerts.incidents.merging import merge
from alerts.incidents.table import FIRES_AGAIN, on_alert, on_alert_joining, on_alert_leaving, opened_by_alert
from alerts.inhibition import POWER_LOSS

K = TypeVar("K", bound=Hashable)
Member = tuple[str, str]
"""The id of an alert's incident, and the state of the alert when it was last applied."""


class IncidentLedger:
    """The incidents by id, the changed ones, their changes in order, and which alerts joined which incident.

    `members` are the alerts that are in an incident already; `buildings` are the buildings of lifts.
    """

    def __init__(
        self,
        incidents: Iterable[Incident] = (),
        members: Mapping[str, Member] | None = None,
        buildings: Mapping[str, str] | None = None,
    ) -> None:
        self.incidents: dict[str, Incident] = {}
        self._folding: dict[str, str] = {}
        self._without_power: dict[tuple[str, str], str] = {}
        for incident in incidents:
            self._keep(incident)
        self.changed: dict[str, Incident] = {}
        self.changes: list[IncidentChange] = []
        self.moves: list[tuple[str, str]] = []
        self._members = dict(members or {})
        self._buildings = buildings or {}
        self._stored_members = dict(self._members)

    @property
    def joined(self) -> dict[str, str]:
        """The incident of each alert that is in another incident than before, or in one for the first time."""
        now = {alert_id: self._resolved(name) for alert_id, (name, _) in self._members.items()}
        return {
            alert_id: name
            for alert_id, name in now.items()
            if alert_id not in self._stored_members or self._resolved(self._stored_members[alert_id][0]) != name
        }

    def apply(self, change: Change) -> None:
        """Apply a change of an alert; one without a transition changes no incident."""
        if change.transition is None:
            return
        alert, at_ns = change.alert, change.transition.at_ns
        name, was = self._members.get(alert.id, ("", alert.state))
        own = self.incidents.get(self._resolved(name))
        if own is None:
            if alert.state == FIRING:
                self._join(alert, at_ns)
        elif own.is_open or change.transition.kind not in FIRES_AGAIN:
            self._apply(own, change, was)
        elif alert.lift_id in self._folding:
            self.take(on_alert_leaving(own, alert, was))
            self._join(alert, at_ns)
        else:
            self._apply(folding_only(own, lambda lift_id: lift_id not in self._folding), change, was)

    def _apply(self, own: Incident, change: Change, was: str) -> None:
        """Apply a change of an alert to the alert's own incident."""
        self._members[change.alert.id] = own.id, change.alert.state
        self.take(on_alert(own, change, was))

    def take(self, change: IncidentChange | None) -> None:
        """Keep a change of an incident."""
        if change is not None:
            self._keep(change.incident)
            self.changed[change.incident.id] = change.incident
            self.changes.append(change)

    def merge(self, into: Incident, other: Incident, at_ns: int) -> Incident:
        """Merge an incident into another one as the monitor; return the other one."""
        for change in merge(into, other, at_ns):
            self.take(change)
        self.moves.append((other.id, into.id))
        return self.incidents[into.id]

    def _join(self, alert: Alert, at_ns: int) -> None:
        """Fold an alert into the open incident of its lift or building, or open one."""
        own, building = self._at(self._folding, alert.lift_id), self._buildings.get(alert.lift_id)
        target = own
        if alert.rule == POWER_LOSS and building is not None:
            target = self._at(self._without_power, (building, alert.district)) or own
            if own is not None and target is not None and target.id != own.id:
                target = self.merge(target, own, at_ns)
        change = opened_by_alert(alert, at_ns) if target is None else on_alert_joining(target, alert, at_ns)
        if alert.rule == POWER_LOSS and building is not None:
            change = with_building(change, building)
        self.take(change)
        self._members[alert.id] = change.incident.id, alert.state

    def _keep(self, incident: Incident) -> None:
        """Keep an incident, and the lifts and the building whose alerts fold into it."""
        self.incidents[incident.id] = incident
        for lift in incident.lifts:
            _point(self._folding, lift.lift_id, incident.id, incident.is_open and lift.folds)
        if incident.building is not None:
            _point(self._without_power, (incident.building, incident.district), incident.id, incident.is_open)

    def _at(self, index: Mapping[K, str], key: K) -> Incident | None:
        """Return the incident to which an index points for a key."""
        name = index.get(key)
        return None if name is None else self.incidents[name]

    def _resolved(self, name: str) -> str:
        """Return the incident into which an incident was merged, at last, or the incident itself."""
        while (incident := self.incidents.get(name)) is not None and incident.merged_into is not None:
            name = incident.merged_into
        return name


def _point(index: dict[K, str], key: K, name: str, is_open: bool) -> None:
    """Let an index point to an open incident, and no more to one that is not."""
    if is_open:
        index[key] = name
    elif index.get(key) == name:
        del index[key]
