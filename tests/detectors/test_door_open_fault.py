"""F16: the door does not open where the car has arrived."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import MAJOR, Finding
from telemetry.streams import CLOSED, EMERGENCY_POWER, OPENING
from tests.detectors.world import BEGIN_NS, Fault, Rows, Script, batch, facts_of, tower


def arrives(person: float = 1.0, seconds: float = 15.0, to_m: float = 12.0) -> Script:
    """Ride to a landing and leave the door closed."""
    script = Script(z_m=3.0).event(door=CLOSED, presence=person, mode=0).rest(4.0).ride(to_m)
    return script.rest(seconds)


def fault() -> Fault:
    script = arrives(seconds=0.0)
    onset_s = script.now_s
    return Fault(script.rest(15.0).open_door().rest(5.0), onset_s, within_s=10.0, severity=MAJOR, clears=True)


def found(rows: Rows) -> list[Finding]:
    return Judge([BY_SLUG["door-open-fault"]], 1).step(batch([rows]), facts_of([tower()]))


def test_a_door_that_is_slow_to_begin_is_no_fault() -> None:
    assert found(arrives(seconds=8.5).open_door().rest(5.0).rows()) == []


def test_an_empty_car_may_park_shut() -> None:
    assert found(arrives(person=0.0, seconds=600.0).rows(1.0)) == []


@pytest.mark.parametrize("person", [0.0, np.nan], ids=["empty", "unknown"])
def test_without_a_person_the_third_stop_in_a_row_counts(person: float) -> None:
    script = arrives(person, seconds=20.0).ride(3.0).rest(20.0)
    assert found(script.rows()) == []
    script.ride(21.0)
    arrived_s = script.now_s
    (finding,) = found(script.rest(15.0).rows())
    assert (finding.onset_ns - BEGIN_NS) / 1e9 == pytest.approx(arrived_s, abs=0.5)
    assert finding.evidence["stops"] == 3


def test_a_door_that_opens_between_begins_the_row_anew() -> None:
    script = arrives(0.0, seconds=20.0).ride(3.0).rest(20.0).ride(9.0).open_door().rest(3.0).close_door()
    assert found(script.ride(21.0).rest(20.0).rows()) == []


def test_stops_shorter_than_the_limit_are_no_failures() -> None:
    script = arrives(0.0, seconds=6.0)
    for to_m in (3.0, 21.0, 6.0, 15.0):
        script.ride(to_m).rest(6.0)
    assert found(script.rows()) == []


def test_a_person_who_boards_a_parked_car_waits_for_no_door() -> None:
    script = arrives(0.0, seconds=30.0).open_door().rest(1.0).event(presence=1).rest(3.0).close_door().rest(30.0)
    assert found(script.rows()) == []


def test_an_opening_that_takes_too_long_is_found() -> None:
    script = arrives(0.0, seconds=1.0).event(door=OPENING).rest(13.0)
    assert found(script.rows()) == []
    (finding,) = found(script.rest(4.0).rows())
    assert finding.evidence["opening_s"] == pytest.approx(15.0, abs=0.2)


@pytest.mark.parametrize("dt_s", [10.0, 30.0])
def test_a_door_that_opens_between_two_readings_has_opened(dt_s: float) -> None:
    script = Script(z_m=9.0).event(door=CLOSED, presence=1).rest(3 * dt_s - 1.0)
    for _ in range(10):
        script.open_door(2.0).rest(2.0).close_door(2.0).rest(dt_s - 6.0)
    assert found(script.rows(dt_s)) == []


@pytest.mark.parametrize("dt_s", [5.0, 10.0])
def test_a_door_that_opened_before_the_arrival_was_known_has_opened(dt_s: float) -> None:
    script = Script(z_m=3.0).event(door=CLOSED, presence=1).rest(4 * dt_s)
    for stop in range(40):
        script.ride(18.0 if stop % 2 == 0 else 3.0).open_door(1.0).rest(1.0).close_door(1.0).rest(20.0)
    assert found(script.rows(dt_s)) == []


def test_a_stop_outside_the_zone_is_not_judged() -> None:
    assert found(arrives(to_m=13.5, seconds=60.0).rows()) == []


def test_a_lift_that_reports_no_door_is_not_judged() -> None:
    rows = arrives(seconds=60.0).rows()
    rows["door"][:] = np.nan
    assert found(rows) == []


@pytest.mark.parametrize("late_s", [-0.5, 0.5])
def test_a_door_reported_early_or_late_is_no_fault(late_s: float) -> None:
    script = Script(z_m=3.0).event(door=CLOSED, presence=1).rest(4.0)
    for to_m in (12.0, 3.0, 21.0, 0.0):
        script.ride(to_m).open_door().rest(4.0).close_door().rest(1.0)
    assert found(script.rows(door_late_s=late_s)) == []


def test_it_rests_outside_normal_mode() -> None:
    rows = arrives(seconds=60.0).rows()
    rows["mode"] = np.where(np.isnan(rows["mode"]), np.nan, EMERGENCY_POWER)
    assert found(rows) == []


def test_it_is_not_judged_without_floors() -> None:
    judge = Judge([BY_SLUG["door-open-fault"]], 1)
    assert judge.step(batch([arrives(seconds=60.0).rows()]), facts_of([None])) == []
