"""The table of features: what each block of vibration shows, and the car's own acceleration out of its vertical axis.

    vibration at 50 Hz or faster ─► Butterworth, 2 poles, 10 Hz ─► a sample each 100 ms ─► a ring of 9.6 s

Blocks that follow each other are one signal: the filter's state is carried from one to the next, however they fall into
batches. After a gap, at another rate and after a NaN the filter begins anew, settled at the first sample. A block that
begins before the last one ended gives features and no acceleration. Without a block the acceleration is unknown.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, lfilter_zi

from detectors.observe.gaps import GAP_NS, NEVER_NS
from telemetry.arrays import F64, I32, I64, Bools, Memory
from telemetry.batch import NO_MACHINE, Waveforms
from telemetry.compiled import columns, compiled, records

LOW_PASS_HZ, POLES = 10.0, 2
RATE_LEAST_HZ, RATE_MOST_HZ = 50, 4_000
SLOT_NS = 100_000_000
SLOTS = 96
PER_MPS2 = 1000
"""Accelerations are kept in mm/s², 32 m/s² at most."""
CALM_MPS2 = 0.5
"""A block whose samples differ by no more is not worth filtering: no brake takes hold in it."""
IMPACT_MPS2 = 0.5 * 9.81
"""Running onto a buffer shakes the car floor by more than half of gravity; a ride does not."""
UNKNOWN, MOST = np.iinfo(np.int16).min, np.iinfo(np.int16).max

MEMORY = np.dtype(
    [
        ("ring", np.int16, (SLOTS,)),
        ("slot", np.int64),
        ("end_ns", np.int64),
        ("hz", np.int64),
        ("low_pass", np.float64, (POLES,)),
    ],
    align=True,
)
"""One record for each lift: the last accelerations by slot of time, and the filter between two blocks."""


class FeatureColumns(NamedTuple):
    """The columns of `FeatureTable`."""

    lift: I32
    t_ns: I64
    start_ns: I64
    end_ns: I64
    gap_ns: I64
    impact_ns: I64
    x_rms: F64
    y_rms: F64
    z_rms: F64
    z_peak: F64
    machine_rms: F64
    machine_peak: F64
    mode: F64
    stale: Bools


class FeatureTable(FeatureColumns):
    """One row for each block of vibration, sorted by lift and then time; its features are known from `t_ns` on.

    `t_ns`               from which instant on it is known: its first one, or a later one where it came late
    `start_ns`, `end_ns` the block's first instant, and the end of its last sample
    `gap_ns`             how long after the block before it may begin and follow without a gap
    `x_rms`, `y_rms`, `z_rms`, `z_peak`   of the car's vibration (m/s²), NaN in a block of the machine
    `machine_rms`, `machine_peak`         of the machine's vibration (m/s²), NaN in a block of the car
    `impact_ns`          the last impact in the block: two samples of the vertical axis in a row; `NEVER_NS` for none
    `mode`               the mode that the lift had told of when the block began (NaN unknown)
    `stale`              False: what was measured now is never old
    """

    def __len__(self) -> int:
        return int(self.lift.shape[0])


class Accelerations(NamedTuple):
    """The car's own acceleration, one row for each slot of 100 ms, sorted by lift and then slot.

    `kept` is what was known before the batch. `known_ns` is the instant from which on a sample is known.
    """

    kept: Memory
    lift: I32
    slot: I64
    known_ns: I64
    mmps2: NDArray[np.int16]

    def since(self, lift: NDArray[np.int32], begin_ns: I64, slots: int, at_ns: I64) -> tuple[I64, F64]:
        """Return so many instants from `begin_ns` on, and what is known of the acceleration there at `at_ns`.

        Returns
        -------
        t_ns : (asked, slots) instants
        mps2 : (asked, slots) acceleration, m/s², NaN where it is unknown
        """
        first = -(-begin_ns // SLOT_NS)
        slot = first[:, None] + np.arange(slots)
        last = self.kept["slot"][lift][:, None]
        kept = (slot <= last) & (slot > last - SLOTS)
        found = np.where(kept, self.kept["ring"][lift[:, None], slot % SLOTS], UNKNOWN)
        if len(self.slot):
            ours = self.lift.astype(np.int64) << 40 | self.slot
            asked = lift.astype(np.int64)[:, None] << 40 | slot
            place = np.minimum(np.searchsorted(ours, asked), len(ours) - 1)
            here = (ours[place] == asked) & (self.known_ns[place] <= at_ns[:, None])
            found = np.where(here, self.mmps2[place], found)
        return slot * SLOT_NS, np.where(found == UNKNOWN, np.nan, found / PER_MPS2)


class _Blocks(NamedTuple):
    """Blocks of car and machine, sorted by lift and then time: block i is `[first, last)` of its signal."""

    lift: I32
    known_ns: I64
    t_ns: I64
    dt_ns: F64
    first: I64
    last: I64
    of_machine: NDArray[np.bool_]
    low_pass: F64


def start(n: int) -> Memory:
    """Return the records of `n` lifts of whose vibration nothing is known."""
    return records(n, MEMORY, ring=UNKNOWN, slot=NEVER_NS, end_ns=NEVER_NS)


def step(
    memory: Memory,
    waves: Waveforms | None,
    known_ns: I64 | None = None,
    machine: Waveforms | None = None,
    machine_known_ns: I64 | None = None,
) -> tuple[Memory, FeatureColumns, Accelerations]:
    """Return the records after these blocks, the features of each, and the accelerations in them."""
    if (waves is None or not len(waves.message)) and (machine is None or not len(machine.message)):
        return memory, _NO_FEATURES, Accelerations(memory, *_NO_SAMPLES)
    car, motor = _SILENT_CAR if waves is None else waves, NO_MACHINE if machine is None else machine
    known_ns = car.t_ns if known_ns is None else known_ns
    blocks = _sorted(car, known_ns, motor, motor.t_ns if machine_known_ns is None else machine_known_ns)
    n = len(blocks.lift)
    made = columns(
        FeatureColumns,
        n,
        lift=blocks.lift,
        t_ns=blocks.known_ns,
        start_ns=blocks.t_ns,
        stale=np.zeros(n, dtype=np.bool_),
    )
    for column in (made.x_rms, made.y_rms, made.z_rms, made.z_peak, made.machine_rms, made.machine_peak):
        column.fill(np.nan)
    room = int(np.sum((blocks.last - blocks.first) * blocks.dt_ns) / SLOT_NS) + 2 * n
    lift, slot, since_ns = np.empty(room, np.int32), np.empty(room, np.int64), np.empty(room, np.int64)
    mmps2 = np.empty(room, np.int16)
    before, memory = memory, memory.copy()
    count = _run(memory, blocks, car.xyz, motor.xyz, made, lift, slot, since_ns, mmps2)
    return memory, made, Accelerations(before, lift[:count], slot[:count], since_ns[:count], mmps2[:count])


_SILENT_CAR = replace(NO_MACHINE, xyz=np.zeros((3, 0), np.float32))
_NO_SAMPLES = (np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int16))
_NO_FEATURES = columns(FeatureColumns, 0)


def _sorted(car: Waveforms, car_known_ns: I64, motor: Waveforms, motor_known_ns: I64) -> _Blocks:
    """Return the blocks of both signals that hold a sample, in the order of lifts and time."""
    lift = np.concatenate([car.message, motor.message])
    known_ns, t_ns = np.concatenate([car_known_ns, motor_known_ns]), np.concatenate([car.t_ns, motor.t_ns])
    dt_ns = np.concatenate([car.dt_ns, motor.dt_ns])
    first = np.concatenate([car.first[:-1], motor.first[:-1]])
    last = np.concatenate([car.first[1:], motor.first[1:]])
    of_machine = np.arange(len(lift)) >= len(car.message)
    order = np.lexsort((of_machine, known_ns, lift))
    order = order[last[order] > first[order]]
    hz, place = np.unique(_rates(dt_ns[order]), return_inverse=True)
    low_pass = np.array([_low_pass(rate) for rate in hz.tolist()]).reshape(-1, 8)[place]
    return _Blocks(
        lift[order],
        known_ns[order],
        t_ns[order],
        dt_ns[order],
        first[order],
        last[order],
        of_machine[order],
        np.ascontiguousarray(low_pass),
    )


def _rates(dt_ns: F64) -> I64:
    hz = np.rint(1e9 / np.where(dt_ns > 0, dt_ns, np.inf)).astype(np.int64)
    return np.where((hz >= RATE_LEAST_HZ) & (hz <= RATE_MOST_HZ), hz, 0)


@lru_cache(64)
def _low_pass(hz: int) -> tuple[float, ...]:
    """Return the rate, the filter's coefficients b and a at this rate, and its state once settled at 1."""
    if not hz:
        return (0.0,) * 8
    b, a = butter(POLES, LOW_PASS_HZ, fs=hz)
    return (float(hz), *map(float, b), *map(float, a[1:]), *map(float, lfilter_zi(b, a)))


