"""Alerts, as the book makes them: judged by the monitor, answered by people, asked for by the API.

Exactly once, by three things in one transaction under the writer's lock: the alerts with their transitions, the
journal's position, and a look at what is stored before anything is applied.

    journal   ──1──2──3──4──5──6──▶      judge(position=6) commits alerts, transitions, refusals, 6, and a snapshot of 4
    killed before the commit             nothing of it is there; read again from the snapshot, the same is found again
    killed after the commit              read again from 5: findings that are in the alerts (`last_ns`) are repeats,
                                         refusals up to 6 are passed over
    a person answers in between          the monitor's next transaction applies findings to the answered alert

A monitor whose detectors latch (by hand alone) learns of resolves twice: `Judged.answers` as they come, and
`Judged.let_go` where a finding came again for an alert that somebody has closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, select, tuple_, update

from alerts.alert import CLOSED, FIRING, Alert, Change, Transition
from alerts.book import RESOLVED, Answer, Occurrence, on_answer, on_cause_over, on_finding, on_time
from alerts.inhibition import CAUSES
from alerts.wire import to_json
from store.records_database import Database, read_counter
from store.records_dead_letters import keep_refusals
from store.records_lifts import note
from store.schema import alerts, is_newest, is_open, is_shelved, snapshots, transitions
from telemetry.batch import Refusal

POSITION = "judged"
READER = "judge"
KEYS_AT_ONCE = 400

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The judge's state after `position`, with the answers up to the transition `answered_to` taken in."""

    position: int
    answered_to: int
    state: bytes


@dataclass(frozen=True, slots=True)
class Resume:
    """Where the judge goes on: load the snapshot, read the journal after its position.

    `position` is as far as transitions are committed: what is found up to there is known already.
    """

    position: int
    snapshot: Snapshot | None


@dataclass(frozen=True, slots=True)
class Answered:
    """A person resolved an alert: whatever latched for it is free again."""

    transition_id: int
    lift_id: str
    rule: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What one transaction of the monitor did, and what it learned of people's answers since."""

    changes: list[Change]
    answers: list[Answered]
    let_go: list[Key]


class Alerts:
    """The alerts' half of the records: what changes them."""

    _database: Database

    def resume(self) -> Resume:
        """Return where the judge goes on."""
        with self._database.reading() as connection:
            row = connection.execute(select(snapshots).where(snapshots.c.reader == READER)).first()
            position = read_counter(connection, POSITION)
        return Resume(position, None if row is None else Snapshot(row.position, row.answered_to, bytes(row.state)))

    def judge(
        self,
        *,
        position: int,
        occurrences: Sequence[Occurrence],
        now_ns: int,
        refusals: Sequence[Refusal] = (),
        answered_to: int = 0,
        snapshot: Snapshot | None = None,
    ) -> Judged:
        """Commit what was found up to the journal's `position`, all of it or nothing.

        `answered_to` is the last transition whose answer the monitor has taken in; later ones are returned.
        """
        with self._database.writing() as connection:
            page = _Page(connection, {occurrence.lift_id for occurrence in occurrences}, now_ns)
            page.end_shelvings()
            let_go = page.apply(occurrences)
            page.release()
            page.write()
            before = read_counter(connection, POSITION)
            keep_refusals(connection, [refusal for refusal in refusals if refusal.position > before])
            if position > before:
                self._database.set_counter(connection, POSITION, position)
            if snapshot is not None:
                self._keep(connection, snapshot)
            return Judged(page.changes, _answers(connection, answered_to), let_go)

    def answers_since(self, transition_id: int) -> list[Answered]:
        """Return what people resolved after `transition_id`, in order."""
        with self._database.reading() as connection:
            return _answers(connection, transition_id)

    def answer(self, alert_id: str, answer: Answer, now_ns: int) -> Alert | None:
        """Apply what a person did and return the alert as it is then; None where there is no such alert.

        Raises `alerts.book.Refused` where the alert's state does not allow it.
        """
        with self._database.writing() as connection:
            text = connection.execute(select(alerts.c.alert).where(alerts.c.id == alert_id)).scalar()
            if text is None:
                return None
            before = read_alert(text)
            change = on_answer(before, answer, now_ns)
            if change is None:
                return before
            connection.execute(update(alerts).where(alerts.c.id == alert_id).values(**_columns(change.alert)))
            _write_transitions(connection, [change])
            note(connection, now_ns, answer.by, f"alert.{answer.kind}", [(alert_id, answer)])
            return change.alert

    def last_alerts(self, keys: Iterable[Key]) -> dict[Key, Alert]:
        """Return the newest alert of each (lift, rule) that ever had one."""
        wanted = list(keys)
        found: dict[Key, Alert] = {}
        with self._database.reading() as connection:
            for start in range(0, len(wanted), KEYS_AT_ONCE):
                some = tuple_(alerts.c.lift_id, alerts.c.rule).in_(wanted[start : start + KEYS_AT_ONCE])
                for text in connection.scalars(select(alerts.c.alert).where(is_newest, some)):
                    alert = read_alert(text)
                    found[alert.lift_id, alert.rule] = alert
        return found

    def open_alerts(self) -> list[Alert]:
        """Return every alert that is firing, of the whole fleet."""
        with self._database.reading() as connection:
            rows = connection.scalars(select(alerts.c.alert).where(is_open)).all()
        return [read_alert(text) for text in rows]

    def _keep(self, connection: Connection, snapshot: Snapshot) -> None:
        values = {"reader": READER, **asdict(snapshot)}
        row = self._database.insert(snapshots).values(**values)
        connection.execute(row.on_conflict_do_update(index_elements=["reader"], set_=values))


