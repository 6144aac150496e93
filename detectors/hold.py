"""Hold clocks: the time for which a condition has held, for all rules with a memory.

holds     1 1 1 0 1 ? ? 1 1        ? unknown: the clock stops and is not reset
served_s  0 1 2 0 0 0 0 3 4        (across a gap in the data nothing is counted)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.observe.gaps import NEVER_NS
from detectors.observe.row_table import RowTable
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, inlined, records

FIELDS = [("since_ns", np.int64), ("last_ns", np.int64), ("served_ns", np.int64)]
"""The fields of a clock: the onset (0 while the condition does not hold), the last row that held, the time served."""
CLOCK = np.dtype(FIELDS, align=True)


def start(n: int) -> Memory:
    """Return a stopped clock for each of `n` lifts."""
    return records(n, CLOCK, last_ns=NEVER_NS)


def step(
    state: Memory, rows: RowTable, holds: NDArray[np.float64]
) -> tuple[Memory, NDArray[np.float64], NDArray[np.int64]]:
    """Run the clocks over the rows of `car`.

    Parameters
    ----------
    state : (lifts,) records of `CLOCK`; not modified
    holds : (rows,) 1 where the condition holds, 0 where not, NaN where unknown

    Returns
    -------
    state : (lifts,) the clocks after the rows
    served_s : (rows,) seconds for which the condition has held, 0 where it does not, NaN where `holds` is unknown
    since_ns : (rows,) the row at which it began to hold, 0 where it does not hold
    """
    state = copied(state)
    served_s, since_ns = np.empty(len(rows)), np.empty(len(rows), dtype=np.int64)
    _run(state, rows.lift, rows.t_ns, rows.gap_ns, holds, served_s, since_ns)
    return state, served_s, since_ns


@compiled
def _run(state: Any, lift: Any, t_ns: Any, gap_ns: Any, holds: Any, served_s: Any, since_ns: Any) -> None:
    for k in range(len(lift)):
        clock = state[lift[k]]
        served_s[k] = serve(clock, t_ns[k], gap_ns[k], holds[k])
        since_ns[k] = clock["since_ns"]


@inlined
def serve(clock: Any, t_ns: int, gap_ns: int, holds: float) -> float:
    """Advance one clock by one row; return the seconds served, NaN where `holds` is unknown."""
    if np.isnan(holds):
        return np.nan
    if holds < 1.0:
        clock["since_ns"], clock["last_ns"], clock["served_ns"] = 0, NEVER_NS, 0
        return 0.0
    if clock["since_ns"] == 0:
        clock["since_ns"], clock["served_ns"] = t_ns, 0
    elif t_ns - clock["last_ns"] <= gap_ns:
        clock["served_ns"] += t_ns - clock["last_ns"]
    clock["last_ns"] = t_ns
    return float(clock["served_ns"] / 1e9)
