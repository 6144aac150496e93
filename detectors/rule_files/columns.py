"""The columns that a rule file may use: those of the tables that hold numbers, and facts of the lift."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from detectors.observe.arrivals import ArrivalColumns
from detectors.observe.features import FeatureColumns
from detectors.observe.row_table import RowColumns
from detectors.observe.trips import TripColumns
from detectors.rule import TableName
from registry.facts import FleetFacts
from telemetry.arrays import F64

COLUMNS: Mapping[TableName, type[tuple[Any, ...]]] = {
    "rows": RowColumns,
    "trips": TripColumns,
    "features": FeatureColumns,
    "arrivals": ArrivalColumns,
}
FACTS = {"rated_speed_mps": "rated_speed_mps", "door_zone_m": None, "top_m": "floors"}
"""Facts of the lift that an expression may use, and the fact that a rule needs which uses them."""
OF_LANDINGS = {"offset_m", "landing", "from_landing", "to_landing"}
"""Columns that compare a position with the landings: unknown without the lift's floors."""
EVENTS = {"door", "presence", "curtain", "mode", "power", "alarm", "late_press"}
"""Columns of rows that hold from one report to the next; the others are measured at a row or from readings."""
INTERNAL = {"lift", "stale", "accelerations"}
DURATION = "duration_s"


def names_of(table: TableName) -> tuple[str, ...]:
    """Return the columns that expressions over a table may use."""
    fields: tuple[str, ...] = COLUMNS[table]._fields  # type: ignore[attr-defined]
    own = [name for name in fields if name not in INTERNAL and not name.endswith("_ns")]
    derived = [DURATION] if table == "trips" and DURATION not in own else []
    return (*own, *derived, *FACTS)


def needs_of(names: Iterable[str]) -> tuple[str, ...]:
    """Return the facts without which a rule over these columns cannot be judged."""
    found = dict.fromkeys(FACTS.get(name) or ("floors" if name in OF_LANDINGS else "") for name in names)
    return tuple(need for need in found if need)


def values_of(names: Iterable[str], table: Any, facts: FleetFacts) -> dict[str, F64]:
    """Return these columns of a table as numbers; NaN is unknown."""
    return {name: _values(name, table, facts) for name in names}


def _values(name: str, table: Any, facts: FleetFacts) -> F64:
    if name in FACTS:
        of_lift: F64 = getattr(facts, name)[table.lift]
        return of_lift
    if name == DURATION and not hasattr(table, name):
        duration_s: F64 = (table.stop_ns - table.start_ns) / 1e9
        return duration_s
    column: F64 = np.asarray(getattr(table, name), dtype=np.float64)
    return np.where(column < 0, np.nan, column) if name.endswith("landing") else column
