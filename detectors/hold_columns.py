"""For how long something has held: the clock that rules with a memory share.

holds     1 1 1 0 1 ? ? 1 1        ? unknown: the clock stands still, it is not reset
served_s  0 1 2 0 0 0 0 3 4        (across a gap of the data nothing is counted)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.observe.car import Car
from detectors.observe.scan import NEVER_NS, Columns, only, scan


def start(n: int) -> Columns:
    """Return a clock for `n` lifts that has not begun."""
    return {
        "since_ns": np.zeros(n, dtype=np.int64),
        "last_ns": np.full(n, NEVER_NS),
        "served_ns": np.zeros(n, dtype=np.int64),
    }


def step(
    state: Columns, car: Car, holds: NDArray[np.float64]
) -> tuple[Columns, NDArray[np.float64], NDArray[np.int64]]:
    """Return the clock after the batch, and at each row how long `holds` (1, 0 or NaN) has held and since when.

    Returns
    -------
    state : the clock
    served_s : seconds, 0 where it does not hold or only just began, NaN where `holds` is unknown
    since_ns : the row at which it began; 0 where it does not hold
    """
    active = state["since_ns"] != 0
    active[car.lift[holds >= 1.0]] = True
    served_s, since_ns = np.where(np.isnan(holds), np.nan, 0.0), np.zeros(len(car), dtype=np.int64)
    cut = only(car.rounds, active)
    if cut.sizes:
        rows = {"t_ns": car.t_ns, "gap_ns": car.gap_ns, "holds": holds, "place": np.arange(len(car))}
        state, made = scan(cut, state, advance, rows)
        served_s[made["place"]], since_ns[made["place"]] = made["served_s"], made["since_ns"]
    return state, served_s, since_ns


def advance(state: Columns, row: Columns, _: Columns) -> tuple[Columns, Columns]:
    """Carry the clock over one row (elementwise)."""
    known, high = ~np.isnan(row["holds"]), row["holds"] >= 1.0
    running = state["since_ns"] != 0
    dt_ns = row["t_ns"] - state["last_ns"]
    more_ns = np.where(running & (dt_ns <= row["gap_ns"]), dt_ns, 0)
    served_ns = np.where(known, np.where(high, state["served_ns"] + more_ns, 0), state["served_ns"])
    since_ns = np.where(known, np.where(high, np.where(running, state["since_ns"], row["t_ns"]), 0), state["since_ns"])
    last_ns = np.where(high, row["t_ns"], np.where(known, NEVER_NS, state["last_ns"]))
    served_s = np.where(known, served_ns / 1e9, np.nan)
    after = {"since_ns": since_ns, "last_ns": last_ns, "served_ns": served_ns}
    return after, {"served_s": served_s, "since_ns": since_ns, "place": row["place"]}
