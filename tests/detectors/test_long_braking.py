"""F28: the machine brake stops the car more softly than it used to."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import MAJOR, Finding
from telemetry.streams import CLOSED
from tests.detectors.world import Fault, Script, batch, facts_of, tower

USUAL = [2.0, 1.9, 2.1, 2.0, 1.8, 2.0, 2.2, 1.9, 2.0]


def braked(decels_mps2: list[float], begin_mps: float = 1.75) -> tuple[Script, list[float]]:
    """Return runs that are braked so hard between landings, and when each braking begins, in seconds."""
    script, begins = Script(z_m=0.0).event(door=CLOSED).rest(4.0), list[float]()
    for k, decel in enumerate(decels_mps2):
        sense = 1.0 if k % 2 == 0 else -1.0
        script.ramp(0.0, sense * begin_mps, 0.8).move(np.full(300, sense * begin_mps))
        begins.append(script.now_s)
        script.ramp(sense * begin_mps, 0.0, decel).rest(6.0).ride(15.0 if sense > 0 else 0.0).rest(6.0)
    return script, begins


def fault() -> Fault:
    script, begins = braked([*USUAL, 1.2, 1.25])
    return Fault(script, onset_s=begins[-2], within_s=begins[-1] - begins[-2] + 4.0, severity=MAJOR, dt_s=(0.1,))


def stories() -> list[Script]:
    return [braked([*USUAL, 1.2, 1.2, 1.9, 1.9])[0], braked([2.2, 2.1, 2.1, 2.0, 1.9, 1.9, 1.8, 1.7, 1.7, 1.6])[0]]


def found(script: Script, dt_s: float = 0.1, **feed: object) -> list[Finding]:
    rows = batch([script.rows(dt_s, **feed)])  # type: ignore[arg-type]
    return Judge([BY_SLUG["long-braking"]], 1).step(rows, facts_of([tower()]))


def test_two_long_stops_are_found_and_a_usual_one_ends_it() -> None:
    assert [f.kind for f in found(braked([*USUAL, 1.2, 1.2, 1.9])[0])] == ["on", "off"]


def test_a_single_long_stop_is_none() -> None:
    assert found(braked([*USUAL, 1.2, 2.0, 2.0])[0]) == []


def test_a_steady_trend_is_found_before_the_limit_is_reached() -> None:
    (one,) = found(braked([2.2, 2.1, 2.1, 2.0, 1.95, 1.9, 1.85, 1.8, 1.75, 1.7])[0])
    assert one.evidence["change"] == pytest.approx(-0.21, abs=0.05)
    assert one.evidence["decel_mps2"] > one.evidence["limit_mps2"]


def test_scatter_is_no_trend() -> None:
    assert found(braked([2.2, 1.5, 2.1, 1.6, 2.0, 1.5, 2.1, 1.6, 1.9, 1.6, 2.0])[0]) == []


@pytest.mark.parametrize("dt_s", [0.05, 0.1])
def test_the_mean_deceleration_is_that_of_the_brake(dt_s: float) -> None:
    one = found(fault().script, dt_s)[0]
    assert one.evidence["decel_mps2"] == pytest.approx(1.25, rel=0.06)
    assert one.evidence["usual_mps2"] == pytest.approx(2.0, rel=0.06)


def test_stops_at_landings_by_the_drive_are_not_counted() -> None:
    script = Script(z_m=0.0).event(door=CLOSED).rest(4.0)
    for k in range(14):
        script.ride(18.0 if k % 2 == 0 else 0.0, accel=1.2 if k < 9 else 0.7).rest(6.0)
    assert found(script) == []


def test_without_a_position_or_with_few_readings_it_is_not_judged() -> None:
    assert found(fault().script, streams=("v_mps",)) == []
    assert found(fault().script, dt_s=1.0) == []
    rows = batch([fault().script.rows()])
    assert Judge([BY_SLUG["long-braking"]], 1).step(rows, facts_of([tower(position_source="barometer")])) == []
