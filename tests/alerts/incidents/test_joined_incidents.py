"""Incidents that are merged, split or linked, and one incident of a building without power."""

from __future__ import annotations

import pytest

from alerts.answers import Refused
from alerts.incidents.incident import Incident
from alerts.incidents.rescue import Rescue
from alerts.incidents.rescuing import RescueStep
from alerts.incidents.wire import incident_json
from tests.alerts.incidents.desk import ENTRAPMENT, IncidentDesk
from tests.alerts.rules import DOOR, OFFLINE, POWER, STOP, T0, S


@pytest.fixture
def desk() -> IncidentDesk:
    return IncidentDesk()


def rescue_of(incident: Incident) -> Rescue:
    assert incident.rescue is not None
    return incident.rescue


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
    with pytest.raises(Refused, match="merged into another one"):
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


def test_a_split_moves_a_lift_with_its_call_and_leaves_a_called_lift_of_others_alone() -> None:
    desk = IncidentDesk(dict.fromkeys("abc", "here"))
    for lift_id in "abc":
        desk.find(POWER, "on", 0, lift_id=lift_id)
    incident = desk.call("entrapment", 5, "c")
    desk.act(incident.id, "call-out", 6, rescue=RescueStep("call-out", who="Firm"))
    power = {alert.lift_id: alert.id for alert in desk.firing()}
    of_b = desk.split(incident.id, {power["b"]}, 10)
    kept = desk.incidents[incident.id]
    assert (of_b.kind, of_b.may_hold_people, of_b.rescue, of_b.called) == ("out-of-order", False, None, None)
    assert [(lift.lift_id, lift.holds_people) for lift in kept.lifts] == [("a", False), ("c", True)]
    assert (kept.kind, rescue_of(kept).since_ns) == ("entrapment", T0 + 5 * S)
    of_c = desk.split(incident.id, {power["c"]}, 20)
    kept = desk.incidents[incident.id]
    assert (of_c.kind, of_c.called, of_c.by_hand, "confirmed" in of_c.stages) == (
        "entrapment",
        "entrapment",
        True,
        True,
    )
    assert (rescue_of(of_c).since_ns, [each.who for each in rescue_of(of_c).call_outs]) == (T0 + 5 * S, ["Firm"])
    assert (kept.kind, kept.rescue, kept.called, kept.may_hold_people) == ("out-of-order", None, None, False)


def test_a_merge_by_mistake_is_taken_back_by_splitting_the_called_lift_off(desk: IncidentDesk) -> None:
    desk.find(STOP, "on", 0, lift_id="a")
    desk.find(DOOR, "on", 1, lift_id="a")
    stopped, called = desk.only("a").id, desk.call("entrapment", 5, "b").id
    desk.merge(stopped, called, 10)
    door = next(alert.id for alert in desk.firing() if alert.rule == DOOR.slug)
    of_door = desk.split(stopped, {door}, 20)
    assert not of_door.may_hold_people
    assert [(lift.lift_id, lift.holds_people) for lift in desk.incidents[stopped].lifts] == [("a", False), ("b", True)]
    back = desk.split(stopped, set(), 30, ["b"])
    assert ([lift.lift_id for lift in back.lifts], back.kind, back.folds("b")) == (["b"], "entrapment", True)
    assert (desk.incidents[stopped].kind, desk.incidents[stopped].may_hold_people) == ("out-of-order", False)
    with pytest.raises(Refused, match="not all of them"):
        desk.split(back.id, set(), 40, ["b"])


def test_all_alerts_of_a_lift_that_was_called_about_leave_the_call_behind(desk: IncidentDesk) -> None:
    desk.find(DOOR, "on", 0)
    incident = desk.call("entrapment", 5)
    new = desk.split(incident.id, {alert.id for alert in desk.firing()}, 10)
    kept = desk.incidents[incident.id]
    assert (new.kind, new.may_hold_people, new.folds("lift-1")) == ("nuisance", False, False)
    assert (kept.kind, kept.may_hold_people, kept.unclosed, kept.folds("lift-1")) == ("entrapment", True, 0, True)


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


def test_a_merge_has_the_links_of_both_and_none_to_itself() -> None:
    desk = IncidentDesk()
    desk.find(STOP, "on", 0)
    desk.find(DOOR, "on", 10)
    first = desk.only().id
    others = [desk.call("out-of-order", 20, lift_id).id for lift_id in ("b", "c")]
    (door,) = [alert.id for alert in desk.firing() if alert.rule == DOOR.slug]
    second = desk.split(first, {door}, 30).id
    desk.link(first, others[0], 40)
    desk.link(second, others[1], 50)
    desk.merge(first, second, 60)
    assert desk.incidents[first].links == (others[0], others[1])
    assert (desk.incidents[second].merged_into, first in desk.incidents[second].links) == (first, True)


def test_a_lift_that_goes_offline_keeps_its_incident_open_and_as_urgent() -> None:
    desk = IncidentDesk()
    desk.find(ENTRAPMENT, "on", 0)
    desk.find(OFFLINE, "on", 400)
    incident = desk.only()
    assert (incident.kind, incident.severity, incident.unclosed) == ("entrapment", "critical", 2)
    desk.act(incident.id, "ack", 410)
    desk.find(OFFLINE, "off", 900)
    assert (desk.only().is_open, desk.only().may_hold_people, desk.only().unclosed) == (True, True, 1)
    desk.find(ENTRAPMENT, "off", 950)
    assert desk.only().rescue is not None
    assert desk.story(incident.id)[-1] in ("release-seen", "closed")
