"""The car's own acceleration from its vertical vibration, for the last seconds of each lift.

    vibration at 50 Hz or faster ─► Butterworth, 2 poles, 10 Hz ─► a sample each 100 ms ─► a ring of 9.6 s

Blocks that follow each other are one signal: the filter's state is carried from one to the next, however they fall into
batches. After a gap, at another rate and after a NaN the filter begins anew, settled at the first sample. A block that
begins before the last one ended gives no acceleration. Without a block the acceleration is unknown.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.observe.gaps import NEVER_NS
from telemetry.arrays import F64, I32, I64, Memory
from telemetry.compiled import compiled, records

LOW_PASS_HZ, POLES = 10.0, 2
RATE_LEAST_HZ, RATE_MOST_HZ = 50, 4_000
SLOT_NS = 100_000_000
SLOTS = 96
PER_MPS2 = 1000
"""Accelerations are kept in mm/s², 32 m/s² at most."""
CALM_MPS2 = 0.5
"""A block whose samples differ by no more is not worth filtering: no brake takes hold in it."""
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


class Accelerations(NamedTuple):
    """The car's own acceleration, one row for each slot of 100 ms, sorted by lift and then slot.

    `kept` are the samples before the batch. `known_ns` is the instant from which on a sample is known.
    """

    kept: Memory
    lift: I32
    slot: I64
    known_ns: I64
    mmps2: NDArray[np.int16]

    def since(self, lift: NDArray[np.int32], begin_ns: I64, slots: int, at_ns: I64) -> tuple[I64, F64]:
        """Return `slots` instants from `begin_ns` on, and the acceleration there as known at `at_ns`.

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


def start(n: int) -> Memory:
    """Return the records of `n` lifts without vibration so far."""
    return records(n, MEMORY, ring=UNKNOWN, slot=NEVER_NS, end_ns=NEVER_NS)


def rates(dt_ns: F64) -> I64:
    """Return the rate of each block in Hz, 0 where it is too slow or too fast to be filtered."""
    hz = np.rint(1e9 / np.where(dt_ns > 0, dt_ns, np.inf)).astype(np.int64)
    return np.where((hz >= RATE_LEAST_HZ) & (hz <= RATE_MOST_HZ), hz, 0)


@lru_cache(64)
def low_pass(hz: int) -> tuple[float, ...]:
    """Return the rate, the filter's coefficients b and a at this rate, and its state once settled at 1.

    The bilinear transform of the Butterworth filter of two poles, as `scipy.signal.butter` and `lfilter_zi` give it: to
    import these takes longer than all else that the start of a process imports.
    """
    if not hz:
        return (0.0,) * 8
    k = math.tan(math.pi * LOW_PASS_HZ / hz)
    a0 = 1.0 + math.sqrt(2.0) * k + k * k
    b0, a1, a2 = k * k / a0, 2.0 * (k * k - 1.0) / a0, (1.0 - math.sqrt(2.0) * k + k * k) / a0
    return (float(hz), b0, 2.0 * b0, b0, a1, a2, 1.0 - b0, b0 - a2)


@compiled
def filter_block(own: Any, z: Any, t_ns: int, dt_ns: float, low_pass: Any, slot: Any, mmps2: Any, count: int) -> int:
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
