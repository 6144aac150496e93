"""F32: starts and stops beyond GB/T 10058."""

from __future__ import annotations

import numpy as np

from detectors.rule import MINOR, TREND
from telemetry.streams import CLOSED
from tests.detectors.ride_stories import WAITS_S
from tests.detectors.test_vertical_vibration import found
from tests.detectors.world import GRID_S, VIBRATION_HZ, Fault, Script


def rides(settings: list[tuple[float, float]], to_m: float = 18.0, severity: int = TREND) -> Fault:
    """Return trips with these greatest accelerations and jerks, and the acceleration that the car feels."""
    script, begins_s = Script(z_m=0.0).event(door=CLOSED).rest(4.0), list[float]()
    for k, (accel, jerk) in enumerate(settings):
        begins_s.append(script.now_s)
        script.ride(to_m if k % 2 == 0 else 0.0, accel, jerk).rest(WAITS_S)
    feels = np.gradient(np.concatenate(script.speeds), GRID_S)
    first = next((k for k, (accel, jerk) in enumerate(settings) if accel > 1.5 or jerk > 2.5), 0)
    within_s = begins_s[min(first + 3, len(begins_s) - 1)] - begins_s[first]
    return Fault(
        script, begins_s[first], within_s, severity, dt_s=(0.1,), clears=True,
        vibration_mps2=feels[:: round(1 / GRID_S / VIBRATION_HZ)],
    )  # fmt: skip


SOFT, EDGE, SHARP, HARD = (0.8, 1.0), (1.4, 2.8), (1.35, 5.0), (1.8, 2.2)


def fault() -> Fault:
    return rides([SOFT, *[SHARP] * 3, *[SOFT] * 11])


def test_three_jerky_trips_of_ten_are_found_among_the_first_trips_too() -> None:
    assert found("harsh-ride", rides([SHARP, SOFT, SHARP, SOFT, SHARP])) == [("on", TREND), ("on", MINOR)]
    assert found("harsh-ride", rides([SHARP, SOFT, SHARP, SOFT, SOFT])) == []


def test_a_drive_whose_jerk_is_always_at_the_limit_is_none() -> None:
    assert found("harsh-ride", rides([EDGE] * 26)) == []


def test_a_drive_that_becomes_harsh_is_a_trend_at_a_lower_jerk() -> None:
    assert found("harsh-ride", rides([*[SOFT] * 20, *[EDGE] * 3])) == [("on", TREND)]
    assert found("harsh-ride", rides([*[SOFT] * 17, *[EDGE] * 3])) == []  # its first trips


def test_one_hard_trip_is_a_trend() -> None:
    assert found("harsh-ride", rides([SOFT, HARD], to_m=24.0)) == [("on", TREND)]


def test_half_more_than_the_limit_is_minor() -> None:
    assert ("on", MINOR) in found("harsh-ride", rides([(1.2, 3.2)] * 3, to_m=24.0))


def test_healthy_drives_are_none() -> None:
    assert found("harsh-ride", rides([(accel, jerk) for accel in (0.5, 0.8, 1.1) for jerk in (0.8, 1.2, 1.8)])) == []
