"""The table of causes: every fault and near miss of the simulated world.

Each cause is one row and is mentioned nowhere else; a pair of numbers belongs to severity 0 and 1. The rates add up to
0.5 to 2 unplanned stops and 0.04 to 0.16 entrapments in a lift-year (docs/world.md, section 9).
"""

from __future__ import annotations

import difflib

from simulator.faults.car_causes import CAR
from simulator.faults.cause import Cause, columns
from simulator.faults.door_causes import DOOR
from simulator.faults.near_misses import NEAR_MISSES
from simulator.faults.sensing_causes import SENSING
from simulator.faults.wear_causes import WEAR

NO_CAUSE = Cause("none", "nothing", "无", (), 0.0, 0.0)

TABLE = (*CAR, *DOOR, *WEAR, *SENSING, *NEAR_MISSES)

CAUSES: dict[str, Cause] = {cause.slug: cause for cause in TABLE}
NUMBER: dict[str, int] = {cause.slug: k for k, cause in enumerate(TABLE, start=1)}
BY_NUMBER = (NO_CAUSE, *TABLE)

EFFECTS = columns(BY_NUMBER)


class InvalidFaultRequest(ValueError):
    """The requested fault does not exist in this world."""


def unknown_cause(name: str) -> str:
    """Return an error message for an unknown cause, in one line with the most similar known name."""
    near = difflib.get_close_matches(name, CAUSES, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else "`liftwatch inject --help` lists them"
    return f"cause: {name[:64]!r} is no cause; {hint}"
