"""F01 and F02, entrapment: a person behind a closed door in a car that stands, off level or at a landing.

    stands, closed  __/‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾
    person          ‾‾‾‾‾‾‾‾‾\\__/‾‾‾‾‾‾‾‾   a person who is not seen for a while may just stand still:
    served          __/////////---////////   the clock stops; one who is not seen for longer has left
    onset             ^

It is over when the door has been open at a landing, or a trip was completed, and nobody has been shut in since. Without
the streams of door and presence nothing is concluded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.observe.gaps import NEVER_NS
from detectors.observe.row_table import RowTable
from detectors.rule import CRITICAL, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records
from telemetry.streams import CLOSED, OPEN, RESTRICTED_MODES

MEMORY = np.dtype(
    [
        ("since_ns", np.int64),  # since when a person has been shut in, 0 where nobody is
        ("last_ns", np.int64),  # the last row that was counted
        ("served_ns", np.int64),  # for how long the person has been seen
        ("unseen_ns", np.int64),  # for how long not, since the last time
        ("seen", np.bool_),  # whether the person was seen at the last row that was counted
        ("let_out", np.bool_),  # whether the door has been open at a landing since a person was seen
        ("trips", np.int64),  # the completed trips when a person was last entrapped
    ],
    align=True,
)


@dataclass(frozen=True, slots=True)
class Entrapment:
    """Scores how long a person has been shut in, as a share of `hold_s`.

    `unseen_s`: a person who is not seen for less may still be there.
    """

    off_level: bool
    hold_s: float
    unseen_s: float = 30.0

    def start(self, n: int) -> Memory:
        """Return `n` cars in which nobody has been seen."""
        return records(n, MEMORY, last_ns=NEVER_NS)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row that reads a speed or a position."""
        state, since_ns = copied(state), np.empty(len(rows), dtype=np.int64)
        on, off, held_s = np.empty((3, len(rows)))
        offset_m, zone_m = np.abs(rows.offset_m), facts.door_zone_m[rows.lift]
        reads = ~(np.isnan(rows.v) & np.isnan(rows.z))
        _run(
            state, rows.lift, rows.t_ns, rows.gap_ns, reads, rows.stale, rows.still_s, rows.at_rest, offset_m, zone_m,
            rows.door, rows.mode, rows.presence, rows.trips, self.off_level, self.hold_s,
            round(self.unseen_s * 1e9), on, off, held_s, since_ns,
        )  # fmt: skip
        limit_s = np.full(len(rows), self.hold_s)
        evidence = {"held_s": held_s, "limit_s": limit_s, "offset_m": offset_m, "door_zone_m": zone_m}
        return state, (Score(on, off, evidence, since_ns),)


@compiled
def _run(
    memory: Any, lift: Any, t_ns: Any, gap_ns: Any, reads: Any, stale: Any, still_s: Any, at_rest: Any, offset_m: Any,
    zone_m: Any, door: Any, mode: Any, presence: Any, trips: Any, off_level: bool, hold_s: float,
    unseen_ns: int, on: Any, off: Any, held_s: Any, since_ns: Any,
) -> None:  # fmt: skip
    for k in range(len(lift)):
        own = memory[lift[k]]
        person = presence[k]
        shut_in = np.nan
        if not stale[k]:
            here = (offset_m[k] > zone_m[k]) == off_level or np.isnan(offset_m[k])
            moves = not at_rest[k] and not np.isnan(still_s[k])
            known = reads[k] and not (np.isnan(still_s[k]) or np.isnan(offset_m[k]))
            shut_in = _shut_in(reads[k] and (moves or not here), known, door[k], mode[k])
        on[k] = _count(own, t_ns[k], gap_ns[k], shut_in, person, hold_s, unseen_ns)
        held_s[k], since_ns[k] = own["served_ns"] / 1e9, own["since_ns"]
        if on[k] >= 1.0:
            own["trips"] = trips[k]
        if shut_in == 1.0 and person == 1.0:
            own["let_out"] = False
        elif reads[k] and door[k] == OPEN and offset_m[k] <= zone_m[k]:
            own["let_out"] = True
        off[k] = 1.0 if own["let_out"] or trips[k] > own["trips"] else 0.0
        if not reads[k]:
            off[k] = np.nan


@compiled
def _shut_in(elsewhere: bool, known: bool, door: float, mode: float) -> float:
    """Return 1 where the car stands on the rule's side of the zone with its door closed, 0 where not, NaN unknown.

    `elsewhere`: the row reads that the car moves or stands on the other side; `known`: it reads where the car stands.
    Door and mode count at every row.
    """
    if elsewhere or mode in RESTRICTED_MODES or not (door == CLOSED or np.isnan(door)):
        return 0.0
    return np.nan if np.isnan(door) or not known else 1.0


@compiled
def _count(
    own: Any, t_ns: int, gap_ns: int, shut_in: float, person: float, hold_s: float, unseen_most_ns: int
) -> float:
    """Count the time with a person seen and, while it runs, the time without one; return the score."""
    if np.isnan(shut_in) or (shut_in == 1.0 and np.isnan(person)):
        return np.nan
    seen = shut_in == 1.0 and person == 1.0
    if own["since_ns"] != 0 and t_ns - own["last_ns"] <= gap_ns:
        if own["seen"]:
            own["served_ns"] += t_ns - own["last_ns"]
        else:
            own["unseen_ns"] += t_ns - own["last_ns"]
    own["last_ns"], own["seen"] = t_ns, seen
    if seen:
        own["unseen_ns"] = 0
        if own["since_ns"] == 0:
            own["since_ns"] = t_ns
        return float(own["served_ns"] / 1e9 / hold_s)
    if shut_in == 0.0 or own["since_ns"] == 0 or own["unseen_ns"] >= unseen_most_ns:
        own["since_ns"], own["served_ns"], own["unseen_ns"] = 0, 0, 0
        return 0.0
    return np.nan


LEVELS = (Level(CRITICAL, readings=1, clear_s=10.0),)

ENTRAPMENT_OFF_LEVEL = Rule.from_catalogue(
    "entrapment-off-level", Entrapment(off_level=True, hold_s=30.0), LEVELS, needs=("floors", "position_source")
)

ENTRAPMENT_AT_LEVEL = Rule.from_catalogue(
    "entrapment-at-level", Entrapment(off_level=False, hold_s=90.0), LEVELS, needs=("floors", "position_source")
)
