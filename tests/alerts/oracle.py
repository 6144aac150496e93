"""The life of an alert as a plain loop over its events, written from the contract instead of the book's table.

The tests compare the book with it. One lift, one rule, no causes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

HOURS_8 = 8 * 3600 * 1_000_000_000


@dataclass
class ExpectedAlert:
    """One alert of the plain loop."""

    onset_ns: int
    severity: int
    state: str = "firing"
    count: int = 1
    acknowledged: bool = False
    assigned_to: str | None = None
    shelved_until_ns: int | None = None
    cleared_ns: int | None = None
    by_person: bool = False
    by_hand: bool = False
    holding: set[int] = field(default_factory=set)


@dataclass
class Retelling:
    """The alerts of a story, and the number of their transitions."""

    fold_ns: int
    alerts: list[ExpectedAlert] = field(default_factory=list)
    transitions: int = 0
    seen: set[tuple[int, str, int]] = field(default_factory=set)
    latest_ns: int = -1

    def apply(self, event: tuple[str, Any]) -> str | None:
        """Apply the next event; return "refused" where the contract refuses the event."""
        what, value = event
        before = [self._outside(alert) for alert in self.alerts]
        answer = self._finding(*value) if what == "finding" else self._person(*value)
        after = [self._outside(alert) for alert in self.alerts]
        self.transitions += before != after or (what == "person" and value[0] == "comment" and bool(self.alerts))
        return answer

    def _finding(self, kind: str, severity: int, onset_ns: int, at_ns: int, by_hand: bool) -> None:
        if at_ns < self.latest_ns or (at_ns, kind, severity) in self.seen:
            return
        last = self.alerts[-1] if self.alerts else None
        if kind == "off":
            if last is None or last.state != "firing" or severity not in last.holding:
                return
            self._remember(at_ns, kind, severity)
            last.holding.discard(severity)
            if not last.holding and not last.by_hand:
                last.state = "closed" if last.acknowledged else "cleared"
                last.cleared_ns = at_ns
            return
        self._remember(at_ns, kind, severity)
        if last is not None and last.state == "firing":
            self._rise(last, severity, by_hand)
        elif last is not None and not last.by_person and onset_ns - (last.cleared_ns or 0) <= self.fold_ns:
            last.state, last.cleared_ns = "firing", None
            last.count += 1
            if last.shelved_until_ns is not None and last.shelved_until_ns <= at_ns:
                last.shelved_until_ns = None
            self._rise(last, severity, by_hand)
        else:
            if last is not None and onset_ns <= last.onset_ns:
                onset_ns = max(at_ns, last.onset_ns + 1)
            self.alerts.append(ExpectedAlert(onset_ns, severity, holding={severity}, by_hand=by_hand))

    def _rise(self, alert: ExpectedAlert, severity: int, by_hand: bool) -> None:
        alert.holding.add(severity)
        alert.by_hand = alert.by_hand or by_hand
        if severity > alert.severity:
            alert.severity = severity
            alert.acknowledged = False
            if severity == 3:
                alert.shelved_until_ns = None

    def _person(self, kind: str, now_ns: int, value: Any) -> str | None:
        if not self.alerts:
            return None
        alert = self.alerts[-1]
        if kind == "ack" and not alert.acknowledged:
            if alert.state == "closed":
                return "refused"
            alert.acknowledged = True
            if alert.state == "cleared":
                alert.state = "closed"
        if kind == "resolve" and alert.state != "closed":
            if alert.state == "firing" and not alert.by_hand:
                return "refused"
            alert.state, alert.by_person, alert.holding = "closed", True, set()
        if kind == "assign" and alert.assigned_to != value:
            if alert.state == "closed":
                return "refused"
            alert.assigned_to = value
        if kind == "shelve" and alert.shelved_until_ns != value:
            if alert.state == "closed" or alert.severity == 3 or not now_ns < value <= now_ns + HOURS_8:
                return "refused"
            alert.shelved_until_ns = value
        if kind == "unshelve" and alert.shelved_until_ns is not None:
            if alert.state == "closed":
                return "refused"
            alert.shelved_until_ns = None
        return None

    def _remember(self, at_ns: int, kind: str, severity: int) -> None:
        if at_ns > self.latest_ns:
            self.seen.clear()
        self.latest_ns = at_ns
        self.seen.add((at_ns, kind, severity))

    @staticmethod
    def _outside(alert: ExpectedAlert) -> tuple[Any, ...]:
        """Return what people see of an alert."""
        return (
            alert.state, alert.severity, alert.count, alert.acknowledged, alert.assigned_to, alert.shelved_until_ns,
        )  # fmt: skip
