"""F17: the door opens and closes again and again at one stop.

door    closed open closed open closed open closed ...
cycles         ^      1      ^    2      ^    3         a stop ends when the car is seen to leave its rest

That they are at one stop is known of a car that is watched: of one that is read seldom nothing is concluded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.observe import door_duty
from detectors.observe.car import Car
from detectors.observe.scan import NEVER_NS, Columns, scan
from detectors.rule import MINOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.streams import CLOSED, OPEN

BURST = 3
"""So many cycles in a short time are as bad as many in a long one."""


@dataclass(frozen=True, slots=True)
class DoorCycling:
    """Scores the full cycles at this stop as a share of `cycles`; 1 where `BURST` of them took `burst_s` or less.

    `unread_s`: no car goes to another landing and comes to rest there between two readings that are this close.
    """

    cycles: int = 5
    burst_s: float = 15.0
    unread_s: float = 3.0

    def start(self, n: int) -> Columns:
        """Return doors of which nothing is known."""
        times = ("begin_ns", "first_ns", "burst_ns")
        return {
            **{name: np.full(n, NEVER_NS) for name in ("stop_ns", "read_ns")},
            "lately_ns": np.zeros((BURST, n), dtype=np.int64),
            **{name: np.zeros(n, dtype=np.int64) for name in (*times, "count", "trips")},
            **{name: np.zeros(n, dtype=np.bool_) for name in ("shut", "opened")},
        }

    def step(self, state: Columns, car: Car, facts: FleetFacts) -> tuple[Columns, tuple[Score, ...]]:
        """Score each row at which it is known whether the car stands."""
        rows = {
            "t_ns": car.t_ns,
            "door": np.where(door_duty.in_service(car), car.door, np.nan),
            "read": ~(np.isnan(car.v) & np.isnan(car.z)),
            "stop_ns": car.still_since_ns,
            "trips": car.trips,
        }
        state, made = scan(car.rounds, state, self._advance, rows)
        share = np.maximum(made["count"] / self.cycles, made["burst_ns"] > 0)
        on = np.where(np.isnan(car.still_s) | np.isnan(car.door), np.nan, np.where(car.at_rest(), share, 0.0))
        off = np.where(np.isnan(car.door), np.nan, made["travelled"])
        since_ns = np.where(made["burst_ns"] > 0, made["burst_ns"], made["first_ns"])
        evidence = {
            "cycles": made["count"].astype(np.float64),
            "limit_cycles": np.full(len(car), float(self.cycles)),
            "within_s": (car.t_ns - since_ns) / 1e9,
            "burst_cycles": np.full(len(car), float(BURST)),
            "burst_s": np.full(len(car), self.burst_s),
        }
        return state, (Score(on, off, evidence, since_ns),)

    def _advance(self, state: Columns, row: Columns, _: Columns) -> tuple[Columns, Columns]:
        """Count the cycles since the car came to rest here; keep when the last ones began."""
        t_ns, door = row["t_ns"], row["door"]
        known, shut = ~np.isnan(door), door == CLOSED
        watched = t_ns - state["read_ns"] <= int(self.unread_s * 1e9)
        over = (row["stop_ns"] != state["stop_ns"]) | ~known | ~watched
        begins = known & ~shut & (state["shut"] | over)
        begin_ns = np.where(begins, t_ns, np.where(over, 0, state["begin_ns"]))
        opened = known & ~shut & (begin_ns > 0) & ((~over & state["opened"]) | (door == OPEN))
        full = ~over & shut & state["opened"]
        count = np.where(over, 0, state["count"] + full)
        lately_ns = np.where(full, np.concatenate([begin_ns[None], state["lately_ns"][:-1]]), state["lately_ns"])
        quick = full & (count >= BURST) & (t_ns - lately_ns[-1] <= int(self.burst_s * 1e9))
        first_ns = np.where(over, 0, np.where(full & (count == 1), begin_ns, state["first_ns"]))
        burst_ns = np.where(over, 0, np.where(quick & (state["burst_ns"] == 0), lately_ns[-1], state["burst_ns"]))
        trips = np.where((count >= self.cycles) | (burst_ns > 0), row["trips"], state["trips"])
        made = {"count": count, "first_ns": first_ns, "burst_ns": burst_ns}
        after = {
            **made,
            "stop_ns": row["stop_ns"],
            "read_ns": np.where(row["read"], t_ns, state["read_ns"]),
            "lately_ns": lately_ns,
            "begin_ns": begin_ns,
            "opened": opened,
            "shut": shut,
            "trips": trips,
        }
        return after, {**made, "travelled": row["trips"] > trips}


RULE = Rule.from_catalogue("door-cycling", DoorCycling(), (Level(MINOR, readings=1),))
