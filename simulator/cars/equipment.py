"""The equipment of each lift: drive, suspension, guides and sensors, drawn from spreads by its age and building type.

    new office lift    firm acceleration, direct approach, exact stops, smooth guides
    old home lift      gentle acceleration, long creeping, scattered stops, rough sheave and guides

A lift of unknown age has typical equipment. `benchmarks.ride_spread` compares the rides of a fleet with recorded ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from registry.facts import LiftFacts
from simulator.buildings.fleet import TODAY
from simulator.maths.rng import EQUIPMENT, RandomStreams
from telemetry.arrays import F64

YEAR_DAYS = 365.25
OLD_YEARS = 25.0
"""The age from which equipment is as worn and as simple as it gets."""
DRIVE_SPEED_MPS = (0.5, 0.63, 1.0, 1.6, 1.75, 2.0, 2.5, 4.0, 6.0)
DRIVE_ACCELERATION_MPS2 = (0.45, 0.5, 0.6, 0.8, 0.8, 0.9, 1.0, 1.1, 1.2)
DRIVE_JERK_MPS3 = (0.8, 0.8, 0.9, 1.0, 1.0, 1.2, 1.3, 1.5, 1.6)
"""The setting of a typical drive by its rated speed."""
ACCELERATION_NEW, ACCELERATION_OLD, ACCELERATION_SPREAD = 0.85, 0.60, 0.30
ACCELERATION_OFFICE = 1.08
ACCELERATION_LIMITS_MPS2 = 0.30, 1.10
JERK_PER_ACCELERATION, JERK_SPREAD, JERK_LIMITS_MPS3 = 2.3, 0.30, (0.8, 2.2)
CREEPS_NEW, CREEPS_OLD = 0.10, 0.85
"""The share of drives that creep to their landing."""
CREEP_MPS, CREEP_LIMITS_MPS = 0.06, (0.04, 0.10)
CREEP_S, CREEP_LEAST_S, CREEP_NEW_S, CREEP_OLD_S = 1.5, 0.3, 1.0, 3.0
STOP_ERROR_SD_M, STOP_NEW_SD_M, STOP_OLD_SD_M, STOP_SPREAD = 0.0025, 0.0014, 0.0025, 0.2
DAMPING, DAMPING_LIMITS = 0.06, (0.04, 0.09)
VERTICAL_NEW, VERTICAL_OLD, VERTICAL_SPREAD, VERTICAL_LIMITS = 1.5, 3.2, 0.55, (0.5, 5.0)
LATERAL_NEW, LATERAL_OLD, LATERAL_SPREAD, LATERAL_LIMITS = 0.8, 1.1, 0.25, (0.5, 1.5)
"""The vibration by sheave and by guides over that of a typical lift."""
ACCELEROMETER_NOISE_MPS2, ACCELEROMETER_NOISE_LIMITS_MPS2 = 0.01, (0.004, 0.016)
SPEED_NOISE_MPS, SPEED_NOISE_LIMITS_MPS = 0.004, (0.002, 0.005)
TAPE_NOISE_M, TAPE_NOISE_LIMITS_M = 0.0004, (0.0002, 0.0006)


class Equipment:
    """The columns of the lifts' equipment: settings of the drive, and factors and noise of its vibration and sensors.

    `creep_s` is 0 for a drive with direct approach; `vertical` and `lateral` multiply the vibration by the sheave and
    by the guides of a typical lift.
    """

    def __init__(
        self, facts: Sequence[LiftFacts], seed: int, number: NDArray[np.int64], office: NDArray[np.bool_], creep: F64
    ) -> None:
        age = np.array([_age_years(lift.installed_on) for lift in facts])
        rated_mps = np.array([lift.rated_speed_mps for lift in facts], dtype=np.float64)
        self._random, self._every = RandomStreams(seed, number, EQUIPMENT), np.arange(len(facts))
        self._typical = np.isnan(age)
        self._old = np.clip(np.nan_to_num(age) / OLD_YEARS, 0.0, 1.0)
        firm = self._between(ACCELERATION_NEW, ACCELERATION_OLD) * np.where(office, ACCELERATION_OFFICE, 1.0)
        usual_mps2 = np.interp(rated_mps, DRIVE_SPEED_MPS, DRIVE_ACCELERATION_MPS2)
        a_mps2 = np.clip(usual_mps2 * firm * self._around(ACCELERATION_SPREAD), *ACCELERATION_LIMITS_MPS2)
        self.a_mps2 = np.where(self._typical, usual_mps2, a_mps2)
        usual_mps3 = np.interp(rated_mps, DRIVE_SPEED_MPS, DRIVE_JERK_MPS3)
        j_mps3 = np.clip(a_mps2 * JERK_PER_ACCELERATION * self._around(JERK_SPREAD), *JERK_LIMITS_MPS3)
        self.j_mps3 = np.where(self._typical, usual_mps3, j_mps3)
        creeps = self._random.uniform(self._every) < self._between(CREEPS_NEW, CREEPS_OLD)
        creep_s = creeps * self._random.uniform(self._every, CREEP_LEAST_S, self._between(CREEP_NEW_S, CREEP_OLD_S))
        self.creep_s = np.where(self._typical, CREEP_S * np.maximum(2 * creep - 1, 0.0), creep_s)
        self.creep_mps = self._uniform(CREEP_MPS, *CREEP_LIMITS_MPS)
        scatter = np.minimum(self._around(STOP_SPREAD), 1.0)
        self.stop_error_sd_m = np.where(
            self._typical, STOP_ERROR_SD_M, self._between(STOP_NEW_SD_M, STOP_OLD_SD_M) * scatter
        )
        self.damping = self._uniform(DAMPING, *DAMPING_LIMITS)
        self.vertical = self._factor(VERTICAL_NEW, VERTICAL_OLD, VERTICAL_SPREAD, VERTICAL_LIMITS)
        self.lateral = self._factor(LATERAL_NEW, LATERAL_OLD, LATERAL_SPREAD, LATERAL_LIMITS)
        self.accelerometer_noise_mps2 = self._uniform(ACCELEROMETER_NOISE_MPS2, *ACCELEROMETER_NOISE_LIMITS_MPS2)
        self.speed_noise_mps = self._uniform(SPEED_NOISE_MPS, *SPEED_NOISE_LIMITS_MPS)
        self.tape_noise_m = self._uniform(TAPE_NOISE_M, *TAPE_NOISE_LIMITS_M)

    def _between(self, new: float, old: float) -> F64:
        """Return the value of each lift between that of new and of old equipment."""
        return np.asarray(new + (old - new) * self._old, dtype=np.float64)

    def _around(self, spread: float) -> F64:
        """Draw a log-normal factor around 1."""
        return np.asarray(np.exp(spread * self._random.normal(self._every)), dtype=np.float64)

    def _uniform(self, typical: float, low: float, high: float) -> F64:
        """Draw uniformly between two limits."""
        return np.where(self._typical, typical, self._random.uniform(self._every, low, high))

    def _factor(self, new: float, old: float, spread: float, limits: tuple[float, float]) -> F64:
        """Draw a factor around that of the lift's age."""
        return np.where(self._typical, 1.0, np.clip(self._between(new, old) * self._around(spread), *limits))


def _age_years(installed_on: str | None) -> float:
    """Return the age of a lift; NaN where its installation is unknown."""
    return np.nan if installed_on is None else (TODAY - date.fromisoformat(installed_on)).days / YEAR_DAYS
