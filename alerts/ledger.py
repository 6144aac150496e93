"""The newest alerts of some lifts while findings and answers are applied to them by the alert book. Pure.

A caller that stores alerts makes a ledger of the stored ones, applies, and writes back `changed` and `changes`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from alerts.alert import FIRING, Alert, Change
from alerts.answers import Answer, on_answer
from alerts.book import Occurrence, on_cause_over, on_finding, on_time
from alerts.inhibition import CAUSES


class Ledger:
    """The newest alert of each lift and rule, the changed alerts, and the changes in their order."""

    def __init__(self, newest: Iterable[Alert] = ()) -> None:
        self.newest: defaultdict[str, dict[str, Alert]] = defaultdict(dict)
        self.changed: dict[str, Alert] = {}
        self.changes: list[Change] = []
        for alert in newest:
            self.newest[alert.lift_id][alert.rule] = alert

    def end_shelvings(self, due: Iterable[Alert], now_ns: int) -> None:
        """Unshelve alerts whose shelving ends by now."""
        for alert in due:
            self._take(on_time(alert, self._causes(alert.lift_id), now_ns), now_ns)

    def apply(self, occurrences: Sequence[Occurrence]) -> None:
        """Apply findings in the order of their time."""
        for occurrence in sorted(occurrences, key=_in_order):
            finding, lift_id, rule = occurrence.finding, occurrence.lift_id, occurrence.rule
            last = self.newest[lift_id].get(rule.slug)
            change = on_finding(
                last,
                finding,
                rule=rule,
                lift_id=lift_id,
                district=occurrence.district,
                noticed_ns=occurrence.noticed_ns,
                causes=self._causes(lift_id),
            )
            self._take(change, occurrence.noticed_ns)

    def answer(self, lift_id: str, rule: str, answer: Answer, now_ns: int) -> None:
        """Apply an answer to the newest alert of a lift and rule; raise `Refused` where its state forbids it."""
        self._take(on_answer(self.newest[lift_id][rule], answer, now_ns, self._causes(lift_id)), now_ns)

    def ids(self) -> set[str]:
        """Return the ids of the newest alerts."""
        return {alert.id for of_lift in self.newest.values() for alert in of_lift.values()}

    def _causes(self, lift_id: str) -> list[Alert]:
        return [self.newest[lift_id][slug] for slug in CAUSES if slug in self.newest[lift_id]]

    def _take(self, change: Change | None, now_ns: int) -> None:
        """Keep a change; the end of a cause releases the alerts that it inhibited at once, before later findings."""
        if change is None:
            return
        alert = change.alert
        of_lift = self.newest[alert.lift_id]
        known = of_lift.get(alert.rule)
        if known is None or alert.last_ns >= known.last_ns:
            of_lift[alert.rule] = alert
        self.changed[alert.id] = alert
        self.changes.append(change)
        if alert.rule in CAUSES and alert.state != FIRING:
            for held in sorted(of_lift.values(), key=lambda one: (one.onset_ns, one.rule)):
                self._take(on_cause_over(held, self._causes(alert.lift_id), now_ns), now_ns)


def _in_order(occurrence: Occurrence) -> tuple[int, bool]:
    return occurrence.finding.at_ns, occurrence.rule.slug not in CAUSES
