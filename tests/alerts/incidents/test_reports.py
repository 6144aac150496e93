"""Reports of the public page: they open and join incidents, unconfirmed until a person or telemetry agrees."""

from __future__ import annotations

import pytest

from alerts.answers import Refused
from alerts.incidents.actions import Call, IncidentAction, on_action, on_call
from alerts.incidents.incident import Incident
from alerts.incidents.merging import merge
from alerts.incidents.reports import on_report
from alerts.incidents.table import on_alert_joining, opened_by_alert
from tests.alerts.incidents.desk import ANN, BUTTON, ENTRAPMENT, IncidentDesk
from tests.alerts.rules import DISTRICT, DOOR, LIFT, T0, S, rule


def report(incident: Incident | None = None, kind: str = "entrapment", at_s: int = 0, lift_id: str = LIFT) -> Incident:
    """Return the incident after a report."""
    return on_report(incident, lift_id, DISTRICT, kind, "we are stuck", T0 + at_s * S).incident


def alert_of(what: object = ENTRAPMENT) -> object:
    desk = IncidentDesk()
    desk.find(what, "on", 10)  # type: ignore[arg-type]
    return desk.firing()[0]


def test_a_report_opens_an_unconfirmed_incident_that_only_a_person_closes() -> None:
    change = on_report(None, LIFT, DISTRICT, "entrapment", "we are stuck", T0)
    incident, entry = change.incident, change.entry
    assert (incident.kind, incident.severity, incident.stage, incident.by_hand) == (
        "entrapment", "critical", "suspected", True,
    )  # fmt: skip
    assert (incident.unconfirmed, incident.unanswered, incident.may_hold_people) == (True, 1, True)
    assert entry is not None
    assert (entry.kind, entry.by, entry.about, entry.note) == ("opened", None, "entrapment", "we are stuck")


def test_a_flood_of_reports_is_one_incident_that_stays_acknowledged() -> None:
    incident = report()
    incident = on_action(incident, IncidentAction("ack", ANN), T0 + S).incident  # type: ignore[union-attr]
    for at_s in range(2, 50):
        incident = report(incident, at_s=at_s)
    assert (incident.unanswered, incident.acknowledged_ns, len(incident.lifts)) == (49, T0 + S, 1)


def test_another_passenger_s_report_has_a_rescue_acknowledged_anew_while_nobody_was_dispatched() -> None:
    known = on_action(report(), IncidentAction("stage", ANN, stage="confirmed"), T0 + S).incident  # type: ignore[union-attr]
    incident = on_action(known, IncidentAction("ack", ANN), T0 + 2 * S).incident  # type: ignore[union-attr]
    again = report(incident, at_s=182)
    assert (again.acknowledged_ns, again.risen_ns, again.unconfirmed) == (None, T0 + 182 * S, False)
    assert report(incident, kind="out-of-order", at_s=182).acknowledged_ns == T0 + 2 * S
    sent = on_action(incident, IncidentAction("stage", ANN, stage="dispatched"), T0 + 3 * S).incident  # type: ignore[union-attr]
    assert report(sent, at_s=182).acknowledged_ns == T0 + 2 * S


def test_a_report_raises_a_smaller_incident_and_has_it_acknowledged_anew() -> None:
    minor = opened_by_alert(alert_of(DOOR), T0).incident  # type: ignore[arg-type]
    minor = on_action(minor, IncidentAction("ack", ANN), T0 + S).incident  # type: ignore[union-attr]
    raised = report(minor, at_s=2)
    assert (raised.kind, raised.unconfirmed, raised.acknowledged_ns) == ("entrapment", True, None)
    joined = report(minor, kind="nuisance", at_s=2)
    assert (joined.unconfirmed, joined.acknowledged_ns) == (False, T0 + S)


@pytest.mark.parametrize("stage", ["confirmed", "dispatched", "on-site", "released"])
def test_a_stage_that_a_person_enters_confirms(stage: str) -> None:
    change = on_action(report(), IncidentAction("stage", ANN, stage=stage), T0 + S)
    assert change is not None
    assert not change.incident.unconfirmed


def test_a_call_and_an_alert_of_its_kind_confirm_and_other_alerts_do_not() -> None:
    assert not on_call(report(), Call(LIFT, DISTRICT, "nuisance", ANN), T0 + S).incident.unconfirmed
    for what, unconfirmed in ((ENTRAPMENT, False), (BUTTON, True), (DOOR, True), (rule("overspeed"), True)):
        joined = on_alert_joining(report(), alert_of(what), T0 + S).incident  # type: ignore[arg-type]
        assert joined.unconfirmed is unconfirmed, what.slug


def test_an_incident_with_reports_is_closed_with_an_answer_alone() -> None:
    incident = report()
    closing = IncidentAction("close", ANN, reason="false-alarm")
    with pytest.raises(Refused) as refused:
        on_action(incident, closing, T0 + S)
    assert refused.value.reason == "answer"
    answered = on_action(incident, IncidentAction("answer", ANN, note="Nobody was inside."), T0 + S)
    assert answered is not None
    assert (answered.incident.unanswered, answered.entry.kind) == (0, "answered")  # type: ignore[union-attr]
    assert on_action(answered.incident, IncidentAction("answer", ANN, note="again"), T0 + 2 * S) is None
    closed = on_action(answered.incident, closing, T0 + 2 * S)
    assert closed is not None
    assert closed.incident.state == "closed"


def test_a_merged_incident_is_unconfirmed_where_its_kind_is() -> None:
    door = opened_by_alert(alert_of(DOOR), T0).incident  # type: ignore[arg-type]
    inside = opened_by_alert(alert_of(), T0).incident  # type: ignore[arg-type]
    reported = report(lift_id="lift-2")
    for into, unconfirmed in ((door, True), (inside, False), (report(at_s=9), True)):
        merged, emptied = (change.incident for change in merge(into, reported, T0 + 20 * S))
        assert (merged.unconfirmed, merged.unanswered) == (unconfirmed, into.unanswered + 1)
        assert emptied.unanswered == 0
