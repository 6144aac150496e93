"""F16: the door does not open where the car has arrived, or begins to open and does not get there.

    car    runs | stands in the zone ............        door   closed opening ...............
    door   closed ............... 10 s: failed                         15 s: failed

With a person in the car the first failure counts. An empty car may park shut: three stops in a row count.
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
from telemetry.streams import CLOSED, OPEN, OPENING


@dataclass(frozen=True, slots=True)
class DoorOpenFault:
    """Scores the time at rest behind a closed door after a trip, and the time of one opening, as shares of limits."""

    closed_s: float = 10.0
    opening_s: float = 15.0
    empty_stops: int = 3

    def start(self, n: int) -> Columns:
        """Return doors of which nothing is known."""
        return {
            **hold.start(n),
            "trips": np.zeros(n, dtype=np.int64),
            **{name: np.zeros(n, dtype=np.bool_) for name in ("opened", "waits", "manned", "failed")},
            "stops": np.zeros(n, dtype=np.int64),
        }

    def step(self, state: Columns, car: Car, facts: FleetFacts) -> tuple[Columns, tuple[Score, ...]]:
        """Score each row that reads a speed or a position."""
        door = np.where(car.door_doubt, np.nan, car.door)
        person = np.where(car.presence_doubt, np.nan, car.presence)
        zone = facts.door_zone_m[car.lift]
        here = door_duty.in_service(car) & door_duty.at_stop(car) & ~(np.abs(car.offset_m) > zone)
        unknown = (np.isnan(car.v) & np.isnan(car.z)) | np.isnan(door) | np.isnan(car.offset_m) | car.stale
        clock: Columns = {name: state[name] for name in hold.start(0)}
        opening = np.where(~here | (~np.isnan(door) & (door != OPENING)), 0.0, np.where(unknown, np.nan, 1.0))
        clock, opening_s, since_ns = hold.step(clock, car, opening)
        wait: Columns = {name: column for name, column in state.items() if name not in clock}
        rows = {"trips": car.trips, "door": door, "person": person, "still_s": car.still_s}
        rows |= {"here": here, "runs": np.abs(car.v) > door_duty.LEVELLING_MPS}
        wait, made = scan(car.rounds, wait, self._advance, rows)
        closed_s = np.where(made["counts"], car.still_s, 0.0)
        on = np.maximum(closed_s / self.closed_s, opening_s / self.opening_s)
        off = np.where(np.isnan(door), np.nan, door == OPEN)
        evidence = {
            "closed_s": np.where(made["waits"], car.still_s, 0.0),
            "limit_s": np.full(len(car), self.closed_s),
            "stops": made["stops"].astype(np.float64),
            "opening_s": opening_s,
            "limit_opening_s": np.full(len(car), self.opening_s),
        }
        since_ns = np.where(made["counts"], car.still_since_ns, since_ns)
        score = Score(np.where(unknown | np.isnan(car.still_s), np.nan, on), off, evidence, since_ns)
        return {**clock, **wait}, (score,)

    def _advance(self, state: Columns, row: Columns, _: Columns) -> tuple[Columns, Columns]:
        """Wait for the door from the end of a trip on; count the stops in a row at which it did not open."""
        arrived = row["trips"] > state["trips"]
        person, shut = row["person"] == 1.0, row["door"] == CLOSED
        opens = ~shut & ~np.isnan(row["door"])
        opened = opens | (state["opened"] & ~row["runs"])
        waits = row["here"] & shut & ~opened & (arrived | state["waits"])
        manned = np.where(arrived, person, state["manned"])
        failed = waits & ((~arrived & state["failed"]) | (row["still_s"] >= self.closed_s))
        fresh = failed & ~(state["failed"] & ~arrived)
        stops = np.where(opens, 0, state["stops"] + fresh)
        counts = waits & ((manned & person) | (stops >= self.empty_stops))
        after = {"opened": opened, "waits": waits, "manned": manned, "failed": failed, "stops": stops}
        return {**after, "trips": row["trips"]}, {"waits": waits, "counts": counts, "stops": stops}


RULE = Rule.from_catalogue(
    "door-open-fault", DoorOpenFault(), (Level(MAJOR, readings=1),), needs=("floors", "position_source")
)
