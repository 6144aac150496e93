"""F04: the car stands outside the door zone."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import MAJOR, Finding
from telemetry.streams import CLOSED, INSPECTION
from tests.detectors.world import BEGIN_NS, Fault, Rows, Script, batch, facts_of, tower


def stops(at_m: float = 10.4, seconds: float = 25.0) -> Script:
    return Script(z_m=3.0).event(door=CLOSED, mode=0).rest(4.0).ride(at_m).rest(seconds)


def fault() -> Fault:
    script = stops(seconds=0.0)
    onset_s = script.now_s
    script.rest(25.0).ride(12.0).rest(5.0)
    return Fault(script, onset_s=onset_s, within_s=15.0, severity=MAJOR, clears=True)


def found(rows: Rows, zone_m: float = 0.20) -> list[Finding]:
    return Judge([BY_SLUG["stop-outside-zone"]], 1).step(batch([rows]), facts_of([tower(door_zone_m=zone_m)]))


@pytest.mark.parametrize("streams", [("v_mps", "z_m"), ("z_m",)], ids="+".join)
def test_a_shorter_stop_is_no_stop(streams: tuple[str, ...]) -> None:
    assert found(stops(seconds=13.0).ride(12.0).rest(30.0).rows(streams=streams)) == []
    assert [f.kind for f in found(stops(seconds=17.0).rows(streams=streams))] == ["on"]


def test_the_door_zone_is_the_lifts_own() -> None:
    assert [f.kind for f in found(stops(at_m=9.3).rows())] == ["on"]
    assert found(stops(at_m=9.3).rows(), zone_m=0.35) == []


def test_it_clears_when_the_car_is_back_in_the_zone() -> None:
    script = stops().move([-0.2] * 600)
    back_s = script.now_s
    off = found(script.rest(5.0).rows())[-1]
    assert off.kind == "off"
    assert (off.at_ns - BEGIN_NS) / 1e9 == pytest.approx(back_s - 0.0, abs=1.5)


def test_a_position_that_dies_clears_nothing() -> None:
    rows = stops(seconds=60.0).rows()
    rows["z_m"][len(rows["z_m"]) // 2 :] = np.nan
    assert [f.kind for f in found(rows)] == ["on"]


def test_in_inspection_a_car_may_stand_anywhere_and_the_clock_begins_after_it() -> None:
    script = stops(seconds=5.0).event(mode=INSPECTION).rest(100.0).event(mode=0).rest(12.0)
    assert found(script.rows()) == []
    (finding,) = found(script.rest(8.0).rows())
    assert (finding.onset_ns - BEGIN_NS) / 1e9 == pytest.approx(script.now_s - 20.0, abs=0.5)
