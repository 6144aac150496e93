"""The lifts' terminals: the report of each of a second, with sequence numbers, before encoding.

The `seq` of a lift increases by one with each message since its `boot`, in the order of sending; a status precedes the
bundle of its second. A lift at rest whose door does not move may report one sample a second (`idle_hz` 1) instead of
ten.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from registry.facts import LiftFacts
from simulator.physics.sensors import SAMPLE_HZ
from simulator.world.second import Second
from simulator.world.world import World
from telemetry.arrays import I64, Bools
from telemetry.streams import CLOSED, MEASURED, OPEN

NS = 1_000_000_000
MS = 1_000_000
STILL_MPS = 0.02
STILL_S = 2
"""A terminal takes its car to be at rest once the speed has stayed below `STILL_MPS` for more than so many seconds."""
DOOR, INFRARED, SPEED, DISPLACEMENT, VIBRATION = range(len(MEASURED))


class Status(NamedTuple):
    """The status of one lift; with `seq` -1 it is the last will, published by the broker."""

    lift: int
    seq: int
    t_ns: int
    sent_ns: int
    body: dict[str, Any]


class Reports(NamedTuple):
    """The reports of terminals of one second; columns have a row for each bundle.

    `boot` is the boot id of every lift ("" for a terminal without one); `cut` marks the lifts, of all, without a
    connection. `t_ns` is the start of the second by the terminal's clock, `sent_ns` the time of sending. `samples` is
    the number of samples of each sampled stream; `streams` (rows, 5) marks the streams of `MEASURED` that are present.
    `seqs` (rows, 6) are the sequence numbers of streams that are sent separately, the machine's last, `seq` that of
    the bundle.
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
    """The terminals of a world's lifts and their counters; with `apart` each stream is a message of its own."""

    def __init__(
        self, facts: Sequence[LiftFacts], start_ns: int, idle_hz: int = SAMPLE_HZ, apart: bool = False
    ) -> None:
        self.idle_hz, self.apart = idle_hz, apart
        self._start_s = start_ns // NS
        self._seq = np.zeros(len(facts), dtype=np.int64)
        self._boots = np.zeros(len(facts), dtype=np.int64)
        self._boot = [""] * len(facts)
        self._door = np.full(len(facts), CLOSED)
        self._rest_s = np.zeros(len(facts), dtype=np.int64)

    def report(self, world: World, second: Second, down: Bools | None = None) -> Reports:
        """Return the reports of the terminals of this second; a terminal that is `down` reports nothing."""
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
        machine = np.isin(lift, list(second.machine_mps2))
        seqs = self._seq[lift, None] + np.cumsum(np.column_stack((streams, machine)), axis=1)
        self._seq[lift] = seqs[:, -1] if self.apart else self._seq[lift] + 1
        samples = np.where(self._at_rest(second)[lift], self.idle_hz, SAMPLE_HZ)
        cut, seq, sent_ns = condition.cut[:n].copy(), self._seq[lift], second.t_ns[lift] + NS
        return Reports(second, self._boot, cut, statuses, lift, seq, clock_ns[lift], sent_ns, samples, streams, seqs)

    def _restart(self, second: Second) -> None:
        """Restart the counters of terminals that have booted again."""
        again = np.flatnonzero(second.boots != self._boots)
        if len(again):
            self._boot = list(self._boot)
            for lift in again.tolist():
                self._boot[lift] = f"{self._start_s}.{second.boots[lift]}"
            self._seq[again] = 0
            self._boots = second.boots

    def _at_rest(self, second: Second) -> Bools:
        """Return which cars the terminals take to be at rest, with a door that does not move."""
        events = np.diff(second.door.first)
        changed = np.flatnonzero(events)
        self._door[changed] = second.door.values[second.door.first[changed + 1] - 1, 0]
        moves = (np.abs(second.v_mps) > STILL_MPS).any(axis=1) | ((self._door != CLOSED) & (self._door != OPEN))
        self._rest_s = np.where(moves | (events > 1), 0, self._rest_s + 1)
        return self._rest_s > STILL_S

    def _status(self, world: World, second: Second, lift: int, clock_ns: I64) -> Status:
        sent_ns = int(second.t_ns[lift]) + NS
        if second.silent[lift]:
            return Status(lift, -1, sent_ns, sent_ns, world.status(lift))
        self._seq[lift] += 1
        return Status(lift, int(self._seq[lift]), int(clock_ns[lift]), sent_ns, world.status(lift))


def select_bundles(reports: Reports, rows: Bools) -> Reports:
    """Return the reports with only these bundles."""
    names = ("lift", "seq", "t_ns", "sent_ns", "samples", "streams", "seqs")
    columns = {name: getattr(reports, name)[rows] for name in names}
    return reports._replace(**columns)


def select_lifts(reports: Reports, lifts: Bools) -> Reports:
    """Return the reports of only these lifts; `lifts` is a mask over all lifts."""
    statuses = [status for status in reports.statuses if lifts[status.lift]]
    return select_bundles(reports, lifts[reports.lift])._replace(statuses=statuses)
