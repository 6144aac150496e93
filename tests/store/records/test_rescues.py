"""Rescues in the records: steps with their entries and audit rows, timers written once, arrivals."""

from __future__ import annotations

import pytest

from alerts.incidents.actions import IncidentAction
from alerts.incidents.incident import Incident
from alerts.incidents.rescue import RescueTimes
from alerts.incidents.rescuing import RescueStep
from registry.actor import Actor
from registry.lift_facts import LiftFacts
from store.records.repository import AuditFilter, Records
from tests.alerts.rules import DISTRICT, LIFT, T0, S

ANN = Actor.named("ann")
TIMES = RescueTimes(180, 1800)


@pytest.fixture
def trapped(records: Records) -> Incident:
    """An incident in which somebody is inside, reported by telephone at T0."""
    records.put_lifts([LiftFacts(LIFT, DISTRICT)], ANN, T0)
    made = records.report_by_call(LIFT, "entrapment", None, ANN, T0)
    assert made is not None
    return made


def kinds(records: Records, incident_id: str) -> list[str]:
    history = records.incident(incident_id)
    assert history is not None
    return [entry.kind for entry in history.story]


def test_a_step_is_kept_with_its_entry_and_its_audit_row(records: Records, trapped: Incident) -> None:
    step = RescueStep("accept", who="Otto", place="North", expected_ns=T0 + 900 * S)
    records.act_on_incident(trapped.id, IncidentAction("accept", ANN, rescue=step), T0 + S)
    found = records.public_incident(LIFT)
    assert found is not None
    assert found.rescue is not None
    assert (found.rescue.call_outs[0].who, found.rescue.expected_ns) == ("Otto", T0 + 900 * S)
    assert kinds(records, trapped.id) == ["opened", "accepted"]
    row = records.audit(AuditFilter(subject=trapped.id)).items[0]
    assert (row.action, "North" in (row.detail or "")) == ("incident.accept", True)


def test_what_time_does_is_written_once_for_own_lifts(records: Records, trapped: Incident) -> None:
    assert records.advance_rescues(TIMES, T0 + 179 * S) == 0
    assert records.advance_rescues(TIMES, T0 + 180 * S, lambda lift_id: lift_id != LIFT) == 0
    assert [records.advance_rescues(TIMES, T0 + 180 * S) for _ in range(3)] == [1, 0, 0]
    assert records.advance_rescues(TIMES, T0 + 9000 * S) == 1
    assert kinds(records, trapped.id) == ["opened", "overdue", "overdue"]
    entry = records.incident_entries_since(0)[-1]
    assert '"level":3' in entry.incident_json


def test_every_running_rescue_is_advanced_however_many_there_are(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.records.incidents.rescues.RESCUES_AT_ONCE", 2)
    names = [f"lift-{number}" for number in range(7)]
    records.put_lifts([LiftFacts(each, DISTRICT) for each in names], ANN, T0)
    made = [records.report_by_call(each, "entrapment", None, ANN, T0) for each in names]
    assert None not in made
    for incident in made[:3]:
        assert incident is not None
        step = RescueStep("arrive", place="North")
        records.act_on_incident(incident.id, IncidentAction("arrive", ANN, rescue=step), T0 + S)
    assert records.advance_rescues(TIMES, T0 + 180 * S, lambda lift_id: lift_id == names[-1]) == 1
    assert [records.advance_rescues(TIMES, T0 + 180 * S) for _ in range(2)] == [3, 0]


def test_a_rescue_runs_until_everybody_is_out(records: Records, trapped: Incident) -> None:
    records.act_on_incident(trapped.id, IncidentAction("stage", ANN, stage="released"), T0 + S)
    assert records.advance_rescues(TIMES, T0 + 9000 * S) == 0