@compiled
def _run(
    memory: Any, blocks: Any, xyz: Any, machine: Any, made: Any, lift: Any, slot: Any, known_ns: Any, mmps2: Any
) -> int:
    """Work out the features of each block; write the accelerations that its vertical axis tells of; return how many."""
    count = 0
    for i in range(len(blocks.lift)):
        first, last = blocks.first[i], blocks.last[i]
        length_ns = int(np.rint((last - first) * blocks.dt_ns[i]))
        made.end_ns[i], made.gap_ns[i], made.impact_ns[i] = blocks.t_ns[i] + length_ns, length_ns + GAP_NS, NEVER_NS
        if blocks.of_machine[i]:
            made.machine_rms[i], made.machine_peak[i] = _rms(machine[0, first:last]), _peak(machine[0, first:last])
            continue
        made.x_rms[i], made.y_rms[i] = _rms(xyz[0, first:last]), _rms(xyz[1, first:last])
        z = xyz[2, first:last]
        made.z_rms[i], made.z_peak[i] = _rms(z), _peak(z)
        if made.z_peak[i] > IMPACT_MPS2:
            made.impact_ns[i] = _last_impact_ns(z, blocks.t_ns[i], blocks.dt_ns[i])
        if blocks.low_pass[i, 0] == 0.0:
            continue
        before = count
        count = _accelerations(
            memory[blocks.lift[i]], z, blocks.t_ns[i], blocks.dt_ns[i], blocks.low_pass[i], slot, mmps2, count
        )
        lift[before:count] = blocks.lift[i]
        known_ns[before:count] = blocks.known_ns[i]
    return count


