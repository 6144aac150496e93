"""The table of arrivals: how long each lift has been silent, counted on the monitor's clock and not on the lift's.

    message    x    x    x    w                    arrivals; w is a last will, which is no sign of life
    look     |    |    |    |    |    |    |       one row a lift
    silent   0....0....0....0..................    since the last sign of life, or since a later last will
    counted  ...............[....]                 the same, but anew from where nobody could be heard

One record a lift outlives a message. `now_ns` is an argument; nothing here reads a clock.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from detectors.observe.gaps import GAP_MOST_NS
from telemetry.arrays import F64, I32, I64, Bools, Memory
from telemetry.compiled import compiled, copied, records
from telemetry.streams import HEARTBEAT_DEFAULT_S

MEMORY = np.dtype(
    [
        ("seen_ns", np.int64),  # the latest sign of life, 0 never
        ("will_ns", np.int64),  # the latest last will, 0 never
        ("counted_from_ns", np.int64),  # silence before this instant is not counted
        ("heartbeat_s", np.float64),
        ("heard", np.bool_),  # a sign of life arrived since the last look
    ],
    align=True,
)


class ArrivalColumns(NamedTuple):
    """The columns of `ArrivalTable`."""

    lift: I32
    t_ns: I64
    gap_ns: I64
    stale: Bools
    mode: F64
    heard: Bools
    willed: Bools
    since_ns: I64
    silent_s: F64
    counted_s: F64
    heartbeat_s: F64


class ArrivalTable(ArrivalColumns):
    """One row for each lift at one look, sorted by lift.

    `t_ns`         the look, on the monitor's clock
    `gap_ns`       clocks count between two looks that are no further apart
    `stale`        False: a look is never old
    `mode`         the lift's mode as last said, NaN unknown
    `heard`        a sign of life arrived since the look before
    `willed`       a last will arrived after the latest sign of life
    `since_ns`     the arrival since which the lift is silent, its last will included; 0 never heard
    `silent_s`     how long it is silent, NaN never heard
    `counted_s`    the part of it in which the lift could have been heard, NaN never heard
    `heartbeat_s`  how often the lift says that it lives
    """

    def __len__(self) -> int:
        return int(self.lift.shape[0])


def start(n: int) -> Memory:
    """Return the records of `n` lifts that were never heard."""
    return records(n, MEMORY, heartbeat_s=HEARTBEAT_DEFAULT_S)


def hear(memory: Memory, lift: I32, arrived_ns: I64, online: F64, heartbeat_s: F64) -> Memory:
    """Return the records after messages: their lifts, their arrivals, and their `online` and heartbeat (NaN unsaid).

    `online` 0 is a last will.
    """
    memory = copied(memory)
    _hear(memory, lift, arrived_ns, online, heartbeat_s)
    return memory


@compiled
def _hear(memory: Any, lift: Any, arrived_ns: Any, online: Any, heartbeat_s: Any) -> None:
    for k in range(len(lift)):
        own = memory[lift[k]]
        if online[k] == 0.0:
            own["will_ns"] = max(own["will_ns"], arrived_ns[k])
        else:
            own["seen_ns"] = max(own["seen_ns"], arrived_ns[k])
            own["heard"] = True
        if heartbeat_s[k] > 0.0:
            own["heartbeat_s"] = heartbeat_s[k]


def count_anew(memory: Memory, now_ns: int) -> Memory:
    """Return the records with silence counted from now: who was silent before cannot be said, or the clock was set."""
    memory = copied(memory)
    memory["counted_from_ns"] = now_ns
    for name in ("seen_ns", "will_ns"):
        memory[name] = np.minimum(memory[name], now_ns)
    return memory


def resume(memory: Memory, now_ns: int) -> Memory:
    """Return the records of a snapshot as they are at a start: of what is heard from now on."""
    memory = count_anew(memory, now_ns)
    memory["heard"] = False
    return memory


def look(memory: Memory, now_ns: int, mode: F64) -> tuple[Memory, ArrivalTable]:
    """Return the records after a look, and what it shows of lifts in these modes."""
    n, willed = len(memory), memory["will_ns"] > memory["seen_ns"]
    since_ns = np.where(willed, memory["will_ns"], memory["seen_ns"])
    never = since_ns == 0
    seen = ArrivalTable(
        lift=np.arange(n, dtype=np.int32),
        t_ns=np.full(n, now_ns, dtype=np.int64),
        gap_ns=np.full(n, GAP_MOST_NS, dtype=np.int64),
        stale=np.zeros(n, dtype=np.bool_),
        mode=mode.copy(),
        heard=memory["heard"].copy(),
        willed=willed,
        since_ns=since_ns,
        silent_s=np.where(never, np.nan, (now_ns - since_ns) / 1e9),
        counted_s=np.where(never, np.nan, (now_ns - np.maximum(since_ns, memory["counted_from_ns"])) / 1e9),
        heartbeat_s=memory["heartbeat_s"].copy(),
    )
    memory = copied(memory)
    memory["heard"] = False
    return memory, seen
