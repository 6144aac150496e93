"""The parameters of each lift in columns: floors, drive, brake and doors, from its facts and from the seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from registry.fact_checks import BAROMETER
from registry.facts import LiftFacts
from simulator.buildings import round_trip, stop_times
from simulator.buildings.traffic import KINDS
from simulator.cars.equipment import Equipment
from simulator.maths.rng import TRAITS, RandomStreams, hash_bits, stream_keys, uniform
from simulator.maths.scurve import segment_times
from telemetry.arrays import F64, Index

LEVEL_BIAS_M = 0.003
RATED_LOAD_DEFAULT_KG = 1000.0
BRAKE_MPS2 = (1.4, 2.5)
"""The deceleration of a balanced car by the machine brake, as set for each lift. With 1.4 an empty car that goes up is
decelerated by 0.8 m/s², the lowest value in use, and a car with 125 % of its load that goes down (EN 81-20,
5.9.2.2.2.1) by 0.6 m/s²."""
UCM_GRIP_DELAY_S = (0.15, 0.45)
"""The delay of each lift's protection against unintended car movement, from leaving the door zone until it grips."""


class LiftParameters:
    """The constant parameters of each lift. `heights_m` is (lifts, most floors), NaN above the top floor."""

    def __init__(self, facts: Sequence[LiftFacts], seed: int, number: NDArray[np.int64]) -> None:
        self.number = number
        self.floors = np.array([len(lift.floors) for lift in facts], dtype=np.intp)
        self.heights_m = np.full((len(facts), int(self.floors.max())), np.nan)
        for row, lift in enumerate(facts):
            self.heights_m[row, : len(lift.floors)] = [floor.height_m for floor in lift.floors]
        self.lobby = np.array([sum(f.label.startswith("B") for f in lift.floors) for lift in facts], dtype=np.intp)
        self.kind = np.array([KINDS.index(lift.building_type or KINDS[0]) for lift in facts], dtype=np.intp)
        self.rated_mps = np.array([lift.rated_speed_mps for lift in facts], dtype=np.float64)
        self.rated_kg = np.array([lift.rated_load_kg or RATED_LOAD_DEFAULT_KG for lift in facts])
        self.sheave_m = np.array([lift.sheave_diameter_m or 0.4 for lift in facts])
        self.door_zone_m = np.array([lift.door_zone_m for lift in facts])
        self.barometer = np.array([lift.position_source == BAROMETER for lift in facts])
        self.rope_ratio = np.array([2.0 if lift.roping == "2:1" else 1.0 for lift in facts])
        self._traits = stream_keys(seed, self.number, TRAITS)
        every, traits = np.arange(len(facts)), RandomStreams(seed, self.number, TRAITS)
        opens, closes = (
            1 + stop_times.DOOR_SD * traits.normal(every),
            1 + stop_times.DOOR_SD * traits.normal(every),
        )
        names = ("x_bias", "y_bias", "z_bias", "smooth", "phase", "floor", "creep", "season", "relevel")
        self.trait = {name: traits.uniform(every) for name in names}
        office = np.array([KINDS[kind] == "office" for kind in self.kind])
        self.equipment = Equipment(facts, seed, self.number, office, self.trait["creep"])
        self.a_mps2, self.j_mps3 = self.equipment.a_mps2, self.equipment.j_mps3
        self.brake_mps2, self.ucm_grip_delay_s = (
            traits.uniform(every, *BRAKE_MPS2),
            traits.uniform(every, *UCM_GRIP_DELAY_S),
        )
        unknown_mm = traits.uniform(every, *stop_times.DOOR_WIDTHS_MM)
        width_mm = np.array([lift.door_width_mm or at_mm for lift, at_mm in zip(facts, unknown_mm, strict=True)])
        opens_s, closes_s = stop_times.door_s(width_mm, np.array([lift.door_type == "side" for lift in facts]))
        self.door_opens_s, self.door_closes_s = opens * opens_s, closes * closes_s
        stops = round_trip.probable_stops(
            (self.floors - 1 - self.lobby).astype(np.float64), round_trip.car_capacity_persons(self.rated_kg)
        )
        emptied = 1 / (stops + 1)
        self.stop_s = stop_times.stop_s(self.door_opens_s, self.door_closes_s, np.ones(len(facts)), 1 - emptied)

    def height(self, lift: Index, floor: Index) -> F64:
        """Return the height, m, of one landing of each of these lifts."""
        return self.heights_m[lift, floor]

    def level_bias_m(self, lift: Index, floor: Index) -> F64:
        """Return the constant stop error of each healthy lift at this landing, m."""
        return LEVEL_BIAS_M * (2 * uniform(hash_bits(self._traits[lift], 1000 + floor)) - 1)

    def flight_s(self, lift: Index, distance_m: F64) -> F64:
        """Return the duration of each lift's run over a distance above 0."""
        v, a, j = self.rated_mps[lift], self.a_mps2[lift], self.j_mps3[lift]
        jerk_s, steady_s, cruise_s = segment_times(distance_m, v, a, j)
        return 4 * jerk_s + 2 * steady_s + cruise_s

    def handling_capacity(self) -> F64:
        """Return each lift's planned up-peak handling capacity, people in five minutes."""
        every = np.arange(len(self.number))
        upper, people = (
            (self.floors - 1 - self.lobby).astype(np.float64),
            round_trip.car_capacity_persons(self.rated_kg),
        )
        pitch_m = (self.height(every, self.floors - 1) - self.height(every, self.lobby)) / upper
        floor_s = pitch_m / self.rated_mps
        stop_s = self.flight_s(every, pitch_m) - floor_s + self.stop_s
        rtt_s = round_trip.round_trip_s(upper, people, floor_s, stop_s, stop_times.transfer_s())
        return round_trip.handling_capacity(np.ones(len(every)), people, rtt_s)

    def nearest(self, lift: Index, z_m: F64) -> Index:
        """Return the landing nearest to position `z_m` of each of these lifts."""
        return np.nanargmin(np.abs(self.heights_m[lift] - z_m[:, None]), axis=1)
