"""The noise-free state of lifts, sample by sample: the input of the symptom definitions.

The state is taken from the cars and their event log, never from a sensor. A lift's ground truth depends on that lift
only.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.cars.lifts import LiftParameters
from simulator.cars.state import FAULT_ACTIVE, Cars, EventLog
from simulator.faults.cause_table import EFFECTS
from simulator.faults.symptom import GroundTruth
from simulator.maths.scurve import full_speed_distance_m, segment_times
from simulator.physics.suspension import Motion
from telemetry.arrays import F64, Bools, Index
from telemetry.streams import CLOSED, CLOSING, OPENING

SAMPLE_HZ = 10
_STEP = np.arange(SAMPLE_HZ) / SAMPLE_HZ


class GroundTruthObserver:
    """Derives the ground truth of each second: call `begin_second` before the second is simulated, `observe` after."""

    def __init__(self, cars: Cars) -> None:
        n = len(cars.door)
        self._reversals, self._cycles = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
        self._sprung = np.zeros(n, dtype=np.int64)
        self._watched, self._last_door = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.int64)
        self.begin_second(cars)

    def begin_second(self, cars: Cars) -> None:
        """Copy the states of doors and passengers at the start of a second."""
        self._door, self._presence, self._curtain = cars.door.copy(), cars.presence.copy(), cars.curtain.copy()
        self._opened = cars.cycles.copy()

    def observe(self, cars: Cars, log: EventLog, motion: Motion, lift: Index, begin_s: F64) -> GroundTruth:
        """Return the ground truth of these lifts (sorted) in the second that begins at `begin_s`."""
        t_s = begin_s[lift, None] + _STEP
        _, v, a = cars.trajectories.at(lift, t_s)
        z = _car_positions(motion, lift)
        door = _held_values(lift, begin_s, self._door[lift], [(row, at, state) for row, at, state in log.door])
        presence = _held_values(
            lift, begin_s, self._presence[lift], [(row, at, seen) for row, at, seen, _ in log.infrared]
        )
        curtain = _held_values(
            lift, begin_s, self._curtain[lift], [(row, at, seen) for row, at, _, seen in log.infrared]
        )
        reversals, cycles, sprung = self._count_door_movements(lift, door, v)
        lifts, activated = cars.lifts, cars.stage[lift] == FAULT_ACTIVE
        cause = np.where(activated, cars.cause[lift], 0)
        return GroundTruth(
            z_m=z,
            v_mps=v,
            a_mps2=a,
            level_offset_m=np.nanmin(np.abs(lifts.heights_m[lift][:, None, :] - z[:, :, None]), axis=2),
            stop_error_m=np.minimum(
                _landing_distance_m(lifts, lift, cars.trajectories.end_m),
                _landing_distance_m(lifts, lift, motion.rest_m),
            )[:, None],
            door=door,
            presence=presence,
            curtain=curtain,
            reversals=reversals,
            cycles=cycles,
            sprung=sprung > 0,
            **_run_columns(cars, lift, t_s),
            door_zone_m=lifts.door_zone_m[lift, None],
            rated_mps=lifts.rated_mps[lift, None],
            top_m=np.nanmax(lifts.heights_m[lift], axis=1)[:, None],
            chain_open=t_s >= cars.chain_opens_s[lift, None],
            overdue_s=t_s - cars.healthy_stop_s[lift, None],
            shaken_mps2=_shaken_mps2(motion, lift)[:, None],
            alarm=np.broadcast_to(cars.alarm[lift, None], z.shape),
            battery=cars.battery[lift, None],
            mode=cars.mode[lift, None],
            silent=cars.silent[lift, None],
            effect=lambda name: getattr(EFFECTS, name)[cause][:, None],
            condition=lambda name: attrgetter(name)(cars.condition)[lift][:, None],
        )

    def _count_door_movements(self, lift: Index, door: NDArray[np.int64], v: F64) -> NDArray[np.int64]:
        """Count door reversals, door cycles and openings during a run, sample by sample, (3, lifts, samples).

        The counts of a lift that was not observed in the previous second start at 0, its cycles at the car's own count.
        """
        fresh = lift[~self._watched[lift]]
        self._reversals[fresh], self._cycles[fresh], self._last_door[fresh] = 0, self._opened[fresh], self._door[fresh]
        self._sprung[fresh] = 0
        self._watched[:] = False
        self._watched[lift] = True
        reversals, cycles, sprung = self._reversals[lift], self._cycles[lift], self._sprung[lift]
        last = self._last_door[lift]
        counted = np.empty((3, *door.shape), dtype=np.int64)
        for k in range(SAMPLE_HZ):
            now, runs = door[:, k], (v[:, k] != 0) & (door[:, k] == CLOSED)
            reversals = np.where(now == CLOSED, 0, reversals + ((last == CLOSING) & (now == OPENING)))
            cycles = np.where(runs, 0, cycles + ((last == CLOSED) & (now == OPENING)))
            sprung = np.where(now == CLOSED, 0, sprung | ((last == CLOSED) & (v[:, k] != 0)))
            counted[:, :, k] = reversals, cycles, sprung
            last = now
        self._reversals[lift], self._cycles[lift], self._sprung[lift] = reversals, cycles, sprung
        self._last_door[lift] = last
        return counted


def _car_positions(motion: Motion, lift: Index) -> F64:
    """Return the positions of these cars, m, (k, 10)."""
    places = np.repeat(motion.rest_m[lift, None], SAMPLE_HZ, axis=1)
    moved, row = _moving(motion, lift)
    places[moved] = motion.z_m[row, :: motion.z_m.shape[1] // SAMPLE_HZ]
    return places


def _shaken_mps2(motion: Motion, lift: Index) -> F64:
    """Return the RMS of the acceleration of these cars over the second, m/s²."""
    shaken = np.zeros(len(lift))
    moved, row = _moving(motion, lift)
    shaken[moved] = np.sqrt(np.mean(np.square(motion.a_mps2[row]), axis=1))
    return shaken


def _moving(motion: Motion, lift: Index) -> tuple[Bools, Index]:
    """Return which of these cars move, and the rows of those in the motion, which is in the order of lifts."""
    row = np.searchsorted(motion.lift, lift)
    moved = np.isin(lift, motion.lift)
    return moved, row[moved]


def _landing_distance_m(lifts: LiftParameters, lift: Index, z_m: F64) -> F64:
    """Return the distance of these lifts' positions `z_m` (all lifts) from the nearest landing, m."""
    return np.asarray(np.nanmin(np.abs(lifts.heights_m[lift] - z_m[lift, None]), axis=1))


