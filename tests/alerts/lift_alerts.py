"""The alerts of one lift, made by the alert book."""

from __future__ import annotations

from typing import Any

from alerts.alert import Alert, Change
from alerts.answers import Answer, on_answer
from alerts.book import on_finding
from detectors.rule import Rule
from registry.actor import Actor
from tests.alerts.rules import DISTRICT, LIFT, T0, S, finding


class Lift:
    """The alerts of one lift as the book makes them from findings and answers at given seconds."""

    def __init__(self) -> None:
        self.last: dict[str, Alert] = {}
        self.transitions: list[str] = []

    def find(self, what: Rule, kind: str, at_s: float, severity: int | None = None, **more: Any) -> Change | None:
        found = finding(what, kind, at_s, severity, **more)
        change = on_finding(
            self.last.get(what.slug),
            found,
            rule=what,
            lift_id=LIFT,
            district=DISTRICT,
            noticed_ns=found.at_ns + S,
            causes=list(self.last.values()),
        )
        return self._take(change)

    def answer(self, what: Rule, kind: str, at_s: float, **more: Any) -> Change | None:
        return self._take(
            on_answer(self.last[what.slug], Answer(kind, Actor.named("ann"), **more), T0 + round(at_s * S))
        )

    def _take(self, change: Change | None) -> Change | None:
        if change is not None:
            self.last[change.alert.rule] = change.alert
            if change.transition is not None:
                self.transitions.append(change.transition.kind)
        return change

    def __getitem__(self, what: Rule) -> Alert:
        return self.last[what.slug]
