"""F35: blows in the machine that follow the turning of its sheave."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.observe import tables
from detectors.rule import MINOR, Finding
from telemetry.batch import Batch
from telemetry.streams import CLOSED
from tests.detectors.world import GRID_S, MACHINE_HZ, Fault, Script, facts_of, tower, with_vibration

BLOWS = 5.2
"""Blows per metre of travel."""


def shuttle(trips: int) -> Script:
    script = Script(z_m=0.0).event(door=CLOSED).rest(4.0)
    for k in range(trips):
        script.ride(27.0 if k % 2 == 0 else 0.0).rest(6.0)
    return script


def blown(script: Script, begin_s: float, blow_mps2: float = 1.0, per_m: float = BLOWS) -> NDArray[np.float64]:
    """Return noise, and from an instant on a ringing of 900 Hz after each blow."""
    rng = np.random.default_rng(5)
    speeds = np.concatenate(script.speeds)
    t_s = np.arange(round(script.now_s * MACHINE_HZ)) / MACHINE_HZ
    way_m = np.interp(t_s, np.arange(len(speeds)) * GRID_S, np.cumsum(np.abs(speeds)) * GRID_S)
    speed = np.interp(t_s, np.arange(len(speeds)) * GRID_S, np.abs(speeds))
    since_s = (way_m * per_m) % 1.0 / np.maximum(speed * per_m, 0.1)
    ringing = blow_mps2 * np.exp(-since_s / 0.003) * np.sin(2 * np.pi * 900.0 * since_s) * speed / 1.75
    return rng.normal(0.0, 0.03, len(t_s)) + np.where(t_s >= begin_s, ringing, 0.0)


def fault() -> Fault:
    """The comb is known, and its condition with it, once `machine.FEWEST` segments have been travelled."""
    script = shuttle(4)
    return Fault(script, onset_s=44.0, within_s=30.0, severity=MINOR, machine_mps2=blown(script, 4.0))


def stream(script: Script, machine: NDArray[np.float64], dt_s: float = 0.1) -> Batch:
    return Fault(script, 0.0, 0.0, machine_mps2=machine).stream(dt_s)


def found(script: Script, machine: NDArray[np.float64]) -> list[Finding]:
    return Judge([BY_SLUG["machine-bearing"]], 1).step(stream(script, machine), facts_of([tower()]))


def test_the_blows_are_found_and_counted_by_the_metre() -> None:
    (one,) = found(fault().script, blown(fault().script, 0.0))
    assert one.evidence["per_metre"] == pytest.approx(BLOWS, abs=0.11)
    assert one.evidence["kurtosis"] > 5.0


def test_a_smooth_machine_and_one_whose_noise_is_loud_are_none() -> None:
    script = shuttle(4)
    assert found(script, blown(script, 999.0)) == []
    assert found(script, 20 * blown(script, 999.0)) == []


def test_blocks_that_miss_samples_leave_the_others_to_be_judged() -> None:
    machine = blown(fault().script, 0.0)
    machine[: 2 * int(MACHINE_HZ)] = np.nan
    (one,) = found(fault().script, machine)
    assert one.evidence["per_metre"] == pytest.approx(BLOWS, abs=0.11)


def test_blows_that_come_at_random_are_none() -> None:
    script, rng = shuttle(4), np.random.default_rng(2)
    noise = blown(script, 999.0)
    for at in rng.integers(0, len(noise) - 100, 600):
        noise[at : at + 30] += np.sin(np.arange(30)) * np.exp(-np.arange(30) / 8)
    assert found(script, noise) == []


def test_without_an_accelerometer_on_the_machine_or_with_a_slow_one_nothing_is_judged() -> None:
    script = shuttle(4)
    car_alone = with_vibration(stream(script, blown(script, 0.0)), {})
    slow = stream(script, blown(script, 0.0))
    assert slow.machine is not None
    slow.machine.dt_ns[:] *= 2.0  # 1 280 Hz
    for whole in (slow, Batch(**{**{n: getattr(car_alone, n) for n in car_alone.__slots__}, "machine": None})):
        assert Judge([BY_SLUG["machine-bearing"]], 1).step(whole, facts_of([tower()])) == []


def test_velocity_and_kurtosis_are_those_of_their_definitions() -> None:
    script = Script(z_m=0.0).rest(4.0)
    t_s = np.arange(4 * MACHINE_HZ) / MACHINE_HZ
    _, seen = tables.step(tables.start(1), stream(script, np.sin(2 * np.pi * 50.0 * t_s)), facts_of([tower()]))
    assert seen.features.machine_mmps == pytest.approx(1000.0 / (2 * np.pi * 50.0) / np.sqrt(2), rel=1e-3)
    assert seen.features.machine_kurtosis == pytest.approx(1.5, rel=1e-3)
