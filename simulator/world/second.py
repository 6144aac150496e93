"""The readings of n lifts in one second of the world, before terminals turn them into messages."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulator.faults.labels import Label
from telemetry.arrays import F64


@dataclass(frozen=True, slots=True)
class Events:
    """Door or infrared events of one second, sorted by lift and then by time.

    `values` has one row for each event. The events of lift i are `slice(first[i], first[i + 1])`; `offset_ms` counts
    from the start of the lift's second.
    """

    first: NDArray[np.int64]
    offset_ms: NDArray[np.int64]
    values: NDArray[np.int64]

    def first_lifts(self, n: int) -> Events:
        """Return the events of the first `n` lifts."""
        end = self.first[n]
        return Events(self.first[: n + 1], self.offset_ms[:end], self.values[:end])

    def of(self, lift: int) -> tuple[list[int], list[list[int]]] | None:
        """Return the offsets and values of one lift's events, or None if the lift has none."""
        begin, end = self.first[lift], self.first[lift + 1]
        return (self.offset_ms[begin:end].tolist(), self.values[begin:end].tolist()) if end > begin else None


@dataclass(frozen=True, slots=True)
class Second:
    """The sensor readings of n lifts in one second; `t_ns` is the start of each lift's second.

    `v_mps`, `z_m` are (n, 10); `vibration_mps2` is (n, 3, samples) or None. `door` values are states, `infrared` values
    are (presence, curtain). The readings of a `silent` lift are not sent. `status` lists the lifts that send their
    status in this second; `boots` counts the starts of each terminal. `machine_mps2` has a waveform for each lift with
    a machine sensor. `labels` are the symptoms that ended in this second.
    """

    t_ns: NDArray[np.int64]
    v_mps: F64
    z_m: F64
    door: Events
    infrared: Events
    vibration_mps2: NDArray[np.float32] | None
    boots: NDArray[np.int64]
    silent: NDArray[np.bool_]
    status: list[int]
    labels: list[Label]
    machine_mps2: dict[int, NDArray[np.float32]]

    def first_lifts(self, n: int) -> Second:
        """Return the readings of the first `n` lifts."""
        if n == len(self.silent):
            return self
        rows = ("t_ns", "v_mps", "z_m", "boots", "silent")
        return replace(
            self,
            **{name: getattr(self, name)[:n] for name in rows},
            door=self.door.first_lifts(n),
            infrared=self.infrared.first_lifts(n),
            vibration_mps2=None if self.vibration_mps2 is None else self.vibration_mps2[:n],
            status=[lift for lift in self.status if lift < n],
            labels=[label for label in self.labels if label.lift < n],
            machine_mps2={lift: wave for lift, wave in self.machine_mps2.items() if lift < n},
        )
