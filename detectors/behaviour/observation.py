"""One observation of a behaviour: its kind, its begin and end, and its evidence."""

from __future__ import annotations

from typing import Any

import numpy as np

from telemetry.behaviour_fields import EVIDENCE, KINDS
from telemetry.compiled import compiled

DOOR_BLOCKING, JUMPING, EMPTY_RUNNING, OVERLOAD, MAINTENANCE_VISIT = range(len(KINDS))
VALUES_MOST = max(map(len, EVIDENCE.values()))

OBSERVATION = np.dtype(
    [
        ("t_ns", np.int64),  # the row or block at which the behaviour is known to be over
        ("start_ns", np.int64),
        ("end_ns", np.int64),
        ("values", np.float64, (VALUES_MOST,)),  # in the order of `EVIDENCE`, NaN beyond
        ("lift", np.int32),
        ("kind", np.int32),
    ],
    align=True,
)


@compiled
def write(found: Any, count: int, kind: int, lift: int, instants_ns: tuple[int, int, int], values: Any) -> int:
    """Write an observation, known at the first of `instants_ns`, with its begin and end; return the new count."""
    one = found[count]
    one["lift"], one["kind"] = lift, kind
    one["t_ns"], one["start_ns"], one["end_ns"] = instants_ns[0], instants_ns[1], instants_ns[2]
    one["values"][:] = np.nan
    one["values"][0] = (instants_ns[2] - instants_ns[1]) / 1e9
    for k in range(len(values)):
        one["values"][k + 1] = values[k]
    return count + 1
