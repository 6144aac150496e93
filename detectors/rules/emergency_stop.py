"""F13 emergency stop: the running car is braked to rest harder than any drive does it.

    speed ‾‾‾‾\\                 fine feed: > 1.5 m/s² for 0.2 s, at rest within 2 s
               \\____            coarse feed (>= 0.4 s a reading): from > 1.5 m/s to rest between two readings
    onset      ^    ^ two readings at rest

1.5 m/s² is the most that GB/T 10058 allows a drive. Where the car's vibration is heard, it must have felt the stop too
(`detectors.observe.witness`). That the safety chain opened is inferred, not seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.observe.car import Car
from detectors.observe.scan import NEVER_NS, Columns, scan
from detectors.observe.sensor import ACCEL_TAU_S
from detectors.observe.witness import Witness
from detectors.rule import MAJOR, Level, Rule, Score
from registry.facts import FleetFacts


@dataclass(frozen=True, slots=True)
class EmergencyStop:
    """Scores 1 at a car that rests after braking hard.

    `mean_mps2`: over the whole way to rest at least this; a drive that seems to brake hard for a moment, because the
    device's clock stumbled, slows down by less.
    `smooth_below_s`: readings closer together are smoothed (noise over a short time looks like braking).
    `rise_mps`, `agree_mps`: the speed before the stop is trusted as far as it had not risen, and on a coarse feed also
    where the positions agree with it: a single wild reading does neither.
    """

    brake_mps2: float = 1.5
    mean_mps2: float = 1.2
    brake_s: float = 0.2
    within_s: float = 2.0
    rest_mps: float = 0.1
    smooth_below_s: float = 0.15
    coarse_s: float = 0.4
    coarse_within_s: float = 1.05
    coarse_from_mps: float = 1.5
    rise_mps: float = 0.1
    agree_mps: float = 0.3
    witness: Witness = field(default_factory=Witness)

    def start(self, n: int) -> Columns:
        """Return cars of which no speed was read yet."""
        unknown = ("v", "z", "v_before", "z_before")
        return {
            **{name: np.full(n, np.nan) for name in unknown},
            **{name: np.full(n, NEVER_NS) for name in ("t_ns", "t_before_ns", "begin_ns", "brake_ns", "rest_ns")},
            **{name: np.zeros(n) for name in ("smooth", "begin_mps", "peak", "from_mps", "decel")},
            **{name: np.zeros(n, dtype=np.int64) for name in ("braking", "braking_ns", "resting", "trips")},
            **self.witness.start(n),
        }

    def step(self, state: Columns, car: Car, facts: FleetFacts) -> tuple[Columns, tuple[Score, ...]]:
        """Score each row that reads a speed."""
        rows = {name: getattr(car, name) for name in ("v", "t_ns", "accel", "trips")}
        rows |= {"z": car.z_last, "rests": car.at_rest()}
        asked: Columns = {name: state[name] for name in self.witness.start(0)}
        state, made = scan(car.rounds, {k: v for k, v in state.items() if k not in asked}, self._advance, rows)
        asked, on, felt_mps = self.witness.step(asked, car, made)
        limit = np.full(len(car), self.brake_mps2)
        evidence = {"from_mps": made["from_mps"], "decel_mps2": made["decel"], "limit_mps2": limit}
        score = Score(on, made["off"], {**evidence, "felt_mps": felt_mps}, made["since_ns"])
        return {**state, **asked}, (score,)

    def _advance(self, state: Columns, row: Columns, _: Columns) -> tuple[Columns, Columns]:
        """Carry the braking, the rest after it and the trips since over one row."""
        heard, t_ns = ~np.isnan(row["v"]), row["t_ns"]
        brake = self._brake(state, row, heard)
        rest = heard & (np.abs(row["v"]) < self.rest_mps)
        resting = np.where(heard, np.where(rest, state["resting"] + 1, 0), state["resting"])
        rest_ns = np.where(rest & (state["resting"] == 0), t_ns, state["rest_ns"])
        braked_s = (rest_ns - brake["brake_ns"]) / 1e9
        stopped = row["rests"] & (resting >= 2) & (braked_s >= 0.0) & (braked_s <= self.within_s)
        stopped &= brake["from_mps"] >= self.mean_mps2 * braked_s
        trips = np.where(stopped, row["trips"], state["trips"])
        after = {
            **brake,
            **{name: np.where(heard, row[name], state[name]) for name in ("v", "z", "t_ns")},
            **{f"{name}_before": np.where(heard, state[name], state[f"{name}_before"]) for name in ("v", "z")},
            "t_before_ns": np.where(heard, state["t_ns"], state["t_before_ns"]),
            "resting": resting,
            "rest_ns": rest_ns,
            "trips": trips,
        }
        return after, {
            "on": np.where(heard, stopped, np.nan),
            "off": np.where(heard, (row["trips"] > trips) & ~stopped, np.nan),
            "since_ns": np.where(stopped, brake["brake_ns"], 0),
            "rest_ns": rest_ns,
            "from_mps": brake["from_mps"],
            "decel": brake["decel"],
        }

    def _brake(self, state: Columns, row: Columns, heard: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
        """Follow a braking from reading to reading; once it is hard enough, remember when and from what it began."""
        dt_ns = row["t_ns"] - state["t_ns"]
        dt_s = dt_ns / 1e9
        follows = heard & ~np.isnan(row["accel"])
        before = np.abs(state["v"])
        decel = np.where(follows, (before - np.abs(row["v"])) / np.maximum(dt_s, 1e-3), 0.0)
        smooth = np.where(follows, state["smooth"] + (decel - state["smooth"]) * dt_s / (ACCEL_TAU_S + dt_s), 0.0)
        fine = dt_s < self.smooth_below_s
        hard = follows & (dt_s < self.coarse_s) & (np.where(fine, smooth, decel) > self.brake_mps2)
        hard &= decel > self.brake_mps2 / 2  # what the smoothing still remembers is no braking
        first = hard & (state["braking"] == 0)
        braking = np.where(heard, np.where(hard, state["braking"] + 1, 0), state["braking"])
        braking_ns = np.where(heard, np.where(hard & ~first, state["braking_ns"] + dt_ns, 0), state["braking_ns"])
        begin_ns = np.where(first, state["t_ns"], state["begin_ns"])
        steady = np.fmin(before, np.abs(state["v_before"]) + self.rise_mps)
        begin_mps = np.where(first, steady, state["begin_mps"])
        peak = np.where(first, decel, np.where(hard, np.maximum(state["peak"], decel), state["peak"]))
        held = hard & (braking >= np.where(fine, 3, 2)) & (braking_ns >= int(self.brake_s * 1e9))
        fell = follows & self._fell(state, row, dt_s)
        return {
            "smooth": np.where(heard, smooth, state["smooth"]),
            "braking": braking,
            "braking_ns": braking_ns,
            "begin_ns": begin_ns,
            "begin_mps": begin_mps,
            "peak": peak,
            "brake_ns": np.where(held, begin_ns, np.where(fell, state["t_ns"], state["brake_ns"])),
            "from_mps": np.where(held, begin_mps, np.where(fell, before, state["from_mps"])),
            "decel": np.where(held, peak, np.where(fell, decel, state["decel"])),
        }

    def _fell(self, state: Columns, row: Columns, dt_s: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return where a coarse feed goes from a trusted running speed to rest between two readings."""
        gone_s = (state["t_ns"] - state["t_before_ns"]) / 1e9
        before, earlier = state["v"], state["v_before"]
        expected = (before + earlier) / 2 * gone_s
        agrees = np.abs(state["z"] - state["z_before"] - expected) <= self.agree_mps * gone_s
        steady = (before * earlier > 0.0) & (np.abs(before) <= np.abs(earlier) + self.rise_mps)
        coarse = (dt_s >= self.coarse_s) & (dt_s <= self.coarse_within_s)
        fell = (np.abs(before) > self.coarse_from_mps) & (np.abs(row["v"]) < self.rest_mps)
        return coarse & fell & (agrees | steady)


RULE = Rule.from_catalogue("emergency-stop", EmergencyStop(), (Level(MAJOR),))
