"""The up-peak round trip of a lift, as traffic is planned: Barney, "Elevator Traffic Handbook"; CIBSE Guide D.

    RTT = 2 H t_v + (S + 1) t_s + 2 P t_p        UPPHC = 300 L P / RTT

with S = N (1 - (1 - 1/N)^P) stops and H = N - sum_{i<N} (i/N)^P the highest floor, for P people to N floors. It takes
every flight to reach the rated speed; `flights_s` counts flights by their length instead, and needs no such assumption.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from telemetry.arrays import F64

PERSON_KG = 75.0
CAPACITY_FACTOR = 0.8
FIVE_MINUTES_S = 300.0


def car_capacity_persons(rated_load_kg: F64) -> F64:
    """Return P, the people that fill a car comfortably."""
    return CAPACITY_FACTOR * rated_load_kg / PERSON_KG


def probable_stops(floors: F64, people: F64) -> F64:
    """Return S, the probable number of stops above the main terminal."""
    return floors * (1 - (1 - 1 / floors) ** people)


def highest_reversal_floor(floors: F64, people: F64) -> F64:
    """Return H, the probable highest reversal floor, counted from the main terminal."""
    i = np.arange(1, int(np.max(floors)))
    share = i / np.asarray(floors)[..., None]
    return floors - (np.where(share < 1, share, 0.0) ** np.asarray(people)[..., None]).sum(axis=-1)


def round_trip_s(floors: F64, people: F64, floor_s: F64, stop_s: F64, transfer_s: F64 | float) -> F64:
    """Return RTT, s: `floor_s` is t_v, a floor at rated speed; `stop_s` is t_s, what a stop adds to that."""
    ways_s = 2 * highest_reversal_floor(floors, people) * floor_s
    return ways_s + (probable_stops(floors, people) + 1) * stop_s + 2 * people * transfer_s


def handling_capacity(lifts: F64, people: F64, rtt_s: F64) -> F64:
    """Return UPPHC, the people that a group carries in five minutes."""
    return FIVE_MINUTES_S * lifts * people / rtt_s


def flights_s(people: float, time_s: F64) -> float:
    """Return how long the flights of one up-peak round trip take together, s.

    `time_s` is (N + 1, N + 1): from each landing to each, 0 the main terminal. With people independent and floors
    alike, a car flies from i to j > i without a stop with the probability that j is a stop, i is one (or the
    terminal), and none between them is; it comes back from the highest stop.
    """
    n = len(time_s) - 1
    i, j = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")

    def none_of(floors: NDArray[np.intp]) -> F64:
        return np.maximum(1 - floors / n, 0.0) ** people

    interpolate = none_of(j - i - 1) - 2 * none_of(j - i) + none_of(j - i + 1)
    from_terminal = none_of(j - 1) - none_of(j)
    up = np.where(i == 0, from_terminal, interpolate) * (j > i)
    back = ((np.arange(1, n + 1) / n) ** people) - ((np.arange(n) / n) ** people)
    return float((up * time_s).sum() + (back * time_s[1:, 0]).sum())
