"""Incidents that are merged, split or linked, and one incident of a building without power."""

from __future__ import annotations

import pytest

from alerts.answers import Refused
from alerts.incidents.wire import incident_json
from tests.alerts.incidents.desk import ENTRAPMENT, IncidentDesk
from tests.alerts.rules import DOOR, OFFLINE, POWER, STOP


@pytest.fixture
def desk() -> IncidentDesk:
    return IncidentDesk()


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
