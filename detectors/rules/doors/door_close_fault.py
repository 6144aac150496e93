"""F15: the door begins to close and does not close.

    door   open closing ......................... still closing: the belt slips
    door   open closing opening open closing opening open closing opening: something lies in its way, three times

A door that stays open is F18. A car that runs has left the stop, whatever its door has reported.

People who keep walking in are no fault of the door. A reversal at which the light curtain was blocked is theirs, and
the count begins anew; unless the door came as far as the time before and nobody came or left: that is one obstruction.
A reversal with the curtain free is the door's own. Where no curtain reports, every reversal counts, as in the
catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors import hold
from detectors.observe import door_duty
from detectors.observe.gaps import NEVER_NS
from detectors.observe.row_table import RowTable
from detectors.rule import MAJOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records
from telemetry.streams import CLOSED, CLOSING, OPEN, OPENING

MEMORY = np.dtype(
    [
        *hold.FIELDS,  # the time of one closing
        ("door", np.float64),  # as last reported at this stop
        ("begin_ns", np.int64),  # when the latest closing began
        ("blocked", np.bool_),  # whether the curtain has been blocked since
        ("took_ns", np.int64),  # how long the closing before the latest reversal took
        ("person", np.float64),  # whether a person was present at that reversal
        ("first_ns", np.int64),  # when the first closing since the door was closed began, 0: none did
        ("own", np.int64),  # the reversals in a row that passengers do not explain
        ("all", np.int64),  # all reversals since the door was closed
        ("trips", np.int64),  # the completed trips when the door was last faulty
    ],
    align=True,
)


@dataclass(frozen=True, slots=True)
class DoorCloseFault:
    """Scores the time of one closing, and the reversals in a row, as shares of their limits.

    `same_s`: two closings that an obstruction ended took equally long, within this. `reversals_any`: so many in a row
    are no passengers any more.
    """

    closing_s: float = 20.0
    reversals: int = 3
    reversals_any: int = 6
    same_s: float = 0.15

    def start(self, n: int) -> Memory:
        """Return `n` doors of unknown state."""
        return records(n, MEMORY, last_ns=NEVER_NS, door=np.nan, person=np.nan)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row from the first report of the door on."""
        state, since_ns = copied(state), np.empty(len(rows), dtype=np.int64)
        on, off, closing_s, reversals = np.empty((4, len(rows)))
        _run(
            state, rows.lift, rows.t_ns, rows.gap_ns, rows.stale, rows.door, rows.mode, rows.v_last,
            rows.presence, rows.curtain, rows.trips, self.closing_s, self.reversals, self.reversals_any,
            round(self.same_s * 1e9), on, off, closing_s, reversals, since_ns,
        )  # fmt: skip
        evidence = {
            "closing_s": closing_s,
            "limit_s": np.full(len(rows), self.closing_s),
            "reversals": reversals,
            "limit_reversals": np.full(len(rows), float(self.reversals)),
        }
        return state, (Score(on, off, evidence, since_ns),)


@compiled
def _run(
    memory: Any, lift: Any, t_ns: Any, gap_ns: Any, stale: Any, door: Any, mode: Any, v_last: Any,
    presence: Any, curtain: Any, trips: Any, limit_s: float, limit_own: int, limit_all: int, same_ns: int, on: Any,
    off: Any, closing_s: Any, reversals: Any, since_ns: Any,
) -> None:  # fmt: skip
    for k in range(len(lift)):
        own = memory[lift[k]]
        here = door_duty.in_service(mode[k]) and door_duty.at_stop(v_last[k])
        now = np.nan if stale[k] else door[k]
        closing = 1.0 if here and now == CLOSING else 0.0
        closing_s[k] = hold.serve(own, t_ns[k], gap_ns[k], np.nan if np.isnan(now) else closing)
        _count_reversals(own, t_ns[k], now, here, presence[k], curtain[k], same_ns)
        share = max(own["own"] / limit_own, own["all"] / limit_all)
        reversals[k] = own["all"]
        if share >= 1.0 or closing_s[k] >= limit_s:
            own["trips"] = trips[k]
        on[k] = np.maximum(closing_s[k] / limit_s, share)
        off[k] = 1.0 if now == CLOSED and trips[k] > own["trips"] else 0.0
        if np.isnan(now):
            off[k] = np.nan
        since_ns[k] = own["first_ns"] if share >= 1.0 else own["since_ns"]


@compiled
def _count_reversals(own: Any, t_ns: int, door: float, here: bool, person: float, curtain: float, same_ns: int) -> None:
    """Count the reversals since the door may last have been closed; remember when the first closing began."""
    last = own["door"]
    own["door"] = door if here else np.nan
    if here and door == CLOSING and last != CLOSING:
        own["begin_ns"], own["blocked"] = t_ns, False
        if own["first_ns"] == 0:
            own["first_ns"] = t_ns
    if curtain == 1.0:
        own["blocked"] = True
    if not here or door == CLOSED or np.isnan(door):
        own["own"], own["all"], own["first_ns"], own["person"] = 0, 0, 0, np.nan
    elif last == CLOSING and door in (OPENING, OPEN):
        took_ns = t_ns - own["begin_ns"]
        came_or_left = abs(person - own["person"]) > 0.0
        obstructed = abs(took_ns - own["took_ns"]) <= same_ns and not came_or_left
        own["own"] = 1 if own["blocked"] and not obstructed else own["own"] + 1
        own["all"] += 1
        own["took_ns"], own["person"] = took_ns, person


RULE = Rule.from_catalogue("door-close-fault", DoorCloseFault(), (Level(MAJOR, readings=1),))
