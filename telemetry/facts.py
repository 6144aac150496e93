"""The lift's own facts (contract, section 2): one lift as a record, a fleet as columns.

Every threshold is derived from these. A fact that is missing is NaN in the columns and makes the rules that need it
"not judged".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DOOR_ZONE_DEFAULT_M = 0.20


@dataclass(frozen=True, slots=True)
class Floor:
    """A landing: what its sign says, and its height above the lowest landing in metres."""

    label: str
    height_m: float


@dataclass(frozen=True, slots=True)
class LiftFacts:
    """One lift of the registry. Dates are ISO texts (YYYY-MM-DD)."""

    lift_id: str
    district: str
    name: str | None = None
    address: str | None = None
    lat: float | None = None
    lon: float | None = None
    timezone: str | None = None
    building_type: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    installed_on: str | None = None
    rated_speed_mps: float | None = None
    rated_load_kg: float | None = None
    floors: tuple[Floor, ...] = ()
    door_type: str | None = None
    door_width_mm: float | None = None
    roping: str | None = None
    sheave_diameter_m: float | None = None
    owner: str | None = None
    maintenance_firm: str | None = None
    insurer: str | None = None
    insured_until: str | None = None
    last_inspection_on: str | None = None
    next_inspection_due_on: str | None = None
    emergency_phone: str | None = None
    door_zone_m: float = DOOR_ZONE_DEFAULT_M
    parks_door_open: bool = False


@dataclass(frozen=True, slots=True)
class FleetFacts:
    """Facts of n lifts as columns, in the order of the lift index.

    `landings_m` is (n, most floors), ascending, NaN beyond a lift's last floor (all NaN where floors are unknown).
    """

    rated_speed_mps: NDArray[np.float64]
    door_zone_m: NDArray[np.float64]
    landings_m: NDArray[np.float64]
    top_m: NDArray[np.float64]
    parks_door_open: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.rated_speed_mps)


def fleet(lifts: Sequence[LiftFacts | None]) -> FleetFacts:
    """Return the columns of `lifts`; None is a lift that the registry does not know."""
    n = len(lifts)
    most = max((len(lift.floors) for lift in lifts if lift), default=0) or 1
    rated = np.full(n, np.nan)
    zone = np.full(n, DOOR_ZONE_DEFAULT_M)
    landings = np.full((n, most), np.nan)
    parks = np.zeros(n, dtype=np.bool_)
    for i, lift in enumerate(lifts):
        if lift is None:
            continue
        rated[i] = np.nan if lift.rated_speed_mps is None else lift.rated_speed_mps
        zone[i] = lift.door_zone_m
        landings[i, : len(lift.floors)] = [floor.height_m for floor in lift.floors]
        parks[i] = lift.parks_door_open
    top = np.fmax.reduce(landings, axis=1)
    return FleetFacts(rated, zone, landings, top, parks)
