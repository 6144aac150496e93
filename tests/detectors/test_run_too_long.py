"""F23: a trip takes longer than its distance needs, or a running car passes no landing."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import MAJOR, TREND
from registry.facts import Floor, LiftFacts
from telemetry.streams import BATTERY, CLOSED
from tests.detectors.world import GRID_S, Fault, Rows, Script, batch, facts_of, tower

EXPRESS = LiftFacts("lift", "north", rated_speed_mps=1.75, floors=(Floor("1", 0.0), Floor("2", 150.0)))


HIGH = tower(floors=4, pitch_m=9.0)


def crawling(seconds: float, mps: float = 0.06, **states: float) -> Script:
    """Return a car that crawls for so long, and then runs."""
    script = Script(z_m=0.0).event(door=CLOSED, **states).rest(5.0).move(np.full(round(seconds / GRID_S), mps))
    return script.ride(9.0).rest(6.0).ride(0.0).rest(6.0)


def slow(mps: float, to_m: float) -> Script:
    """Return a trip with a low speed, and one back with the rated one."""
    script = Script(z_m=3.0, rated_mps=mps).event(door=CLOSED).rest(5.0).ride(to_m).rest(6.0)
    script.rated_mps = 1.75
    return script.ride(3.0).rest(6.0)


def fault() -> Fault:
    return Fault(slow(0.4, 12.0), onset_s=5.0, within_s=30.0, severity=TREND, clears=True)


def stories() -> list[Script]:
    return [slow(0.15, 9.0), slow(0.7, 27.0)]


def found(rows: Rows, facts: LiftFacts | None = None) -> list[tuple[str, int]]:
    judge = Judge([BY_SLUG["run-too-long"]], 1)
    return [(one.kind, one.severity) for one in judge.step(batch([rows]), facts_of([facts or tower()]))]


@pytest.mark.parametrize("dt_s", [0.1, 0.5, 1.0])
def test_a_running_car_that_passes_no_landing_for_a_minute_is_major(dt_s: float) -> None:
    assert ("on", MAJOR) in found(crawling(70.0).rows(dt_s), HIGH)


def test_a_car_that_turns_back_after_a_moment_has_made_two_runs() -> None:
    script = Script(z_m=0.0).event(door=CLOSED).rest(5.0)
    assert found(script.ride(27.0).rest(1.2).ride(0.0).rest(1.2).ride(3.0).rest(6.0).rows()) == []


def test_an_express_zone_takes_longer_than_a_minute() -> None:
    script = Script(z_m=0.0).event(door=CLOSED).rest(5.0).ride(150.0).rest(6.0)
    assert found(script.rows(), EXPRESS) == []


@pytest.mark.parametrize("dt_s", [0.1, 1.0, 5.0])
@pytest.mark.parametrize(("accel", "jerk"), [(0.8, 1.0), (0.5, 0.5)])
@pytest.mark.parametrize("to_m", [6.0, 9.0, 27.0])
def test_trips_at_rated_speed_are_not_too_long(to_m: float, accel: float, jerk: float, dt_s: float) -> None:
    script = Script(z_m=3.0).event(door=CLOSED).rest(5.0).ride(to_m, accel, jerk).rest(6.0).ride(3.0, accel, jerk)
    assert found(script.rest(6.0).rows(dt_s)) == []


def test_half_the_rated_speed_is_too_slow_for_a_long_way() -> None:
    assert found(slow(0.7, 27.0).rows()) == [("on", TREND), ("off", TREND)]


def test_a_rescue_run_is_slow_by_design() -> None:
    assert found(crawling(70.0, power=BATTERY).rows(), HIGH) == []


def test_a_car_that_does_not_move_by_its_position_is_left_to_the_motor_run_limit() -> None:
    rows = crawling(70.0).rows()
    rows["z_m"][~np.isnan(rows["z_m"])] = 0.0
    assert found(rows, HIGH) == []


def test_it_needs_a_position() -> None:
    assert found(crawling(70.0).rows(streams=("v_mps",)), HIGH) == []
