"""The tables that rules read, from a batch: rows, trips and features of cars.

    batch ─► features    one a block of vibration         (`features`)
          ─► rows        one a reading                    (`rows`)
          ─► trips       one a finished trip              (`trips`, cut in `rest`)

The memory between two batches is one record for each lift in each of two arrays. However a lift's rows are cut into
batches, the tables are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from detectors.observe import acceleration, features, rows, trips
from detectors.observe.features import FeatureTable
from detectors.observe.rows import RowTable
from detectors.observe.trips import TripTable
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.batch import Batch


class Tables(NamedTuple):
    """The tables of a batch."""

    rows: RowTable
    trips: TripTable
    features: FeatureTable


def start(n: int) -> dict[str, Memory]:
    """Return the memory of `n` lifts without readings so far."""
    return {"rows": rows.start(n), "features": acceleration.start(n)}


def step(memory: Mapping[str, Memory], batch: Batch, facts: FleetFacts) -> tuple[dict[str, Memory], Tables]:
    """Return the memory after a batch, and its tables; inputs are not modified."""
    shaken, shown, accelerations = features.step(
        memory["features"], batch.waveforms, batch.waveforms_due_ns, batch.machine, batch.machine_due_ns
    )
    moved, read, finished = rows.step(memory["rows"], batch, shown, accelerations, facts)
    return {"rows": moved, "features": shaken}, Tables(read, trips.table(finished), FeatureTable(*shown))
