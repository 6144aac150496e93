"""A counter-based random number generator: each number is a pure function of (seed, purpose, lift number, counter).

Lifts share no generator state, so neither the range of simulated lifts nor the order of processing changes a number.
The hash is splitmix64.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from telemetry.arrays import F64, U64
from telemetry.compiled import compiled

GOLDEN_GAMMA = 0x9E3779B97F4A7C15
_GOLDEN_GAMMA = np.uint64(GOLDEN_GAMMA)
_MODULUS = 1 << 64
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_ONE, _11, _16, _27, _30, _31, _32, _48 = (np.uint64(bits) for bits in (1, 11, 16, 27, 30, 31, 32, 48))
_LOW_16_BITS = np.uint64(0xFFFF)
_BELL_SD = float(np.sqrt(4 * (65536**2 - 1) / 12))

EVENTS, SPEED_NOISE, POSITION_NOISE, X_NOISE, Y_NOISE, Z_NOISE, TRAITS, FAULTS = range(8)
SENSORS, SPIKES, WEATHER, RAILS, JOINTS, MACHINE, MACHINE_NOISE, BEARING_IMPACTS = range(8, 16)
SCHEDULE, FAULT_COURSE, GRINDING = 16, 17, 18
ARRIVALS, POPULATION, BUILDINGS, AGES, EQUIPMENT = range(40, 45)
PLAN, NETWORK, TERMINAL_FAULTS, LIFT_SETUP = range(32, 36)


def splitmix64(bits: U64) -> U64:
    """Return the splitmix64 finaliser of each 64-bit integer (Steele, Lea, Flood 2014)."""
    bits = (bits ^ (bits >> _30)) * _FIRST
    bits ^= bits >> _27
    bits *= _SECOND
    bits ^= bits >> _31
    return bits


def stream_keys(seed: int, number: NDArray[np.int64], purpose: int) -> U64:
    """Return the stream key of each lift number; streams of different purposes are independent."""
    start = np.uint64((seed * 64 + purpose + 1) * GOLDEN_GAMMA % _MODULUS)
    return splitmix64(splitmix64(number.astype(np.uint64) + start) + start)


def hash_bits(key: U64, counter: NDArray[np.integer]) -> U64:
    """Return 64 random bits for each (key, counter), broadcast together."""
    return splitmix64(key + counter.astype(np.uint64) * _GOLDEN_GAMMA)


def uniform_numbers(seed: int, number: int, purpose: int) -> Iterator[float]:
    """Yield the uniform numbers in [0, 1) of one stream, in plain Python: for values that are drawn once."""
    counter = (seed * 64 + purpose + 1) * GOLDEN_GAMMA ^ number * 0xD1342543DE82EF95
    while True:
        counter = (counter + GOLDEN_GAMMA) % _MODULUS
        bits = (counter ^ counter >> 30) * 0xBF58476D1CE4E5B9 % _MODULUS
        bits = (bits ^ bits >> 27) * 0x94D049BB133111EB % _MODULUS
        yield (bits >> 11) * 2.0**-53


def uniform(bits: U64) -> F64:
    """Return uniform numbers in [0, 1) with 53 random bits."""
    return np.asarray((bits >> np.uint64(11)) * 2.0**-53, dtype=np.float64)


def normal(bits: U64) -> F64:
    """Return approximately normal numbers, mean 0, variance 1, bounded by 3.5: the sum of four 16-bit parts
    (Irwin-Hall)."""
    total = (bits & _LOW_16_BITS) + (bits >> np.uint64(48))
    total += (bits >> np.uint64(16)) & _LOW_16_BITS
    total += (bits >> np.uint64(32)) & _LOW_16_BITS
    return np.asarray((total - 2.0 * 65535.0) / _BELL_SD, dtype=np.float64)


def normal_rows(key: U64, counter: NDArray[np.int64]) -> F64:
    """Return `normal` numbers, a row for each key; row i belongs to row i of `counter`, which repeats from its end.

    Parameters
    ----------
    key : (n,)
    counter : (r, m)
        n is a multiple of r.

    Returns
    -------
    (n, m)
    """
    numbers = np.empty((len(key), counter.shape[1]))
    with np.errstate(over="ignore"):
        _fill_normal(key, counter.astype(np.uint64), numbers)
    return numbers


class RandomStreams:
    """One random stream for each lift of a range; `draws` counts the numbers that each lift has used."""

    def __init__(self, seed: int, number: NDArray[np.int64], purpose: int = EVENTS) -> None:
        self.key = stream_keys(seed, number, purpose)
        self.draws = np.zeros(len(number), dtype=np.uint64)

    def uniform(self, lift: NDArray[np.intp], low: float | F64 = 0.0, high: float | F64 = 1.0) -> F64:
        """Return the next number in [low, high) of each of these lifts."""
        return np.asarray(low + (high - low) * self._next(lift, False), dtype=np.float64)

    def normal(self, lift: NDArray[np.intp]) -> F64:
        """Return the next approximately normal number (mean 0, variance 1) of each of these lifts."""
        return self._next(lift, True)

    def _next(self, lift: NDArray[np.intp], is_normal: bool) -> F64:
        numbers = np.empty(len(lift))
        if not len(lift):
            return numbers
        with np.errstate(over="ignore"):
            _draw(self.key, self.draws, lift, is_normal, numbers)
        return numbers


@compiled
def _hashed(key: Any, counter: Any) -> Any:
    """Return `hash_bits` of one key and counter."""
    bits = key + counter * _GOLDEN_GAMMA
    bits = (bits ^ (bits >> _30)) * _FIRST
    bits = (bits ^ (bits >> _27)) * _SECOND
    return bits ^ (bits >> _31)


@compiled
def _bell(bits: Any) -> float:
    """Return `normal` of 64 random bits."""
    total = (bits & _LOW_16_BITS) + (bits >> _48) + ((bits >> _16) & _LOW_16_BITS) + ((bits >> _32) & _LOW_16_BITS)
    return (float(total) - 2.0 * 65535.0) / _BELL_SD


@compiled
def _fill_normal(key: Any, counter: Any, numbers: Any) -> None:
    """Fill each row with the numbers of its key."""
    for row in range(numbers.shape[0]):
        of = row % counter.shape[0]
        for i in range(numbers.shape[1]):
            numbers[row, i] = _bell(_hashed(key[row], counter[of, i]))


@compiled
def _draw(key: Any, draws: Any, lift: Any, is_normal: bool, numbers: Any) -> None:
    """Draw the next number of each of these lifts, and count the draws."""
    for i in range(len(lift)):
        bits = _hashed(key[lift[i]], draws[lift[i]])
        numbers[i] = _bell(bits) if is_normal else float(bits >> _11) * 2.0**-53
    for i in range(len(lift)):
        draws[lift[i]] += _ONE
