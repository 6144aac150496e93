"""Alerts, as the book makes them: judged by the monitor, answered by people, asked for by the API.

Exactly once, by three things in one transaction under the writer's lock: the alerts with their transitions, the
journal's position, and a look at what is stored before anything is applied.

    journal   ──1──2──3──4──5──6──▶      judge(position=6) commits alerts, transitions, refusals, 6, and a snapshot of 4
    killed before the commit             nothing of it is there; read again from the snapshot, the same is found again
    killed after the commit              read again from 5: findings that are in the alerts (`last_ns`) are repeats,
                                         refusals up to 6 are passed over
    a person answers in between          the monitor's next transaction applies findings to the answered alert
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, select, update

from alerts.alert import Alert, Change
from alerts.book import Answer, Occurrence, on_answer
from alerts.inhibition import CAUSES
from store.records.audit import note
from store.records.book import OpenBook, columns, read_alert, write_transitions
from store.records.database import Database, read_counter
from store.records.dead_letters import keep_refusals
from store.records.schema import alerts, is_open, snapshots
from telemetry.batch import Refusal

POSITION = "judged"
READER = "judge"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The judge's state after `position`."""

    position: int
    state: bytes


@dataclass(frozen=True, slots=True)
class Resume:
    """Where the judge goes on: load the snapshot, read the journal after its position.

    `position` is as far as transitions are committed: what is found up to there is known already.
    """

    position: int
    snapshot: Snapshot | None


class Alerts:
    """The alerts' half of the records: what changes them."""

    _database: Database

    def resume(self) -> Resume:
        """Return where the judge goes on."""
        with self._database.reading() as connection:
            row = connection.execute(select(snapshots).where(snapshots.c.reader == READER)).first()
            position = read_counter(connection, POSITION)
        return Resume(position, None if row is None else Snapshot(row.position, bytes(row.state)))

    def judge(
        self,
        *,
        position: int,
        occurrences: Sequence[Occurrence],
        now_ns: int,
        refusals: Sequence[Refusal] = (),
        snapshot: Snapshot | None = None,
    ) -> list[Change]:
        """Commit findings and refusals up to the journal's `position` in one transaction; return what changed."""
        with self._database.writing() as connection:
            book = OpenBook(connection, {occurrence.lift_id for occurrence in occurrences}, now_ns)
            book.end_shelvings()
            book.apply(occurrences)
            book.write()
            before = read_counter(connection, POSITION)
            keep_refusals(connection, [refusal for refusal in refusals if refusal.position > before])
            if position > before:
                self._database.set_counter(connection, POSITION, position)
            if snapshot is not None:
                self._keep(connection, snapshot)
            return book.changes

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
