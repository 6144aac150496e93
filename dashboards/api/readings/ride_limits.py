"""Limits of GB/T 10058 for one trip of a lift, by its facts; `docs/ride-quality.md` tells their standing."""

from __future__ import annotations

from typing import NamedTuple

from registry.facts import LiftFacts

ACCELERATION_MPS2 = 1.5
SLUGGISH_MPS2 = ((1.0, 2.0, 0.50), (2.0, 6.0, 0.70))
"""Above and up to a rated speed, the least A95 of acceleration and deceleration."""
VERTICAL_MPS2, VERTICAL_A95_MPS2 = 0.30, 0.20
HORIZONTAL_MPS2, HORIZONTAL_A95_MPS2 = 0.20, 0.15
SPEED_SHARE = 1.05
STOP_ERROR_M = 0.010
DOOR_WIDTHS_MM = (800.0, 1000.0, 1100.0, 1300.0)
DOOR_MOST_S = {"centre": (3.2, 4.0, 4.3, 4.9), "side": (3.7, 4.3, 4.9, 5.9)}


class LimitOfRide(NamedTuple):
    """The greatest or the least value that keeps to the standard; None: no such limit."""

    most: float | None = None
    least: float | None = None


def ride_limits(facts: LiftFacts | None) -> dict[str, LimitOfRide]:
    """Return the limit of each quantity that has one; those that need a missing fact are left out."""
    limits = dict.fromkeys(("accel_mps2", "decel_mps2"), LimitOfRide(most=ACCELERATION_MPS2))
    limits |= {"pp_z_mps2": LimitOfRide(most=VERTICAL_MPS2), "a95_z_mps2": LimitOfRide(most=VERTICAL_A95_MPS2)}
    for axis in "xy":
        limits |= {
            f"pp_{axis}_mps2": LimitOfRide(most=HORIZONTAL_MPS2),
            f"a95_{axis}_mps2": LimitOfRide(most=HORIZONTAL_A95_MPS2),
        }
    limits["stop_error_m"] = LimitOfRide(most=STOP_ERROR_M)
    rated_mps = facts.rated_speed_mps if facts else None
    if rated_mps is not None:
        limits["peak_speed_mps"] = LimitOfRide(most=round(SPEED_SHARE * rated_mps, 4))
        for above_mps, up_to_mps, least_mps2 in SLUGGISH_MPS2:
            if above_mps < rated_mps <= up_to_mps:
                limits |= dict.fromkeys(("accel_a95_mps2", "decel_a95_mps2"), LimitOfRide(least=least_mps2))
    most_s = _door_most_s(facts) if facts else None
    if most_s is not None:
        limits |= dict.fromkeys(("door_open_s", "door_close_s"), LimitOfRide(most=most_s))
    return limits


def _door_most_s(facts: LiftFacts) -> float | None:
    """Return the longest time of a door of this kind and clear width; None where the table lacks it."""
    row = DOOR_MOST_S.get(facts.door_type or "")
    if row is None or facts.door_width_mm is None:
        return None
    return next((most for width, most in zip(DOOR_WIDTHS_MM, row, strict=True) if facts.door_width_mm <= width), None)
