"""F17: the door opens and closes again and again at one stop."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import MINOR, Finding
from telemetry.streams import CLOSED, EMERGENCY_POWER
from tests.detectors.world import BEGIN_NS, Fault, Rows, Script, batch, facts_of, tower


def cycles(times: int, dwell_s: float = 3.0, pause_s: float = 1.0) -> Script:
    script = Script(z_m=9.0).event(door=CLOSED, mode=0).rest(4.0)
    for _ in range(times):
        script.open_door(2.0).rest(dwell_s).close_door(2.0).rest(pause_s)
    return script


def fault() -> Fault:
    return Fault(cycles(6).ride(3.0).rest(5.0), onset_s=4.0, within_s=39.0, severity=MINOR, clears=True)


def found(rows: Rows) -> list[Finding]:
    return Judge([BY_SLUG["door-cycling"]], 1).step(batch([rows]), facts_of([tower()]))


def test_four_cycles_at_one_stop_are_people() -> None:
    assert found(cycles(4).rest(60.0).rows()) == []


def test_the_fifth_cycle_is_found_when_it_is_complete() -> None:
    (finding,) = found(cycles(5).rows())
    assert (finding.at_ns - BEGIN_NS) / 1e9 == pytest.approx(4.0 + 4 * 8.0 + 7.0, abs=0.2)
    assert finding.evidence["cycles"] == 5


def test_three_cycles_in_fifteen_seconds_are_found() -> None:
    (finding,) = found(cycles(3, dwell_s=0.3, pause_s=0.3).rows())
    assert finding.evidence["within_s"] <= 15.0
    assert (finding.onset_ns - BEGIN_NS) / 1e9 == pytest.approx(4.0, abs=0.1)


def test_three_cycles_in_sixteen_seconds_are_not() -> None:
    assert found(cycles(3, dwell_s=1.0, pause_s=0.8).rows()) == []


def test_the_last_cycles_count_however_slow_the_first_was() -> None:
    script = cycles(1, dwell_s=20.0)
    for _ in range(3):
        script.open_door(1.0).rest(0.5).close_door(2.0).rest(0.5)
    assert [f.kind for f in found(script.rows())] == ["on"]


def test_a_door_that_never_gets_open_makes_no_cycle() -> None:
    script = Script(z_m=9.0).event(door=CLOSED).rest(4.0)
    for _ in range(8):
        script.event(door=1).rest(0.5).close_door(0.5).rest(0.5)
    assert found(script.rows()) == []


@pytest.mark.parametrize("streams", [("v_mps", "z_m"), ("v_mps",), ("z_m",)], ids="+".join)
@pytest.mark.parametrize("early_s", [0.0, 0.5])
def test_one_cycle_at_each_of_many_stops_is_service(streams: tuple[str, ...], early_s: float) -> None:
    script = Script(z_m=9.0).event(door=CLOSED).rest(4.0)
    for stop in range(8):
        script.ride(12.0 if stop % 2 == 0 else 9.0).open_door(2.0, after_s=-early_s).rest(3.0).close_door().rest(0.5)
    assert found(script.rows(streams=streams)) == []


def test_a_lift_that_reports_no_movement_is_not_judged() -> None:
    rows = cycles(20).rows()
    rows["v_mps"][:] = rows["z_m"][:] = np.nan
    assert found(rows) == []


@pytest.mark.parametrize("streams", [("v_mps", "z_m"), ("v_mps",), ("z_m",)], ids="+".join)
@pytest.mark.parametrize("dt_s", [5.0, 10.0, 20.0])
def test_of_a_lift_that_is_read_seldom_no_stop_is_known(streams: tuple[str, ...], dt_s: float) -> None:
    script = Script(z_m=9.0).event(door=CLOSED).rest(4.0)
    for stop in range(20):
        script.ride(12.0 if stop % 2 == 0 else 9.0).open_door(2.0).rest(3.0).close_door().rest(0.5)
    assert found(script.rows(dt_s, streams=streams)) == []


def test_it_clears_with_the_next_trip() -> None:
    script = cycles(5).rest(60.0)
    assert [f.kind for f in found(script.rows())] == ["on"]
    assert [f.kind for f in found(script.ride(18.0).rest(5.0).rows())] == ["on", "off"]


def test_it_rests_outside_normal_mode() -> None:
    rows = cycles(8).rows()
    rows["mode"] = np.where(np.isnan(rows["mode"]), np.nan, EMERGENCY_POWER)
    assert found(rows) == []
