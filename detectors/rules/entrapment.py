"""F01 and F02, entrapment: a person behind a closed door in a car that stands, off level or at a landing.

    stands, closed  __/‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾
    person          ‾‾‾‾‾‾‾‾‾\\__/‾‾‾‾‾‾‾‾   a person who is not seen for a while may just stand still:
    served          __/////////---////////   the clock stops; one who is not seen for longer has left
    onset             ^

It is over when the door has been open at a landing, or a trip was completed, and nobody is shut in since. Nobody is
trapped whom no sensor has seen: without the streams of door and person nothing is concluded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.observe.car import F64, Car
from detectors.observe.scan import NEVER_NS, Columns, scan
from detectors.rule import CRITICAL, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.streams import CLOSED, OPEN, STARRED_ONLY_MODES


@dataclass(frozen=True, slots=True)
class Entrapment:
    """Scores how long a person has been shut in, as a share of `hold_s`.

    `unseen_s`: a person who is not seen for less may still be there.
    """

    off_level: bool
    hold_s: float
    unseen_s: float = 30.0

    def start(self, n: int) -> Columns:
        """Return cars of which nothing is known."""
        return {
            "since_ns": np.zeros(n, dtype=np.int64),
            "last_ns": np.full(n, NEVER_NS),
            "served_ns": np.zeros(n, dtype=np.int64),
            "unseen_ns": np.zeros(n, dtype=np.int64),
            "seen": np.zeros(n, dtype=np.bool_),
            "let_out": np.zeros(n, dtype=np.bool_),
            "trips": np.zeros(n, dtype=np.int64),
        }

    def step(self, state: Columns, car: Car, facts: FleetFacts) -> tuple[Columns, tuple[Score, ...]]:
        """Score each row that reads a speed or a position."""
        offset, zone = np.abs(car.offset_m), facts.door_zone_m[car.lift]
        heard = ~(np.isnan(car.v) & np.isnan(car.z))
        shut = np.where(car.stale, np.nan, self._shut_in(car, heard, offset, zone))
        person = np.where(car.presence_doubt, np.nan, car.presence)
        rows = {"t_ns": car.t_ns, "gap_ns": car.gap_ns, "shut": shut, "person": person, "trips": car.trips}
        rows["exit"] = heard & (car.door == OPEN) & (offset <= zone)
        state, made = scan(car.rounds, state, self._advance, rows)
        off = np.where(heard, made["over"], np.nan)
        evidence = {
            "held_s": made["served_s"],
            "limit_s": np.full(len(car), self.hold_s),
            "offset_m": offset,
            "door_zone_m": zone,
        }
        return state, (Score(made["on"], off, evidence, made["since_ns"]),)

    def _shut_in(self, car: Car, heard: NDArray[np.bool_], offset: F64, zone: F64) -> F64:
        """Return 1 where the car stands on this rule's side of the zone with its door closed, 0 where not.

        That it stands there is known of a row that was `heard`; what its door and mode say, of every row.
        """
        moves = heard & ~np.isnan(car.still_s) & ~car.at_rest()
        elsewhere = heard & ~np.isnan(offset) & ((offset > zone) != self.off_level)
        ajar = ~np.isnan(car.door) & (car.door != CLOSED)
        unknown = ~heard | np.isnan(car.still_s) | np.isnan(offset) | np.isnan(car.door)
        free = moves | elsewhere | ajar | np.isin(car.mode, STARRED_ONLY_MODES)
        return np.where(free, 0.0, np.where(unknown, np.nan, 1.0))

    def _advance(self, state: Columns, row: Columns, _: Columns) -> tuple[Columns, Columns]:
        """Count the time with a person seen and, while it runs, the time without one."""
        t_ns, shut, running = row["t_ns"], row["shut"], state["since_ns"] != 0
        known = ~np.isnan(shut) & ((shut == 0.0) | ~np.isnan(row["person"]))
        seen = known & (shut == 1.0) & (row["person"] == 1.0)
        dt_ns = t_ns - state["last_ns"]
        more_ns = np.where(known & running & (dt_ns <= row["gap_ns"]), dt_ns, 0)
        served_ns = state["served_ns"] + np.where(state["seen"], more_ns, 0)
        unseen_ns = np.where(seen, 0, state["unseen_ns"] + np.where(state["seen"], 0, more_ns))
        over = known & ((shut == 0.0) | (~seen & (~running | (unseen_ns >= int(self.unseen_s * 1e9)))))
        since_ns = np.where(over, 0, np.where(seen & ~running, t_ns, state["since_ns"]))
        served_ns = np.where(over, 0, served_ns)
        on = np.where(seen, served_ns / 1e9 / self.hold_s, np.where(over, 0.0, np.nan))
        let_out = ~seen & (state["let_out"] | row["exit"])
        trips = np.where(on >= 1.0, row["trips"], state["trips"])
        after = {
            "since_ns": since_ns,
            "last_ns": np.where(known, t_ns, state["last_ns"]),
            "served_ns": served_ns,
            "unseen_ns": np.where(over, 0, unseen_ns),
            "seen": np.where(known, seen, state["seen"]),
            "let_out": let_out,
            "trips": trips,
        }
        return after, {
            "on": on,
            "served_s": served_ns / 1e9,
            "since_ns": since_ns,
            "over": let_out | (row["trips"] > trips),
        }


LEVELS = (Level(CRITICAL, readings=1, clear_s=10.0),)

ENTRAPMENT_OFF_LEVEL = Rule.from_catalogue(
    "entrapment-off-level", Entrapment(off_level=True, hold_s=30.0), LEVELS, needs=("floors", "position_source")
)

ENTRAPMENT_AT_LEVEL = Rule.from_catalogue(
    "entrapment-at-level", Entrapment(off_level=False, hold_s=90.0), LEVELS, needs=("floors", "position_source")
)
