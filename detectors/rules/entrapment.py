"""F01 and F02, entrapment: a person behind a closed door in a car that stands, off level or at a landing.

    stands, closed  __/‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾
    person          ‾‾‾‾‾‾‾‾‾\\__/‾‾‾‾‾‾‾‾   a person who is not seen for a while may just stand still:
    served          __/////////---////////   the clock stops; one who is not seen for longer has left
    onset             ^

A car stands also where its position stays the same while its speed says that it moves: the speed is that of the sheave,
which turns under the ropes of a jammed car.

It is over when the door has been open at a landing, or a trip was completed, and nobody has been shut in since. Without
the streams of door and presence nothing is concluded.

At a landing a car that waits for calls looks the same where its presence sensor is stuck. F02 calls a rescue only where
a second stream confirms the person:

    presence  ___/‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾    boarded: the sensor began to see the person as somebody passed the doorway, and
    doorway   _|‾|__________________    nobody has passed at a later opening of the door
    button    _____________|‾|______    or the alarm button was pressed while the person was shut in
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.observe.gaps import NEVER_NS
from detectors.observe.row_table import RowTable
from detectors.rule import CRITICAL, MAJOR, Level, Rule, Score
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
        ("was", np.float64),  # the presence as known last
        ("passed", np.bool_),  # whether somebody may have passed the doorway since the empty car's door was closed
        ("boarded", np.bool_),  # whether the person was seen to board, and nobody passed the doorway later
        ("left", np.bool_),  # whether the door has been closed since the person boarded
        ("place_m", np.float64),  # where the position has been within `moved_m` of, since when, and its last reading
        ("place_ns", np.int64),
        ("place_last_ns", np.int64),
        ("alarmed", np.bool_),  # whether the alarm button was pressed while the person was shut in
    ],
    align=True,
)


@dataclass(frozen=True, slots=True)
class Entrapment:
    """Scores how long a person has been shut in, as a share of `hold_s`: off level once, at level also where confirmed.

    `unseen_s`: a person who is not seen for less may still be there. `moved_m`, `pinned_s`: a car whose position has
    been within this for so long stands, whatever its speed.
    """

    off_level: bool
    hold_s: float
    unseen_s: float = 30.0
    moved_m: float = 0.020
    pinned_s: float = 10.0

    def start(self, n: int) -> Memory:
        """Return `n` cars in which nobody has been seen."""
        return records(n, MEMORY, last_ns=NEVER_NS, was=np.nan, place_m=np.nan, place_last_ns=NEVER_NS)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row that reads a speed or a position."""
        state, since_ns = copied(state), np.empty(len(rows), dtype=np.int64)
        on, off, held_s, confirmed = np.empty((4, len(rows)))
        offset_m, zone_m = np.abs(rows.offset_m), facts.door_zone_m[rows.lift]
        reads = ~(np.isnan(rows.v) & np.isnan(rows.z))
        z = np.where(rows.z_doubt, np.nan, rows.z)
        _run(
            state, rows.lift, rows.t_ns, rows.gap_ns, reads, rows.stale, rows.still_s, rows.at_rest, offset_m, zone_m,
            rows.door, rows.mode, rows.presence, rows.curtain, rows.alarm, rows.trips, self.off_level, self.hold_s,
            round(self.unseen_s * 1e9), z, self.moved_m, round(self.pinned_s * 1e9), on, off, held_s, confirmed,
            since_ns,
        )  # fmt: skip
        limit_s = np.full(len(rows), self.hold_s)
        evidence = {"held_s": held_s, "limit_s": limit_s, "offset_m": offset_m, "door_zone_m": zone_m}
        if self.off_level:
            return state, (Score(on, off, evidence, since_ns),)
        return state, tuple(Score(on * share, off, evidence, since_ns) for share in (1.0 - confirmed, confirmed))


@compiled
def _run(
    memory: Any, lift: Any, t_ns: Any, gap_ns: Any, reads: Any, stale: Any, still_s: Any, at_rest: Any, offset_m: Any,
    zone_m: Any, door: Any, mode: Any, presence: Any, curtain: Any, alarm: Any, trips: Any, off_level: bool,
    hold_s: float, unseen_ns: int, z: Any, moved_m: float, pinned_ns: int, on: Any, off: Any, held_s: Any,
    confirmed: Any, since_ns: Any,
) -> None:  # fmt: skip
    for k in range(len(lift)):
        own = memory[lift[k]]
        person = presence[k]
        pinned = _place_lasts_ns(own, t_ns[k], gap_ns[k], z[k], moved_m) >= pinned_ns
        shut_in = np.nan
        if not stale[k]:
            here = (offset_m[k] > zone_m[k]) == off_level or np.isnan(offset_m[k])
            moves = not at_rest[k] and not np.isnan(still_s[k]) and not pinned
            known = reads[k] and not (np.isnan(still_s[k]) or np.isnan(offset_m[k]))
            shut_in = _shut_in(reads[k] and (moves or not here), known, door[k], mode[k])
        on[k] = _count(own, t_ns[k], gap_ns[k], shut_in, person, hold_s, unseen_ns)
        held_s[k], since_ns[k] = own["served_ns"] / 1e9, own["since_ns"]
        _note_boarding(own, person, door[k], curtain[k])
        own["alarmed"] = own["since_ns"] != 0 and (own["alarmed"] or alarm[k] == 1.0)
        confirmed[k] = 1.0 if own["boarded"] or own["alarmed"] else 0.0
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
def _place_lasts_ns(own: Any, t_ns: int, gap_ns: int, z: float, moved_m: float) -> int:
    """Follow the position; return for how long it has stayed the same."""
    if not np.isnan(z):
        if not abs(z - own["place_m"]) <= moved_m or t_ns - own["place_last_ns"] > gap_ns:
            own["place_m"], own["place_ns"] = z, t_ns
        own["place_last_ns"] = t_ns
    return int(own["place_last_ns"] - own["place_ns"]) if t_ns - own["place_last_ns"] <= gap_ns else 0


@compiled
def _note_boarding(own: Any, person: float, door: float, curtain: float) -> None:
    """Note whether the person in the car was seen to board, and that nobody passed the doorway at a later opening.

    Where no light curtain is read, every opening lets somebody pass.
    """
    passes = curtain == 1.0 or (np.isnan(curtain) and door != CLOSED)
    own["passed"] = own["passed"] or passes
    if person == 1.0 and own["was"] == 0.0:
        own["boarded"], own["left"] = own["passed"], False
    elif person == 0.0:
        own["boarded"] = False
        own["passed"] = own["passed"] and door != CLOSED
    if not np.isnan(person):
        own["was"] = person
    if door == CLOSED:
        own["left"] = True
    elif own["left"] and passes and not np.isnan(door):
        own["boarded"] = False


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


CONFIRMED = Level(CRITICAL, readings=1, clear_s=10.0)
SHUT_IN = Level(MAJOR, readings=1, clear_s=10.0)

ENTRAPMENT_OFF_LEVEL = Rule.from_catalogue(
    "entrapment-off-level", Entrapment(off_level=True, hold_s=30.0), (CONFIRMED,), needs=("floors", "position_source")
)

ENTRAPMENT_AT_LEVEL = Rule.from_catalogue(
    "entrapment-at-level",
    Entrapment(off_level=False, hold_s=90.0),
    (SHUT_IN, CONFIRMED),
    needs=("floors", "position_source"),
)
