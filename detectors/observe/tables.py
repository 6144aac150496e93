"""The tables that rules read, from a batch: rows, trips and features of cars.

    batch ─► features    one a block of vibration         (`features`)
          ─► rows        one a reading                    (`rows`)
          ─► trips       one a finished trip              (`trips`, cut in `rest`)
          ─► rides       one a trip that is complete, with its doors and its ride quality (`rides`)

The memory between two batches is one record for each lift in each of some arrays. However a lift's rows are cut into
batches, the tables are the same. The records of rides are large: `advance` copies only those of lifts in the batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from detectors.observe import acceleration, features, rows, trips
from detectors.observe.features import FeatureTable
from detectors.observe.rides import memory as ride_memory
from detectors.observe.rides import table as rides
from detectors.observe.rides.table import RideTable
from detectors.observe.row_table import RowTable
from detectors.observe.trips import TripTable
from detectors.observe.vibrations import machine
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.batch import Batch
from telemetry.compiled import copied


class Tables(NamedTuple):
    """The tables of a batch."""

    rows: RowTable
    trips: TripTable
    features: FeatureTable
    rides: RideTable


def start(n: int) -> dict[str, Memory]:
    """Return the memory of `n` lifts without readings so far."""
    return {
        "rows": rows.start(n),
        "features": acceleration.start(n),
        "machine": machine.start(n),
        **ride_memory.start(n),
    }


def step(memory: Mapping[str, Memory], batch: Batch, facts: FleetFacts) -> tuple[dict[str, Memory], Tables]:
    """Return the memory after a batch, and its tables; inputs are not modified."""
    whole = dict(memory) | {name: copied(memory[name]) for name in (ride_memory.CARS, ride_memory.VIBRATIONS)}
    changed, tables = advance(whole, batch, facts)
    return whole | changed, tables


def advance(memory: Mapping[str, Memory], batch: Batch, facts: FleetFacts) -> tuple[dict[str, Memory], Tables]:
    """Return the arrays of records after a batch, and its tables; the records of rides, which are large, are changed
    in `memory` itself."""
    shaken, shown, accelerations = features.step(
        memory["features"], batch.waveforms, batch.waveforms_due_ns, batch.machine, batch.machine_due_ns
    )
    moved, read, finished = rows.step(memory["rows"], batch, shown, accelerations, facts)
    turned = machine.step(memory["machine"], batch.machine, batch.machine_due_ns, shown)
    changed, ridden = rides.step(memory, read, finished, batch.waveforms, batch.waveforms_due_ns, facts)
    ride_memory.apply(memory, changed)
    tables = Tables(read, trips.table(finished), FeatureTable(*shown), ridden)
    return {"rows": moved, "features": shaken, "machine": turned}, tables
