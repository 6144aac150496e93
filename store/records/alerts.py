"""Changes of alerts: findings that the monitor commits, and answers of people.

Every finding is applied exactly once: one transaction under the writer's lock reads the stored alerts, writes them with
their transitions, and sets the journal's position.

    journal   ──1──2──3──4──5──6──▶      judge(position=6) commits alerts, transitions, refusals, 6, and a snapshot of 4
    killed before the commit             nothing is stored; judging again from the snapshot finds the same
    killed after the commit              judging again from 5: findings that are in the alerts (`last_ns`) are repeats,
                                         refusals up to 6 are skipped
    a person answers in between          the monitor's next transaction applies findings to the answered alert
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import Connection, select

from alerts.alert import Alert, Change
from alerts.answers import Answer, on_answer
from alerts.book import Occurrence
from alerts.inhibition import CAUSES
from registry.partition import Partition
from registry.scope import ALL_LIFTS, LiftScope
from store.records.audit.writing import write_audit
from store.records.book import OpenBook, read_alert
from store.records.database import Database, read_counter
from store.records.incidents.answering import answer_subject, settle_closed_incidents
from store.records.incidents.book import OpenIncidents, write_answers
from store.records.monitors.partitions import position_name
from store.records.monitors.snapshots import Resume, Snapshot, read_resume, store_generation, store_snapshot
from store.records.refused.dead_letters import store_refusals
from store.records.schema import alerts, is_open
from store.records.scoping import alerts_in
from store.records.versions import alert_version, require_version
from telemetry.batch import Refusal


class AlertStore:
    """The part of the records that changes alerts. Position and snapshot are those of the own partition."""

    _database: Database
    partition: Partition

    def resume(self) -> Resume:
        """Return where judging continues after a restart."""
        with self._database.reading() as connection:
            return read_resume(connection, self.partition)

    def judge(
        self,
        *,
        position: int,
        occurrences: Sequence[Occurrence],
        now_ns: int,
        refusals: Sequence[Refusal] = (),
        refused_in_turn: Sequence[Refusal] = (),
        snapshot: Snapshot | None = None,
        generation: int | None = None,
    ) -> list[Change]:
        """Commit findings and refusals up to the journal's `position` in one transaction; return the changes.

        `refused_in_turn` are those of messages that waited: their positions were passed before. `generation` is that of
        the snapshots from now on, which stays without it.
        """
        with self._database.writing() as connection:
            settled = settle_closed_incidents(connection, now_ns, occurrences)
            book = OpenBook(connection, {occurrence.lift_id for occurrence in occurrences}, now_ns)
            book.end_shelvings()
            book.apply(occurrences)
            open_incidents = OpenIncidents(connection, book.changes)
            book.write()
            open_incidents.write()
            before = read_counter(connection, position_name(self.partition))
            new = [refusal for refusal in refusals if refusal.position > before]
            store_refusals(self._database, connection, [*new, *refused_in_turn])
            if position > before:
                self._database.set_counter(connection, position_name(self.partition), position)
            if snapshot is not None:
                store_snapshot(self._database, connection, self.partition, snapshot)
            if generation is not None:
                store_generation(self._database, connection, self.partition, generation)
            return [*settled, *book.changes]

    def answer(
        self,
        alert_id: str,
        answer: Answer,
        now_ns: int,
        expected: Collection[str] | None = None,
        scope: LiftScope = ALL_LIFTS,
        judged: Collection[str] | None = None,
    ) -> Alert | None:
        """Apply a person's answer and return the changed alert; None where there is no such alert in the scope.

        An alert of a rule that is none of the `judged` ones can be resolved while it fires (None: all are judged).
        Raises `alerts.answers.Refused` where the alert's state does not allow it, and VersionConflict where its version
        is none of the `expected`.
        """
        with self._database.writing() as connection:
            query = select(alerts.c.alert).where(alerts.c.id == alert_id, alerts_in(scope))
            text = connection.execute(query).scalar()
            if text is None:
                return None
            before = read_alert(text)
            require_version(alert_version(before), expected)
            answer = replace(answer, is_unjudged=judged is not None and before.rule not in judged)
            change = on_answer(before, answer, now_ns, _causes(connection, before.lift_id))
            if change is None:
                return before
            write_answers(connection, [change])
            subject = answer_subject(before, change.alert, answer)
            write_audit(connection, now_ns, answer.by, f"alert.{answer.kind}", [subject])
            return change.alert

    def open_alerts(self) -> list[Alert]:
        """Return every firing alert of the fleet."""
        with self._database.reading() as connection:
            rows = connection.scalars(select(alerts.c.alert).where(is_open)).all()
        return [read_alert(text) for text in rows]


def _causes(connection: Connection, lift_id: str) -> list[Alert]:
    """Return the open alerts of a lift that may inhibit others."""
    query = select(alerts.c.alert).where(is_open, alerts.c.lift_id == lift_id, alerts.c.rule.in_(CAUSES))
    return [read_alert(text) for text in connection.scalars(query)]
