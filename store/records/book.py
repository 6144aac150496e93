"""The alerts of some lifts in one transaction: loaded, changed by the alert book, written back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, select, update

from alerts.alert import Alert, Change, Transition
from alerts.book import Occurrence
from alerts.ledger import Ledger
from alerts.wire import to_json
from store.records.judging.thresholds import marked, recent_changes
from store.records.schema import alerts, is_newest, is_shelved, transitions

LIFTS_AT_ONCE = 400


class OpenBook:
    """The ledger of some lifts for the length of one transaction."""

    def __init__(self, connection: Connection, lift_ids: set[str], now_ns: int) -> None:
        self._connection = connection
        self._now_ns = now_ns
        due = select(alerts.c.alert).where(is_shelved, alerts.c.shelved_until_ns <= now_ns)
        self._due = [read_alert(text) for text in connection.scalars(due)]
        self._ledger = Ledger(_newest(connection, lift_ids | {alert.lift_id for alert in self._due}))
        self._newest_stored = self._ledger.ids()
        self._stored = self._newest_stored | {alert.id for alert in self._due}

    @property
    def changes(self) -> list[Change]:
        """The changes so far, in order."""
        return self._ledger.changes

    def end_shelvings(self) -> None:
        """Unshelve alerts whose shelving has ended."""
        self._ledger.end_shelvings(self._due, self._now_ns)

    def apply(self, occurrences: Sequence[Occurrence]) -> None:
        """Apply findings in the order of their time."""
        self._ledger.apply(occurrences)

    def write(self) -> None:
        """Write every changed alert, older ones first, then the transitions in order."""
        lift_ids = {alert.lift_id for alert in self._ledger.changed.values()}
        recent = recent_changes(self._connection, lift_ids, self._now_ns)
        newest = self._ledger.ids()
        changed = {alert_id: marked(alert, recent) for alert_id, alert in self._ledger.changed.items()}
        rows = [alert_row(alert) | {"newest": alert.id in newest} for alert in changed.values()]
        old = [{f"_{name}": value for name, value in row.items()} for row in rows if row["id"] in self._stored]
        if old:
            fresh: dict[str, Any] = {name: bindparam(f"_{name}") for name in rows[0] if name != "id"}
            self._connection.execute(update(alerts).where(alerts.c.id == bindparam("_id")).values(fresh), old)
        for alert_id in self._newest_stored - newest - changed.keys():
            self._connection.execute(update(alerts).where(alerts.c.id == alert_id).values(newest=False))
        new = [row for row in rows if row["id"] not in self._stored]
        if new:
            self._connection.execute(alerts.insert(), new)
        write_transitions(self._connection, (replace(each, alert=marked(each.alert, recent)) for each in self.changes))


def read_alert(text: str) -> Alert:
    """Return the alert of a row."""
    values = orjson.loads(text)
    for name in ("last_applied", "levels"):
        values[name] = tuple(values[name])
    values["acknowledgements"] = tuple(map(tuple, values.get("acknowledgements", ())))
    return Alert(**values)


def _newest(connection: Connection, lift_ids: set[str]) -> Iterator[Alert]:
    """Yield the newest alert of each rule of each of these lifts."""
    wanted = sorted(lift_ids)
    for start in range(0, len(wanted), LIFTS_AT_ONCE):
        some = alerts.c.lift_id.in_(wanted[start : start + LIFTS_AT_ONCE])
        yield from map(read_alert, connection.scalars(select(alerts.c.alert).where(is_newest, some)))


def alert_document(alert: Alert) -> dict[str, Any]:
    """Return an alert as the JSON of its row has it."""
    document: dict[str, Any] = orjson.loads(orjson.dumps(alert))
    return document


def alert_row(alert: Alert) -> dict[str, Any]:
    """Return the row of an alert: the alert as JSON, and the columns that are searched."""
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
    """Write the transitions of these changes, each with the alert's JSON at that moment."""
    rows = [_transition_row(change.alert, change.transition) for change in changes if change.transition is not None]
    if rows:
        connection.execute(transitions.insert(), rows)


def _transition_row(alert: Alert, transition: Transition) -> dict[str, Any]:
    return {
        "alert_id": alert.id,
        "lift_id": alert.lift_id,
        "district": alert.district,
        "kind": transition.kind,
        "at_ns": transition.at_ns,
        "by": transition.by,
        "note": transition.note,
        "to": transition.to,
        "organisation": transition.organisation,
        "shared": transition.shared,
        "alert": orjson.dumps(to_json(alert)).decode(),
    }
