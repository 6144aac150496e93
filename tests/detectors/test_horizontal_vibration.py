"""F31: horizontal vibration beyond GB/T 10058 on three of ten trips."""

from __future__ import annotations

from detectors.rule import TREND
from tests.detectors.test_vertical_vibration import found, story
from tests.detectors.world import Fault

WEIGHTED = 1.0 / 0.33
"""The weighting Wd takes a vibration of 6 Hz for a third of it."""


def fault() -> Fault:
    return story([0.05, *[0.09 * WEIGHTED] * 3, *[0.05] * 11], axis=0)


def test_both_horizontal_axes_count() -> None:
    for axis in (0, 1):
        told = story([0.09 * WEIGHTED] * 3, axis=axis)
        assert found("horizontal-vibration", told) == [("on", TREND)]


def test_a_healthy_sway_is_none() -> None:
    assert found("horizontal-vibration", story([0.06 * WEIGHTED] * 12, axis=1)) == []
