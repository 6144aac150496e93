"""Merging of incidents with rescues: the call-outs, stages and acknowledgements of both count."""

from __future__ import annotations

from alerts.incidents.incident import Incident
from alerts.incidents.rescuing import RescueStep
from tests.alerts.incidents.desk import ENTRAPMENT, IncidentDesk
from tests.alerts.rules import DOOR, OVERSPEED, POWER, T0, S


def step(desk: IncidentDesk, lift_id: str, kind: str, at_s: float, **more: object) -> None:
    desk.act(desk.only(lift_id).id, kind, at_s, rescue=RescueStep(kind, **more))  # type: ignore[arg-type]


def two_rescues() -> IncidentDesk:
    """Return a desk with somebody inside the lifts a and b, each an incident; help comes to b."""
    desk = IncidentDesk()
    desk.find(ENTRAPMENT, "on", 0, lift_id="b")
    desk.find(ENTRAPMENT, "on", 5, lift_id="a")
    step(desk, "a", "call-out", 8, who="Otto")
    step(desk, "b", "call-out", 10, who="Fire service", level=3)
    step(desk, "b", "accept", 20, number=1, expected_ns=T0 + 600 * S)
    desk.act(desk.only("b").id, "assign", 30, to="bob")
    return desk


def merged(desk: IncidentDesk, into: str = "a", other: str = "b") -> Incident:
    name, gone = desk.only(into).id, desk.only(other).id
    desk.merge(name, gone, 60)
    return desk.incidents[name]


def test_a_merge_joins_the_call_outs_and_keeps_the_higher_level_the_earlier_start_and_who_comes() -> None:
    grown = merged(two_rescues())
    rescue = grown.rescue
    assert rescue is not None
    assert [(each.number, each.who) for each in rescue.call_outs] == [(1, "Otto"), (2, "Fire service")]
    assert (rescue.level, rescue.since_ns, rescue.expected_ns) == (3, T0 + S, T0 + 600 * S)
    assert (grown.stages["dispatched"], grown.owner) == (T0 + 20 * S, "bob")


def test_a_merge_is_on_site_where_both_were() -> None:
    desk = two_rescues()
    step(desk, "b", "arrive", 40)
    assert "on-site" not in merged(desk).stages
    desk = two_rescues()
    step(desk, "b", "arrive", 40)
    step(desk, "a", "arrive", 50)
    assert merged(desk).stages["on-site"] == T0 + 40 * S


def test_a_merge_into_an_incident_without_a_rescue_takes_the_rescue_and_its_stages() -> None:
    desk = two_rescues()
    desk.find(DOOR, "on", 50, lift_id="c")
    grown = merged(desk, "c")
    assert (len(grown.rescue.call_outs), grown.stages["dispatched"]) == (1, T0 + 20 * S)  # type: ignore[union-attr]


def test_a_merge_keeps_a_seen_release_of_one_of_them_to_its_lift() -> None:
    desk = two_rescues()
    desk.find(ENTRAPMENT, "off", 40, lift_id="b")
    grown = merged(desk)
    assert grown.rescue.release_seen_ns is None  # type: ignore[union-attr]
    assert [lift.release_seen for lift in grown.lifts] == [False, True]
    desk.find(ENTRAPMENT, "off", 70, lift_id="a")
    assert desk.incidents[grown.id].rescue.release_seen_ns == T0 + 71 * S  # type: ignore[union-attr]


def test_a_merge_silences_no_incident_that_waits_and_is_as_severe() -> None:
    desk = IncidentDesk({"a": "here", "b": "here"})
    desk.find(OVERSPEED, "on", 0, 3, lift_id="a")
    desk.find(POWER, "on", 1, lift_id="a")
    desk.act(desk.only("a").id, "ack", 10)
    desk.find(OVERSPEED, "on", 20, 3, lift_id="b")
    desk.find(POWER, "on", 21, lift_id="b")
    (grown,) = [one for one in desk.incidents.values() if one.is_open]
    assert (len(grown.lifts), grown.acknowledged_ns, grown.acknowledged_by) == (2, None, ())
    assert grown.risen_ns == T0 + 22 * S


def test_a_merge_with_a_lesser_incident_that_waits_stays_acknowledged() -> None:
    desk = IncidentDesk()
    desk.find(OVERSPEED, "on", 0, 3, lift_id="a")
    desk.act(desk.only("a").id, "ack", 10)
    desk.find(DOOR, "on", 20, lift_id="b")
    assert merged(desk).acknowledged_ns == T0 + 10 * S
