"""F33: a shock at the same place of the shaft, pass after pass."""

from __future__ import annotations

import numpy as np

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import TREND
from tests.detectors.ride_stories import trips
from tests.detectors.world import GRID_S, VIBRATION_HZ, Fault, facts_of, tower

LEARNED, HITS = 50, 22
JOINT_M = 9.0


def knocking(heights_m: list[float | None], axis: int = 0, shock_mps2: float = 0.8) -> Fault:
    """Return trips over the shaft; on each the car knocks at a height, or nowhere."""
    script, spans = trips(len(heights_m), waits_s=3.0, opens=True)
    rng = np.random.default_rng(2)
    z_m = script.z_m + np.cumsum(np.concatenate(script.speeds)) * GRID_S
    grid = round(1.0 / GRID_S / VIBRATION_HZ)
    feels = rng.normal(0.0, 0.02, len(z_m) // grid)
    for (begin_s, end_s), height_m in zip(spans, heights_m, strict=True):
        if height_m is None:
            continue
        part = slice(round(begin_s / GRID_S), round(end_s / GRID_S))
        at = round((part.start + int(np.argmin(np.abs(z_m[part] - height_m)))) / grid)
        feels[at : at + 6] += shock_mps2 * np.array([1.0, -1.0, 0.7, -0.7, 0.4, -0.4])
    first = next((k for k, height_m in enumerate(heights_m) if height_m is not None), 0)
    return Fault(
        script, onset_s=spans[first][0], within_s=spans[-1][1] - spans[first][0], severity=TREND, dt_s=(0.1,),
        vibration_mps2=feels, axis=axis,
    )  # fmt: skip


def fault() -> Fault:
    return knocking([None] * LEARNED + [JOINT_M] * HITS)


def found(told: Fault) -> list[str]:
    return [one.kind for one in Judge([BY_SLUG["rail-joint"]], 1).step(told.stream(), facts_of([tower()]))]


def test_a_shock_at_the_same_place_is_found_on_both_horizontal_axes() -> None:
    for axis in (0, 1):
        assert found(knocking([None] * LEARNED + [JOINT_M] * HITS, axis)) == ["on"]


def test_shocks_anywhere_are_none() -> None:
    rng = np.random.default_rng(4)
    assert found(knocking([None] * LEARNED + list(rng.uniform(4.0, 14.0, HITS)))) == []


def test_shocks_that_were_always_there_are_none() -> None:
    assert found(knocking([JOINT_M] * (LEARNED + HITS))) == []


def test_two_shocks_in_three_passes_are_too_few() -> None:
    assert found(knocking([None] * LEARNED + [JOINT_M, JOINT_M, None] * 8)) == []
