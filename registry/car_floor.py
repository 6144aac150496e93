"""The floor of a car, or the two floors between which it stands, by its position and the facts of its lift. Pure."""

from __future__ import annotations

from bisect import bisect_right

from registry.fact_checks import BAROMETER
from registry.lift_facts import LiftFacts


def between_floors(facts: LiftFacts | None, position_m: float) -> tuple[str, str] | None:
    """Return the floors below and above a car that is outside of every door zone, None where it is not, or unknown."""
    if facts is None or facts.position_source == BAROMETER or position_m != position_m:
        return None
    heights_m = [floor.height_m for floor in facts.floors]
    above = bisect_right(heights_m, position_m)
    if not 0 < above < len(heights_m):
        return None
    off_m = min(position_m - heights_m[above - 1], heights_m[above] - position_m)
    return (facts.floors[above - 1].label, facts.floors[above].label) if off_m > facts.door_zone_m else None


def floor_label(facts: LiftFacts | None, landing: int) -> str | None:
    """Return the label of a landing by its index, None where there is none."""
    return facts.floors[landing].label if facts is not None and 0 <= landing < len(facts.floors) else None
