"""The table of rides: from rows, finished trips and blocks of vibration.

trip     ____/‾‾‾‾\\______________        finished once the car has rested for `rest.STILL_S`
door     closed     |open‾‾‾‾‾           the ride is complete with the error of its stop at the fully open door,
ride                       ^ complete    when the car leaves, or `DOOR_WITHIN_S` after the stop
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from detectors.observe import acceleration
from detectors.observe.door_duty import LEVELLING_MPS
from detectors.observe.gaps import NEVER_NS
from detectors.observe.rest import STILL_S
from detectors.observe.rides import boundaries, doors, quality, weighting
from detectors.observe.rides.memory import CARS, VIBRATIONS, Changed
from detectors.observe.rides.vibration import shake
from detectors.observe.row_table import RowTable
from registry.facts import FleetFacts
from telemetry.arrays import F32, F64, I32, I64, Bools, Memory
from telemetry.batch import NO_MACHINE, Waveforms
from telemetry.compiled import columns, compiled, taken
from telemetry.ride_fields import BOUNDARIES, FIELDS, MOTION, STOP, TRIP
from telemetry.streams import OPEN

DOOR_WITHIN_NS, PLACE_WITHIN_NS = 30_000_000_000, 1_000_000_000
"""How long a ride waits for its door to be open, and then for a position."""
PLACE = {name: place for place, name in enumerate(FIELDS)}
FROM_LANDING, TO_LANDING, DURATION, STOP_ERROR, LOAD, STOP_AT, BOUNDARIES_AT = (
    PLACE[name]
    for name in ("from_landing", "to_landing", "duration_s", "stop_error_m", "load_class", STOP[0], BOUNDARIES[0])
)
MOTION_AT, FEATURES_AT = len(TRIP), len(TRIP) + len(MOTION)
OF_TRIP = tuple(name for name in TRIP if name not in ("duration_s", "stop_error_m", "load_class", *STOP, *BOUNDARIES))
OF_TRIP_AT = np.array([PLACE[name] for name in OF_TRIP])


class RideColumns(NamedTuple):
    """The columns of `RideTable`."""

    lift: I32
    t_ns: I64
    gap_ns: I64
    start_ns: I64
    stop_ns: I64
    mode: F64
    stale: Bools
    values: F64


class RideTable(RideColumns):
    """One row for each complete ride, sorted by lift and then time.

    `t_ns`                 the row at which the ride is complete
    `gap_ns`               0, as in the table of trips
    `start_ns`, `stop_ns`  of its trip
    `mode`                 the mode that the lift had reported when the trip was finished (NaN unknown)
    `stale`                False: a ride is never old
    `values`               (rides, len(FIELDS)); NaN is not measured
    """

    def __len__(self) -> int:
        return int(self.lift.shape[0])

    def column(self, name: str) -> F64:
        """Return the values of a field."""
        return self.values[:, PLACE[name]]


def step(
    memory: Mapping[str, Memory],
    rows: RowTable,
    trips: Memory,
    waves: Waveforms | None,
    known_ns: I64 | None,
    facts: FleetFacts,
) -> tuple[Changed, RideTable]:
    """Return the records of the lifts in a batch after it, and the rides complete in it; `memory` is not modified.

    `trips` are records of `trips.TRIP`. A block is taken in before the rows of its lift from `known_ns` on.
    """
    blocks = _sorted(waves, known_ns)
    lifts, place = np.unique(np.concatenate([rows.lift, blocks.lift]), return_inverse=True)
    is_shaken = np.isin(lifts, blocks.lift) | np.isin(lifts, trips["lift"])
    cars, vibration = taken(memory[CARS], lifts), taken(memory[VIBRATIONS], lifts[is_shaken])
    room = len(trips) + len(lifts)
    made = columns(
        RideColumns,
        room,
        gap_ns=np.zeros(room, dtype=np.int64),
        stale=np.zeros(room, dtype=np.bool_),
        values=np.empty((room, len(FIELDS))),
    )
    of_trip = np.array([trips[name] for name in OF_TRIP], dtype=np.float64).T
    zone_m = facts.door_zone_m[lifts]
    count = _run(
        cars,
        vibration,
        np.cumsum(is_shaken) - 1,
        place,
        rows,
        zone_m,
        trips,
        np.ascontiguousarray(of_trip),
        blocks,
        made,
    )
    part = columns(RideColumns, 0, **{name: column[:count] for name, column in made._asdict().items()})
    return Changed(lifts, cars, lifts[is_shaken], vibration), RideTable(*part)


class _RideBlocks(NamedTuple):
    """Blocks of vibration sorted by lift and the instant from which each is known."""

    lift: I32
    known_ns: I64
    t_ns: I64
    dt_ns: F64
    hz: I64
    first: I64
    last: I64
    xyz: F32
    rate: I64
    sections: F64


def _sorted(waves: Waveforms | None, known_ns: I64 | None) -> _RideBlocks:
    """Return the blocks that hold a sample; `sections[rate]` are the filters of a block's rate."""
    waves = NO_WAVES if waves is None else waves
    known_ns = waves.t_ns if known_ns is None else known_ns
    order = np.lexsort((known_ns, waves.message))
    order = order[waves.first[1:][order] > waves.first[:-1][order]]
    dt_ns = np.nan_to_num(waves.dt_ns[order])
    hz = acceleration.rates(dt_ns)
    rates, rate = np.unique(hz, return_inverse=True)
    sections = np.array([weighting.filters(each) if each else weighting.filters(UNFIT_HZ) for each in rates.tolist()])
    first, last = waves.first[:-1][order], waves.first[1:][order]
    return _RideBlocks(
        waves.message[order], known_ns[order], waves.t_ns[order], dt_ns, hz, first, last, waves.xyz, rate,
        sections.reshape(-1, *weighting.filters(UNFIT_HZ).shape),
    )  # fmt: skip


