"""The life of an incident, fact by fact (contract, section 3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerts.answers import Refused
from alerts.incidents.actions import REOPEN_NS
from alerts.incidents.incident import REASONS, STAGES, incident_id
from alerts.incidents.kinds import kind_of
from alerts.incidents.wire import incident_json
from detectors.rule import CRITICAL, MAJOR, MINOR
from registry.actor import Actor
from registry.catalogue import catalogue
from registry.incident_kinds import INCIDENT_KINDS
from tests.alerts.incidents.desk import ANN, BOB, BUTTON, ENTRAPMENT, IncidentDesk
from tests.alerts.rules import DOOR, OFFLINE, OVERSPEED, OVERTRAVEL, POWER, STOP, T0, S, rule


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
    assert incident.may_hold_people is False
    desk.act(name, "close", 50, reason="repaired")
    with pytest.raises(Refused, match="more than 24 hours ago"):
        desk.act(name, "reopen", 50 + REOPEN_NS / 1e9)


def test_an_incident_is_not_reopened_beside_another_open_one_of_its_lift(desk: IncidentDesk) -> None:
    desk.find(BUTTON, "on", 10)
    name = desk.only().id
    desk.act(name, "close", 20, reason="test")
    desk.find(STOP, "on", 40)
    with pytest.raises(Refused, match="Another incident of its lift is open"):
        desk.act(name, "reopen", 60)


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


def test_merging_moves_the_alerts_and_closes_the_other(desk: IncidentDesk) -> None:
    desk.find(DOOR, "on", 10, lift_id="a")
    desk.find(ENTRAPMENT, "on", 20, lift_id="b")
    one, other = desk.only("a").id, desk.only("b").id
    desk.merge(one, other, 30)
    merged, closed = desk.incidents[one], desk.incidents[other]
    assert (merged.severity, merged.kind, [lift.unclosed for lift in merged.lifts]) == (
        "critical",
        "entrapment",
        [1, 1],
    )
    assert (closed.state, closed.merged_into, closed.unclosed) == ("closed", one, 0)
    with pytest.raises(Refused, match=f"merged into {one}"):
        desk.act(other, "reopen", 31)
    desk.find(STOP, "on", 40, lift_id="b")
    assert desk.incidents[one].unclosed == 3


def test_splitting_gives_some_alerts_an_incident_of_their_own(desk: IncidentDesk) -> None:
    desk.find(DOOR, "on", 10)
    desk.find(ENTRAPMENT, "on", 20)
    (door,) = [alert for alert in desk.firing() if alert.rule == DOOR.slug]
    first = desk.only().id
    new = desk.split(first, {door.id}, 30)
    assert (new.kind, new.unclosed, new.folds("lift-1")) == ("nuisance", 1, False)
    assert (desk.incidents[first].unclosed, desk.incidents[first].links) == (1, (new.id,))
    desk.find(STOP, "on", 40)
    assert desk.incidents[first].unclosed == 2
    with pytest.raises(Refused, match="not all of them"):
        desk.split(new.id, {door.id}, 50)


def test_linked_incidents_name_each_other_once(desk: IncidentDesk) -> None:
    desk.find(DOOR, "on", 10, lift_id="a")
    desk.find(DOOR, "on", 20, lift_id="b")
    one, other = desk.only("a").id, desk.only("b").id
    desk.link(one, other, 30)
    desk.link(one, other, 31)
    assert (desk.incidents[one].links, desk.incidents[other].links) == ((other,), (one,))
    assert desk.story(one) == ["opened", "linked"]


def test_a_building_without_power_is_one_incident_with_those_that_hold_people_first() -> None:
    desk = IncidentDesk(dict.fromkeys("abcd", "12 Long Street") | {"x": "1 Short Street"})
    desk.find(DOOR, "on", 5, lift_id="c")
    desk.find(POWER, "on", 10, lift_id="a")
    desk.find(OFFLINE, "on", 11, lift_id="b")
    desk.find(POWER, "on", 12, lift_id="b")
    desk.find(POWER, "on", 13, lift_id="c")
    desk.find(ENTRAPMENT, "on", 14, lift_id="c")
    desk.find(POWER, "on", 15, lift_id="x")
    open_ones = [one for one in desk.incidents.values() if one.is_open]
    assert [[lift.lift_id for lift in one.lifts] for one in open_ones] == [["a", "b", "c"], ["x"]]
    body = incident_json(open_ones[0])
    assert [lift["lift_id"] for lift in body["lifts"]] == ["c", "a", "b"]
    assert (body["lift_id"], body["building"], body["may_hold_people"]) == ("a", "12 Long Street", True)
    assert desk.story(open_ones[0].id).count("merged") == 2


def test_a_lift_of_which_the_building_is_unknown_has_an_incident_of_its_own() -> None:
    desk = IncidentDesk()
    desk.find(POWER, "on", 10, lift_id="a")
    desk.find(POWER, "on", 11, lift_id="b")
    assert len([one for one in desk.incidents.values() if one.is_open]) == 2


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
