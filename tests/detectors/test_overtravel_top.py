"""F11: the car's floor beyond the top landing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import CRITICAL, MAJOR, Finding
from telemetry.batch import Waveforms
from tests.detectors.world import Fault, Script, batch, facts_of, ride_speed, tower

TOP_M = 27.0


def beyond(metres: float, end: int = 1, accel: float = 0.8) -> Script:
    """Run to a terminal landing and past it, and stay there."""
    last_m = TOP_M if end > 0 else 0.0
    script = Script(z_m=last_m - 12.0 * end).event(door=0).rest(4.0)
    return script.ride(last_m + metres * end, accel=accel).rest(6.0)


def passes_s(metres: float, past_m: float) -> float:
    """Return when a car of `beyond(metres)` is `past_m` past the landing."""
    return 4.0 + float(np.searchsorted(np.cumsum(ride_speed(12.0 + metres, 1.75)) * 0.01, 12.0 + past_m)) * 0.01


def found(script: Script, slug: str = "overtravel-top", dt_s: float = 0.1) -> list[Finding]:
    return Judge([BY_SLUG[slug]], 1).step(batch([script.rows(dt_s)]), facts_of([tower()]))


def fault() -> Fault:
    return Fault(beyond(0.5), onset_s=passes_s(0.5, 0.15), within_s=0.3, severity=CRITICAL)


def test_five_centimetres_stop_the_lift_and_fifteen_call_for_rescue() -> None:
    assert {f.severity for f in found(beyond(0.10))} == {MAJOR}
    assert {f.severity for f in found(beyond(0.25))} == {MAJOR, CRITICAL}


@pytest.mark.parametrize("metres", [0.0, 0.02, 0.035])
def test_a_poor_stop_is_no_overtravel(metres: float) -> None:
    assert found(beyond(metres)) == []


def test_an_impact_beyond_the_landing_is_critical() -> None:
    """Seven centimetres past the landing at speed, then against something hard."""
    script = Script(z_m=15.0).event(door=0).rest(4.0)
    speed = ride_speed(20.0, 1.75)
    way = np.cumsum(speed) * 0.01
    script.move(speed[: int(np.searchsorted(way, 12.07))]).rest(6.0)
    assert {f.severity for f in found(script)} == {MAJOR, CRITICAL}


@pytest.mark.parametrize(("samples", "severe"), [(1, False), (3, True)])
def test_an_impact_in_the_vibration_is_critical_and_a_single_wild_sample_of_it_is_not(
    samples: int, severe: bool
) -> None:
    whole = batch([beyond(0.07).rows()])
    xyz = np.zeros((3, 100), dtype=np.float32)
    xyz[2, 40 : 40 + samples] = 8.0
    t_ns = whole.t_ns[whole.z_m > TOP_M + 0.05][5:6]
    shaken = replace(whole, waveforms=Waveforms(np.zeros(1, np.int32), t_ns, np.full(1, 1e7), np.array([0, 100]), xyz))
    found = Judge([BY_SLUG["overtravel-top"]], 1).step(shaken, facts_of([tower()]))
    assert {f.severity for f in found} == ({MAJOR, CRITICAL} if severe else {MAJOR})


@pytest.mark.parametrize("slug", ["overtravel-top", "stop-outside-zone"])
def test_a_position_that_jumped_is_no_way_that_the_car_went(slug: str) -> None:
    rows = beyond(0.0).rest(40.0).rows()
    rows["z_m"][-300:] += 0.5
    judge = Judge([BY_SLUG[slug]], 1)
    assert judge.step(batch([rows]), facts_of([tower()])) == []


@pytest.mark.parametrize("offset_m", [0.1, 0.6, 2.0])
def test_a_position_of_a_coarse_feed_that_the_speed_has_not_moved_there_is_no_overtravel(offset_m: float) -> None:
    rows = beyond(0.0).rest(40.0).rows(1.0)
    rows["z_m"][-20:] += offset_m
    assert Judge([BY_SLUG["overtravel-top"]], 1).step(batch([rows]), facts_of([tower()])) == []


@pytest.mark.parametrize("dt_s", [0.1, 1.0])
def test_where_no_speed_is_sent_the_position_alone_calls_no_rescue(dt_s: float) -> None:
    rows = beyond(0.5).rows(dt_s, streams=("z_m",))
    found = Judge([BY_SLUG["overtravel-top"]], 1).step(batch([rows]), facts_of([tower()]))
    assert {f.severity for f in found} == {MAJOR}


@pytest.mark.parametrize("dt_s", [0.1, 1.0])
@pytest.mark.parametrize("offset_m", [0.4, 1.5])
def test_a_position_that_slips_while_the_car_runs_is_no_overtravel(offset_m: float, dt_s: float) -> None:
    rows = beyond(0.0).rest(40.0).rows(dt_s)
    slips = rows["t_ns"] > rows["t_ns"][0] + 9_000_000_000
    rows["z_m"] = rows["z_m"] + np.where(slips, offset_m * np.minimum(1.0, np.cumsum(slips) * dt_s / 2.0), 0.0)
    assert Judge([BY_SLUG["overtravel-top"]], 1).step(batch([rows]), facts_of([tower()])) == []


def test_nothing_is_judged_without_floors() -> None:
    judge = Judge([BY_SLUG["overtravel-top"]], 1)
    assert judge.step(batch([beyond(0.5).rows()]), facts_of([None])) == []
