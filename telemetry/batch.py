"""The columns that the packages exchange.

`Decoded` is a group of messages as they came: the store writes it, nothing is lost.
`Batch` is the part of it that may be judged: one row for each instant of a lift, sorted by lift and then time, never
going back in time for a lift from one batch to the next, even where the lift's clock is set back (`Steps`). NaN is "no
reading at this row".
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from telemetry.arrays import F32, F64, I32, I64


@dataclass(frozen=True, slots=True)
class Messages:
    """One row for each accepted message of a lift (an inner bundle of a gateway is a message of its own).

    `lift_id` and `district` are texts here; the reader assigns the index of a lift.
    `boot` is the device's boot as text ("0" when absent). `t_end_ns` is the time of the latest reading in it.
    `arrived_ns` is the monitor's clock, `position` the journal's. `complete` is True for a bundle: its streams came
    together and need no waiting. `retained_stale` is True for a retained status more than 5 minutes old
    (or of unknown age). `timed` is False for a message without a time of its own: `t_end_ns` is then its arrival.
    `seq` is -1 for a message without one.
    """

    lift_id: list[str]
    district: list[str]
    boot: list[str]
    seq: I64
    t_ns: I64
    t_end_ns: I64
    arrived_ns: I64
    position: I64
    complete: NDArray[np.bool_]
    retained_stale: NDArray[np.bool_]
    timed: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Samples:
    """Readings of one stream: `message` is the row in `Messages`; every channel is as long as `t_ns`."""

    message: I32
    t_ns: I64
    channels: dict[str, F64]


@dataclass(frozen=True, slots=True)
class Waveforms:
    """Vibration blocks: block i owns `xyz[:, first[i]:first[i + 1]]`, sampled every `dt_ns[i]` from `t_ns[i]`, m/s².

    Of a machine, whose accelerometer has one axis, `xyz` has one row.
    """

    message: I32
    t_ns: I64
    dt_ns: F64
    first: I64
    xyz: F32


_NONE = np.zeros(0, dtype=np.int64)
NO_MACHINE = Waveforms(
    _NONE.astype(np.int32), _NONE, _NONE.astype(np.float64), np.zeros(1, dtype=np.int64), np.zeros((1, 0), np.float32)
)
"""No blocks of a machine."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused message, or inner bundle of a gateway: the reason is a slug that is counted.

    `lift_id` is the lift that the message names, "" where there is none. `share` names the sender in whose
    share of the dead letters the refusal is stored; `known` is whether the registry lists that sender.
    """

    reason: str
    detail: str
    topic: str
    payload: bytes
    arrived_ns: int
    position: int
    lift_id: str = ""
    share: str = ""
    known: bool = False


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded group of messages. Channels of `samples`, by stream:

    speed `v_mps`; displacement `z_m`; door `door`; infrared `presence`, `curtain`;
    status `online`, `alarm`, `mode`, `power`, `heartbeat_s` (codes of `telemetry.streams`; NaN is unchanged).
    `waveforms` is the vibration of cars, `machine` that of machines, which few lifts measure.
    """

    messages: Messages
    samples: dict[str, Samples]
    waveforms: Waveforms
    refusals: list[Refusal]
    machine: Waveforms = NO_MACHINE


class Steps(NamedTuple):
    """From `t_ns` on a lift's time is `ahead_ns` ahead of its clock; sorted by lift and time."""

    lift: I32
    t_ns: I64
    ahead_ns: I64


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows to judge, sorted by (`lift`, `t_ns`), unique in that pair. All columns have one length; never modified.

    `reboot` is 1.0 on a row after which the lift's device restarted (its event states are unknown from there on).
    `stale` is 1.0 where the row came from a retained status more than 5 minutes old: it sets state, raises nothing.
    `gap` is set where messages are missing: for how many seconds from the row on readings may have been in them.
    `status_after_ns` is how long after the row's instant a status by itself reported the alarm button or the power
    (negative: before), NaN: at it.
    `late_press` is 1.0 where a press of the alarm button came late, or waits for its turn: it is raised, and sets no
    state. It is 0.0 where that press comes in its turn: it sets the state, and is not raised again.
    `door`, `presence` and `curtain` are `UNSURE` more where the state was reported for an unknown instant, from this
    row on; the row from which the state is sure follows.
    `unnumbered` is set in messages without a `seq`: 1.0 where one of sampled readings begins (others may be missing
    before it), 2.0 at a report of door, person or light curtain in a message of its own.
    `steps` gives the rows from which the lift's time differs from its clock, which was set back.
    `waveforms` is vibration, any number of blocks of a lift; `message` is the index of the lift. A block counts at the
    lift's rows from `waveforms_due_ns` on: its first instant, or, where it came when rows beyond that had gone out, the
    first instant after these. Blocks are sorted by lift and that instant, and are never later than the rows from there.
    `machine` is the vibration of machines, in the same manner.
    """

    lift: I32
    t_ns: I64
    v_mps: F64
    z_m: F64
    door: F64
    presence: F64
    curtain: F64
    mode: F64
    power: F64
    alarm: F64
    online: F64
    reboot: F64
    stale: F64
    gap: F64
    status_after_ns: F64
    late_press: F64
    unnumbered: F64
    waveforms: Waveforms | None = None
    waveforms_due_ns: I64 | None = None
    machine: Waveforms | None = None
    machine_due_ns: I64 | None = None
    steps: Steps | None = None

    def __len__(self) -> int:
        return len(self.lift)


UNSURE = 10.0
"""What is added to a state that begins somewhere after the row."""
CHANNELS = tuple(f.name for f in fields(Batch) if f.type == "F64")


def readings(lift: I32, t_ns: I64, **channels: F64) -> Batch:
    """Return a batch of these rows, sorted; channels that are not named are NaN."""
    order = np.lexsort((t_ns, lift))
    silent = np.full(len(lift), np.nan)
    columns: dict[str, Any] = {name: np.asarray(channels.get(name, silent), np.float64)[order] for name in CHANNELS}
    return Batch(lift=np.asarray(lift, np.int32)[order], t_ns=np.asarray(t_ns, np.int64)[order], **columns)
