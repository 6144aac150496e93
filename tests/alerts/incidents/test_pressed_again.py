"""An alarm button that is pressed again while its alert fires: a transition, an entry of the story, and calls anew."""

from __future__ import annotations

from dataclasses import replace

from alerts.book import Occurrence
from tests.alerts.incidents.desk import BUTTON, IncidentDesk
from tests.alerts.rules import DISTRICT, LIFT, T0, S, finding


def press(desk: IncidentDesk, at_s: float) -> None:
    """Press the button for a second, as the rule finds it."""
    for kind, second in (("on", at_s), ("off", at_s + 1)):
        found = replace(finding(BUTTON, kind, second), by_hand=True, is_reported=True)
        seen = len(desk.alerts.changes)
        desk.alerts.apply([Occurrence(LIFT, DISTRICT, found, BUTTON, found.at_ns + S)])
        desk._pass_on(desk.alerts.changes[seen:])


def pressed(desk: IncidentDesk) -> int:
    return desk.story(desk.only().id).count("pressed")


def test_a_press_of_an_acknowledged_incident_is_in_its_story_and_calls_again() -> None:
    desk = IncidentDesk()
    press(desk, 0)
    name = desk.only().id
    desk.act(name, "ack", 30)
    press(desk, 90)
    incident = desk.only()
    assert (pressed(desk), incident.acknowledged_ns, incident.risen_ns) == (1, None, T0 + 91 * S)
    (alert,) = desk.firing()
    assert (alert.count, alert.acknowledged) == (2, True)


def test_presses_within_a_minute_are_one_entry() -> None:
    desk = IncidentDesk()
    for at_s in (0, 10, 30, 59, 61, 100, 122, 180):
        press(desk, at_s)
    assert pressed(desk) == 2


def test_a_press_while_help_is_on_the_way_ends_no_acknowledgement() -> None:
    desk = IncidentDesk()
    press(desk, 0)
    name = desk.only().id
    desk.act(name, "ack", 20)
    desk.act(name, "stage", 30, stage="dispatched")
    press(desk, 120)
    assert (pressed(desk), desk.only().acknowledged_ns) == (1, T0 + 20 * S)


def test_a_press_of_an_incident_that_nobody_has_acknowledged_goes_on_with_its_calls() -> None:
    desk = IncidentDesk()
    press(desk, 0)
    press(desk, 120)
    assert (pressed(desk), desk.only().risen_ns) == (1, None)


def test_a_press_after_the_release_says_that_somebody_is_inside_again() -> None:
    desk = IncidentDesk()
    press(desk, 0)
    name = desk.only().id
    desk.act(name, "stage", 60, stage="released")
    press(desk, 200)
    assert (desk.only().may_hold_people, desk.only().stages.keys() & {"released"}) == (True, set())


def test_a_press_within_the_time_of_undoing_opens_a_closed_incident_again() -> None:
    desk = IncidentDesk()
    press(desk, 0)
    name = desk.only().id
    desk.act(name, "close", 100, reason="false-alarm")
    press(desk, 105)
    assert (desk.only().is_open, desk.only().may_hold_people) == (True, True)
