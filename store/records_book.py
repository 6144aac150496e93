"""The pages of the alert book that one transaction has open: loaded by lift, changed by the book, written back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, select, update

from alerts.alert import CLOSED, FIRING, Alert, Change, Transition
from alerts.book import Occurrence, on_cause_over, on_finding, on_time
from alerts.inhibition import CAUSES
from alerts.wire import to_json
from store.schema import alerts, is_newest, is_shelved, transitions

LIFTS_AT_ONCE = 400

Key = tuple[str, str]


class OpenBook:
    """The newest alerts of some lifts while one transaction works on them."""

    def __init__(self, connection: Connection, lift_ids: set[str], now_ns: int) -> None:
        self._connection = connection
        self._now_ns = now_ns
        due = select(alerts.c.alert).where(is_shelved, alerts.c.shelved_until_ns <= now_ns)
        self._due = [read_alert(text) for text in connection.scalars(due)]
        self._newest = _newest(connection, lift_ids | {alert.lift_id for alert in self._due})
        self._newest_stored = self._newest_ids()
        self._stored = self._newest_stored | {alert.id for alert in self._due}
        self._changed: dict[str, Alert] = {}
        self.changes: list[Change] = []

    def end_shelvings(self) -> None:
        """Unshelve what was shelved until now."""
        for alert in self._due:
            self._take(on_time(alert, self._causes(alert.lift_id), self._now_ns))

    def apply(self, occurrences: Sequence[Occurrence]) -> list[Key]:
        """Apply findings in the order of their time; return the keys of those that came again for a closed alert."""
        let_go = []
        for occurrence in sorted(occurrences, key=_in_order):
            finding, lift_id, rule = occurrence.finding, occurrence.lift_id, occurrence.rule
            last = self._newest[lift_id].get(rule.slug)
            change = on_finding(
                last,
                finding,
                rule=rule,
                lift_id=lift_id,
                district=occurrence.district,
                noticed_ns=occurrence.noticed_ns,
                causes=self._causes(lift_id),
            )
            self._take(change)
            if change is None and finding.kind == "on" and finding.by_hand and last and last.state == CLOSED:
                let_go.append((lift_id, rule.slug))
        return let_go

    def write(self) -> None:
        """Write every alert that changed, older ones first, then the transitions in their order."""
        newest = self._newest_ids()
        rows = [columns(alert) | {"newest": alert.id in newest} for alert in self._changed.values()]
        old = [{f"_{name}": value for name, value in row.items()} for row in rows if row["id"] in self._stored]
        if old:
            fresh: dict[str, Any] = {name: bindparam(f"_{name}") for name in rows[0] if name != "id"}
            self._connection.execute(update(alerts).where(alerts.c.id == bindparam("_id")).values(fresh), old)
        for alert_id in self._newest_stored - newest - self._changed.keys():
            self._connection.execute(update(alerts).where(alerts.c.id == alert_id).values(newest=False))
        new = [row for row in rows if row["id"] not in self._stored]
        if new:
            self._connection.execute(alerts.insert(), new)
        write_transitions(self._connection, self.changes)

    def _causes(self, lift_id: str) -> list[Alert]:
        return [self._newest[lift_id][slug] for slug in CAUSES if slug in self._newest[lift_id]]

    def _take(self, change: Change | None) -> None:
        """Keep a change; the end of a cause releases what it held back at once, before what comes later."""
        if change is None:
            return
        alert = change.alert
        of_lift = self._newest[alert.lift_id]
        known = of_lift.get(alert.rule)
        if known is None or alert.onset_ns >= known.onset_ns:
            of_lift[alert.rule] = alert
        self._changed[alert.id] = alert
        self.changes.append(change)
        if alert.rule in CAUSES and alert.state != FIRING:
            for held in sorted(of_lift.values(), key=lambda one: (one.onset_ns, one.rule)):
                self._take(on_cause_over(held, self._causes(alert.lift_id), self._now_ns))

    def _newest_ids(self) -> set[str]:
        return {alert.id for of_lift in self._newest.values() for alert in of_lift.values()}


def read_alert(text: str) -> Alert:
    """Return the alert that a row keeps."""
    values = orjson.loads(text)
    for name in ("last_applied", "levels"):
        values[name] = tuple(values[name])
    return Alert(**values)


def _in_order(occurrence: Occurrence) -> tuple[int, bool]:
    return occurrence.finding.at_ns, occurrence.rule.slug not in CAUSES


def _newest(connection: Connection, lift_ids: set[str]) -> dict[str, dict[str, Alert]]:
    """Return the newest alert of each rule of each of these lifts, by lift and rule."""
    found: dict[str, dict[str, Alert]] = {lift_id: {} for lift_id in lift_ids}
    wanted = sorted(lift_ids)
    for start in range(0, len(wanted), LIFTS_AT_ONCE):
        some = alerts.c.lift_id.in_(wanted[start : start + LIFTS_AT_ONCE])
        for text in connection.scalars(select(alerts.c.alert).where(is_newest, some)):
            alert = read_alert(text)
            found[alert.lift_id][alert.rule] = alert
    return found


def columns(alert: Alert) -> dict[str, Any]:
    """Return the row that keeps an alert: the whole of it, and the columns that are searched."""
    return {
        "id": alert.id,
        "lift_id": alert.lift_id,
        "district": alert.district,
        "rule": alert.rule,
        "severity": alert.severity,
        "state": alert.state,
        "onset_ns": alert.onset_ns,
        "shelved_until_ns": alert.shelved_until_ns,
        "alert": orjson.dumps(alert).decode(),
    }


def write_transitions(connection: Connection, changes: Iterable[Change]) -> None:
    """Write what there is to tell, each with the alert's JSON as of then."""
    rows = [_told(change.alert, change.transition) for change in changes if change.transition is not None]
    if rows:
        connection.execute(transitions.insert(), rows)


def _told(alert: Alert, transition: Transition) -> dict[str, Any]:
    return {
        "alert_id": alert.id,
        "lift_id": alert.lift_id,
        "district": alert.district,
        "kind": transition.kind,
        "at_ns": transition.at_ns,
        "by": transition.by,
        "note": transition.note,
        "to": transition.to,
        "alert": orjson.dumps(to_json(alert)).decode(),
    }
