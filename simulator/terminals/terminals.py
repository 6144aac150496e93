"""The lifts' terminals: what they say of each second, counted, before it takes the form of bytes.

The law: `seq` of a lift goes up by one with each of its messages since its `boot`, in the order they are sent; a
status goes before the bundle of its second. A lift at rest with a still door may say one sample a second (`idle_hz` 1)
instead of all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from registry.facts import LiftFacts
from simulator.physics.sensors import SAMPLE_HZ
from simulator.world.world import Second, World
from telemetry.arrays import I64, Bools
from telemetry.streams import CLOSED, MEASURED, OPEN

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

    `boot` is that of every lift, "" for a terminal that names none; `cut` tells of every lift whether its connection
    is. `t_ns` is the second's begin by the terminal's clock, `sent_ns` when it is over. `samples` is how many of each
    sampled stream are said, `streams` (rows, 5) which of `MEASURED` are; `seqs` (rows, 5) counts each of these where
    they are said apart, else `seq` all of them.
    """

    second: Second
    boot: Sequence[str]
    cut: Bools
    statuses: list[Status]
    lift: I64
    seq: I64
    t_ns: I64
    sent_ns: I64
    samples: I64
    streams: Bools
    seqs: I64


class Terminals:
    """The terminals of a world's lifts, and how far each has counted; `apart` ones send a message for each stream."""

    def __init__(
        self, facts: Sequence[LiftFacts], start_ns: int, idle_hz: int = SAMPLE_HZ, apart: bool = False
    ) -> None:
        self.idle_hz, self.apart = idle_hz, apart
        self._start_s = start_ns // NS
        self._seq = np.zeros(len(facts), dtype=np.int64)
        self._boots = np.zeros(len(facts), dtype=np.int64)
        self._boot = [""] * len(facts)
        self._door = np.full(len(facts), CLOSED)
        self._still_s = np.zeros(len(facts), dtype=np.int64)

    def speak(self, world: World, second: Second, down: Bools | None = None) -> Spoken:
        """Count and return all that is said of this second; a terminal that is `down` says nothing."""
        self._restart(second)
        n, condition = len(world), world.cars.condition
        down = np.zeros(n, dtype=np.bool_) if down is None else down
        clock_ns = second.t_ns + np.rint(condition.clock_s[:n] * 1000).astype(np.int64) * MS
        statuses = [self._status(world, second, lift, clock_ns) for lift in second.status if not down[lift]]
        lift = np.flatnonzero(~second.silent & ~down)
        streams = np.ones((len(lift), len(MEASURED)), dtype=np.bool_)
        streams[:, DOOR] = np.diff(second.door.first)[lift] > 0
        streams[:, INFRARED] = np.diff(second.infrared.first)[lift] > 0
        streams[:, VIBRATION] = second.vibration_mps2 is not None and ~condition.accelerometer.mute[lift]
        seqs = self._seq[lift, None] + np.cumsum(streams, axis=1)
        self._seq[lift] = seqs[:, -1] if self.apart else self._seq[lift] + 1
        samples = np.where(self._still(second)[lift], self.idle_hz, SAMPLE_HZ)
        cut, seq, sent_ns = condition.cut[:n].copy(), self._seq[lift], second.t_ns[lift] + NS
        return Spoken(second, self._boot, cut, statuses, lift, seq, clock_ns[lift], sent_ns, samples, streams, seqs)

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

    def _status(self, world: World, second: Second, lift: int, clock_ns: I64) -> Status:
        sent_ns = int(second.t_ns[lift]) + NS
        if second.silent[lift]:
            return Status(lift, -1, sent_ns, sent_ns, world.status(lift))
        self._seq[lift] += 1
        return Status(lift, int(self._seq[lift]), int(clock_ns[lift]), sent_ns, world.status(lift))


def only(spoken: Spoken, rows: Bools) -> Spoken:
    """Return the same without the bundles that are not among these rows."""
    names = ("lift", "seq", "t_ns", "sent_ns", "samples", "streams", "seqs")
    columns = {name: getattr(spoken, name)[rows] for name in names}
    return spoken._replace(**columns)


def of(spoken: Spoken, lifts: Bools) -> Spoken:
    """Return the same without what other lifts say; `lifts` tells of every lift whether it is one of these."""
    statuses = [status for status in spoken.statuses if lifts[status.lift]]
    return only(spoken, lifts[spoken.lift])._replace(statuses=statuses)