def _run_columns(cars: Cars, lift: Index, t_s: F64) -> dict[str, F64]:
    """Return the columns of the current or last run of these cars."""
    trajectories, lifts = cars.trajectories, cars.lifts
    first_s, displacement_m = trajectories.t[0][lift], trajectories.z[-1][lift] - trajectories.z[0][lift]
    distance_m = np.maximum(np.abs(displacement_m), 1e-6)
    v, a, j = lifts.rated_mps[lift], lifts.a_mps2[lift], lifts.j_mps3[lift]
    jerk_s, steady_s, cruise_s = segment_times(distance_m, v, a, j)
    reaches = distance_m >= full_speed_distance_m(v, a, j)
    return {
        "heading": np.sign(displacement_m)[:, None],
        "run_s": t_s - first_s[:, None],
        "healthy_run_s": (4 * jerk_s + 2 * steady_s + cruise_s + lifts.equipment.creep_s[lift])[:, None],
        "peak_mps": np.abs(trajectories.v[:, lift]).max(axis=0)[:, None],
        "healthy_peak_mps": np.where(reaches & ~cars.homing[lift], v, 0.0)[:, None],
    }


def _held_values(
    lift: Index, begin_s: F64, begin_second: NDArray[Any], events: Sequence[tuple[Index, F64, NDArray[Any]]]
) -> NDArray[Any]:
    """Return a value of these lifts at each sample, (k, 10): `before` until the first event, then the last event's
    value."""
    if not events:
        return np.repeat(begin_second[:, None], SAMPLE_HZ, axis=1)
    lifts_of, at_s, values = (np.concatenate(column) for column in zip(*events, strict=True))
    place = np.minimum(np.searchsorted(lift, lifts_of), len(lift) - 1)
    rows = np.flatnonzero(lift[place] == lifts_of)
    rows = rows[np.argsort(at_s[rows], kind="stable")]
    sample = np.ceil((at_s[rows] - begin_s[lifts_of[rows]]) * SAMPLE_HZ - 1e-9).astype(np.intp)
    seen = sample < SAMPLE_HZ
    latest = np.zeros((len(lift), SAMPLE_HZ), dtype=np.intp)
    order = 1 + np.arange(len(rows))
    np.maximum.at(latest, (place[rows[seen]], np.maximum(sample[seen], 0)), order[seen])
    latest = np.maximum.accumulate(latest, axis=1)
    return np.where(latest > 0, np.concatenate([begin_second[:1], values[rows]])[latest], begin_second[:, None])
