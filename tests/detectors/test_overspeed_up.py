"""F09: the dangerous speed upwards."""

from __future__ import annotations

from tests.detectors.test_overspeed import found, runaway
from tests.detectors.world import Fault


def fault() -> Fault:
    return Fault(runaway(2.3), onset_s=4.0 + 2.02, within_s=0.3)


def test_a_fast_descent_is_not_an_ascent() -> None:
    assert found(runaway(-2.3), "overspeed-up") == []
