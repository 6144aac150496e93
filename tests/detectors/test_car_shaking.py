"""F36: a standing car with its door closed is shaken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.observe import acceleration, features
from detectors.rule import MINOR
from telemetry.streams import CLOSED
from tests.detectors.world import BEGIN_NS, VIBRATION_HZ, Fault, Script, batch, facts_of, tower, waves

Signal = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def shaken(hz: float = 2.2, peak_mps2: float = 0.8, begin_s: float = 6.0, end_s: float = 12.0, whole_s: float = 80.0):  # type: ignore[no-untyped-def]
    t_s = np.arange(round(whole_s * VIBRATION_HZ)) / VIBRATION_HZ
    return np.where((t_s >= begin_s) & (t_s < end_s), peak_mps2 * np.sin(2 * np.pi * hz * t_s), 0.0)


def standing() -> Script:
    return Script(z_m=9.0).event(door=CLOSED).rest(80.0)


def fault() -> Fault:
    return Fault(standing(), onset_s=6.0, within_s=2.0, severity=MINOR, clears=True, vibration_mps2=shaken())


def found(script: Script, z: NDArray[np.float64], axis: int = 2) -> list[str]:
    sent = waves([(0, BEGIN_NS, VIBRATION_HZ, z)])
    xyz = np.zeros_like(sent.xyz)
    xyz[axis] = z.astype(np.float32)
    whole = replace(batch([script.rows()]), waveforms=replace(sent, xyz=xyz))
    return [one.kind for one in Judge([BY_SLUG["car-shaking"]], 1).step(whole, facts_of([tower()]))]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_shaking_on_any_axis_is_found(axis: int) -> None:
    assert found(standing(), shaken(), axis) == ["on", "off"]


def test_a_moment_a_weak_shaking_and_a_faster_vibration_are_none() -> None:
    assert found(standing(), shaken(end_s=8.0)) == []
    assert found(standing(), shaken(peak_mps2=0.4)) == []
    assert found(standing(), shaken(hz=20.0)) == []


def test_a_running_car_is_not_judged() -> None:
    script = Script(z_m=0.0).event(door=CLOSED).rest(4.0).ride(27.0).rest(30.0)
    assert found(script, shaken(begin_s=5.0, end_s=18.0, whole_s=40.0)) == []


def test_an_open_or_unknown_door_is_not_judged() -> None:
    assert found(Script(z_m=9.0).event(door=2).rest(80.0), shaken()) == []
    assert found(Script(z_m=9.0).rest(80.0), shaken()) == []


@pytest.mark.parametrize("block_s", [1.0, 2.0, 5.0])
def test_the_band_is_what_a_filter_leaves(block_s: float) -> None:
    t_s = np.arange(round(60 * VIBRATION_HZ)) / VIBRATION_HZ
    rng = np.random.default_rng(3)
    z = 0.7 * np.sin(2 * np.pi * 2.0 * t_s) + 0.5 * np.sin(2 * np.pi * 15.0 * t_s) + 9.8 + rng.normal(0, 0.1, len(t_s))
    _, made, _ = features.step(acceleration.start(1), waves([(0, BEGIN_NS, VIBRATION_HZ, z)], block_s))
    passed = sosfiltfilt(butter(4, (0.7, 6.0), "bandpass", fs=VIBRATION_HZ, output="sos"), z)[500:-500]
    assert made.sway_rms == pytest.approx(np.full(len(made.sway_rms), np.sqrt(np.mean(passed**2))), rel=0.1)


def test_short_blocks_show_no_band() -> None:
    _, made, _ = features.step(acceleration.start(1), waves([(0, BEGIN_NS, VIBRATION_HZ, shaken())], 0.5))
    assert np.isnan(made.sway_rms).all()
