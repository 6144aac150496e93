"""Measures the CPU cost of rides and their ride quality: cars that all move, and cars that all stand still.

`python -m benchmarks.ride_quality` prints microseconds a lift-second and samples a second, the best of some rounds.
"""

from __future__ import annotations

import os
import time

import numpy as np

from detectors.observe import acceleration, features, rows
from detectors.observe.rides import memory as ride_memory
from detectors.observe.rides import table as rides
from registry.facts import FleetFacts, Floor, LiftFacts, fleet
from telemetry.arrays import F64, Memory
from telemetry.batch import Waveforms, readings

LIFTS, SECONDS = 1_000, 12
T0_NS, SECOND_NS = 978_307_200_000_000_000, 1_000_000_000
ROWS_A_SECOND = 10
REST_S, SPEED_MPS = 4, 1.75


def measure(hz: int, moves: bool) -> float:
    """Return the least CPU microseconds a lift-second of the table of rides over some seconds of a fleet."""
    facts = fleet([LiftFacts("L", "d", rated_speed_mps=SPEED_MPS, floors=(Floor("1", 0.0), Floor("2", 90.0)))] * LIFTS)
    rng, records, row_memory = np.random.default_rng(1), ride_memory.start(LIFTS), rows.start(LIFTS)
    shaking: F64 = rng.normal(0.0, 0.05 if moves else 0.01, (3, hz))
    lift = np.arange(LIFTS, dtype=np.int32)
    times = []
    for second in range(SECONDS):
        speed_mps = SPEED_MPS if moves and second >= REST_S else 0.0
        row_memory, took_s = _step(records, row_memory, lift, second, speed_mps, shaking, facts)
        times.append(took_s)
    return min(times[REST_S + 2 :]) / LIFTS * 1e6


def _step(
    records: dict[str, Memory],
    row_memory: Memory,
    lift: np.ndarray[tuple[int], np.dtype[np.int32]],
    second: int,
    speed_mps: float,
    shaking: F64,
    facts: FleetFacts,
) -> tuple[Memory, float]:
    """Step one second of the fleet; return the records of the rows, and the CPU seconds that the rides took."""
    at_s = second + np.arange(ROWS_A_SECOND) / ROWS_A_SECOND
    t_ns = T0_NS + np.round(at_s * SECOND_NS).astype(np.int64)
    v_mps, z_m = np.full(len(at_s), speed_mps), np.maximum(at_s - REST_S, 0.0) * speed_mps
    n, hz = len(lift), shaking.shape[1]
    every = len(at_s)
    batch = readings(np.repeat(lift, every), np.tile(t_ns, n), v_mps=np.tile(v_mps, n), z_m=np.tile(z_m, n))
    begins_ns, dt_ns = np.full(n, T0_NS + second * SECOND_NS), np.full(n, SECOND_NS / hz)
    waves = Waveforms(lift, begins_ns, dt_ns, np.arange(n + 1) * hz, np.tile(shaking, n).astype(np.float32))
    _, nothing, silent = features.step(acceleration.start(1), None)
    row_memory, table, trips = rows.step(row_memory, batch, nothing, silent, facts)
    before_s = time.process_time()
    changed, _ = rides.step(records, table, trips, waves, None, facts)
    ride_memory.apply(records, changed)
    return row_memory, time.process_time() - before_s


def main() -> None:
    """Measure and print."""
    print(f"{LIFTS} lifts, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} as it began")
    for hz in (100, 256):
        for moves in (True, False):
            us = measure(hz, moves)
            what = "all cars move" if moves else "all cars stand"
            print(f"3 x {hz} Hz, {what}: {us:.1f} us a lift-second, {3 * hz / us:.0f} million samples a second")


if __name__ == "__main__":
    main()
