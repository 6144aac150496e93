"""An incident of several lifts in which people are trapped: what is so of one lift is not so of the others."""

from __future__ import annotations

import pytest

from alerts.answers import Refused
from alerts.incidents.actions import IncidentAction, on_action
from alerts.incidents.incident import Incident
from alerts.incidents.rescue import RescueTimes
from alerts.incidents.rescue_timers import on_time
from alerts.incidents.rescuing import RescueStep
from tests.alerts.incidents.desk import ANN, BOB, ENTRAPMENT, IncidentDesk
from tests.alerts.rules import POWER, T0, S


def without_power(*trapped: str) -> IncidentDesk:
    """Return a desk with the lifts a and b of one building without power, some of which hold people from 30 s on."""
    desk = IncidentDesk({"a": "here", "b": "here"})
    for lift_id in "ab":
        desk.find(POWER, "on", 0, lift_id=lift_id)
    for lift_id in trapped:
        desk.find(ENTRAPMENT, "on", 30, lift_id=lift_id)
    return desk


def holding(incident: Incident) -> list[str]:
    return [lift.lift_id for lift in incident.lifts if lift.holds_people]


def overdue(incident: Incident) -> list[str | None]:
    """Return the timers that have passed two hours later."""
    return [change.entry and change.entry.about for change in on_time(incident, RescueTimes(180, 1800), T0 + 7200 * S)]


def opened(desk: IncidentDesk) -> Incident:
    """Return the one incident that is open."""
    (found,) = [one for one in desk.incidents.values() if one.is_open]
    return found


def test_the_release_of_one_lift_keeps_the_other_whose_alert_still_fires() -> None:
    desk = without_power("a", "b")
    name = opened(desk).id
    desk.find(ENTRAPMENT, "off", 60, lift_id="a")
    desk.act(name, "stage", 70, stage="released")
    assert (holding(opened(desk)), "released" in opened(desk).stages) == (["b"], False)
    with pytest.raises(Refused, match="somebody is inside"):
        desk.act(name, "stage", 71, stage="released")
    assert holding(opened(desk)) == ["b"]
    with pytest.raises(Refused, match="may still be inside"):
        desk.act(name, "close", 80, reason="repaired")
    desk.find(ENTRAPMENT, "off", 90, lift_id="b")
    desk.act(name, "stage", 100, stage="released")
    assert (holding(opened(desk)), opened(desk).stages["released"]) == ([], T0 + 100 * S)


def test_a_release_is_refused_while_the_alerts_of_several_lifts_fire() -> None:
    desk = without_power("a", "b")
    with pytest.raises(Refused) as refused:
        desk.act(opened(desk).id, "stage", 70, stage="released")
    assert (refused.value.reason, holding(opened(desk))) == ("person-inside", ["a", "b"])


def test_the_release_of_the_only_lift_that_holds_people_needs_no_cleared_alert() -> None:
    desk = without_power("b")
    desk.act(opened(desk).id, "stage", 70, stage="released")
    assert (holding(opened(desk)), opened(desk).stage) == ([], "released")


def test_the_release_seen_of_one_lift_leaves_the_clock_of_the_other_running() -> None:
    desk = without_power("a", "b")
    desk.find(ENTRAPMENT, "off", 60, lift_id="a")
    assert opened(desk).rescue.release_seen_ns is None  # type: ignore[union-attr]
    assert overdue(opened(desk)) == ["answered", "arrived"]
    desk.find(ENTRAPMENT, "off", 90, lift_id="b")
    assert opened(desk).rescue.release_seen_ns is not None  # type: ignore[union-attr]
    assert overdue(opened(desk)) == []


def test_an_arrival_at_one_lift_is_none_at_another_that_holds_people_later() -> None:
    desk = without_power("a")
    desk.act(opened(desk).id, "arrive", 100, rescue=RescueStep("arrive"))
    assert overdue(opened(desk)) == []
    desk.find(ENTRAPMENT, "on", 200, lift_id="b")
    assert ("on-site" in opened(desk).stages, opened(desk).acknowledged_ns) == (False, None)
    assert overdue(opened(desk)) == ["answered", "arrived"]
    desk.act(opened(desk).id, "arrive", 300, rescue=RescueStep("arrive"))
    assert overdue(opened(desk)) == []


def test_the_stages_of_one_lift_are_not_those_of_the_others() -> None:
    desk = without_power("a", "b")
    name = opened(desk).id
    desk.act(name, "stage", 70, stage="on-site", lift_id="a")
    assert (opened(desk).lift("a").stages, opened(desk).stage) == ({"on-site": T0 + 70 * S}, "suspected")  # type: ignore[union-attr]
    assert overdue(opened(desk)) == ["answered", "arrived"], "nobody is on site at b"
    assert desk.act(name, "stage", 71, stage="on-site", lift_id="a") is None
    desk.act(name, "stage", 80, stage="released", lift_id="a")
    assert (holding(opened(desk)), "released" in opened(desk).stages) == (["b"], False)
    assert overdue(opened(desk)) == ["answered", "arrived"]
    with pytest.raises(Refused, match="Nobody is inside a"):
        desk.act(name, "stage", 81, stage="dispatched", lift_id="a")
    desk.act(name, "stage", 90, stage="on-site", lift_id="b")
    assert opened(desk).stages["on-site"] == T0 + 90 * S
    desk.act(name, "stage", 100, stage="released", lift_id="b")
    assert (holding(opened(desk)), opened(desk).stages["released"]) == ([], T0 + 100 * S)


