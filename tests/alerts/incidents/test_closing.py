"""The closing of an incident: when it is refused, undone, and taken back by reopening."""

from __future__ import annotations

import pytest

from alerts.answers import Refused
from alerts.incidents.actions import REOPEN_NS
from alerts.incidents.incident import REASONS
from detectors.rule import CRITICAL
from tests.alerts.incidents.desk import BUTTON, ENTRAPMENT, IncidentDesk
from tests.alerts.rules import OVERSPEED, STOP


@pytest.fixture
def desk() -> IncidentDesk:
    return IncidentDesk()


def entrapment(desk: IncidentDesk) -> str:
    """Return an incident in which somebody is inside, from second 10 on."""
    desk.find(ENTRAPMENT, "on", 10)
    return desk.only().id


@pytest.mark.parametrize("reason", [None, *REASONS])
def test_closing_is_refused_while_a_person_may_be_inside_unless_the_reason_says_otherwise(
    desk: IncidentDesk, reason: str | None
) -> None:
    desk.find(BUTTON, "on", 10)
    name = desk.only().id
    if reason in ("released", "false-alarm", "test"):
        desk.act(name, "close", 20, reason=reason)
        assert (desk.only().state, desk.only().reason, desk.only().closed_by) == ("closed", reason, "ann")
        return
    with pytest.raises(Refused) as refused:
        desk.act(name, "close", 20, reason=reason, note="seen")
    assert refused.value.reason == ("reason" if reason is None else "person-inside")
    desk.act(name, "stage", 30, stage="released")
    if reason is not None:
        desk.act(name, "close", 40, reason=reason, note="seen")
        assert not desk.only().is_open


def test_the_reason_other_needs_a_note(desk: IncidentDesk) -> None:
    desk.find(OVERSPEED, "on", 10, CRITICAL)
    with pytest.raises(Refused, match="needs a note"):
        desk.act(desk.only().id, "close", 20, reason="other", note=" ")
    desk.act(desk.only().id, "close", 21, reason="other", note="a test run of the inspector")
    assert not desk.only().is_open


def test_closing_is_refused_while_the_condition_of_an_alert_holds(desk: IncidentDesk) -> None:
    desk.find(STOP, "on", 10)
    with pytest.raises(Refused, match="stop-outside-zone still holds"):
        desk.act(desk.only().id, "close", 20, reason="repaired")
    desk.find(STOP, "off", 30)
    desk.act(desk.only().id, "close", 40)
    assert not desk.only().is_open


def test_the_alerts_of_a_closed_incident_are_resolved_once_the_time_to_undo_is_over(desk: IncidentDesk) -> None:
    desk.find(BUTTON, "on", 10)
    name = desk.only().id
    desk.act(name, "close", 20, reason="test")
    desk.settle(29.9)
    assert len(desk.firing()) == 1
    desk.settle(30)
    (alert,) = desk.every_alert.values()
    assert (alert.state, alert.closed_by, desk.only().unclosed) == ("closed", "ann", 0)
    assert desk.story(name) == ["opened", "closed"]


def test_a_closing_is_undone_within_ten_seconds_as_if_it_had_not_been(desk: IncidentDesk) -> None:
    desk.find(BUTTON, "on", 10)
    name = desk.only().id
    desk.act(name, "ack", 15)
    before = desk.only()
    desk.act(name, "close", 20, reason="false-alarm")
    desk.act(name, "reopen", 29.9)
    after = desk.only()
    assert (after.stages, after.lifts, after.reason, after.by_hand) == (before.stages, before.lifts, None, False)
    assert desk.story(name)[-1] == "undone"
    desk.settle(100)
    assert len(desk.firing()) == 1


def test_an_incident_is_reopened_for_a_day_and_acknowledged_no_more(desk: IncidentDesk) -> None:
    desk.find(BUTTON, "on", 10)
    name = desk.only().id
    desk.act(name, "ack", 15)
    desk.act(name, "close", 20, reason="test")
    desk.act(name, "reopen", 40)
    incident = desk.only()
    assert (incident.state, incident.acknowledged_ns, incident.by_hand, incident.unclosed) == ("open", None, True, 0)
    assert incident.may_hold_people, "the closing that said that nobody is inside is taken back"
    desk.act(name, "close", 50, reason="test")
    with pytest.raises(Refused, match="more than 24 hours ago"):
        desk.act(name, "reopen", 50 + REOPEN_NS / 1e9)


def test_an_incident_is_not_reopened_beside_another_open_one_of_its_lift(desk: IncidentDesk) -> None:
    desk.find(BUTTON, "on", 10)
    name = desk.only().id
    desk.act(name, "close", 20, reason="test")
    desk.find(STOP, "on", 40)
    with pytest.raises(Refused, match="Another incident of its lift is open"):
        desk.act(name, "reopen", 60)
