"""What goes wrong inside terminals, from the same seed: restarts, clocks, missing streams, messages that never left.

The law: what befalls a lift follows from (seed, lift, second) alone; everything that is done is counted.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from simulator.maths import rng
from simulator.terminals.network import Conditions
from simulator.terminals.terminals import NS, Spoken, only
from telemetry.arrays import I64

SKEW_LIMIT_S = 290.0
_REBOOT, _LOST, _PARTIAL, _WHICH, _DRAWS = range(5)
_SKEW, _NAMELESS = 3 << 50, 4 << 50


class Mishaps:
    """What goes wrong inside the terminals of a range of lifts, numbered as in their fleet."""

    def __init__(self, conditions: Conditions, seed: int, number: I64) -> None:
        self.conditions, self.counts = conditions, Counter[str]()
        self._key = rng.stream_keys(seed, number, rng.TERMINAL_FAULTS)
        self.down = np.zeros(len(number), dtype=np.bool_)
        self._down_s = np.zeros(len(number), dtype=np.int64)
        skew_s = np.clip(conditions.skew_s * rng.normal(self._word(_SKEW)), -SKEW_LIMIT_S, SKEW_LIMIT_S)
        self._skew_ns = np.rint(skew_s * 1000).astype(np.int64) * (NS // 1000)
        self._nameless = np.flatnonzero(rng.uniform(self._word(_NAMELESS)) < conditions.nameless).tolist()

    def restart(self, boots: I64, second: int) -> None:
        """Let terminals go down, and count one more boot of those that are back, in place."""
        starts = self._drawn(second, _REBOOT) < self.conditions.reboots_per_day / 86_400
        self.counts["reboots"] += int((starts & ~self.down).sum())
        self._down_s = np.where(starts & ~self.down, self.conditions.reboot_s, self._down_s - 1)
        boots += self.down & (self._down_s <= 0)
        self.down = self._down_s > 0

    def spoil(self, spoken: Spoken, second: int) -> Spoken:
        """Return what is said of a second after clocks, streams and messages have gone wrong."""
        boot = list(spoken.boot)
        for lift in self._nameless:
            boot[lift] = ""
        streams = spoken.streams.copy()
        partial = np.flatnonzero((self._drawn(second, _PARTIAL) < self.conditions.partial)[spoken.lift])
        which = (self._drawn(second, _WHICH)[spoken.lift[partial]] * streams.shape[1]).astype(np.intp)
        self.counts["partial"] += int(streams[partial, which].sum())
        streams[partial, which] = False
        statuses = [one._replace(t_ns=one.t_ns + int(self._skew_ns[one.lift])) for one in spoken.statuses]
        skewed = spoken.t_ns + self._skew_ns[spoken.lift]
        kept = (self._drawn(second, _LOST) >= self.conditions.lost)[spoken.lift]
        self.counts["lost"] += int((~kept).sum())
        return only(spoken._replace(boot=boot, streams=streams, statuses=statuses, t_ns=skewed), kept)

    def _drawn(self, second: int, what: int) -> NDArray[np.float64]:
        return rng.uniform(self._word(second * _DRAWS + what))

    def _word(self, counter: int) -> rng.U64:
        return rng.hash_bits(self._key, np.array(counter))
