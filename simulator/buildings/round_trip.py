"""The up-peak round trip time by the standard formula: Barney, "Elevator Traffic Handbook"; CIBSE Guide D.

    RTT = 2 H t_v + (S + 1) t_s + 2 P t_p        UPPHC = 300 L P / RTT

with S = N (1 - (1 - 1/N)^P) probable stops and H = N - sum_{i<N} (i/N)^P the highest reversal floor, for P people to N
floors. The formula assumes that every flight reaches rated speed; `flights_s` sums over flights by their length
instead.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from telemetry.arrays import F64

PERSON_KG = 75.0
CAPACITY_FACTOR = 0.8
FIVE_MINUTES_S = 300.0


def car_capacity_persons(rated_load_kg: F64) -> F64:
    """Return P, the number of people in a car at 80 % of its rated load."""
    return CAPACITY_FACTOR * rated_load_kg / PERSON_KG


def probable_stops(floors: F64, people: F64) -> F64:
    """Return S, the probable number of stops above the main terminal."""
    return floors * (1 - (1 - 1 / floors) ** people)


def highest_reversal_floor(floors: F64, people: F64) -> F64:
    """Return H, the average highest reversal floor, counted from the main terminal."""
    i = np.arange(1, int(np.max(floors)))
    share = i / np.asarray(floors)[..., None]
    return floors - (np.where(share < 1, share, 0.0) ** np.asarray(people)[..., None]).sum(axis=-1)


def round_trip_s(floors: F64, people: F64, floor_s: F64, stop_s: F64, transfer_s: F64 | float) -> F64:
    """Return the round trip time RTT, s: `floor_s` is t_v, one floor at rated speed; `stop_s` is t_s, the time added by
    a stop."""
    ways_s = 2 * highest_reversal_floor(floors, people) * floor_s
    return ways_s + (probable_stops(floors, people) + 1) * stop_s + 2 * people * transfer_s


def handling_capacity(lifts: F64, people: F64, rtt_s: F64) -> F64:
    """Return the up-peak handling capacity UPPHC: the people that a group carries in five minutes."""
    return FIVE_MINUTES_S * lifts * people / rtt_s


def flights_s(people: float, time_s: F64) -> float:
    """Return the total duration, s, of the flights of one up-peak round trip.

    `time_s` is (N + 1, N + 1), the flight time from each landing to each, 0 being the main terminal. With independent
    passengers and equally likely floors, a car flies from i to j > i without a stop with the probability that j is a
    stop, i is a stop (or the terminal), and no floor between them is; it returns from the highest stop.
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
