"""The position of a car whose press of the alarm button is raised before its turn.

    lift's messages   judged ───────┤ waiting ─ ─ ─ z ─ ─ ─ press
    evidence of the press                           └─ position_m, position_age_s

The position is the newest that arrived, and is before the press by the lift's clock. One of more than `AGE_MOST_S`
before the press is not given: rescuers would go to another floor.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from detectors.rule import Finding
from ingest.fleet import NO_ROOM
from telemetry.arrays import F64, I32, I64, Bools
from telemetry.batch import Decoded

AGE_MOST_S = 60.0


class NewestPositions:
    """The newest position, and its instant, of each lift whose messages wait."""

    def __init__(self) -> None:
        self._newest: dict[int, tuple[int, float]] = {}

    def note(self, decoded: Decoded, waiting: I32, behind: Bools) -> None:
        """Note the last position of each lift in messages that wait; forget lifts that are not `behind` any more."""
        self._newest = {lift: newest for lift, newest in self._newest.items() if behind[lift]}
        lift, t_ns, z_m = _positions(decoded, waiting)
        lifts, from_end = np.unique(lift[::-1], return_index=True)
        last = len(lift) - 1 - from_end
        self._newest.update(zip(lifts.tolist(), zip(t_ns[last].tolist(), z_m[last].tolist(), strict=True), strict=True))

    def added(self, found: Finding, decoded: Decoded, waiting: I32) -> Finding:
        """Return the finding of a press with the position in these messages, or in earlier ones, that is before it."""
        pressed_ns = found.onset_ns - found.onset_ahead_ns
        lift, t_ns, z_m = _positions(decoded, waiting)
        before = np.flatnonzero((lift == found.lift) & (t_ns <= pressed_ns))
        newest = (int(t_ns[before[-1]]), float(z_m[before[-1]])) if len(before) else self._newest.get(found.lift)
        if newest is None or not 0.0 <= (age_s := (pressed_ns - newest[0]) / 1e9) <= AGE_MOST_S:
            return found
        return replace(found, evidence={**found.evidence, "position_m": newest[1], "position_age_s": age_s})


def _positions(decoded: Decoded, waiting: I32) -> tuple[I32, I64, F64]:
    samples = decoded.samples["displacement"]
    lift, z_m = waiting[samples.message], samples.channels["z_m"]
    is_read = (lift != NO_ROOM) & ~np.isnan(z_m)
    return lift[is_read], np.asarray(samples.t_ns)[is_read], z_m[is_read]
