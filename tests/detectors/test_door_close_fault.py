"""F15: the door begins to close and does not get there."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import MAJOR, Finding
from telemetry.streams import CLOSED, CLOSING, EMERGENCY_POWER, OPEN, OPENING
from tests.detectors.world import BEGIN_NS, Fault, Rows, Script, batch, facts_of, tower


def opened() -> Script:
    return Script(z_m=9.0).event(door=CLOSED, mode=0).rest(4.0).open_door(2.0).rest(3.0)


def reverses(script: Script, times: int, pause_s: float = 3.0) -> Script:
    for _ in range(times):
        script.event(door=CLOSING).rest(1.5).open_door(1.0).rest(pause_s)
    return script


def fault() -> Fault:
    script = opened()
    onset_s = script.now_s
    script.event(door=CLOSING).rest(30.0).event(door=CLOSED).rest(2.0).ride(3.0).rest(5.0)
    return Fault(script, onset_s=onset_s, within_s=20.0, severity=MAJOR, clears=True)


def stories() -> list[Script]:
    """Return what else the plain loop is asked about: six people, one after the other."""
    return [six_walk_in()]


def found(rows: Rows) -> list[Finding]:
    return Judge([BY_SLUG["door-close-fault"]], 1).step(batch([rows]), facts_of([tower()]))


def walks_in(script: Script, after_s: float, person: float = 1.0) -> Script:
    """Let somebody walk into the closing door."""
    script.event(door=CLOSING).rest(after_s).event(curtain=1).event(0.8, curtain=0, presence=person)
    return script.open_door(after_s / 2).rest(3.0)


def six_walk_in() -> Script:
    script = opened().event(curtain=0, presence=1)
    for after_s in (1.0, 1.6, 0.8, 2.1, 1.3, 0.9):
        walks_in(script, after_s)
    return script


def test_people_who_keep_walking_in_are_no_fault_of_the_door() -> None:
    script = opened().event(curtain=0, presence=1)
    for after_s in (1.0, 1.6, 0.8, 2.1, 1.3):
        walks_in(script, after_s)
    assert found(script.close_door().rest(5.0).rows()) == []


def test_people_who_come_and_leave_at_the_same_moment_are_none_either() -> None:
    script = opened().event(curtain=0, presence=0)
    for person in (1.0, 0.0, 1.0, 0.0):
        walks_in(script, 1.5, person)
    assert found(script.close_door().rest(5.0).rows()) == []


def test_what_lies_in_the_doorway_stops_the_door_at_the_same_place() -> None:
    script = opened().event(curtain=0, presence=1)
    for _ in range(3):
        walks_in(script, 1.5)
    assert [f.evidence["reversals"] for f in found(script.rows())] == [3]


def test_six_reversals_in_a_row_are_found_whoever_makes_them() -> None:
    assert [f.evidence["reversals"] for f in found(six_walk_in().rows())] == [6]


def test_a_door_that_reverses_with_its_curtain_free_is_at_fault() -> None:
    assert [f.kind for f in found(reverses(opened().event(curtain=0, presence=1), 3).rows())] == ["on"]


def test_a_slow_door_gets_there() -> None:
    assert found(opened().close_door(18.0).rest(5.0).rows()) == []


def test_three_reversals_in_a_row_are_found_at_the_third() -> None:
    (finding,) = found(reverses(opened(), 3).rows())
    assert finding.evidence["reversals"] == 3
    assert (finding.onset_ns - BEGIN_NS) / 1e9 == pytest.approx(9.0, abs=0.1)
    assert (finding.at_ns - BEGIN_NS) / 1e9 == pytest.approx(9.0 + 2 * 5.5 + 1.5, abs=0.2)


def test_two_reversals_are_people() -> None:
    script = reverses(opened(), 2).close_door().rest(1.0).ride(3.0).open_door().rest(3.0)
    assert found(reverses(script, 2).close_door().rest(5.0).rows()) == []


def test_a_door_that_closed_between_begins_anew() -> None:
    script = reverses(opened(), 2).close_door().rest(0.5).open_door().rest(3.0)
    assert found(reverses(script, 2).rows()) == []


def test_people_in_the_light_curtain_hold_the_door_and_break_nothing() -> None:
    script = opened().event(curtain=1).rest(200.0).event(curtain=0).close_door().rest(5.0)
    assert found(script.rows(1.0)) == []


def test_one_reversal_and_a_long_stay_is_no_fault_of_the_door() -> None:
    script = reverses(opened(), 1, pause_s=60.0).close_door().rest(5.0)
    assert found(script.rows()) == []


def test_a_car_that_runs_has_a_closed_door_whatever_was_lost() -> None:
    script = Script(z_m=9.0).event(door=CLOSED).rest(4.0)
    for floor_m in (18.0, 3.0, 21.0, 0.0, 12.0):
        script.open_door().rest(3.0).event(door=CLOSING).rest(3.0).ride(floor_m)
    assert found(script.open_door().rest(3.0).rows()) == []


def test_it_clears_with_a_closed_door_and_a_trip() -> None:
    script = opened().event(door=CLOSING).rest(25.0).event(door=CLOSED).rest(30.0)
    assert [f.kind for f in found(script.rows())] == ["on"]
    script.ride(3.0).rest(5.0)
    assert [f.kind for f in found(script.rows())] == ["on", "off"]


def test_it_rests_outside_normal_mode() -> None:
    rows = opened().event(door=CLOSING).rest(60.0).rows()
    rows["mode"] = np.where(np.isnan(rows["mode"]), np.nan, EMERGENCY_POWER)
    assert found(rows) == []


def test_a_door_is_judged_without_readings_of_a_car() -> None:
    t_ns = BEGIN_NS + np.arange(30) * 1_000_000_000
    door = np.full(30, np.nan)
    door[:5] = [CLOSED, OPENING, OPEN, OPEN, CLOSING]
    assert [f.kind for f in found({"t_ns": t_ns, "door": door})] == ["on"]


def test_a_message_that_went_missing_may_have_closed_the_door() -> None:
    rows = opened().event(door=CLOSING).rest(40.0).rows()
    rows["gap"] = np.full(len(rows["t_ns"]), np.nan)
    rows["gap"][120] = 1.0
    assert found(rows) == []


def test_a_restarted_device_must_see_the_door_closing_again() -> None:
    rows = opened().event(door=CLOSING).rest(15.0).rest(20.0).rows()
    rows["reboot"] = np.full(len(rows["t_ns"]), np.nan)
    rows["reboot"][np.searchsorted(rows["t_ns"], BEGIN_NS + 20_000_000_000)] = 1.0
    assert found(rows) == []
