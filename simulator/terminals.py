"""The lifts' terminals: what they say of each second, counted, before it takes the form of bytes.

The law: `seq` of a lift goes up by one with each of its messages since its `boot`, in the order they are sent; a
status goes before the bundle of its second. A lift at rest with a still door may say one sample a second (`idle_hz` 1)
instead of all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.sensors import SAMPLE_HZ
from simulator.world import Second, World
from telemetry.facts import LiftFacts
from telemetry.streams import CLOSED, MEASURED, OPEN

I64 = NDArray[np.int64]
Bools = NDArray[np.bool_]

NS = 1_000_000_000
MS = 1_000_000
STILL_MPS = 0.02
STILL_S = 2
"""A car is at rest for its terminal once every reading has stayed below this speed for more than so many seconds."""
DOOR, INFRARED, SPEED, DISPLACEMENT, VIBRATION = range(len(MEASURED))


class Status(NamedTuple):
    """What one lift, or the broker in its name (`seq` -1: its last will), says of itself."""

    lift: int
    seq: int
    t_ns: int
    sent_ns: int
    said: dict[str, Any]


class Spoken(NamedTuple):
    """What is said of one second; the columns have a row for each bundle.

    `boot` is that of every lift, "" for a terminal that names none. `t_ns` is the second's begin by the terminal's
    clock, `sent_ns` when it is over. `samples` is how many of each sampled stream are said, `streams` (rows, 5) which
    of `MEASURED` are.
    """

    second: Second
    boot: Sequence[str]
    statuses: list[Status]
    lift: I64
    seq: I64
    t_ns: I64
    sent_ns: I64
    samples: I64
    streams: Bools


class Terminals:
    """The terminals of a world's lifts, and how far each has counted."""

    def __init__(self, facts: Sequence[LiftFacts], start_ns: int, idle_hz: int = SAMPLE_HZ) -> None:
        self.idle_hz = idle_hz
        self._start_s = start_ns // NS
        self._seq = np.zeros(len(facts), dtype=np.int64)
        self._boots = np.zeros(len(facts), dtype=np.int64)
        self._boot = [""] * len(facts)
        self._door = np.full(len(facts), CLOSED)
        self._still_s = np.zeros(len(facts), dtype=np.int64)

    def speak(self, world: World, second: Second) -> Spoken:
        """Count and return all that is said of this second."""
        self._restart(second)
        statuses = [self._status(world, second, lift) for lift in second.status]
        lift = np.flatnonzero(~second.silent)
        self._seq[lift] += 1
        streams = np.ones((len(lift), len(MEASURED)), dtype=np.bool_)
        streams[:, VIBRATION] = second.vibration_mps2 is not None
        samples = np.where(self._still(second)[lift], self.idle_hz, SAMPLE_HZ)
        t_ns = second.t_ns[lift]
        return Spoken(second, self._boot, statuses, lift, self._seq[lift], t_ns, t_ns + NS, samples, streams)

    def _restart(self, second: Second) -> None:
        """Count anew where a terminal has started again."""
        again = np.flatnonzero(second.boots != self._boots)
        if len(again):
            self._boot = list(self._boot)
            for lift in again.tolist():
                self._boot[lift] = f"{self._start_s}.{second.boots[lift]}"
            self._seq[again] = 0
            self._boots = second.boots

    def _still(self, second: Second) -> Bools:
        """Tell which cars have been at rest, with a door that does not move, for as long as a terminal asks for."""
        events = np.diff(second.door.first)
        heard = np.flatnonzero(events)
        self._door[heard] = second.door.values[second.door.first[heard + 1] - 1, 0]
        moves = (np.abs(second.v_mps) > STILL_MPS).any(axis=1) | ((self._door != CLOSED) & (self._door != OPEN))
        self._still_s = np.where(moves | (events > 1), 0, self._still_s + 1)
        return self._still_s > STILL_S

    def _status(self, world: World, second: Second, lift: int) -> Status:
        t_ns = int(second.t_ns[lift])
        if second.silent[lift]:
            return Status(lift, -1, t_ns + NS, t_ns + NS, world.status(lift))
        self._seq[lift] += 1
        return Status(lift, int(self._seq[lift]), t_ns, t_ns + NS, world.status(lift))
