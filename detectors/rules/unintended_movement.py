"""F05 unintended car movement: the car leaves the landing at which its door opened.

Armed only by a door that left closed at a car that stood in its door zone, so that a stuck door contact or a jump of
the position alone raises nothing: the car must have been seen to move (EN 81-20, 3.62 and 5.6.7). How far it got with
its door open is recorded until the door has closed: the standard has it stopped within 1.20 m.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.observe import doorway
from detectors.observe.car import Car
from detectors.observe.scan import GAP_S, NEVER_NS, Columns, scan
from detectors.observe.trips import STILL_MPS, STILL_S
from detectors.rule import CRITICAL, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.streams import INSPECTION


@dataclass(frozen=True, slots=True)
class UnintendedMovement:
    """Scores how far the car is from the landing (as a share of the door zone), or how fast it leaves it.

    `early_s`: how much earlier than the rest of the car the door may have been said to open.
    `moved`: the share of the door zone that the speeds must account for.
    """

    leaving_mps: float = 0.30
    early_s: float = 0.5
    moved: float = 0.25
    level_slack_m: float = 0.02

    def start(self, n: int) -> Columns:
        """Return cars of whose doors nothing is known."""
        return {
            "ajar": np.full(n, np.nan),
            "left_ns": np.full(n, NEVER_NS),
            "armed": np.zeros(n, dtype=np.bool_),
            "home_m": np.full(n, np.nan),
            "way_m": np.zeros(n),
            "t_ns": np.full(n, NEVER_NS),
        }

    def step(self, state: Columns, car: Car, facts: FleetFacts) -> tuple[Columns, tuple[Score, ...]]:
        """Score each row that reads a speed or a position."""
        zone = facts.door_zone_m[car.lift]
        stands = (car.still_s >= STILL_S) & (np.abs(car.offset_m) <= zone)
        inspected = (car.mode == INSPECTION) & ~(np.abs(car.v_last) > doorway.INSPECTION_MPS)
        rows = {
            "inspected": inspected,
            "ajar": doorway.ajar(car),
            "t_ns": car.t_ns,
            "stands": stands,
            "still_since_ns": car.still_since_ns,
            "landing_m": car.z_last - car.offset_m,
            "v_last": car.v_last,
        }
        state, made = scan(car.rounds, state, self._advance, rows)
        from_home = car.z_last - made["home_m"]
        moved = np.sign(from_home) * made["way_m"] >= self.moved * zone
        far = np.where(moved & ~np.isnan(car.z), np.abs(from_home) / zone, 0.0)
        leaves = (car.v * from_home > 0.0) | (np.abs(from_home) <= self.level_slack_m)
        fast = np.where(leaves & ~np.isnan(car.v), np.abs(car.v) / self.leaving_mps, 0.0)
        on = np.where(made["armed"] & ~inspected, np.maximum(far, fast), 0.0)
        on = np.where((np.isnan(car.v) & np.isnan(car.z)) | np.isnan(made["ajar"]) | np.isnan(car.z_last), np.nan, on)
        off = np.where(np.isnan(made["ajar"]), np.nan, ~made["armed"])
        moved_m = np.abs(from_home)
        evidence = {"moved_m": moved_m, "max_z_m": moved_m, "speed_mps": np.abs(car.v_last), "limit_m": zone}
        return state, (Score(on, off, evidence),)

    def _advance(self, state: Columns, row: Columns, _: Columns) -> tuple[Columns, Columns]:
        """Arm at a door that opened at a standing car; add up the way since then; disarm when it has closed.

        Where a mechanic has taken the car in inspection is its home from then on.
        """
        t_ns, ajar = row["t_ns"], row["ajar"]
        left_ns = np.where((state["ajar"] == 0.0) & (ajar == 1.0), t_ns, state["left_ns"])
        here = row["stands"] & (left_ns >= row["still_since_ns"] - int(self.early_s * 1e9))
        armed = (ajar == 1.0) & (state["armed"] | here)
        fresh = armed & (~state["armed"] | row["inspected"])
        dt_s = (t_ns - state["t_ns"]) / 1e9
        counts = (np.abs(row["v_last"]) >= STILL_MPS) & (dt_s <= GAP_S)
        way_m = state["way_m"] + np.where(counts, row["v_last"] * dt_s, 0.0)
        after = {
            "ajar": ajar,
            "left_ns": np.where(np.isnan(ajar), NEVER_NS, left_ns),
            "armed": armed,
            "home_m": np.where(fresh, row["landing_m"], np.where(armed, state["home_m"], np.nan)),
            "way_m": np.where(armed & ~fresh, way_m, 0.0),
            "t_ns": t_ns,
        }
        return after, {name: after[name] for name in ("armed", "home_m", "way_m", "ajar")}


RULE = Rule.from_catalogue(
    "unintended-movement",
    UnintendedMovement(),
    (Level(CRITICAL, by_hand=True, peak="max_z_m"),),
    needs=("floors", "position_source"),
)