def test_a_scanned_code_proves_an_arrival_at_its_lift_alone() -> None:
    desk = without_power("a", "b")
    name = opened(desk).id
    at_car = RescueStep("arrive", place="car", lift_id="a")
    change = desk.act(name, "arrive", 70, rescue=at_car)
    assert change is not None
    assert change.entry is not None
    assert (change.entry.about, change.entry.to) == ("car", "a")
    assert [(lift.proven, dict(lift.stages)) for lift in opened(desk).lifts] == [
        ("car", {"on-site": T0 + 70 * S}), (None, {}),
    ]  # fmt: skip
    assert ("on-site" in opened(desk).stages, opened(desk).acknowledged_ns) == (False, None)
    assert overdue(opened(desk)) == ["answered", "arrived"], "nobody is on site at b"
    assert desk.act(name, "arrive", 71, rescue=at_car) is None
    desk.act(name, "arrive", 90, rescue=RescueStep("arrive", place="machine-room", lift_id="b"))
    assert (opened(desk).stages["on-site"], overdue(opened(desk))) == (T0 + 90 * S, [])
    assert opened(desk).acknowledged_ns == T0 + 90 * S
    assert [lift.proven for lift in opened(desk).lifts] == ["car", "machine-room"]
    with pytest.raises(Refused, match="no lift of this incident"):
        desk.act(name, "arrive", 91, rescue=RescueStep("arrive", place="car", lift_id="c"))


def test_an_arrival_without_a_place_is_at_its_lift_alone_and_takes_back_no_proof() -> None:
    desk = without_power("a", "b")
    name = opened(desk).id
    without = RescueStep("arrive", lift_id="a")
    desk.act(name, "arrive", 70, rescue=without)
    assert [(lift.proven, dict(lift.stages)) for lift in opened(desk).lifts] == [
        (None, {"on-site": T0 + 70 * S}), (None, {}),
    ]  # fmt: skip
    assert desk.act(name, "arrive", 71, rescue=without) is None
    desk.act(name, "arrive", 72, rescue=RescueStep("arrive", place="car", lift_id="a"))
    assert desk.act(name, "arrive", 73, rescue=without) is None
    assert [lift.proven for lift in opened(desk).lifts] == ["car", None]


def test_a_stage_of_a_lift_that_is_not_in_the_incident_is_refused() -> None:
    desk = without_power("a", "b")
    with pytest.raises(Refused) as refused:
        desk.act(opened(desk).id, "stage", 70, stage="released", lift_id="c")
    assert refused.value.reason == "lift_id"


def test_who_is_inside_anew_has_no_stage_of_those_before_and_the_others_keep_theirs() -> None:
    desk = without_power("a")
    name = opened(desk).id
    desk.act(name, "stage", 70, stage="on-site")
    desk.find(ENTRAPMENT, "on", 80, lift_id="b")
    assert [dict(lift.stages) for lift in opened(desk).lifts] == [{"on-site": T0 + 70 * S}, {}]
    assert "on-site" not in opened(desk).stages
    desk.act(name, "stage", 90, stage="on-site", lift_id="b")
    assert opened(desk).stages["on-site"] == T0 + 90 * S


def test_an_acknowledgement_of_some_lifts_is_none_of_others_that_hold_people() -> None:
    desk = without_power("b")
    name, now_ns = opened(desk).id, T0 + 40 * S
    change = on_action(opened(desk), IncidentAction("ack", ANN), now_ns, acting=["a"])
    assert change is not None
    halfway = change.incident
    assert (halfway.acknowledged_ns, halfway.acknowledged_by) == (None, ("ann",))
    by_lift = {lift.lift_id: halfway.acknowledged_for_lifts([lift]) for lift in halfway.lifts}
    assert by_lift == {"a": now_ns, "b": None}
    assert on_action(halfway, IncidentAction("ack", ANN), now_ns + S, acting=["a"]) is None
    whole = on_action(halfway, IncidentAction("ack", BOB), now_ns + 2 * S, acting=["b"])
    assert whole is not None
    assert (whole.incident.id, whole.incident.acknowledged_ns) == (name, now_ns + 2 * S)


def test_who_has_acknowledged_does_so_again_where_nobody_looked_after_it_since() -> None:
    desk = without_power("a")
    name = opened(desk).id
    desk.act(name, "ack", 40)
    assert desk.act(name, "ack", 99) is None
    again = desk.act(name, "ack", 1900)
    assert again is not None
    assert (again.incident.active_ns, again.incident.acknowledged_by) == (T0 + 1900 * S, ("ann",))
    assert again.incident.acknowledged_ns == T0 + 40 * S
