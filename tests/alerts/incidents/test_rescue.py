"""The rescue of an incident: call-outs and their answers, timers, levels, arrivals, and releases seen by telemetry."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from alerts.answers import Refused
from alerts.incidents.actions import Call, IncidentAction, on_action, on_call
from alerts.incidents.incident import Incident
from alerts.incidents.reports import on_report
from alerts.incidents.rescue import CALL_OUTS_MOST, Rescue, RescuePoint, RescueTimes, nearest
from alerts.incidents.rescue_timers import on_time
from alerts.incidents.rescuing import RescueStep, on_step
from alerts.incidents.wire import incident_json
from detectors.rule import MINOR
from registry.actor import Actor
from tests.alerts.incidents.desk import ANN, BUTTON, ENTRAPMENT, IncidentDesk
from tests.alerts.rules import DISTRICT, DOOR, LIFT, T0, S

OTTO = replace(Actor.named("Mei"), organisation="Otto")
TIMES = RescueTimes(180, 1800, {"county": 3600})


def trapped() -> Incident:
    return on_call(None, Call(LIFT, DISTRICT, "entrapment", ANN), T0).incident


def step(incident: Incident, kind: str, at_s: float, by: Actor = ANN, **more: object) -> Incident:
    """Return the incident after a step, which changes it."""
    action = IncidentAction(kind, by, rescue=RescueStep(kind, **more))  # type: ignore[arg-type]
    change = on_action(incident, action, T0 + round(at_s * S))
    assert change is not None
    return change.incident


def late(incident: Incident, at_s: float) -> tuple[Incident, list[str]]:
    """Return the incident after its timers, and the kinds of the entries with what they are about."""
    changes = on_time(incident, TIMES, T0 + round(at_s * S))
    entries = [change.entry for change in changes if change.entry is not None]
    return (changes[-1].incident if changes else incident), [f"{each.kind} {each.about}" for each in entries]


def rescue_of(incident: Incident) -> Rescue:
    assert incident.rescue is not None
    return incident.rescue


def test_a_rescue_begins_when_somebody_may_be_inside() -> None:
    desk = IncidentDesk()
    desk.find(DOOR, "on", 10)
    assert desk.only().rescue is None
    desk.find(ENTRAPMENT, "on", 500)
    assert rescue_of(desk.only()).since_ns == T0 + 501 * S


def test_the_timers_of_a_rescue_that_began_while_the_clock_was_ahead_run_from_now() -> None:
    ahead = on_call(None, Call(LIFT, DISTRICT, "entrapment", ANN), T0 + 86_400 * S).incident
    ahead = step(ahead, "call-out", 86_410, who="Otto")
    back, entries = late(ahead, 0)
    assert entries == []
    assert (rescue_of(back).since_ns, rescue_of(back).call_outs[0].called_ns) == (T0, T0)
    assert late(back, 180)[1][:1] == ["no-answer 1"]


def test_a_call_out_is_accepted_with_place_and_time_and_help_arrives() -> None:
    called = step(trapped(), "call-out", 10, who="Otto")
    coming = step(called, "accept", 20, OTTO, number=1, place="North", expected_ns=T0 + 900 * S)
    assert list(coming.stages) == ["suspected", "confirmed", "acknowledged", "dispatched"]
    (own,) = rescue_of(coming).call_outs
    assert (own.answer, own.place, rescue_of(coming).expected_ns) == ("accepted", "North", T0 + 900 * S)
    there = step(coming, "arrive", 800, OTTO, place="machine-room")
    assert (there.stages["on-site"], rescue_of(there).proven) == (T0 + 800 * S, "machine-room")
    assert rescue_of(there).call_outs[0].arrived_ns == T0 + 800 * S
    shown = incident_json(there)["rescue"]
    assert (shown["call_outs"][0]["who"], shown["automatic"]) == ("Otto", False)


def test_the_same_step_again_changes_nothing() -> None:
    incident = trapped()
    for kind, more in (
        ("call-out", {"who": "Otto"}), ("accept", {"number": 1, "place": "North"}), ("arrive", {"place": "car"}),
        ("decline", {"number": 1, "reason": "broke down"}),
    ):  # fmt: skip
        incident = step(incident, kind, 10, OTTO, **more)
        action = IncidentAction(kind, OTTO, rescue=RescueStep(kind, **more))  # type: ignore[arg-type]
        assert on_action(incident, action, T0 + 20 * S) is None, kind


def test_who_comes_unasked_is_a_call_out_too() -> None:
    coming = step(trapped(), "accept", 30, OTTO)
    (own,) = rescue_of(coming).call_outs
    assert (own.who, own.number, own.called_ns) == ("Otto", 1, T0 + 30 * S)


def test_the_desk_enters_that_nobody_answers_before_the_time_is_over() -> None:
    incident = step(step(trapped(), "call-out", 10, who="Otto"), "no-answer", 40, number=1)
    incident, entries = late(incident, 41)
    assert entries == ["level 2"]
    assert on_step(incident, RescueStep("no-answer", 1), ANN, T0 + 50 * S) is None
    coming = step(incident, "accept", 60, OTTO, number=1)
    with pytest.raises(Refused, match="has answered call-out 1"):
        on_step(coming, RescueStep("no-answer", 1), ANN, T0 + 70 * S)


def test_silence_and_refusals_raise_the_level_one_by_one() -> None:
    incident = step(trapped(), "call-out", 10, who="Otto")
    incident = on_action(incident, IncidentAction("ack", ANN), T0 + 11 * S).incident  # type: ignore[union-attr]
    assert late(incident, 189)[1] == []
    incident, entries = late(incident, 190)
    assert entries == ["no-answer 1", "level 2"]
    incident = step(incident, "call-out", 200, who="North", level=2)
    incident = step(incident, "decline", 210, number=2, reason="no crew")
    incident, entries = late(incident, 211)
    assert entries == ["level 3"]
    assert late(incident, 300) == (incident, [])


def test_who_accepted_and_declines_leaves_the_incident_to_be_taken_up_anew_unless_another_comes() -> None:
    coming = step(trapped(), "accept", 20, OTTO)
    alone = step(coming, "decline", 60, OTTO, number=1, reason="broke down")
    assert list(alone.stages) == ["suspected", "confirmed"]
    assert (alone.risen_ns, alone.acknowledged_by) == (T0 + 60 * S, ())
    assert late(alone, 180)[1] == ["overdue answered"]
    two = step(step(coming, "accept", 30, ANN, who="North"), "decline", 60, OTTO, number=1, reason="broke down")
    assert (two.acknowledged_ns, two.stages["dispatched"], two.risen_ns) == (T0 + 20 * S, T0 + 20 * S, None)
    there = step(step(coming, "arrive", 50, OTTO), "decline", 60, OTTO, number=1, reason="a mistake")
    assert (there.acknowledged_ns, there.risen_ns) == (T0 + 20 * S, None)


def test_the_timers_are_entered_once_each_and_raise_the_level() -> None:
    incident, entries = late(trapped(), 180)
    assert (entries, rescue_of(incident).level) == (["overdue answered"], 2)
    incident, entries = late(incident, 1799)
    assert entries == []
    incident, entries = late(incident, 1800)
    assert (entries, rescue_of(incident).level, rescue_of(incident).overdue) == (
        ["overdue arrived"], 3, ("answered", "arrived"),
    )  # fmt: skip
    both, entries = late(trapped(), 100_000)
    assert entries == ["overdue answered", "overdue arrived"]
    assert on_time(both, TIMES, T0 + 200_000 * S) == []


def test_a_rescue_that_is_taken_up_and_has_arrived_is_never_overdue() -> None:
    there = step(step(trapped(), "accept", 179, OTTO), "arrive", 1799, OTTO)
    assert late(there, 100_000)[1] == []


def test_the_district_has_a_time_of_its_own() -> None:
    taken = on_action(trapped(), IncidentAction("ack", ANN), T0 + S).incident  # type: ignore[union-attr]
    outside = replace(taken, lifts=(replace(taken.lifts[0], district="county"),))
    assert late(outside, 3599)[1] == []
    assert late(outside, 3600)[1] == ["overdue arrived"]


def test_the_end_of_an_entrapment_is_a_proposal_that_a_person_confirms() -> None:
    desk = IncidentDesk()
    desk.find(ENTRAPMENT, "on", 10)
    desk.act(desk.only().id, "stage", 15, stage="dispatched")
    desk.find(ENTRAPMENT, "off", 60)
    seen = desk.only()
    assert rescue_of(seen).release_seen_ns is not None
    assert (seen.may_hold_people, incident_json(seen)["rescue"]["automatic"]) == (True, True)
    assert desk.story(seen.id)[-1] == "release-seen"
    assert on_time(seen, TIMES, T0 + 9999 * S) == []
    desk.act(seen.id, "stage", 70, stage="released")
    assert incident_json(desk.only())["rescue"]["automatic"] is False


def test_the_end_of_another_alert_is_no_release_and_a_new_entrapment_takes_the_proposal_back() -> None:
    desk = IncidentDesk()
    desk.find(ENTRAPMENT, "on", 10)
    desk.find(DOOR, "on", 11, MINOR)
    desk.find(DOOR, "off", 30)
    assert rescue_of(desk.only()).release_seen_ns is None
    desk.find(ENTRAPMENT, "off", 60)
    assert rescue_of(desk.only()).release_seen_ns is not None
    desk.find(ENTRAPMENT, "on", 75)
    assert rescue_of(desk.only()).release_seen_ns is None


@pytest.mark.parametrize("says", ["call", "report", "alert"])
def test_whatever_says_that_somebody_is_inside_after_a_seen_release_starts_the_clock_again(says: str) -> None:
    desk = IncidentDesk()
    desk.find(ENTRAPMENT, "on", 0)
    desk.find(ENTRAPMENT, "off", 60)
    desk.call("nuisance", 70)
    desk.act(desk.only().id, "ack", 80, OTTO)
    incident = desk.only()
    assert late(incident, 9999)[1] == []
    if says == "call":
        incident = desk.call("entrapment", 119)
    elif says == "report":
        incident = on_report(incident, LIFT, DISTRICT, "entrapment", None, T0 + 119 * S).incident
    else:
        desk.find(BUTTON, "on", 118)
        incident = desk.only()
    assert (rescue_of(incident).release_seen_ns, incident.acknowledged_ns) == (None, None)
    assert incident.risen_ns == T0 + 119 * S
    assert late(incident, 9999)[1] == ["overdue answered", "overdue arrived"]


def test_an_automatic_end_is_marked_where_the_incident_closes_by_itself() -> None:
    desk = IncidentDesk()
    desk.find(ENTRAPMENT, "on", 10)
    desk.act(desk.only().id, "ack", 20)
    desk.find(ENTRAPMENT, "off", 60)
    closed = desk.only()
    assert (closed.state, incident_json(closed)["rescue"]["automatic"]) == ("closed", True)


def test_a_release_ends_a_rescue_and_a_second_person_begins_one_anew() -> None:
    desk = IncidentDesk()
    desk.find(ENTRAPMENT, "on", 10)
    name = desk.only().id
    desk.act(name, "stage", 20, stage="released")
    desk.find(BUTTON, "on", 900)
    again = desk.only()
    assert (rescue_of(again).since_ns, rescue_of(again).release_seen_ns) == (T0 + 901 * S, None)


def test_refused_steps_name_the_reason() -> None:
    nuisance = on_call(None, Call(LIFT, DISTRICT, "nuisance", ANN), T0).incident
    full = trapped()
    for number in range(CALL_OUTS_MOST):
        full = step(full, "call-out", number, who=f"firm {number}")
    for incident, kind, more, reason in (
        (nuisance, "call-out", {"who": "Otto"}, "no-rescue"), (trapped(), "accept", {"number": 3}, "number"),
        (trapped(), "decline", {}, "number"), (full, "call-out", {"who": "one more"}, "call-outs"),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            step(incident, kind, 100, **more)
        assert refused.value.reason == reason


def test_the_nearest_rescue_points_of_a_district_come_first() -> None:
    far, near = RescuePoint("far", lat=31.0, lon=120.0), RescuePoint("near", lat=30.01, lon=120.0)
    fire, other = RescuePoint("119", 3), RescuePoint("other", lat=30.0, lon=120.0, districts=("d9",))
    found = nearest([fire, far, other, near], "d1", 30.0, 120.0)
    assert [point.name for point, _ in found] == ["near", "far", "119"]
    assert found[0][1] == pytest.approx(1.112, abs=0.001)
    assert math.isnan(found[2][1])
