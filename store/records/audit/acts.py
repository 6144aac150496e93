"""Rows of the audit log about acts that change nothing else in the records."""

from __future__ import annotations

from collections.abc import Sequence

from registry.actor import Actor
from store.records.audit.writing import DONE, AuditSubject, CountedRow, write_audit
from store.records.database import Database


class AuditActs:
    """The part of the records that writes acts into the audit log, without reading it."""

    _database: Database

    def write_audit(
        self, now_ns: int, by: Actor, action: str, subjects: Sequence[AuditSubject], outcome: str = DONE
    ) -> None:
        """Write an act that changes nothing in the records: a refusal, a sign-in, an export, a reading."""
        with self._database.writing() as connection:
            write_audit(connection, now_ns, by, action, subjects, outcome)

    def write_counted(self, rows: Sequence[CountedRow]) -> None:
        """Write counted acts in one transaction."""
        with self._database.writing() as connection:
            for row in rows:
                write_audit(connection, row.at_ns, row.act.by, row.act.action, [row.subject], row.act.outcome)
