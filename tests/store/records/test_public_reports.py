"""Reports of the public page in the records: written once, with their incident, and answered."""

from __future__ import annotations

import pytest

from alerts.answers import Refused
from alerts.incidents.actions import IncidentAction
from alerts.incidents.reports import PublicReport
from registry.actor import Actor
from registry.lift_facts import LiftFacts
from store.records.repository import AuditFilter, Records
from store.records.retention import YEAR_NS
from tests.alerts.rules import DISTRICT, LIFT, T0, S

ANN = Actor.named("ann")


@pytest.fixture(name="records")
def registered(records: Records) -> Records:
    records.put_lifts([LiftFacts(lift_id, DISTRICT) for lift_id in (LIFT, "lift-2")], ANN, T0)
    return records


def report(records: Records, name: str = "a", lift_id: str = LIFT, at_s: int = 0) -> PublicReport:
    made = records.report_publicly(lift_id, "entrapment", "help", name, T0 + at_s * S)
    assert made is not None
    return made


def kinds(records: Records, incident_id: str) -> list[str]:
    history = records.incident(incident_id)
    assert history is not None
    return [entry.kind for entry in history.story]


def test_a_report_is_written_once_with_its_incident(records: Records) -> None:
    first, again = report(records), report(records, at_s=5)
    assert first == again
    second = report(records, "b", at_s=9)
    assert (second.incident_id, second.number) == (first.incident_id, first.number + 1)
    assert kinds(records, first.incident_id) == ["opened", "reported"]
    assert records.report_publicly("no-such-lift", "entrapment", None, "c", T0) is None
    assert records.public_report("c") is None
    rows = records.audit(AuditFilter(subject=first.incident_id)).items
    assert [(row.by.name, row.action) for row in rows] == [("public page", "incident.report")] * 2
    assert f'"report":{second.number}' in (rows[0].detail or "")


def test_the_answer_of_a_closing_is_that_of_all_reports_without_one(records: Records) -> None:
    name = report(records).incident_id
    records.act_on_incident(name, IncidentAction("answer", ANN, note="On our way."), T0 + S)
    report(records, "b", at_s=2)
    with pytest.raises(Refused):
        records.act_on_incident(name, IncidentAction("close", ANN, reason="repaired", answer="Done."), T0 + 3 * S)
    assert [each.answer for each in records.public_reports_of(name)] == ["On our way.", None]
    records.act_on_incident(name, IncidentAction("close", ANN, reason="false-alarm", answer="Nobody."), T0 + 4 * S)
    assert [each.answer for each in records.public_reports_of(name)] == ["On our way.", "Nobody."]
    assert kinds(records, name) == ["opened", "answered", "reported", "answered", "closed"]
    found = records.public_report("b")
    assert found is not None
    assert (found[0].answered_ns, found[1].state) == (T0 + 4 * S, "closed")
    assert records.public_incident(LIFT) is None


def test_reports_follow_their_incident_into_another_one_and_are_deleted_with_it(records: Records) -> None:
    one, other = report(records), report(records, "b", "lift-2")
    records.merge_incidents(one.incident_id, other.incident_id, ANN, T0 + S)
    assert [each.id for each in records.public_reports_of(one.incident_id)] == ["a", "b"]
    closing = IncidentAction("close", ANN, reason="test", answer="Thank you.")
    records.act_on_incident(one.incident_id, closing, T0 + 2 * S)
    records.note_photo("b", T0 + 3 * S)
    assert kinds(records, one.incident_id)[-1] == "photographed"
    (row,) = records.audit(AuditFilter(action="incident.photo")).items
    assert (row.subject, row.lift_id, row.by.name) == (one.incident_id, "lift-2", "public page")
    records.delete_expired(T0 + 6 * YEAR_NS)
    assert records.public_report("a") is None
