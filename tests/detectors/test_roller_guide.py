"""F34: a vibration that repeats with the way of the car, more than it used to."""

from __future__ import annotations

import numpy as np

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import TREND
from tests.detectors.ride_stories import trips
from tests.detectors.world import GRID_S, VIBRATION_HZ, Fault, facts_of, tower

LEARNED = 50
TURNS = 2.4
"""Turns a metre of a roller of 133 mm."""


def rolling(peaks_mps2: list[float], axis: int = 0, turns: float = TURNS) -> Fault:
    """Return trips on which a roller shakes the car so much with each turn."""
    script, spans = trips(len(peaks_mps2), waits_s=3.0, opens=True)
    rng = np.random.default_rng(3)
    z_m = script.z_m + np.cumsum(np.concatenate(script.speeds)) * GRID_S
    z_m = z_m[:: round(1.0 / GRID_S / VIBRATION_HZ)]
    t_s = np.arange(len(z_m)) / VIBRATION_HZ
    feels = rng.normal(0.0, 0.02, len(z_m))
    for (begin_s, end_s), peak in zip(spans, peaks_mps2, strict=True):
        feels += np.where((t_s >= begin_s) & (t_s < end_s), peak * np.sin(2 * np.pi * turns * z_m), 0.0)
    first = next((k for k, peak in enumerate(peaks_mps2) if peak > peaks_mps2[0]), 0)
    return Fault(
        script, onset_s=spans[first][0], within_s=spans[-1][1] - spans[first][0], severity=TREND, dt_s=(0.1,),
        vibration_mps2=feels, axis=axis,
    )  # fmt: skip


def fault() -> Fault:
    return rolling([0.02] * LEARNED + [0.2] * 6)


def found(told: Fault) -> list[str]:
    return [one.kind for one in Judge([BY_SLUG["roller-guide"]], 1).step(told.stream(), facts_of([tower()]))]


def test_a_line_that_rises_is_found_on_both_horizontal_axes() -> None:
    for axis in (0, 1):
        assert found(rolling([0.02] * LEARNED + [0.2] * 6, axis)) == ["on"]


def test_a_line_that_was_always_there_is_none() -> None:
    assert found(rolling([0.2] * (LEARNED + 12))) == []


def test_a_line_of_another_part_is_none() -> None:
    assert found(rolling([0.0] * LEARNED + [0.2] * 6, turns=0.8)) == []
