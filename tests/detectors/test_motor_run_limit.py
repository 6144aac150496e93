"""F22: the drive runs and the car stays where it is."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import MAJOR
from telemetry.streams import CLOSED
from tests.detectors.world import GRID_S, Fault, Rows, Script, batch, facts_of, tower

LIMIT_S = 27.0 / 1.75 + 1.75 / 0.5 + 1.0 + 10.0
"""The whole travel of the tower at 1.75 m/s, and 10 s."""


class Spinning(Script):
    """A script whose speeds are those of the sheave from `from_s` on, while the car stands."""

    def rows(self, dt_s: float = 0.1, seed: int = 0, **feed: object) -> Rows:  # type: ignore[override]
        rows = super().rows(dt_s, seed, **feed)  # type: ignore[arg-type]
        at_s = (rows["t_ns"] - rows["t_ns"][0]) / 1e9
        spins = (at_s >= self.from_s) & (at_s < self.until_s) & ~np.isnan(rows["v_mps"])
        rows["v_mps"][spins] += self.spin_mps
        return rows


def spinning(seconds: float, mps: float = 0.6) -> Spinning:
    script = Spinning(z_m=9.0)
    script.from_s, script.until_s, script.spin_mps = 5.0, 5.0 + seconds, mps  # type: ignore[attr-defined]
    script.event(door=CLOSED).rest(seconds + 15.0)
    return script


def fault() -> Fault:
    return Fault(spinning(40.0), onset_s=5.0, within_s=LIMIT_S, severity=MAJOR, clears=True)


def stories() -> list[Script]:
    return [spinning(20.0), spinning(60.0, 0.2)]


def found(rows: Rows) -> list[str]:
    judge = Judge([BY_SLUG["motor-run-limit"]], 1)
    return [one.kind for one in judge.step(batch([rows]), facts_of([tower()]))]


@pytest.mark.parametrize(("seconds", "kinds"), [(LIMIT_S - 1.0, []), (LIMIT_S + 1.0, ["on", "off"])])
def test_the_limit_is_the_time_of_the_whole_travel_and_ten_seconds(seconds: float, kinds: list[str]) -> None:
    assert found(spinning(seconds).rows()) == kinds


def test_a_crawling_car_is_left_to_run_too_long() -> None:
    script = Script(z_m=0.0).event(door=CLOSED).rest(5.0).move(np.full(round(200.0 / GRID_S), 0.06)).rest(5.0)
    assert found(script.rows()) == []


def test_a_position_that_is_stuck_while_the_car_makes_trips_is_no_jam() -> None:
    script = Script(z_m=0.0).event(door=CLOSED).rest(5.0)
    for to_m in (27.0, 0.0, 27.0, 0.0):
        script.ride(to_m).rest(4.0)
    rows = script.rows()
    rows["z_m"][~np.isnan(rows["z_m"])] = 9.0
    assert found(rows) == []


def test_a_speed_that_is_stuck_is_no_drive_that_runs() -> None:
    rows = spinning(60.0).rows()
    rows["v_mps"][~np.isnan(rows["v_mps"])] = 0.6
    assert found(rows) == []


@pytest.mark.parametrize("streams", [("v_mps",), ("z_m",)])
def test_it_needs_speed_and_position(streams: tuple[str, ...]) -> None:
    assert found(spinning(60.0).rows(streams=streams)) == []