@compiled
def _rms(x: Any) -> float:
    total = 0.0
    for k in range(len(x)):
        total += float(x[k]) * float(x[k])
    return float(np.sqrt(total / len(x)))


@compiled
def _peak(x: Any) -> float:
    most = np.nan
    for k in range(len(x)):
        most = np.fmax(most, abs(float(x[k])))
    return most


@compiled
def _last_impact_ns(z: Any, t_ns: int, dt_ns: float) -> int:
    for k in range(len(z) - 1, 0, -1):
        if abs(float(z[k])) > IMPACT_MPS2 and abs(float(z[k - 1])) > IMPACT_MPS2:
            return t_ns + int(k * dt_ns)
    return NEVER_NS


@compiled
def _accelerations(own: Any, z: Any, t_ns: int, dt_ns: float, low_pass: Any, slot: Any, mmps2: Any, count: int) -> int:
    """Low-pass a block, write its samples from place `count` on and into the ring; return the place after them."""
    if t_ns < own["end_ns"] - dt_ns / 2:
        return count
    follows = t_ns - own["end_ns"] <= 1.5 * dt_ns and own["hz"] == low_pass[0]
    first_slot = -(-t_ns // SLOT_NS)
    for missed in range(max(own["slot"] + 1, first_slot - SLOTS), first_slot):
        own["ring"][missed % SLOTS] = UNKNOWN
    total, low, high = 0.0, z[0], z[0]
    for k in range(len(z)):
        total += float(z[k])
        low, high = min(low, z[k]), max(high, z[k])
    mean = total / len(z)
    known = not np.isnan(mean)
    calm = known and high - low <= CALM_MPS2
    b0, b1, b2, a1, a2 = low_pass[1], low_pass[2], low_pass[3], low_pass[4], low_pass[5]
    settled_at = mean if calm else float(z[0])
    s0, s1 = low_pass[6] * settled_at, low_pass[7] * settled_at
    if follows and not calm:
        s0, s1 = own["low_pass"][0], own["low_pass"][1]
    here, latest = first_slot, own["slot"]
    sample = int((here * SLOT_NS - t_ns) / dt_ns)
    for k in range(len(z)):
        y = mean
        if not calm:
            y = s0 + b0 * z[k]
            s0 = s1 + b1 * z[k] - a1 * y
            s1 = b2 * z[k] - a2 * y
        if sample == k:
            if known and here > latest:
                value = np.int16(np.rint(min(max(y * PER_MPS2, -MOST), MOST)))
                own["ring"][here % SLOTS], own["slot"] = value, here
                slot[count], mmps2[count] = here, value
                count += 1
            here += 1
            sample = int((here * SLOT_NS - t_ns) / dt_ns)
    own["low_pass"][0], own["low_pass"][1] = s0, s1
    own["end_ns"] = t_ns + int(np.rint(len(z) * dt_ns))
    own["hz"] = int(low_pass[0]) if known else 0
    return count
