"""Durations at a stop: door times, dwell times, passenger transfer times, and their mean for traffic planning.

    arrival, pause, door opens, (pause, transfer) for each passenger, dwell, door closes, start delay

Ranges are uniform. The door stays open 3 s for a car call, 5 s for a hall call, and for a time after the last
passenger; passengers may hold the door or send it back while it closes. After `SENT_BACK_LIMIT` reversals the door
closes slowly (nudging, EN 81-20 5.3.6.2.2.1). A car that stops without opening pauses before it runs on. Values: domain
notes, sections 3 and 9.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from telemetry.arrays import F64

START_DELAY_S = (0.3, 0.7)
STANDSTILL_S = 1.0
ARRIVAL_PAUSE_S = (0.2, 0.5)
CAR_CALL_DWELL_S, HALL_CALL_DWELL_S = 3.0, 5.0
DWELL_AFTER_PASSING_S = (1.8, 3.2)
DWELL_UNWANTED_S = 1.0
PASS_S = (0.3, 0.8)
BETWEEN_PEOPLE_S = (0.2, 0.9)
DOOR_BEGINS_S, DOOR_S_PER_M, SIDE_OVER_CENTRE, CLOSES_OVER_OPENS = 0.6, 1.6, 1.2, 1.27
DOOR_WIDTHS_MM = (800.0, 1100.0)
"""The range of door widths where the width is unknown."""
DOOR_SD, DOOR_CYCLE_SD = 0.04, 0.02
"""The standard deviation of a door's times from the mean for its width and type, and of one movement from the door's
mean."""
REVERSAL_SHARE = (0.02, 0.10)
REVERSAL_AT = (0.25, 0.8)
SENT_BACK_LIMIT = 2
NUDGING = 1.6
HOLD_SHARE = 0.02
HOLD_S = (4.0, 25.0)


def door_s(width_mm: F64, side: NDArray[np.bool_]) -> tuple[F64, F64]:
    """Return the mean opening and closing times of doors of this clear width.

    The panels of a side-opening door travel farther than those of a centre-opening door, and faster.
    """
    moves_s = DOOR_S_PER_M * width_mm / 1000 * np.where(side, SIDE_OVER_CENTRE, 1.0)
    opens_s = DOOR_BEGINS_S + moves_s
    return opens_s, CLOSES_OVER_OPENS * opens_s


def reversal_share(busy: F64) -> F64:
    """Return the share of closing doors that are sent back, from a quiet hour (0) to the busiest (1)."""
    low, high = REVERSAL_SHARE
    return low + (high - low) * busy


def transfer_s() -> float:
    """Return t_p, the mean passenger transfer time."""
    return _mean(PASS_S) + _mean(BETWEEN_PEOPLE_S)


def stop_s(opens_s: F64, closes_s: F64, busy: F64, attended: F64) -> F64:
    """Return the mean time of a stop without its flight and without passenger transfers, T - t_f(1).

    `attended` is the share of stops after which somebody is left who may hold the door or send it back.
    """
    after_s, share = _mean(DWELL_AFTER_PASSING_S), reversal_share(busy)
    held_s = HOLD_SHARE * (_mean(HOLD_S) + after_s)
    back_s = _mean(REVERSAL_AT) * (opens_s + closes_s) + _mean(PASS_S) + after_s
    nudged_s = share**SENT_BACK_LIMIT * (NUDGING - 1) * closes_s
    sent_back_s = sum(share**k for k in range(1, 1 + SENT_BACK_LIMIT)) * back_s + nudged_s
    delays_s = _mean(START_DELAY_S) + _mean(ARRIVAL_PAUSE_S)
    return delays_s + opens_s + closes_s + after_s + attended * (held_s + sent_back_s)


def _mean(limits: tuple[float, float]) -> float:
    return (limits[0] + limits[1]) / 2