class _Page:
    """The newest alerts of some lifts while one transaction works on them."""

    def __init__(self, connection: Connection, lift_ids: set[str], now_ns: int) -> None:
        self._connection = connection
        self._now_ns = now_ns
        due = select(alerts.c.alert).where(is_shelved, alerts.c.shelved_until_ns <= now_ns)
        self._due = [read_alert(text) for text in connection.scalars(due)]
        self._newest = _newest(connection, lift_ids | {alert.lift_id for alert in self._due})
        self._newest_stored = {alert.id for alert in self._newest.values()}
        self._stored = self._newest_stored | {alert.id for alert in self._due}
        self._changed: dict[str, Alert] = {}
        self._over: set[str] = set()
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
            last = self._newest.get((lift_id, rule.slug))
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

    def release(self) -> None:
        """Release what was held back by a cause that is over."""
        for key, alert in list(self._newest.items()):
            if key[0] in self._over:
                self._take(on_cause_over(alert, self._causes(key[0]), self._now_ns))

    def write(self) -> None:
        """Write every alert that changed, older ones first, then the transitions in their order."""
        newest = {alert.id for alert in self._newest.values()}
        rows = [_columns(alert) | {"newest": alert.id in newest} for alert in self._changed.values()]
        old = [{f"_{name}": value for name, value in row.items()} for row in rows if row["id"] in self._stored]
        if old:
            columns: dict[str, Any] = {name: bindparam(f"_{name}") for name in rows[0] if name != "id"}
            self._connection.execute(update(alerts).where(alerts.c.id == bindparam("_id")).values(columns), old)
        for alert_id in self._newest_stored - newest - self._changed.keys():
            self._connection.execute(update(alerts).where(alerts.c.id == alert_id).values(newest=False))
        new = [row for row in rows if row["id"] not in self._stored]
        if new:
            self._connection.execute(alerts.insert(), new)
        _write_transitions(self._connection, self.changes)

    def _causes(self, lift_id: str) -> list[Alert]:
        return [self._newest[lift_id, slug] for slug in CAUSES if (lift_id, slug) in self._newest]

    def _take(self, change: Change | None) -> None:
        if change is None:
            return
        alert = change.alert
        key = (alert.lift_id, alert.rule)
        known = self._newest.get(key)
        if known is None or alert.onset_ns >= known.onset_ns:
            self._newest[key] = alert
        if alert.rule in CAUSES and alert.state != FIRING:
            self._over.add(alert.lift_id)
        self._changed[alert.id] = alert
        self.changes.append(change)


def read_alert(text: str) -> Alert:
    """Return the alert that a row keeps."""
    values = orjson.loads(text)
    for name in ("last_applied", "levels"):
        values[name] = tuple(values[name])
    return Alert(**values)


def _in_order(occurrence: Occurrence) -> tuple[int, bool]:
    return occurrence.finding.at_ns, occurrence.rule.slug not in CAUSES


def _newest(connection: Connection, lift_ids: set[str]) -> dict[Key, Alert]:
    wanted = sorted(lift_ids)
    found: dict[Key, Alert] = {}
    for start in range(0, len(wanted), KEYS_AT_ONCE):
        some = alerts.c.lift_id.in_(wanted[start : start + KEYS_AT_ONCE])
        for text in connection.scalars(select(alerts.c.alert).where(is_newest, some)):
            alert = read_alert(text)
            found[alert.lift_id, alert.rule] = alert
    return found


def _columns(alert: Alert) -> dict[str, Any]:
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


def _write_transitions(connection: Connection, changes: Iterable[Change]) -> None:
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
        "alert": orjson.dumps(to_json(alert)).decode(),
    }


def _answers(connection: Connection, since: int) -> list[Answered]:
    resolved = select(transitions.c.id, transitions.c.lift_id, alerts.c.rule).join(
        alerts, alerts.c.id == transitions.c.alert_id
    )
    rows = connection.execute(
        resolved.where(transitions.c.id > since, transitions.c.kind == RESOLVED).order_by(transitions.c.id)
    )
    return [Answered(row.id, row.lift_id, row.rule) for row in rows]
