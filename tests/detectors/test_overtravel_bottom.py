"""F12: the car's floor below the bottom landing, as F11 mirrored."""

from __future__ import annotations

from detectors.rule import CRITICAL, MAJOR
from tests.detectors.test_overtravel_top import beyond, found, passes_s
from tests.detectors.world import Fault


def fault() -> Fault:
    return Fault(beyond(0.5, end=-1), onset_s=passes_s(0.5, 0.15), within_s=0.3, severity=CRITICAL)


def test_the_limits_are_those_of_the_top() -> None:
    assert {f.severity for f in found(beyond(0.10, end=-1), "overtravel-bottom")} == {MAJOR}
    assert {f.severity for f in found(beyond(0.25, end=-1), "overtravel-bottom")} == {MAJOR, CRITICAL}
    assert found(beyond(0.02, end=-1), "overtravel-bottom") == []


def test_the_top_is_not_the_bottom() -> None:
    assert found(beyond(0.5), "overtravel-bottom") == []
