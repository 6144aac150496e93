"""The life of an incident, fact by fact (contract, section 3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerts.answers import Refused
from alerts.incidents.incident import STAGES, incident_id
from alerts.incidents.kinds import kind_of
from alerts.incidents.wire import incident_json
from detectors.rule import MAJOR, MINOR
from registry.actor import Actor
from registry.catalogue import catalogue
from registry.incident_kinds import INCIDENT_KINDS
from tests.alerts.incidents.desk import ANN, BOB, BUTTON, ENTRAPMENT, IncidentDesk
from tests.alerts.rules import DOOR, OVERTRAVEL, STOP, T0, S, rule


@pytest.fixture
def desk() -> IncidentDesk:
    return IncidentDesk()


def entrapment(desk: IncidentDesk) -> str:
    """Return an incident in which somebody is inside, from second 10 on."""
    desk.find(ENTRAPMENT, "on", 10)
    return desk.only().id


def test_the_first_alert_opens_an_incident_that_is_named_by_lift_and_alert(desk: IncidentDesk) -> None:
    desk.find(STOP, "on", 10)
    (alert,) = desk.firing()
    incident = desk.only()
    assert (incident.id, incident.state, incident.stage) == (incident_id("lift-1", alert.id), "open", "suspected")
    assert (incident.kind, incident.severity, incident.opened_ns) == ("out-of-order", "major", T0 + 11 * S)
    assert (
        len({incident_id("a", "b"), incident_id("ab", ""), incident_id("a", "c")}),
        incident_id("lift-1", "gwk"),
    ) == (
        3,
        "ejugwe5qf4z75gjy",
    )


def test_further_alerts_of_the_lift_fold_into_its_incident_and_raise_it(desk: IncidentDesk) -> None:
    desk.find(DOOR, "on", 10)
    desk.find(STOP, "on", 20)
    desk.find(ENTRAPMENT, "on", 30)
    incident = desk.only()
    assert (incident.kind, incident.severity, incident.unclosed) == ("entrapment", "critical", 3)
    assert desk.story(incident.id) == ["opened", "folded", "folded"]


def test_severity_and_kind_stay_when_the_worst_alert_closes(desk: IncidentDesk) -> None:
    desk.find(DOOR, "on", 10)
    desk.find(STOP, "on", 20)
    desk.answer(STOP, "ack", 25)
    desk.find(STOP, "off", 30)
    incident = desk.only()
    assert (incident.kind, incident.severity, incident.unclosed, incident.state) == ("out-of-order", "major", 1, "open")


def test_an_alert_that_is_raised_raises_its_incident(desk: IncidentDesk) -> None:
    desk.find(OVERTRAVEL, "on", 10, MINOR)
    desk.act(desk.only().id, "ack", 12)
    desk.find(OVERTRAVEL, "on", 20, MAJOR)
    incident = desk.only()
    assert (incident.severity, incident.acknowledged_ns) == ("major", None)
    assert desk.story(incident.id) == ["opened", "acknowledged", "raised"]


def test_the_incident_closes_by_itself_when_the_last_of_its_alerts_is_closed(desk: IncidentDesk) -> None:
    desk.find(STOP, "on", 10)
    desk.find(DOOR, "on", 11)
    desk.act(desk.only().id, "ack", 12)
    desk.find(STOP, "off", 20)
    assert desk.only().is_open
    desk.find(DOOR, "off", 30)
    incident = desk.only()
    assert (incident.state, incident.closed_by, incident.reason) == ("closed", None, None)
    desk.find(DOOR, "on", 200)
    assert len(desk.incidents) == 2


def test_a_cleared_alert_that_nobody_acknowledged_keeps_its_incident_open(desk: IncidentDesk) -> None:
    desk.find(STOP, "on", 10)
    desk.find(STOP, "off", 20)
    assert desk.only().is_open


def test_an_alert_that_fires_again_reopens_its_incident(desk: IncidentDesk) -> None:
    desk.find(STOP, "on", 10)
    desk.act(desk.only().id, "ack", 12)
    desk.find(STOP, "off", 20)
    desk.find(STOP, "on", 40)
    incident = desk.only()
    assert (incident.state, incident.acknowledged_ns) == ("open", T0 + 12 * S)
    assert desk.story(incident.id) == ["opened", "acknowledged", "closed", "reopened"]


def test_an_alert_that_fires_again_joins_the_open_incident_of_its_lift(desk: IncidentDesk) -> None:
    desk.find(STOP, "on", 10)
    first = desk.only().id
    desk.act(first, "ack", 12)
    desk.find(STOP, "off", 20)
    desk.find(DOOR, "on", 30)
    desk.find(STOP, "on", 40)
    (second,) = [name for name in desk.incidents if name != first]
    assert (desk.incidents[first].is_open, desk.incidents[second].unclosed) == (False, 2)


def test_acknowledging_the_incident_acknowledges_its_alerts(desk: IncidentDesk) -> None:
    name = entrapment(desk)
    desk.find(BUTTON, "on", 20)
    desk.find(STOP, "on", 30)
    desk.act(name, "ack", 40)
    assert [alert.acknowledged for alert in desk.firing()] == [True, True, True]
    assert desk.act(name, "ack", 41) is None
    assert desk.act(name, "ack", 42, BOB) is not None
    assert desk.only().acknowledged_by == ("ann", "bob")


def test_acknowledging_an_alert_of_the_incidents_severity_acknowledges_the_incident(desk: IncidentDesk) -> None:
    desk.find(DOOR, "on", 10)
    desk.find(STOP, "on", 20)
    desk.answer(DOOR, "ack", 30)
    assert desk.only().acknowledged_ns is None
    desk.answer(STOP, "ack", 31)
    assert desk.only().acknowledged_ns == T0 + 31 * S


def test_only_where_somebody_may_be_inside_a_rescue_has_stages(desk: IncidentDesk) -> None:
    desk.find(STOP, "on", 10)
    with pytest.raises(Refused, match="has no stage dispatched") as refused:
        desk.act(desk.only().id, "stage", 20, stage="dispatched")
    assert refused.value.reason == "no-rescue"
    desk.act(desk.only().id, "stage", 20, stage="confirmed")
    assert desk.only().stage == "confirmed"


def test_a_rescue_goes_through_its_stages_each_with_its_time(desk: IncidentDesk) -> None:
    name = entrapment(desk)
    for at_s, stage in ((20, "confirmed"), (40, "dispatched"), (900, "on-site"), (1200, "released")):
        desk.act(name, "stage", at_s, stage=stage)
        assert desk.act(name, "stage", at_s + 1, stage=stage) is None
    assert desk.only().stages["on-site"] == T0 + 900 * S
    assert (desk.only().stage, desk.only().may_hold_people) == ("released", False)


def test_a_stage_that_the_rescue_is_past_is_refused(desk: IncidentDesk) -> None:
    name = entrapment(desk)
    desk.act(name, "stage", 20, stage="on-site")
    with pytest.raises(Refused, match="it has reached on-site"):
        desk.act(name, "stage", 30, stage="dispatched")
    assert desk.act(name, "stage", 31, stage="confirmed") is not None


def test_a_rescue_that_people_entered_is_not_closed_by_telemetry(desk: IncidentDesk) -> None:
    name = entrapment(desk)
    desk.act(name, "ack", 12)
    desk.act(name, "stage", 20, stage="dispatched")
    desk.find(ENTRAPMENT, "off", 600)
    assert (desk.only().unclosed, desk.only().is_open, desk.only().may_hold_people) == (0, True, True)


def test_a_new_entrapment_after_the_release_begins_the_rescue_anew(desk: IncidentDesk) -> None:
    name = entrapment(desk)
    desk.act(name, "ack", 12)
    desk.act(name, "stage", 20, stage="dispatched")
    desk.act(name, "stage", 600, stage="released")
    desk.find(BUTTON, "on", 700)
    incident = desk.only()
    assert (list(incident.stages), incident.may_hold_people) == (["suspected"], True)


def test_owner_comment_and_repeats(desk: IncidentDesk) -> None:
    name = entrapment(desk)
    assert desk.act(name, "assign", 20, to="bob") is not None
    assert desk.act(name, "assign", 21, to="bob") is None
    assert desk.act(name, "comment", 22, note="rope?") is not None
    assert desk.act(name, "comment", 22, note="rope?") is not None
    assert (desk.only().owner, desk.only().active_ns) == ("bob", T0 + 22 * S)
    assert desk.act(name, "reopen", 23) is None


def test_what_is_closed_is_not_acted_on_but_for_comments(desk: IncidentDesk) -> None:
    desk.find(BUTTON, "on", 10)
    name = desk.only().id
    desk.act(name, "close", 20, reason="test")
    for kind, more in (("ack", {}), ("assign", {"to": "bob"}), ("stage", {"stage": "on-site"})):
        with pytest.raises(Refused) as refused:
            desk.act(name, kind, 21, **more)
        assert refused.value.reason == "closed"
    assert desk.act(name, "close", 22, reason="test") is None
    assert desk.act(name, "comment", 23, note="a drill") is not None


def test_a_call_opens_an_incident_that_only_people_close(desk: IncidentDesk) -> None:
    incident = desk.call("entrapment", 10, callback="+86 10 5555")
    assert (incident.kind, incident.severity, incident.stage) == ("entrapment", "critical", "confirmed")
    desk.find(ENTRAPMENT, "on", 20)
    desk.act(incident.id, "ack", 21)
    desk.find(ENTRAPMENT, "off", 60)
    assert (desk.only().unclosed, desk.only().is_open) == (0, True)
    desk.act(incident.id, "close", 70, reason="released")
    assert not desk.only().is_open


def test_a_call_about_a_lift_with_an_open_incident_is_entered_there(desk: IncidentDesk) -> None:
    desk.find(DOOR, "on", 10)
    desk.act(desk.only().id, "ack", 11)
    incident = desk.call("entrapment", 20, callback="110")
    assert (desk.only().id, incident.kind, incident.may_hold_people) == (incident.id, "entrapment", True)
    assert (incident.acknowledged_ns, desk.changes[-1].entry and desk.changes[-1].entry.note) == (None, "110")


def test_a_further_call_is_no_activity_and_rises_only_while_nobody_is_dispatched(desk: IncidentDesk) -> None:
    name = entrapment(desk)
    waiting = desk.call("entrapment", 15)
    assert waiting.risen_ns is None
    desk.act(name, "ack", 20)
    again = desk.call("entrapment", 1700)
    assert (again.acknowledged_ns, again.risen_ns, again.active_ns) == (None, T0 + 1700 * S, T0 + 20 * S)
    desk.act(name, "ack", 1710)
    assert desk.call("nuisance", 1715).acknowledged_ns == T0 + 1710 * S
    desk.act(name, "stage", 1720, stage="dispatched")
    coming = desk.call("entrapment", 1730)
    assert (coming.acknowledged_ns, coming.active_ns) == (T0 + 1710 * S, T0 + 1720 * S)


def test_a_comment_of_another_organisation_is_no_activity_of_who_acknowledged(desk: IncidentDesk) -> None:
    name = entrapment(desk)
    firm, insurer = (replace(Actor.named(each), organisation=each) for each in ("firm", "insurer"))
    desk.act(name, "ack", 20, firm)
    desk.act(name, "comment", 30, insurer, note="Any news?")
    assert desk.only().active_ns == T0 + 20 * S
    desk.act(name, "comment", 40, firm, note="At the gate.")
    assert desk.only().active_ns == T0 + 40 * S


def test_every_rule_of_the_catalogue_has_its_kind_and_others_follow_their_severity() -> None:
    assert {entry.incident for entry in catalogue().values()} == set(INCIDENT_KINDS)
    assert [kind_of("unheard-of", severity) for severity in ("critical", "major", "minor", "trend")] == [
        "unsafe", "out-of-order", "nuisance", "upkeep",
    ]  # fmt: skip
    assert kind_of(rule("overspeed").slug, "minor") == "unsafe"


def test_an_incident_as_json_has_the_stages_with_their_times(desk: IncidentDesk) -> None:
    name = entrapment(desk)
    desk.act(name, "ack", 12)
    body = incident_json(desk.incidents[name])
    assert (body["stage"], body["stages"]) == (
        "acknowledged",
        {"suspected": "2001-01-01T00:00:11.000Z", "acknowledged": "2001-01-01T00:00:12.000Z"},
    )
    assert set(body["stages"]) < set(STAGES)
    assert desk.incidents[name].lift_id == body["lift_id"] == "lift-1"
    assert ANN.name == "ann"


def test_the_summary_is_the_sentence_of_the_alert_that_made_it_so_urgent(desk: IncidentDesk) -> None:
    desk.find(DOOR, "on", 10)
    assert desk.only().summary == desk.firing()[0].summary
    desk.find(ENTRAPMENT, "on", 30)
    urgent = next(alert for alert in desk.firing() if alert.rule == ENTRAPMENT.slug)
    assert desk.only().summary == urgent.summary
    desk.find(STOP, "on", 40)
    assert incident_json(desk.only())["summary"] == dict(urgent.summary)
    assert incident_json(IncidentDesk().call("entrapment", 5))["summary"] is None


def test_each_part_of_a_split_has_the_sentence_of_its_most_urgent_alert(desk: IncidentDesk) -> None:
    desk.find(DOOR, "on", 10)
    desk.find(STOP, "on", 15)
    desk.find(ENTRAPMENT, "on", 20)
    by_rule = {alert.rule: replace(alert, summary={"en": alert.rule}) for alert in desk.firing()}
    desk.every_alert = {alert.id: alert for alert in by_rule.values()}
    first = desk.only().id
    new = desk.split(first, {by_rule[ENTRAPMENT.slug].id}, 30)
    assert (new.summary, desk.incidents[first].summary) == ({"en": ENTRAPMENT.slug}, {"en": STOP.slug})
