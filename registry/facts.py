"""The facts of a fleet as columns; the record of one lift is imported from `registry.lift_facts` through this module.

A fact that is missing is NaN in the columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.fact_checks import BAROMETER
from registry.lift_csv import export_csv, read_csv
from registry.lift_facts import (
    DOOR_ZONE_DEFAULT_M,
    NEEDS,
    FactsError,
    Floor,
    LiftFacts,
    NotUtf8,
    ReadResult,
    RefusedRow,
    export_json,
    patch,
    read_changes,
    read_json,
    read_row,
)

__all__ = [
    "DOOR_ZONE_DEFAULT_M",
    "NEEDS",
    "FactsError",
    "FleetFacts",
    "Floor",
    "LiftFacts",
    "NotUtf8",
    "ReadResult",
    "RefusedRow",
    "export_csv",
    "export_json",
    "fleet",
    "patch",
    "read_changes",
    "read_csv",
    "read_json",
    "read_row",
    "updated_fleet",
]


@dataclass(frozen=True, slots=True)
class FleetFacts:
    """Facts of n lifts as columns, in the order of the lift index.

    `landings_m` is (n, most floors), ascending, NaN beyond a lift's last floor (all NaN where floors are unknown).
    `lacking` marks, for each fact of `NEEDS`, the lifts that cannot be judged by a rule that needs it.
    """

    rated_speed_mps: NDArray[np.float64]
    door_zone_m: NDArray[np.float64]
    landings_m: NDArray[np.float64]
    top_m: NDArray[np.float64]
    parks_door_open: NDArray[np.bool_]
    barometer: NDArray[np.bool_]
    lacking: Mapping[str, NDArray[np.bool_]]

    def __len__(self) -> int:
        return len(self.rated_speed_mps)


def fleet(lifts: Sequence[LiftFacts | None]) -> FleetFacts:
    """Return the columns of `lifts`; None is an unregistered lift."""
    n = len(lifts)
    most = max((len(lift.floors) for lift in lifts if lift), default=0) or 1
    rated = np.full(n, np.nan)
    zone = np.full(n, DOOR_ZONE_DEFAULT_M)
    landings = np.full((n, most), np.nan)
    parks, barometer = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
    lacking = {need: np.ones(n, dtype=np.bool_) for need in NEEDS}
    for i, lift in enumerate(lifts):
        if lift is None:
            continue
        rated[i] = np.nan if lift.rated_speed_mps is None else lift.rated_speed_mps
        zone[i] = lift.door_zone_m
        landings[i, : len(lift.floors)] = [floor.height_m for floor in lift.floors]
        parks[i] = lift.parks_door_open
        barometer[i] = lift.position_source == BAROMETER
        for need, column in lacking.items():
            column[i] = not lift.satisfies(need)
    top = np.fmax.reduce(landings, axis=1)
    return FleetFacts(rated, zone, landings, top, parks, barometer, lacking)


def updated_fleet(facts: FleetFacts, n: int, changed: Mapping[int, LiftFacts | None]) -> FleetFacts:
    """Return the columns of `n` lifts: those in `changed` replaced, the others as before.

    A new place that is not in `changed` is an unregistered lift.
    """
    new, places = fleet([*changed.values(), None]), list(changed)

    def refitted(old: Any, new: Any) -> Any:
        if isinstance(old, Mapping):
            return {name: refitted(column, new[name]) for name, column in old.items()}
        if old.ndim == 2:
            most = max(old.shape[1], new.shape[1])
            old, new = (np.pad(x, ((0, 0), (0, most - x.shape[1])), constant_values=np.nan) for x in (old, new))
        grown = np.concatenate([old, np.repeat(new[-1:], n - len(old), axis=0)])
        grown[places] = new[:-1]
        return grown

    return FleetFacts(*(refitted(getattr(facts, f.name), getattr(new, f.name)) for f in fields(FleetFacts)))
