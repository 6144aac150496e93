"""How long people and doors take at a stop, and what a stop costs on average: the cycle draws, plans reckon with it.

    arrival, pause, door opens, (pause, step) for each person, dwell, door closes, start delay

A range is uniform. Dwell: a door stays open 3 s for a car call and 5 s for a hall call, and a while after the last
person; somebody may hold it, or send it back while it closes. After `SENT_BACK_LIMIT` times it closes all the same,
slowly (nudging, EN 81-20 5.3.6.2.2.1). A car that stops and does
not open stands a moment before it runs on. Numbers: domain notes, sections 3 and 9.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

START_DELAY_S = (0.3, 0.7)
STANDSTILL_S = 1.0
ARRIVAL_PAUSE_S = (0.2, 0.5)
CAR_CALL_DWELL_S, HALL_CALL_DWELL_S = 3.0, 5.0
DWELL_AFTER_PASSING_S = (1.8, 3.2)
DWELL_UNWANTED_S = 1.0
PASS_S = (0.3, 0.8)
BETWEEN_PEOPLE_S = (0.2, 0.9)
REVERSAL_SHARE = (0.02, 0.10)
REVERSAL_AT = (0.25, 0.8)
SENT_BACK_LIMIT = 2
NUDGING = 1.6
HOLD_SHARE = 0.02
HOLD_S = (4.0, 25.0)


def reversal_share(busy: F64) -> F64:
    """Return how often a closing door is sent back, from a quiet hour (0) to the busiest (1)."""
    low, high = REVERSAL_SHARE
    return low + (high - low) * busy


def transfer_s() -> float:
    """Return the mean time that a person takes to step in or out, t_p."""
    return _mean(PASS_S) + _mean(BETWEEN_PEOPLE_S)


def stop_s(opens_s: F64, closes_s: F64, busy: F64) -> F64:
    """Return the mean time that a stop takes beside its flight and the people's own time, T - t_f(1)."""
    after_s, share = _mean(DWELL_AFTER_PASSING_S), reversal_share(busy)
    held_s = HOLD_SHARE * (_mean(HOLD_S) + after_s)
    back_s = _mean(REVERSAL_AT) * (opens_s + closes_s) + _mean(PASS_S) + after_s
    nudged_s = share**SENT_BACK_LIMIT * (NUDGING - 1) * closes_s
    sent_back_s = sum(share**k for k in range(1, 1 + SENT_BACK_LIMIT)) * back_s + nudged_s
    return _mean(START_DELAY_S) + _mean(ARRIVAL_PAUSE_S) + opens_s + closes_s + after_s + held_s + sent_back_s


def _mean(limits: tuple[float, float]) -> float:
    return (limits[0] + limits[1]) / 2
