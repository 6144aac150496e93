"""Whether the vibration confirms the stop that the speed reports (F13), decided once for each stop.

    speed      ‾‾‾\\______________        lost: from the running speed to rest
    vibration  ___/‾\\_____________        lost: its integral over the stop, less what it reads at rest (its bias)
    from, to   |--|     |--|              the streams may be 0.2 s apart, the braking may have begun more gently, and
                                          ropes ring: one loss from and to instants of these must agree
    answered       stop | rest ^   0.8 s after the car came to rest; up to 2 s where vibration in messages of its own is
                                   late

Without vibration, or with too little of it, the speed alone decides. Where the two disagree a sensor is faulty, and
no stop is found. The sign does not count, for a sensor may hang upside down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.observe.acceleration import SLOT_NS, Accelerations
from detectors.observe.gaps import NEVER_NS
from detectors.observe.row_table import RowTable
from telemetry.arrays import F64, I64, Memory
from telemetry.compiled import compiled

FIELDS = [("stop_ns", np.int64), ("agrees", np.float64), ("vibration_loss_mps", np.float64)]
"""The fields of an answer: the onset of the stop, whether the vibration confirms it (1, 0, or NaN: not answered yet),
and the speed lost by the vibration."""
START = {"stop_ns": NEVER_NS, "agrees": np.nan, "vibration_loss_mps": np.nan}


@dataclass(frozen=True, slots=True)
class StopConfirmation:
    """The speed lost by the vibration may differ by `agree_share` of the speed lost, and by `agree_least_mps` at least.

    `around_s`: the clocks of the two streams may differ by so much. `heard_share`: with a smaller known share of the
    samples the speed alone decides; so it does `late_s` after the stop began, when its samples may be gone from the
    ring.
    """

    agree_share: float = 0.4
    agree_least_mps: float = 0.3
    around_s: float = 0.2
    settle_s: float = 0.8
    wait_s: float = 2.0
    heard_share: float = 0.8
    late_s: float = 6.5

    def step(
        self,
        memory: Memory,
        rows: RowTable,
        stopped: NDArray[np.bool_],
        since_ns: I64,
        rest_ns: I64,
        from_mps: F64,
    ) -> tuple[F64, F64]:
        """Return at each row that is `stopped` whether the vibration confirms the stop, and the speed lost by it.

        Parameters
        ----------
        memory : (lifts,) records with `FIELDS`; changed in place
        since_ns, rest_ns, from_mps : (rows,) when the stop began and ended, and the speed before

        Returns
        -------
        agrees : (rows,) 1 confirmed, or the speed alone decides; 0 refuted; NaN not stopped, or it is too early
        vibration_loss_mps : (rows,) NaN where the speed alone decides
        """
        agrees, vibration_loss_mps = np.full((2, len(rows)), np.nan)
        if stopped.any():
            unanswered_at = np.zeros(len(rows), dtype=np.bool_)
            wait_ns = round(self.wait_s * 1e9)
            _find_unanswered(memory, rows.lift, rows.t_ns, stopped, since_ns, rest_ns, wait_ns, unanswered_at)
            k = np.flatnonzero(unanswered_at)
            answer = self._agree(rows.accelerations, rows.lift[k], rows.t_ns[k], since_ns[k], rest_ns[k], from_mps[k])
            agrees[k], vibration_loss_mps[k] = answer
            _apply_answers(memory, rows.lift, stopped, since_ns, agrees, vibration_loss_mps)
        return agrees, vibration_loss_mps

    def _agree(
        self,
        accelerations: Accelerations,
        lift: NDArray[np.int32],
        t_ns: I64,
        since_ns: I64,
        rest_ns: I64,
        from_mps: F64,
    ) -> tuple[F64, F64]:
        """Return the results of `step` for rows of stops, from the samples known at their `t_ns`."""
        around_ns, settle_ns = round(self.around_s * 1e9), round(self.settle_s * 1e9)
        slots = round((self.late_s + self.around_s) * 1e9) // SLOT_NS
        slot_ns, a = accelerations.since(lift, since_ns - around_ns, slots, t_ns)
        known = ~np.isnan(a)
        stop = slot_ns <= (rest_ns + around_ns)[:, None]
        rest = ~stop & (slot_ns <= (rest_ns + settle_ns)[:, None])
        before = slot_ns <= since_ns[:, None]
        share_known = np.minimum(_share(known, stop), _share(known, rest))
        bias = np.where(known & rest, a, 0.0).sum(axis=1) / np.maximum((known & rest).sum(axis=1), 1)
        change = np.cumsum(np.where(known & stop, a - bias[:, None], 0.0), axis=1) * SLOT_NS / 1e9
        least, most = _loss(change, before, stop & (slot_ns >= (rest_ns - around_ns)[:, None]))
        lost = np.abs(change[:, -1])
        age_ns = t_ns - rest_ns
        decides = (share_known >= self.heard_share) & (age_ns >= settle_ns)
        decides &= t_ns - since_ns <= round(self.late_s * 1e9)
        tolerance = np.maximum(self.agree_share * from_mps, self.agree_least_mps)
        agrees = ~decides | ((from_mps >= least - tolerance) & (from_mps <= most + tolerance))
        early = ~decides & (known & before).any(axis=1) & (age_ns < round(self.wait_s * 1e9))
        return np.where(early, np.nan, agrees), np.where(decides, lost, np.nan)


@compiled
def _find_unanswered(
    memory: Any, lift: Any, t_ns: Any, stopped: Any, since_ns: Any, rest_ns: Any, wait_ns: int, unanswered_at: Any
) -> None:
    """Mark the rows of each stop that need an answer: the first one, and those after it while vibration may be late."""
    stop_ns, unanswered = NEVER_NS, True
    for k in range(len(lift)):
        if k == 0 or lift[k] != lift[k - 1]:
            own = memory[lift[k]]
            stop_ns, unanswered = own["stop_ns"], bool(np.isnan(own["agrees"]))
        if stopped[k] and (unanswered or since_ns[k] != stop_ns):
            unanswered_at[k] = True
            stop_ns, unanswered = since_ns[k], t_ns[k] - rest_ns[k] < wait_ns


@compiled
def _apply_answers(memory: Any, lift: Any, stopped: Any, since_ns: Any, agrees: Any, vibration_loss_mps: Any) -> None:
    """Keep the first answer to each stop for all of its rows."""
    for k in range(len(lift)):
        if not stopped[k]:
            continue
        own = memory[lift[k]]
        if since_ns[k] != own["stop_ns"] or np.isnan(own["agrees"]):
            own["stop_ns"], own["agrees"], own["vibration_loss_mps"] = since_ns[k], agrees[k], vibration_loss_mps[k]
        agrees[k], vibration_loss_mps[k] = own["agrees"], own["vibration_loss_mps"]


def _loss(change: F64, begins: NDArray[np.bool_], ends: NDArray[np.bool_]) -> tuple[F64, F64]:
    """Return the least and the greatest change of speed from one of the begins to one of the ends."""
    from_low, from_high = np.where(begins, change, 0.0).min(axis=1), np.where(begins, change, 0.0).max(axis=1)
    to_low, to_high = np.where(ends, change, np.inf).min(axis=1), np.where(ends, change, -np.inf).max(axis=1)
    down, up = to_low - from_high, to_high - from_low
    return np.maximum(np.maximum(down, -up), 0.0), np.maximum(np.abs(down), np.abs(up))


def _share(known: NDArray[np.bool_], part: NDArray[np.bool_]) -> F64:
    """Return the known share of the part of each row."""
    share: F64 = (known & part).sum(axis=1) / np.maximum(part.sum(axis=1), 1)
    return share
