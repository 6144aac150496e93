"""The offset of a lift's time from its clock: 0 until the clock is set back (`telemetry.order.recurrence`).

    lift's time  5 6 7 8 | 70 71 72        all rules count in the lift's time, which never goes back;
    clock        5 6 7 8 | 1  2  3         alerts have the time of the lift's clock

The latest `KEPT` changes of each lift are kept; earlier instants use the offset before the first of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from telemetry.arrays import I32, I64, Memory
from telemetry.batch import Steps
from telemetry.compiled import compiled, copied, records

KEPT = 8
MEMORY = np.dtype([("count", np.int64), ("t_ns", np.int64, (KEPT,)), ("ahead_ns", np.int64, (KEPT,))], align=True)
"""One record for each lift: how often the difference changed, and a ring of when and to what."""


def start(n: int) -> Memory:
    """Return the records of `n` lifts whose clocks were never set back."""
    return records(n, MEMORY)


def step(memory: Memory, steps: Steps | None) -> Memory:
    """Return the records after these changes."""
    if steps is None:
        return memory
    memory = copied(memory)
    _add(memory, steps.lift, steps.t_ns, steps.ahead_ns)
    return memory


def ahead_ns(memory: Memory, lift: I32, t_ns: I64) -> I64:
    """Return how far each of these instants of the lift's time is ahead of its clock."""
    ahead = np.zeros(len(lift), dtype=np.int64)
    if memory["count"].any():
        _look_up(memory, lift, t_ns, ahead)
    return ahead


@compiled
def _add(memory: Any, lift: Any, t_ns: Any, ahead: Any) -> None:
    for k in range(len(lift)):
        own = memory[lift[k]]
        own["t_ns"][own["count"] % KEPT] = t_ns[k]
        own["ahead_ns"][own["count"] % KEPT] = ahead[k]
        own["count"] += 1


@compiled
def _look_up(memory: Any, lift: Any, t_ns: Any, ahead: Any) -> None:
    for k in range(len(lift)):
        own = memory[lift[k]]
        for back in range(1, min(own["count"], KEPT) + 1):
            j = (own["count"] - back) % KEPT
            if t_ns[k] >= own["t_ns"][j] or back == KEPT:
                ahead[k] = own["ahead_ns"][j]
                break