UNFIT_HZ = 100
"""The rate whose filters stand in the place of those of a rate that has none."""
NO_WAVES = replace(NO_MACHINE, xyz=np.zeros((3, 0), np.float32))


@compiled
def _run(
    cars: Any, vibration: Any, shaken: Any, place: Any, rows: Any, zone_m: Any, trips: Any, of_trip: Any, blocks: Any,
    made: Any,
) -> int:  # fmt: skip
    """Advance each lift by its rows and blocks in the order of time; return the number of rides complete."""
    block = trip = count = 0
    n = len(rows.lift)
    for k in range(n):
        at = place[k]
        while block < len(blocks.lift) and (
            blocks.lift[block] < rows.lift[k]
            or (blocks.lift[block] == rows.lift[k] and blocks.known_ns[block] <= rows.t_ns[k])
        ):
            _take_block(cars, vibration, shaken, place[n + block], blocks, block)
            block += 1
        car = cars[at]
        if not rows.stale[k]:
            _take_row(
                car, rows.t_ns[k], rows.v[k], rows.v_last[k], rows.z_last[k], rows.door[k], rows.still_s[k] >= STILL_S
            )
            _note_load(car, rows.presence[k])
        if trip < len(trips) and trips[trip]["lift"] == rows.lift[k] and trips[trip]["t_ns"] == rows.t_ns[k]:
            if car["waits"]:
                count = _complete(car, rows.lift[k], rows.t_ns[k], made, count)
            _finish(car, vibration[shaken[at]], trips[trip], of_trip[trip])
            trip += 1
        if car["waits"]:
            is_sure = not (np.isnan(rows.z[k]) or rows.z_doubt[k] or rows.stale[k]) and rows.at_rest[k]
            if _is_complete(car, rows.t_ns[k], rows.offset_m[k] if is_sure else np.nan, zone_m[at]):
                count = _complete(car, rows.lift[k], rows.t_ns[k], made, count)
        if car["leaves"]:
            doors.leave(car)
            car["leaves"] = False
    while block < len(blocks.lift):
        _take_block(cars, vibration, shaken, place[n + block], blocks, block)
        block += 1
    return count


