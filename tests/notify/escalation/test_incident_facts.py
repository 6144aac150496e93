"""The facts of an incident for escalation: since when nobody has taken it up, whose it is, whether it is held back."""

from __future__ import annotations

from dataclasses import replace

from alerts.alert import Alert
from alerts.incidents.incident import Incident
from notify.escalation.incident_facts import incident_facts, is_held_back, lifts_by_organisation
from registry.lift_facts import LiftFacts
from tests.alerts.incidents.desk import BUTTON, ENTRAPMENT, IncidentDesk
from tests.alerts.rules import DISTRICT, DOOR, LIFT, POWER, STOP, T0, S


def only(desk: IncidentDesk) -> Incident:
    (incident,) = desk.incidents.values()
    return incident


def since_s(incident: Incident) -> float:
    return (incident_facts(incident, incident.lifts, None, "Firm").since_ns - T0) / S


def test_calls_begin_with_the_opening_and_anew_where_it_becomes_more_urgent() -> None:
    desk = IncidentDesk()
    desk.find(DOOR, "on", 10)
    assert since_s(only(desk)) == 11
    desk.find(STOP, "on", 60)
    assert since_s(only(desk)) == 61
    desk.act(only(desk).id, "ack", 70)
    desk.find(DOOR, "off", 80)
    assert (since_s(only(desk)), only(desk).acknowledged_ns) == (61, T0 + 70 * S)
    desk.find(ENTRAPMENT, "on", 90)
    assert (since_s(only(desk)), only(desk).acknowledged_ns) == (91, None)


def test_calls_begin_anew_with_a_reopening_and_not_with_an_undone_closing() -> None:
    desk = IncidentDesk()
    desk.find(BUTTON, "on", 10)
    name = only(desk).id
    desk.act(name, "close", 20, reason="test")
    desk.act(name, "reopen", 25)
    assert since_s(only(desk)) == 11
    desk.act(name, "close", 30, reason="test")
    desk.act(name, "reopen", 300)
    assert since_s(only(desk)) == 300


def test_the_building_is_that_of_the_incident_or_the_address_of_the_lift() -> None:
    desk = IncidentDesk()
    desk.find(STOP, "on", 10)
    incident, facts = only(desk), LiftFacts(LIFT, DISTRICT, address=" Garden Road 3 ")
    assert incident_facts(incident, incident.lifts, facts, "Firm").building == "Garden Road 3"
    assert incident_facts(incident, incident.lifts, None, "Firm").building is None
    dark = replace(incident, building="Elsewhere")
    assert incident_facts(dark, incident.lifts, facts, "Firm").building == "Elsewhere"


def test_each_organisation_gets_its_own_lifts_those_with_people_first() -> None:
    desk = IncidentDesk({"a": "House", "b": "House", "c": "House"})
    for lift_id in ("a", "b", "c"):
        desk.find(POWER, "on", 10, lift_id=lift_id)
    incident = only(desk)
    lifts = tuple(replace(lift, holds_people=lift.lift_id == "c") for lift in incident.lifts)
    found = lifts_by_organisation(replace(incident, lifts=lifts), {"a": ["firm"], "b": ["other"], "c": ["firm"]})
    assert {name: [lift.lift_id for lift in some] for name, some in found.items()} == {
        "firm": ["c", "a"], "other": ["b"],
    }  # fmt: skip


def test_an_incident_is_held_back_where_all_its_alerts_are_and_never_a_critical_one() -> None:
    desk = IncidentDesk()
    desk.find(STOP, "on", 10)
    desk.find(DOOR, "on", 10)
    incident, alerts = only(desk), desk.alerts_of(only(desk).id)

    def inhibited(*which: Alert) -> list[Alert]:
        return [replace(alert, inhibited_by="power-loss") if alert in which else alert for alert in alerts]

    assert is_held_back(incident, inhibited(*alerts))
    assert not is_held_back(incident, inhibited(alerts[0]))
    assert not is_held_back(incident, [])
    assert not is_held_back(replace(incident, severity="critical"), inhibited(*alerts))
    assert not is_held_back(replace(incident, by_hand=True), inhibited(*alerts))
