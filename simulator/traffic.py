"""When people call a lift, from which landing to which: by building type and hour of the day.

Arrivals are a Poisson process whose rate follows the hour; journeys start or end at the lobby but for a share between
floors. Numbers: trips a day and peaks as in the simulator table of the domain notes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

RESIDENTIAL, OFFICE = range(2)
KINDS = ("residential", "office")

TRIPS_A_DAY = ((80.0, 300.0), (500.0, 1500.0))
BETWEEN_FLOORS_SHARE = (0.06, 0.25)
SEVERAL_PEOPLE_SHARE = 0.3
CAR_LIMIT = 10

_DAY_S = 86_400.0
_HOUR_WEIGHTS = np.array(
    [
        # 0 1 2 3 4 5     6 7 8 9 10 11          12 13 14 15 16 17     18 19 20 21 22 23
        [2, 1, 1, 1, 1, 2, 6, 13, 12, 7, 6, 7, 8, 6, 6, 6, 7, 11, 13, 11, 9, 7, 5, 3],
        [0.2, 0.2, 0.2, 0.2, 0.2, 0.3, 1, 6, 16, 10, 8, 10, 14, 12, 8, 8, 8, 13, 10, 4, 2, 1, 0.5, 0.3],
    ],
    dtype=np.float64,
)
HOURLY = _HOUR_WEIGHTS / _HOUR_WEIGHTS.mean(axis=1, keepdims=True)
_UPWARD = np.array(
    [
        [0.6] * 6 + [0.2, 0.15, 0.2, 0.35, 0.45, 0.6, 0.6, 0.45, 0.45, 0.5, 0.6, 0.75, 0.8, 0.75, 0.7, 0.7, 0.7, 0.65],
        [0.5] * 6 + [0.9, 0.9, 0.9, 0.7, 0.5, 0.3, 0.45, 0.7, 0.5, 0.5, 0.4, 0.15, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5],
    ]
)


def rate_per_s(kind: NDArray[np.intp], trips_a_day: F64, hour: F64) -> F64:
    """Return journeys a second of each lift at this local hour."""
    return trips_a_day * HOURLY[kind, hour.astype(np.intp) % 24] / _DAY_S


def journey(
    kind: NDArray[np.intp], hour: F64, floors: NDArray[np.intp], lobby: NDArray[np.intp], dice: tuple[F64, F64, F64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return landings (from, to), never the same, from three uniform numbers for each lift."""
    sort, one, other = dice
    far = (one * (floors - 1)).astype(np.intp)
    far += far >= lobby
    second = (other * (floors - 1)).astype(np.intp)
    second += second >= far
    between = np.array(BETWEEN_FLOORS_SHARE)[kind]
    upward = (sort - between) / (1 - between) < _UPWARD[kind, hour.astype(np.intp) % 24]
    origin = np.where((sort < between) | ~upward, far, lobby)
    target = np.where(sort < between, second, np.where(upward, far, lobby))
    return origin, target