@compiled
def _take_block(cars: Any, vibration: Any, shaken: Any, at: int, blocks: Any, block: int) -> None:
    xyz = blocks.xyz[:, blocks.first[block] : blocks.last[block]]
    sections = blocks.sections[blocks.rate[block]]
    shake(cars[at], vibration[shaken[at]], xyz, blocks.t_ns[block], blocks.dt_ns[block], blocks.hz[block], sections)


@compiled
def _take_row(car: Any, t_ns: int, v_mps: float, v_last: float, z_last: float, door: float, rests: bool) -> None:
    """Take in the door, the speed and the position of a row, and whether the car rests or leaves its stop there."""
    doors.note(car, t_ns, door)
    if not np.isnan(v_mps):
        car["t_ns"], car["v_mps"], car["z_m"] = t_ns, v_mps, z_last
    elif np.isnan(v_last):
        car["v_mps"] = np.nan
    car["rests"] = rests
    if rests:
        car["left"] = False
    elif abs(v_last) > LEVELLING_MPS and not car["left"]:
        car["left"] = car["leaves"] = True


@compiled
def _note_load(car: Any, presence: float) -> None:
    """Take in whether a person is reported in a car under way; once unknown, only a report of a person is believed."""
    if car["leaves"] or (not car["rests"] and (presence == 1.0 or (np.isnan(presence) and car["load"] == 0.0))):
        car["load"] = presence


@compiled
def _finish(car: Any, own: Any, trip: Any, of_trip: Any) -> None:
    """Note what was measured of a finished trip; its ride waits for the door."""
    values = car["values"]
    values[:] = np.nan
    for i in range(len(of_trip)):
        values[OF_TRIP_AT[i]] = of_trip[i]
    for i in (FROM_LANDING, TO_LANDING):
        if values[i] < 0.0:
            values[i] = np.nan
    values[DURATION] = (trip["stop_ns"] - trip["start_ns"]) / 1e9
    for i in range(1, len(STOP)):
        values[STOP_AT + i] = car["start"][i]
    car["start"][:] = np.nan
    if car["is_whole"] and car["under_way"]:
        motion, shown = values[MOTION_AT:FEATURES_AT], values[FEATURES_AT:]
        quality.write(own, car["hz"], trip["distance_m"] > 0.0, motion, shown)
        boundaries.write(own, car["hz"], trip["start_ns"], values[BOUNDARIES_AT:MOTION_AT])
    if car["closed_ns"] != NEVER_NS:
        values[BOUNDARIES_AT] = (car["closed_ns"] - trip["start_ns"]) / 1e9 - boundaries.DOOR_S
    values[BOUNDARIES_AT + 6] = values[DURATION]
    values[LOAD] = car["load"]
    car["waits"], car["start_ns"], car["stop_ns"], car["mode"] = True, trip["start_ns"], trip["stop_ns"], trip["mode"]


@compiled
def _is_complete(car: Any, t_ns: int, offset_m: float, zone_m: float) -> bool:
    """Return whether a ride waits no longer; note the error of its stop, `offset_m`, where the row measures it."""
    if car["leaves"] or t_ns - car["stop_ns"] >= DOOR_WITHIN_NS:
        return True
    if car["door"] != OPEN:
        return False
    if abs(offset_m) <= zone_m:
        car["values"][STOP_ERROR] = offset_m
        return True
    return bool(t_ns - car["opened_ns"] >= PLACE_WITHIN_NS)


@compiled
def _complete(car: Any, lift: int, t_ns: int, made: Any, count: int) -> int:
    """Write the row of the ride that waits; return the number of rows."""
    made.lift[count], made.t_ns[count] = lift, t_ns
    made.start_ns[count], made.stop_ns[count], made.mode[count] = car["start_ns"], car["stop_ns"], car["mode"]
    made.values[count] = car["values"]
    made.values[count, STOP_AT] = car["stop"][doors.OPENS]
    if not np.isnan(car["stop"][doors.OPENS]):
        made.values[count, BOUNDARIES_AT + 3] = (car["opened_ns"] - car["start_ns"]) / 1e9 + boundaries.DOOR_S
    car["waits"] = False
    return count + 1
