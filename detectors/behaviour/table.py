"""The table of behaviour: from rows and blocks of vibration, one row for each observation that is over.

One recurrence serves all kinds. However a lift's rows are cut into batches, the observations are the same.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from detectors.behaviour import door_blocking, empty_running, jumping, maintenance_visit, overload
from detectors.behaviour.observation import OBSERVATION
from detectors.observe.door_duty import in_service
from detectors.observe.features import FeatureTable
from detectors.observe.row_table import RowTable
from registry.facts import FleetFacts
from telemetry.arrays import F64, I32, I64, Bools, Memory
from telemetry.compiled import compiled, copied, records

MEMORY = np.dtype(
    [
        ("mode", np.float64),  # at the last row
        *door_blocking.FIELDS,
        *jumping.FIELDS,
        *empty_running.FIELDS,
        *overload.FIELDS,
        *maintenance_visit.FIELDS,
    ],
    align=True,
)


def start(n: int) -> Memory:
    """Return the records of `n` lifts at which nothing was observed so far."""
    started = door_blocking.START | jumping.START | empty_running.START | maintenance_visit.START
    return records(n, MEMORY, mode=np.nan, **started)


class _RowsRead(NamedTuple):
    """The columns of rows that are read."""

    lift: I32
    t_ns: I64
    gap_ns: I64
    door: F64
    presence: F64
    curtain: F64
    mode: F64
    alarm: F64
    still_s: F64
    still_since_ns: I64
    trips: I64
    landing: I64
    stale: Bools


class _CarBlocks(NamedTuple):
    """The columns of features that are read."""

    lift: I32
    t_ns: I64
    start_ns: I64
    end_ns: I64
    speed_mps: F64
    sway_rms: F64
    of_machine: Bools


class _RowRead(NamedTuple):
    """One row."""

    t_ns: int
    gap_ns: int
    door: float
    presence: float
    curtain: float
    mode: float
    alarm: float
    still_s: float
    still_since_ns: int
    trips: int
    landing: int


class _CarBlock(NamedTuple):
    """One block of the car's vibration."""

    start_ns: int
    end_ns: int
    speed_mps: float
    sway_rms: float


def step(memory: Memory, rows: RowTable, features: FeatureTable, facts: FleetFacts) -> tuple[Memory, Memory]:
    """Return the records after a batch, and the observations that are over in it, as records of `OBSERVATION`.

    A block is taken in before the rows of its lift from the instant on at which the block is known.
    """
    memory = copied(memory)
    found = np.empty(5 * len(rows), OBSERVATION)
    count = _run(
        memory,
        _RowsRead(*(getattr(rows, name) for name in _RowsRead._fields)),
        _CarBlocks(*(getattr(features, name) for name in _CarBlocks._fields)),
        facts.parks_door_open,
        found,
    )
    return memory, found[:count].copy()


@compiled
def _run(memory: Any, rows: Any, blocks: Any, parks_open: Any, found: Any) -> int:
    count = block = 0
    for k in range(len(rows.lift)):
        lift, t_ns = rows.lift[k], rows.t_ns[k]
        while block < len(blocks.lift) and (
            blocks.lift[block] < lift or (blocks.lift[block] == lift and blocks.t_ns[block] <= t_ns)
        ):
            _take_block(memory[blocks.lift[block]], blocks, block)
            block += 1
        if rows.stale[k]:
            continue
        own = memory[lift]
        row = _RowRead(
            t_ns, rows.gap_ns[k], rows.door[k], rows.presence[k], rows.curtain[k], rows.mode[k], rows.alarm[k],
            rows.still_s[k], rows.still_since_ns[k], rows.trips[k], rows.landing[k],
        )  # fmt: skip
        own["mode"] = row.mode
        serves = in_service(row.mode)
        count = door_blocking.note(own, lift, row, serves, parks_open[lift], found, count)
        count = jumping.note(own, lift, row, found, count)
        count = empty_running.note(own, lift, row, serves, found, count)
        count = overload.note(own, lift, row, found, count)
        count = maintenance_visit.note(own, lift, row, found, count)
    while block < len(blocks.lift):
        _take_block(memory[blocks.lift[block]], blocks, block)
        block += 1
    return count


@compiled
def _take_block(own: Any, blocks: Any, block: int) -> None:
    if not blocks.of_machine[block]:
        one = _CarBlock(
            blocks.start_ns[block],
            blocks.end_ns[block],
            blocks.speed_mps[block],
            blocks.sway_rms[block],
        )
        jumping.note_block(own, one, in_service(own["mode"]))
