"""Lifts at whose readings judging fails: found without a return to the snapshot, set aside, and tried again.

    rows of many lifts ─► fail ─► judged by lift, then by time: the row that fails is left out, all others are judged
    its lift fails again ─► set aside: its statuses alone are judged, it is `blind` ─► tried by itself after a pause

The tables of a batch are made whole or not at all (`NotObserved`), so that a batch which failed can be judged in parts.
The pause of a lift that fails again after it was tried is twice as long as the one before.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.judge import NotObserved
from detectors.rule import Finding
from telemetry.arrays import Bools
from telemetry.batch import Batch
from telemetry.cutting import first_ns, halves, lifts_of, of_lifts, reset, statuses

FAILURES_MOST = 3
"""A lift that fails so many times, each within `KEPT` pauses of the one before, is set aside."""
SAME_NS = 1_000_000_000
"""Rows no further apart are of one message, which counts once."""
PAUSE_S = 60.0
PAUSE_MOST_S = 3600.0
KEPT = 2
PROBATION_S = 10.0
"""How long a lift that is tried again is judged without a failure before its messages count as judged."""
TRIED_AT_ONCE = 4
"""How many lifts are tried again in one batch: each that fails costs some milliseconds."""
PARTING_S = 0.5
"""After so long in one batch a lift that fails is set aside at once: its rows are not parted."""
IN_VAIN_MOST = 100
"""After so many failures one after the other the fault is not one of single lifts: the batch has failed."""

PACKED = np.dtype(
    [
        ("lift", np.int64),
        ("failures", np.int64),
        ("t_ns", np.int64),
        ("is_aside", np.bool_),
        ("tried_in_s", np.float64),
        ("kept_for_s", np.float64),
    ]
)
"""A lift in a snapshot. Its times count from the snapshot on, and after a restart from the start on."""

JudgeBatch = Callable[[Batch], list[Finding]]


@dataclass
class Failing:
    """How often a lift failed, and at which row last, whether it is set aside, when it is or was tried again, and until
    when this is kept."""

    failures: int = 0
    t_ns: int = -SAME_NS
    is_aside: bool = False
    tried_s: float = 0.0
    kept_until_s: float = 0.0


class LiftsAside:
    """The lifts that failed lately, by index. `now_s` is the monitor's clock of durations.

    `failed` holds the lifts that failed in the last step, each with the instant of the row that failed last, and how.
    """

    def __init__(self) -> None:
        self.failed: dict[int, tuple[int, NotObserved]] = {}
        self._lifts: dict[int, Failing] = {}
        self._in_vain, self._parts_until_s = 0, 0.0

    def step(self, batch: Batch, judge: JudgeBatch, now_s: float) -> list[Finding]:
        """Return what is found in a batch; of lifts that are set aside, what is found in their statuses.

        Raises NotObserved where most parts fail.
        """
        self.failed, self._in_vain, self._parts_until_s = {}, 0, time.monotonic() + PARTING_S
        self._lifts = {lift: one for lift, one in self._lifts.items() if one.is_aside or now_s < one.kept_until_s}
        aside = [lift for lift in lifts_of(batch) if self._is_aside(lift)] if self._lifts else []
        if not aside:
            return self._judged(batch, judge, now_s)
        due = [lift for lift in aside if now_s >= self._lifts[lift].tried_s][:TRIED_AT_ONCE]
        found = self._judged(of_lifts(batch, aside, others=True), judge, now_s)
        found += self._of_statuses(of_lifts(batch, [lift for lift in aside if lift not in due]), judge)
        for lift in due:
            self._lifts[lift].is_aside = False
            found += self._judged(reset(of_lifts(batch, [lift])), judge, now_s)
        return found

    def unjudged(self, lifts: int, now_s: float) -> Bools:
        """Return which of `lifts` lifts are not judged: those set aside, and those that were so until lately."""
        marked = np.zeros(lifts, dtype=np.bool_)
        for lift, one in self._lifts.items():
            marked[lift] = one.is_aside or (one.failures >= FAILURES_MOST and now_s < one.tried_s + PROBATION_S)
        return marked

    def forget(self, lift: int) -> None:
        """Forget a lift whose index may become another one's."""
        self._lifts.pop(lift, None)

    def pack(self, lifts: NDArray[np.intp], now_s: float) -> NDArray[Any]:
        """Return what is known of these lifts, numbered anew in this order, as an array for a snapshot."""
        numbers = {lift: number for number, lift in enumerate(lifts.tolist())}
        rows = [
            (numbers[lift], one.failures, one.t_ns, one.is_aside, one.tried_s - now_s, one.kept_until_s - now_s)
            for lift, one in self._lifts.items()
            if lift in numbers
        ]
        return np.array(rows, dtype=PACKED)

    def unpack(self, packed: NDArray[Any], now_s: float) -> None:
        """Restore what `pack` returned: a lift that was set aside stays so until it is tried again."""
        for lift, failures, t_ns, is_aside, tried_in_s, kept_for_s in packed.tolist():
            self._lifts[lift] = Failing(failures, t_ns, is_aside, now_s + tried_in_s, now_s + kept_for_s)

    def _is_aside(self, lift: int) -> bool:
        return lift in self._lifts and self._lifts[lift].is_aside

    def _judged(self, batch: Batch, judge: JudgeBatch, now_s: float) -> list[Finding]:
        """Judge a batch whole where that succeeds, else its halves; leave out the single row or block that fails."""
        try:
            found = judge(batch)
        except NotObserved as error:
            self._fails_again(error)
            parts, lifts = halves(batch), lifts_of(batch)
            has_time = len(lifts) > 1 or time.monotonic() < self._parts_until_s
            if not parts or not has_time:
                self._failed(batch, lifts[0], error, now_s, 1 if has_time else FAILURES_MOST)
                return self._of_statuses(reset(batch), judge)
        else:
            self._in_vain = 0
            return found
        found = []
        for part in parts:
            is_aside = len(lifts) == 1 and self._is_aside(lifts[0])
            found += self._of_statuses(part, judge) if is_aside else self._judged(part, judge, now_s)
        return found

    def _of_statuses(self, batch: Batch, judge: JudgeBatch) -> list[Finding]:
        """Judge the statuses in a batch: the alarm button, mode and power; leave them out where that fails, too."""
        try:
            found = judge(statuses(batch))
        except NotObserved as error:
            self._fails_again(error)
            return []
        self._in_vain = 0
        return found

    def _fails_again(self, error: NotObserved) -> None:
        self._in_vain += 1
        if self._in_vain > IN_VAIN_MOST:
            raise error

    def _failed(self, batch: Batch, lift: int, error: NotObserved, now_s: float, times: int) -> None:
        """Note a failure that counts so many `times`; set the lift aside where that is too often."""
        t_ns, one = first_ns(batch), self._lifts.setdefault(lift, Failing())
        self.failed[lift] = (t_ns, error)
        if times == 1 and abs(t_ns - one.t_ns) < SAME_NS:
            return
        one.failures, one.t_ns = one.failures + times, t_ns
        more = one.failures - FAILURES_MOST
        pause_s = min(PAUSE_S * 2.0 ** max(more, 0), PAUSE_MOST_S)
        one.is_aside, one.tried_s, one.kept_until_s = more >= 0, now_s + pause_s, now_s + KEPT * pause_s
