"""F15: the door begins to close and does not get there.

    door   open closing ......................... still closing: the belt slips
    door   open closing opening open closing opening open closing opening: something lies in its way, three times

A door that stays open is F18. A car that runs has left the stop, whatever its door has said.

People who keep walking in are no fault of the door. A reversal at which the light curtain was blocked is theirs, and
the row begins anew, but where the door came as far as the time before and nobody came or left: that is one obstruction.
A reversal with the curtain free is the door's own. Where no curtain is heard every one counts, as in the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors import hold_columns as hold
from detectors.observe import door_duty
from detectors.observe.car import Car
from detectors.observe.scan import Columns, scan
from detectors.rule import MAJOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.streams import CLOSED, CLOSING, OPEN, OPENING


@dataclass(frozen=True, slots=True)
class DoorCloseFault:
    """Scores the time of one closing, and the reversals in a row, as shares of their limits.

    `same_s`: two closings that an obstruction ended took as long, within this. `reversals_any`: so many in a row are no
    passers-by any more.
    """

    closing_s: float = 20.0
    reversals: int = 3
    reversals_any: int = 6
    same_s: float = 0.15

    def start(self, n: int) -> Columns:
        """Return doors of which nothing is known."""
        return {
            **hold.start(n),
            "door": np.full(n, np.nan),
            "person": np.full(n, np.nan),
            "blocked": np.zeros(n, dtype=np.bool_),
            **{
                name: np.zeros(n, dtype=np.int64)
                for name in ("count", "any", "first_ns", "begin_ns", "took_ns", "trips")
            },
        }

    def step(self, state: Columns, car: Car, facts: FleetFacts) -> tuple[Columns, tuple[Score, ...]]:
        """Score each row from the first word of the door on."""
        here = door_duty.in_service(car) & door_duty.at_stop(car)
        door = np.where(car.stale | car.door_doubt, np.nan, car.door)
        clock: Columns = {name: state[name] for name in hold.start(0)}
        clock, served_s, since_ns = hold.step(clock, car, np.where(np.isnan(door), np.nan, here & (door == CLOSING)))
        count: Columns = {name: column for name, column in state.items() if name not in clock}
        rows = {name: getattr(car, name) for name in ("t_ns", "presence", "curtain", "trips")}
        rows |= {"door": door, "here": here, "closing_s": served_s}
        count, made = scan(car.rounds, count, self._advance, rows)
        row = np.maximum(made["count"] / self.reversals, made["any"] / self.reversals_any)
        on = np.maximum(served_s / self.closing_s, row)
        off = np.where(np.isnan(door), np.nan, (door == CLOSED) & made["travelled"])
        evidence = {
            "closing_s": served_s,
            "limit_s": np.full(len(car), self.closing_s),
            "reversals": made["any"].astype(np.float64),
            "limit_reversals": np.full(len(car), float(self.reversals)),
        }
        since_ns = np.where(row >= 1.0, made["first_ns"], since_ns)
        return {**clock, **count}, (Score(on, off, evidence, since_ns),)

    def _advance(self, state: Columns, row: Columns, _: Columns) -> tuple[Columns, Columns]:
        """Count the reversals since the door was last closed; remember when the first closing began."""
        t_ns, door, last, person = row["t_ns"], row["door"], state["door"], row["presence"]
        over = ~row["here"] | (door == CLOSED)
        back = ~over & (last == CLOSING) & ((door == OPENING) | (door == OPEN))
        begins = ~over & (door == CLOSING) & (last != CLOSING)
        begin_ns = np.where(begins, t_ns, state["begin_ns"])
        blocked = (row["curtain"] == 1.0) | (state["blocked"] & ~begins)
        took_ns = t_ns - begin_ns
        moved = np.abs(person - state["person"]) > 0.0
        same = (np.abs(took_ns - state["took_ns"]) <= round(self.same_s * 1e9)) & ~moved
        count = np.where(back, np.where(blocked & ~same, 1, state["count"] + 1), state["count"])
        count, many = np.where(over, 0, count), np.where(over, 0, state["any"] + back)
        first_ns = np.where(begins & (state["first_ns"] == 0), t_ns, state["first_ns"])
        first_ns = np.where(over, 0, first_ns)
        faulty = (count >= self.reversals) | (many >= self.reversals_any) | (row["closing_s"] >= self.closing_s)
        trips = np.where(faulty, row["trips"], state["trips"])
        after = {
            "door": np.where(row["here"], door, np.nan),
            "person": np.where(over, np.nan, np.where(back, person, state["person"])),
            "blocked": blocked,
            "begin_ns": begin_ns,
            "took_ns": np.where(back, took_ns, state["took_ns"]),
            "count": count,
            "any": many,
            "first_ns": first_ns,
            "trips": trips,
        }
        return after, {"count": count, "any": many, "first_ns": first_ns, "travelled": row["trips"] > trips}


RULE = Rule.from_catalogue("door-close-fault", DoorCloseFault(), (Level(MAJOR, readings=1),))
