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

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, select, update

from alerts.alert import Alert, Change
from alerts.book import Answer, Occurrence, on_answer
from alerts.inhibition import CAUSES
from alerts.ledger import Key
from store.records.audit import note
from store.records.book import OpenBook, columns, read_alert, write_transitions
from store.records.database import Database, read_counter
from store.records.dead_letters import keep_refusals
from store.records.schema import alerts, is_open, is_resolve, snapshots, transitions
from telemetry.batch import Refusal

POSITION = "judged"
READER = "judge"


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
            book = OpenBook(connection, {occurrence.lift_id for occurrence in occurrences}, now_ns)
            book.end_shelvings()
            let_go = book.apply(occurrences)
            book.write()
            before = read_counter(connection, POSITION)
            keep_refusals(connection, [refusal for refusal in refusals if refusal.position > before])
            if position > before:
                self._database.set_counter(connection, POSITION, position)
            if snapshot is not None:
                self._keep(connection, snapshot)
            return Judged(book.changes, _answers(connection, answered_to), let_go)

    def answers_since(self, transition_id: int) -> list[Answered]:
        """Return what people resolved after this transition, in order."""
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
            change = on_answer(before, answer, now_ns, _causes(connection, before.lift_id))
            if change is None:
                return before
            connection.execute(update(alerts).where(alerts.c.id == alert_id).values(**columns(change.alert)))
            write_transitions(connection, [change])
            note(connection, now_ns, answer.by, f"alert.{answer.kind}", [(alert_id, answer)])
            return change.alert

    def open_alerts(self) -> list[Alert]:
        """Return every alert that is firing, of the whole fleet."""
        with self._database.reading() as connection:
            rows = connection.scalars(select(alerts.c.alert).where(is_open)).all()
        return [read_alert(text) for text in rows]

    def _keep(self, connection: Connection, snapshot: Snapshot) -> None:
        values = {"reader": READER, **asdict(snapshot)}
        row = self._database.insert(snapshots).values(**values)
        connection.execute(row.on_conflict_do_update(index_elements=["reader"], set_=values))


def _causes(connection: Connection, lift_id: str) -> list[Alert]:
    """Return the open alerts of a lift that may hold others back."""
    query = select(alerts.c.alert).where(is_open, alerts.c.lift_id == lift_id, alerts.c.rule.in_(CAUSES))
    return [read_alert(text) for text in connection.scalars(query)]


def _answers(connection: Connection, since: int) -> list[Answered]:
    resolved = select(transitions.c.id, transitions.c.lift_id, alerts.c.rule).join(
        alerts, alerts.c.id == transitions.c.alert_id
    )
    rows = connection.execute(resolved.where(is_resolve, transitions.c.id > since).order_by(transitions.c.id))
    return [Answered(row.id, row.lift_id, row.rule) for row in rows]
