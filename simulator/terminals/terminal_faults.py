"""Faults of terminals that are drawn from the seed: restarts, clock errors, missing streams, lost messages.

What happens to a lift depends on (seed, lift, second) only; every fault is counted.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from simulator.maths import rng
from simulator.terminals.network import NetworkConditions
from simulator.terminals.terminals import NS, Reports, select_bundles
from telemetry.arrays import I64

SKEW_LIMIT_S = 290.0
_REBOOT, _LOST, _PARTIAL, _WHICH, _DRAWS = range(5)
_SKEW, _NAMELESS = 3 << 50, 4 << 50


class TerminalFaults:
    """The faults of a range of terminals; `number` are the lifts' numbers in their fleet."""

    def __init__(self, conditions: NetworkConditions, seed: int, number: I64) -> None:
        self.conditions, self.counts = conditions, Counter[str]()
        self._key = rng.stream_keys(seed, number, rng.TERMINAL_FAULTS)
        self.down = np.zeros(len(number), dtype=np.bool_)
        self._down_s = np.zeros(len(number), dtype=np.int64)
        skew_s = np.clip(conditions.skew_s * rng.normal(self._random_bits(_SKEW)), -SKEW_LIMIT_S, SKEW_LIMIT_S)
        self._skew_ns = np.rint(skew_s * 1000).astype(np.int64) * (NS // 1000)
        self._nameless = np.flatnonzero(rng.uniform(self._random_bits(_NAMELESS)) < conditions.nameless).tolist()

    def restart(self, boots: I64, second: int) -> None:
        """Take terminals down, and increment the boots of those that are up again, in place."""
        starts = self._uniform(second, _REBOOT) < self.conditions.reboots_per_day / 86_400
        self.counts["reboots"] += int((starts & ~self.down).sum())
        self._down_s = np.where(starts & ~self.down, self.conditions.reboot_s, self._down_s - 1)
        boots += self.down & (self._down_s <= 0)
        self.down = self._down_s > 0

    def apply(self, reports: Reports, second: int) -> Reports:
        """Return the reports of a second with clock errors, missing streams and lost messages."""
        boot = list(reports.boot)
        for lift in self._nameless:
            boot[lift] = ""
        streams = reports.streams.copy()
        partial = np.flatnonzero((self._uniform(second, _PARTIAL) < self.conditions.partial)[reports.lift])
        which = (self._uniform(second, _WHICH)[reports.lift[partial]] * streams.shape[1]).astype(np.intp)
        self.counts["partial"] += int(streams[partial, which].sum())
        streams[partial, which] = False
        statuses = [one._replace(t_ns=one.t_ns + int(self._skew_ns[one.lift])) for one in reports.statuses]
        skewed = reports.t_ns + self._skew_ns[reports.lift]
        kept = (self._uniform(second, _LOST) >= self.conditions.lost)[reports.lift]
        self.counts["lost"] += int((~kept).sum())
        return select_bundles(reports._replace(boot=boot, streams=streams, statuses=statuses, t_ns=skewed), kept)

    def _uniform(self, second: int, draw: int) -> NDArray[np.float64]:
        return rng.uniform(self._random_bits(second * _DRAWS + draw))

    def _random_bits(self, counter: int) -> rng.U64:
        return rng.hash_bits(self._key, np.array(counter))
