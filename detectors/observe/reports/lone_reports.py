"""Reports of events in messages of their own without a number, from a device that loses messages.

The loss of such a report cannot be seen, so that a report is valid for a short time only, unless reports repeat it:

    door   open ─[ 8 s ]─ ?               open ─ open ─ open ─[ 1.5 of the interval between these ]─ ?
    car    stands | runs ?                reported before the car ran: the door closes before a car runs
"""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.observe.gaps import GAP_MOST_NS, NEVER_NS
from detectors.observe.reports import pauses
from telemetry.compiled import compiled

DOOR, PRESENCE, CURTAIN, ALARM = range(4)
STANDS_NS = 8_000_000_000
"""A door that opens or closes has reported the end by then, and no rule with a hold time opens from one report."""
INTERVALS = 1.5
MOVES_MPS = 0.1
LONE = 2.0
"""The value of `Batch.unnumbered` at a report in a message of its own."""

FIELDS = [
    ("alone", np.bool_),  # whether the latest report of door, person or light curtain was in a message of its own
    ("reported_ns", np.int64, (4,)),  # when each of these states was reported last
    ("repeat_ns", np.int64, (4,)),  # how long before that it was reported as the same, 0 where it was another
    ("stood_ns", np.int64),  # when the car was last read not to move
]
START = {"reported_ns": NEVER_NS, "stood_ns": NEVER_NS}


@compiled
def note(own: Any, which: int, t_ns: int, is_same: bool) -> None:
    """Note the report of a state."""
    own["repeat_ns"][which] = t_ns - own["reported_ns"][which] if is_same else 0
    own["reported_ns"][which] = t_ns


@compiled
def may_lack(own: Any, t_ns: int) -> bool:
    """Return whether reports of the lift may be missing without a trace."""
    return bool(own["alone"]) and pauses.loses(own, t_ns)


@compiled
def may_lack_one(own: Any) -> bool:
    """Return whether a report of the lift may be missing, since it has not shown yet that none is."""
    return bool(own["alone"]) and not pauses.is_proven(own)


@compiled
def is_worn(own: Any, which: int, t_ns: int) -> bool:
    """Return whether a report may no longer be true where others may be missing."""
    stands_ns = max(STANDS_NS, min(INTERVALS * own["repeat_ns"][which], INTERVALS * GAP_MOST_NS))
    return bool(t_ns - own["reported_ns"][which] > stands_ns)


@compiled
def moves_since(own: Any, t_ns: int, v_mps: float) -> bool:
    """Note whether the car moves at this row; return whether it does, and the door was reported before it began to."""
    if abs(v_mps) < MOVES_MPS:
        own["stood_ns"] = t_ns
    return abs(v_mps) >= MOVES_MPS and own["reported_ns"][DOOR] <= own["stood_ns"]
