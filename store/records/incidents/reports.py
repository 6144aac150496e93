"""Reports of the public page in the records: each is written with the change of its incident, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from alerts.incidents.incident import Incident
from alerts.incidents.reports import PublicReport, on_photo, on_report
from registry.actor import Actor
from store.records.audit.writing import AuditSubject, write_audit
from store.records.database import Database
from store.records.incidents.rows import load_folding, load_incidents, write_changes
from store.records.incidents.tables import public_reports
from store.records.schema import lifts

PUBLIC_PAGE = Actor.named("public page")
REPORTS_LIMIT = 100
"""The newest reports of one incident that a query returns."""


class PublicReportStore:
    """The part of the records that has the reports of the public page."""

    _database: Database

    def report_publicly(
        self, lift_id: str, kind: str, note: str | None, report_id: str, now_ns: int
    ) -> PublicReport | None:
        """Write a report and open or join the incident of its lift; None where there is no such lift.

        The same id again writes nothing, and returns the report that was written first.
        """
        with self._database.writing() as connection:
            if (known := _report(connection, report_id)) is not None:
                return known
            district = connection.execute(select(lifts.c.district).where(lifts.c.lift_id == lift_id)).scalar()
            if district is None:
                return None
            before = next(iter(load_folding(connection, {lift_id})), None)
            change = on_report(before, lift_id, district, kind, note, now_ns)
            incident = change.incident
            write_changes(connection, [change])
            row = {"id": report_id, "incident_id": incident.id, "lift_id": lift_id, "district": district}
            connection.execute(public_reports.insert().values(**row, kind=kind, note=note, at_ns=now_ns))
            report = _read(connection.execute(select(public_reports).where(public_reports.c.id == report_id)).one())
            subject = AuditSubject(incident.id, {"kind": kind, "report": report.number}, {}, {}, lift_id)
            write_audit(connection, now_ns, PUBLIC_PAGE, "incident.report", [subject])
            return report

    def public_report(self, report_id: str) -> tuple[PublicReport, Incident] | None:
        """Return a report and its incident, None where there is no such report."""
        with self._database.reading() as connection:
            report = _report(connection, report_id)
            if report is None:
                return None
            (incident,) = load_incidents(connection, {report.incident_id})
            return report, incident

    def public_incident(self, lift_id: str) -> Incident | None:
        """Return the open incident of a lift into which reports are entered, None where there is none."""
        with self._database.reading() as connection:
            return next(iter(load_folding(connection, {lift_id})), None)

    def note_photo(self, report_id: str, now_ns: int) -> None:
        """Enter into the story of a report's incident, and into the audit log, that the report has a photo."""
        with self._database.writing() as connection:
            report = _report(connection, report_id)
            if report is not None:
                (incident,) = load_incidents(connection, {report.incident_id})
                write_changes(connection, [on_photo(incident, report.number, now_ns)])
                subject = AuditSubject(incident.id, {"report": report.number}, {}, {}, report.lift_id)
                write_audit(connection, now_ns, PUBLIC_PAGE, "incident.photo", [subject])

    def public_reports_of(self, incident_id: str) -> list[PublicReport]:
        """Return the newest reports of an incident, oldest first."""
        query = select(public_reports).where(public_reports.c.incident_id == incident_id)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(public_reports.c.number.desc()).limit(REPORTS_LIMIT)).all()
        return [_read(row) for row in reversed(rows)]


def answer_reports(
    connection: Connection, incident_id: str, lift_ids: Iterable[str], answer: str | None, now_ns: int
) -> None:
    """Store the answer to those reports of these lifts of an incident that have none."""
    own = public_reports.c
    open_reports = (own.incident_id == incident_id) & own.lift_id.in_(sorted(lift_ids)) & own.answered_ns.is_(None)
    connection.execute(update(public_reports).where(open_reports).values(answer=answer, answered_ns=now_ns))


def unanswered_by_lift(connection: Connection, incident_id: str) -> dict[str, int]:
    """Return the number of reports of an incident without an answer, by lift."""
    own = public_reports.c
    query = select(own.lift_id, func.count()).where(own.incident_id == incident_id, own.answered_ns.is_(None))
    return {row[0]: row[1] for row in connection.execute(query.group_by(own.lift_id))}


def move_reports(connection: Connection, moved: str, lift_ids: Collection[str], into: str) -> None:
    """Move the reports of lifts from one incident into another one."""
    own = public_reports.c
    of_lifts = (own.incident_id == moved) & own.lift_id.in_(sorted(lift_ids))
    connection.execute(update(public_reports).where(of_lifts).values(incident_id=into))


def _report(connection: Connection, report_id: str) -> PublicReport | None:
    row = connection.execute(select(public_reports).where(public_reports.c.id == report_id)).one_or_none()
    return None if row is None else _read(row)


def _read(row: Row[Any]) -> PublicReport:
    return PublicReport(**row._mapping)
