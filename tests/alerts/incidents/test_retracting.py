"""A stage of a rescue that was entered by mistake is taken back: the rescue, its timers and the calls go on."""

from __future__ import annotations

import pytest

from alerts.answers import Refused
from alerts.incidents.incident import Incident
from alerts.incidents.rescue import RescueTimes
from alerts.incidents.rescue_timers import on_time
from alerts.incidents.rescuing import RescueStep
from tests.alerts.incidents.desk import BOB, ENTRAPMENT, IncidentDesk
from tests.alerts.rules import LIFT, POWER, T0, S


def trapped() -> tuple[IncidentDesk, str]:
    """Return a desk whose one incident is acknowledged, with help on site and released a minute ago."""
    desk = IncidentDesk()
    desk.find(ENTRAPMENT, "on", 0)
    name = desk.only().id
    desk.act(name, "ack", 10)
    desk.act(name, "stage", 60, stage="dispatched")
    desk.act(name, "stage", 120, stage="on-site")
    desk.act(name, "stage", 180, stage="released")
    return desk, name


def overdue(incident: Incident, at_s: float) -> list[str | None]:
    changes = on_time(incident, RescueTimes(180, 1800), T0 + round(at_s * S))
    return [change.entry and change.entry.about for change in changes]


def test_a_release_that_is_taken_back_leaves_somebody_inside_and_nobody_acknowledged() -> None:
    desk, name = trapped()
    assert not desk.only().may_hold_people
    change = desk.act(name, "retract", 240, BOB, stage="released", note="another lift")
    incident = desk.only()
    assert incident.may_hold_people
    assert incident.stage == "on-site"
    assert (incident.acknowledged_ns, incident.risen_ns) == (None, T0 + 240 * S)
    assert incident.rescue is not None
    assert incident.rescue.since_ns == T0 + 1 * S
    entry = change and change.entry
    assert entry is not None
    assert (entry.kind, entry.about, entry.by, entry.note) == ("retracted", "released", "bob", "another lift")
    with pytest.raises(Refused, match="may still be inside"):
        desk.act(name, "close", 250, reason="repaired")


def test_timers_of_an_arrival_that_is_taken_back_run_from_the_beginning_of_the_rescue() -> None:
    desk, name = trapped()
    desk.act(name, "retract", 240, stage="released", note="no")
    assert overdue(desk.only(), 7200) == []
    desk.act(name, "retract", 250, stage="on-site", note="no")
    assert overdue(desk.only(), 1500) == ["answered"]
    assert "arrived" in overdue(desk.only(), 1801)


def test_stages_are_taken_back_from_the_last_one() -> None:
    desk, name = trapped()
    with pytest.raises(Refused, match="take released back first"):
        desk.act(name, "retract", 240, stage="on-site", note="no")


def test_taking_back_what_was_not_reached_changes_nothing() -> None:
    desk, name = trapped()
    desk.act(name, "retract", 240, stage="released", note="no")
    assert desk.act(name, "retract", 241, stage="released", note="no") is None


def test_nothing_is_taken_back_of_a_closed_incident() -> None:
    desk, name = trapped()
    desk.find(ENTRAPMENT, "off", 200)
    desk.act(name, "close", 210, reason="repaired")
    with pytest.raises(Refused, match="reopen it first"):
        desk.act(name, "retract", 240, stage="released", note="no")
    desk.act(name, "reopen", 250)
    desk.act(name, "retract", 260, stage="released", note="no")
    assert desk.only().may_hold_people


def test_a_release_that_telemetry_proposed_is_no_proposal_after_it_was_taken_back() -> None:
    desk = IncidentDesk()
    desk.find(ENTRAPMENT, "on", 0)
    name = desk.only().id
    desk.find(ENTRAPMENT, "off", 60)
    desk.act(name, "stage", 70, stage="released")
    desk.act(name, "retract", 90, stage="released", note="somebody calls")
    rescue = desk.only().rescue
    assert rescue is not None
    assert rescue.release_seen_ns is None
    assert overdue(desk.only(), 300)[0] == "answered"


def test_a_release_is_taken_back_of_one_lift_alone() -> None:
    desk = IncidentDesk({"a": "here", "b": "here"})
    for lift_id in "ab":
        desk.find(POWER, "on", 0, lift_id=lift_id)
        desk.find(ENTRAPMENT, "on", 30, lift_id=lift_id)
    (name,) = (one.id for one in desk.incidents.values() if one.is_open)
    for lift_id in "ab":
        desk.act(name, "stage", 60, stage="released", lift_id=lift_id)
    assert desk.incidents[name].stage == "released"
    desk.act(name, "retract", 90, stage="released", lift_id="b", note="b is still shut")
    incident = desk.incidents[name]
    assert [lift.lift_id for lift in incident.lifts if lift.holds_people] == ["b"]
    assert "released" not in incident.stages
    assert desk.act(name, "retract", 91, stage="released", lift_id="b", note="again") is None


def test_who_was_released_while_another_lift_held_people_is_inside_again() -> None:
    desk = IncidentDesk({"a": "here", "b": "here"})
    for lift_id in "ab":
        desk.find(POWER, "on", 0, lift_id=lift_id)
        desk.find(ENTRAPMENT, "on", 30, lift_id=lift_id)
    (name,) = (one.id for one in desk.incidents.values() if one.is_open)
    desk.find(ENTRAPMENT, "off", 60, lift_id="a")
    desk.act(name, "stage", 70, stage="released")
    desk.act(name, "retract", 80, stage="released", note="wrong building")
    assert all(lift.holds_people for lift in desk.incidents[name].lifts)


def test_help_that_still_comes_is_not_called_again_when_an_arrival_is_taken_back() -> None:
    desk = IncidentDesk()
    desk.find(ENTRAPMENT, "on", 0)
    name = desk.only().id
    desk.act(name, "accept", 20, rescue=RescueStep("accept", who="Otto"))
    with pytest.raises(Refused, match="they cannot come"):
        desk.act(name, "retract", 30, stage="dispatched", note="no")
    desk.act(name, "arrive", 60, rescue=RescueStep("arrive", number=1, lift_id=LIFT, place="car"))
    desk.act(name, "retract", 90, stage="on-site", note="wrong code")
    incident = desk.only()
    assert (incident.stage, incident.acknowledged_ns is None) == ("dispatched", False)
    assert incident.rescue is not None
    assert incident.rescue.proven is None
    assert incident.lifts[0].proven is None
    assert incident.rescue.call_outs[0].arrived_ns is None
