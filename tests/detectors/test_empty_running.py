"""F39: the car runs on and on with nobody in it."""

from __future__ import annotations

import numpy as np

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import TREND, Finding
from telemetry.streams import CLOSED
from tests.detectors.world import Fault, Rows, Script, batch, facts_of, tower


def shuttle(runs: int = 80, pause_s: float = 6.0, toggles: bool = True) -> Script:
    """Return an empty car that runs to and fro; before, a person was in it."""
    script = Script(z_m=0.0).event(door=CLOSED, presence=float(toggles)).rest(4.0).event(presence=0).rest(40.0)
    for run in range(runs):
        script.ride(9.0 if run % 2 == 0 else 0.0).rest(pause_s)
    return script


def fault() -> Fault:
    return Fault(shuttle().rest(40.0), onset_s=44.0, within_s=900.0, severity=TREND, clears=True)


def stories() -> list[Script]:
    return [shuttle(40).event(presence=1).rest(8.0).event(presence=0).ride(15.0), shuttle(90)]


def found(rows: Rows) -> list[Finding]:
    return Judge([BY_SLUG["empty-running"]], 1).step(batch([rows]), facts_of([tower()]))


def test_a_rest_of_half_a_minute_begins_the_time_anew() -> None:
    assert found(shuttle(pause_s=31.0).rows(0.5)) == []
    assert [f.kind for f in found(shuttle(pause_s=28.0).rows(0.5))] == ["on"]


def test_a_passenger_begins_the_time_anew() -> None:
    script = shuttle(40).event(presence=1).rest(8.0).event(presence=0)
    for run in range(40):
        script.ride(9.0 if run % 2 == 0 else 0.0).rest(6.0)
    assert found(script.rows(0.5)) == []


def test_a_presence_sensor_that_never_changed_says_nothing() -> None:
    assert found(shuttle(toggles=False).rows(0.5)) == []


def test_a_presence_sensor_that_has_not_changed_for_fifty_trips_before_says_nothing() -> None:
    slow = shuttle(60, pause_s=31.0)
    for run in range(80):
        slow.ride(9.0 if run % 2 == 0 else 0.0).rest(6.0)
    assert found(slow.rows(0.5)) == []


def test_a_car_without_a_presence_sensor_is_not_judged() -> None:
    rows = shuttle().rows(0.5)
    rows["presence"][:] = np.nan
    assert found(rows) == []
