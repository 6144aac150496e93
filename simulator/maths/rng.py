"""A counter-based random number generator: each number is a pure function of (seed, purpose, lift number, counter).

Lifts share no generator state, so neither the range of simulated lifts nor the order of processing changes a number.
The hash is splitmix64.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from telemetry.arrays import F64, U64

GOLDEN_GAMMA = 0x9E3779B97F4A7C15
_GOLDEN_GAMMA = np.uint64(GOLDEN_GAMMA)
_MODULUS = 1 << 64
_LOW_16_BITS = np.uint64(0xFFFF)
_BELL_SD = float(np.sqrt(4 * (65536**2 - 1) / 12))

EVENTS, SPEED_NOISE, POSITION_NOISE, X_NOISE, Y_NOISE, Z_NOISE, TRAITS, FAULTS = range(8)
SENSORS, SPIKES, WEATHER, RAILS, JOINTS, MACHINE, MACHINE_NOISE, BEARING_IMPACTS = range(8, 16)
SCHEDULE, FAULT_COURSE, GRINDING = 16, 17, 18
ARRIVALS, POPULATION, BUILDINGS = range(40, 43)
PLAN, NETWORK, TERMINAL_FAULTS, LIFT_SETUP = range(32, 36)


def splitmix64(bits: U64) -> U64:
    """Return the splitmix64 finaliser of each 64-bit integer (Steele, Lea, Flood 2014)."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
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


class RandomStreams:
    """One random stream for each lift of a range; `draws` counts the numbers that each lift has used."""

    def __init__(self, seed: int, number: NDArray[np.int64], purpose: int = EVENTS) -> None:
        self.key = stream_keys(seed, number, purpose)
        self.draws = np.zeros(len(number), dtype=np.int64)

    def uniform(self, lift: NDArray[np.intp], low: float | F64 = 0.0, high: float | F64 = 1.0) -> F64:
        """Return the next number in [low, high) of each of these lifts."""
        bits = hash_bits(self.key[lift], self.draws[lift])
        self.draws[lift] += 1
        return np.asarray(low + (high - low) * uniform(bits), dtype=np.float64)

    def normal(self, lift: NDArray[np.intp]) -> F64:
        """Return the next approximately normal number (mean 0, variance 1) of each of these lifts."""
        bits = hash_bits(self.key[lift], self.draws[lift])
        self.draws[lift] += 1
        return normal(bits)
