"""The table of features: RMS, peaks and impacts of each block of vibration, of the car and of the machine.

Every block has a row. The vertical axis of the car gives its own acceleration too (`acceleration`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.observe import acceleration
from detectors.observe.acceleration import Accelerations
from detectors.observe.gaps import GAP_NS, NEVER_NS
from telemetry.arrays import F64, I32, I64, Bools, Memory
from telemetry.batch import NO_MACHINE, Waveforms
from telemetry.compiled import columns, compiled, copied

IMPACT_MPS2 = 0.5 * 9.81
"""Running onto a buffer shakes the car floor by more than half of gravity; a ride does not."""
SWAY_HZ = 1.0, 5.0
SWAY_BLOCK_S, QUIET_MPS2 = 0.9, 0.1
"""Shorter blocks do not show the band of swaying, and vibration of less RMS than this has none worth measuring."""


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
    machine_kurtosis: F64
    machine_mmps: F64
    comb: F64
    comb_per_m: F64
    speed_mps: F64
    sway_rms: F64
    x_mean: F64
    y_mean: F64
    z_mean: F64
    mode: F64
    shut_in: F64
    of_machine: Bools
    stale: Bools


class FeatureTable(FeatureColumns):
    """One row for each block of vibration, sorted by lift and then time; its features are known from `t_ns` on.

    `t_ns`                     the instant from which the row is known: the block's first one, or a later one where the
                               block came late
    `start_ns`, `end_ns`       the block's first instant, and the end of its last sample
    `gap_ns`                   how long after the block before it may begin and follow without a gap
    `x_rms`, `y_rms`, `z_rms`  of the car's vibration (m/s²), NaN in a block of the machine; so is `z_peak`
    `machine_rms`              of the machine's vibration (m/s²), NaN in a block of the car; so is `machine_peak`
    `x_mean`, `y_mean`, `z_mean`   the means of these axes (m/s²), NaN in a block of the machine
    `impact_ns`                the last impact in the block: two samples of the vertical axis in a row; `NEVER_NS`: none
    `sway_rms`                 the greatest of the three axes from 1 to 5 Hz (m/s²), 0 where the axis is quiet, NaN in a
                               block of the machine and in one that is too short
    `shut_in`                  1 where the car stood still with its door closed when the block began, 0 where not, NaN
                               where that is unknown
    `machine_kurtosis`, `machine_mmps`, `comb`, `comb_per_m`   of a machine's block of 2 000 Hz or more (`machine`)
    `speed_mps`                the speed of the car when the block began, NaN where that is unknown
    `mode`                     the mode that the lift had reported when the block began (NaN unknown)
    `of_machine`               whether the block is of the machine
    `stale`                    False: a measurement is never old
    """

    def __len__(self) -> int:
        return int(self.lift.shape[0])


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
        of_machine=blocks.of_machine,
        stale=np.zeros(n, dtype=np.bool_),
    )
    for column in (
        made.x_rms, made.y_rms, made.z_rms, made.z_peak, made.machine_rms, made.machine_peak, made.sway_rms,
        made.shut_in, made.x_mean, made.y_mean, made.z_mean, made.machine_kurtosis, made.machine_mmps, made.comb,
        made.comb_per_m, made.speed_mps,
    ):  # fmt: skip
        column.fill(np.nan)
    filtered_ns = np.where(blocks.low_pass[:, 0] > 0, (blocks.last - blocks.first) * blocks.dt_ns, 0.0)
    room = int(filtered_ns.sum() / acceleration.SLOT_NS) + 2 * n
    lift, slot, since_ns = np.empty(room, np.int32), np.empty(room, np.int64), np.empty(room, np.int64)
    mmps2 = np.empty(room, np.int16)
    before, memory = memory, copied(memory)
    count = _run(memory, blocks, car.xyz, motor.xyz, made, lift, slot, since_ns, mmps2)
    return memory, made, Accelerations(before, lift[:count], slot[:count], since_ns[:count], mmps2[:count])


_SILENT_CAR = replace(NO_MACHINE, xyz=np.zeros((3, 0), np.float32))
_NO_SAMPLES = (np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int16))
_NO_FEATURES = columns(FeatureColumns, 0)


def _sorted(car: Waveforms, car_known_ns: I64, motor: Waveforms, motor_known_ns: I64) -> _Blocks:
    """Return the blocks of both signals that hold a sample, in the order of lifts and time."""
    lift = np.concatenate([car.message, motor.message])
    known_ns, t_ns = np.concatenate([car_known_ns, motor_known_ns]), np.concatenate([car.t_ns, motor.t_ns])
    dt_ns = np.nan_to_num(np.concatenate([car.dt_ns, motor.dt_ns]))  # a single sample needs no interval
    first = np.concatenate([car.first[:-1], motor.first[:-1]])
    last = np.concatenate([car.first[1:], motor.first[1:]])
    of_machine = np.arange(len(lift)) >= len(car.message)
    order = np.lexsort((of_machine, known_ns, lift))
    order = order[last[order] > first[order]]
    hz, place = np.unique(acceleration.rates(dt_ns[order]), return_inverse=True)
    low_pass = np.array([acceleration.low_pass(rate) for rate in hz.tolist()]).reshape(-1, 8)[place]
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


@compiled
def _run(
    memory: Any, blocks: Any, xyz: Any, machine: Any, made: Any, lift: Any, slot: Any, known_ns: Any, mmps2: Any
) -> int:
    """Compute the features of each block, and the accelerations from its vertical axis; return the number of these."""
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
        made.x_mean[i], made.y_mean[i], made.z_mean[i] = _mean(xyz[0, first:last]), _mean(xyz[1, first:last]), _mean(z)
        for axis in range(3):
            made.sway_rms[i] = np.fmax(made.sway_rms[i], _sway(xyz[axis, first:last], length_ns / 1e9))
        if made.z_peak[i] > IMPACT_MPS2:
            made.impact_ns[i] = _last_impact_ns(z, blocks.t_ns[i], blocks.dt_ns[i])
        if blocks.low_pass[i, 0] == 0.0:
            continue
        before = count
        count = acceleration.filter_block(
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
def _mean(x: Any) -> float:
    total = 0.0
    for k in range(len(x)):
        total += float(x[k])
    return total / len(x)


@compiled
def _sway(x: Any, length_s: float) -> float:
    """Return the RMS of an axis from 1 to 5 Hz: the sum of the lines of its spectrum there (Goertzel)."""
    n = len(x)
    if length_s < SWAY_BLOCK_S:
        return np.nan
    mean = _mean(x)
    if np.sqrt(max(_rms(x) ** 2 - mean**2, 0.0)) < QUIET_MPS2:
        return 0.0
    power = 0.0
    for line in range(int(np.ceil(SWAY_HZ[0] * length_s)), int(SWAY_HZ[1] * length_s) + 1):
        turn = 2.0 * np.cos(2.0 * np.pi * line / n)
        last, before = 0.0, 0.0
        for k in range(n):
            last, before = float(x[k]) - mean + turn * last - before, last
        power += 2.0 * (last * last + before * before - turn * last * before) / n**2
    return float(np.sqrt(power))


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
