"""F02: a person shut in a car that stands at a landing."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import CRITICAL, MAJOR, Finding
from telemetry.streams import CLOSED, OPENING
from tests.detectors.world import BEGIN_NS, Fault, Rows, Script, batch, facts_of, tower


def shut_in(person: float = 1.0, seconds: float = 110.0) -> Script:
    """Close the door on a person, and stay."""
    script = Script(z_m=9.0).event(door=CLOSED, presence=0, mode=0).rest(4.0).open_door(2.0)
    return script.rest(1.0).event(presence=person).rest(3.0).close_door(2.8).rest(seconds)


def fault() -> Fault:
    script = shut_in(seconds=0.0)
    onset_s = script.now_s
    script.rest(110.0).open_door(2.0).rest(1.0).event(presence=0).rest(12.0)
    return Fault(script, onset_s=onset_s, within_s=90.0, clears=True)


def found(rows: Rows) -> list[Finding]:
    return Judge([BY_SLUG["entrapment-at-level"]], 1).step(batch([rows]), facts_of([tower()]))


def test_a_person_who_waits_behind_a_closed_door_for_a_minute_is_not_trapped() -> None:
    assert found(shut_in(seconds=85.0).open_door().rest(10.0).rows()) == []


@pytest.mark.parametrize("dt_s", [0.1, 1.0])
def test_ropes_that_spin_on_the_sheave_hide_nobody_who_is_shut_in(dt_s: float) -> None:
    """The speed is that of the sheave; the position says that the car stands."""
    rows = shut_in(seconds=120.0).rows(dt_s)
    spins = (rows["t_ns"] > BEGIN_NS + 20_000_000_000) & ~np.isnan(rows["v_mps"])
    rows["v_mps"] = np.where(spins, rows["v_mps"] + 0.6, rows["v_mps"])
    assert [f.kind for f in found(rows)] == ["on"]


def test_a_car_that_runs_for_two_minutes_shuts_nobody_in() -> None:
    script = shut_in(seconds=2.0)
    script.move(np.concatenate([np.full(6000, 0.1), np.full(6000, -0.1)]))
    assert found(script.rows()) == []


def test_an_empty_car_may_park_shut() -> None:
    assert found(shut_in(person=0.0, seconds=300.0).rows(1.0)) == []


def test_a_car_between_landings_is_not_at_level() -> None:
    script = Script(z_m=3.0).event(door=CLOSED, presence=1).rest(4.0).ride(10.4).rest(200.0)
    assert found(script.rows(1.0)) == []


@pytest.mark.parametrize("unseen_s", [10.0, 28.0])
def test_a_person_unseen_for_a_while_stops_the_clock(unseen_s: float) -> None:
    script = shut_in(seconds=0.0)
    closed_s = script.now_s
    script.rest(40.0).event(presence=0).rest(unseen_s).event(presence=1).rest(60.0)
    (finding,) = found(script.rows())
    assert (finding.at_ns - BEGIN_NS) / 1e9 == pytest.approx(closed_s + 90.0 + unseen_s, abs=1.0)


def test_a_door_that_only_begins_to_open_frees_nobody() -> None:
    script = shut_in().event(door=OPENING).rest(8.0).event(door=CLOSED).rest(20.0)
    assert [f.kind for f in found(script.rows())] == ["on"]


def test_a_door_that_opens_between_two_readings_shuts_nobody_in() -> None:
    script = shut_in(seconds=60.0)
    for _ in range(10):
        script.open_door(2.0).rest(2.0).close_door(2.0).rest(24.0)
    assert found(script.rows(30.0)) == []


@pytest.mark.parametrize(("lost_s", "trapped"), [(8.0, False), (60.0, True)], ids=["door open", "door closed"])
def test_a_message_lost_at_an_open_door_may_have_reported_that_the_person_left(lost_s: float, trapped: bool) -> None:
    rows = shut_in(seconds=150.0).rows()
    rows["gap"] = np.full(len(rows["t_ns"]), np.nan)
    rows["gap"][np.searchsorted(rows["t_ns"], BEGIN_NS + round(lost_s * 1e9))] = 1.0
    assert bool(found(rows)) == trapped


def test_a_person_who_left_through_a_door_that_opened_for_a_moment_is_free() -> None:
    script = shut_in().open_door(2.0)
    opened_s = script.now_s
    script.rest(2.0).event(presence=0).rest(2.0).close_door().rest(15.0)
    off = found(script.rows())[-1]
    assert off.kind == "off"
    assert (off.at_ns - BEGIN_NS) / 1e9 == pytest.approx(opened_s + 10.0, abs=0.2)


def test_a_short_look_through_the_door_frees_nobody() -> None:
    script = shut_in().open_door(2.0).rest(4.0).close_door().rest(30.0)
    assert [f.kind for f in found(script.rows())] == ["on"]


def boarded(curtain: float = 0.0) -> Script:
    """Return a car that a person has boarded, and that has gone to the next landing."""
    script = Script(z_m=9.0).event(door=CLOSED, presence=0, mode=0, alarm=0, curtain=curtain).rest(4.0).open_door(2.0)
    if curtain == 0.0:
        script.event(curtain=1).rest(1.0).event(curtain=0)
    return script.event(presence=1).rest(2.0).close_door(2.8).ride(3.0).rest(1.0)


def severities(script: Script) -> list[int]:
    return [one.severity for one in found(script.rows()) if one.kind == "on"]


def test_a_person_who_was_seen_to_board_calls_a_rescue() -> None:
    assert severities(boarded().rest(100.0)) == [CRITICAL]
    opened = boarded().open_door(2.0).rest(3.0).close_door(2.8)  # and nobody has passed
    assert severities(opened.rest(100.0)) == [CRITICAL]


def test_a_person_may_be_one_who_has_left_where_somebody_passed_the_doorway_since() -> None:
    script = boarded().open_door(2.0).event(curtain=1).rest(1.0).event(curtain=0).rest(3.0).close_door(2.8)
    assert severities(script.rest(100.0)) == [MAJOR]


def test_without_a_light_curtain_somebody_may_pass_at_every_opening() -> None:
    assert severities(boarded(np.nan).rest(100.0)) == [CRITICAL]
    assert severities(boarded(np.nan).open_door(2.0).rest(3.0).close_door(2.8).rest(100.0)) == [MAJOR]


def test_a_person_who_appears_behind_a_closed_door_was_not_seen_to_board() -> None:
    script = Script(z_m=9.0).event(door=CLOSED, presence=0, mode=0, curtain=0).rest(4.0).open_door(2.0)
    script.event(curtain=1).rest(1.0).event(curtain=0).rest(2.0).close_door(2.8).rest(20.0).event(presence=1)
    assert severities(script.rest(100.0)) == [MAJOR]


def test_the_alarm_button_confirms_the_person() -> None:
    script = boarded(np.nan).open_door(2.0).rest(3.0).close_door(2.8).rest(100.0).event(alarm=1).rest(2.0)
    assert severities(script) == [MAJOR, CRITICAL]
    pressed = boarded(np.nan).open_door(2.0).event(alarm=1).rest(1.0).event(alarm=0).rest(3.0).close_door(2.8)
    assert severities(pressed.rest(100.0)) == [MAJOR]  # before the door closed


def test_the_sentence_names_the_time_and_its_limit() -> None:
    finding = found(shut_in().rows())[0]
    assert "for 90 s, limit 90 s" in BY_SLUG["entrapment-at-level"].sentence["en"].format(**finding.evidence)
