"""Records the noise-free state of a world at 10 Hz."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulator.buildings.fleet import OFFICE_SHARE, fleet
from simulator.faults.labels import Label
from simulator.world.second import Events, Second
from simulator.world.world import World
from telemetry.arrays import F64
from telemetry.streams import CLOSED

START_NS = 1_000_000_000 * 10**9  # September 2001
NIGHT, MORNING = 3.0, 8.0


@dataclass
class WorldRecord:
    """A recording; each column is (samples, lifts), `stage` alone (seconds, lifts).

    `z` is the position of the drive, `level_offset_m` the distance of the car, which hangs on its ropes, from the
    nearest landing.
    """

    z: F64
    v: F64
    door: NDArray[np.int64]
    presence: NDArray[np.bool_]
    stage: NDArray[np.int64]
    level_offset_m: F64
    heights_m: F64
    top_m: F64
    rated_mps: F64
    labels: list[Label]
    seconds: list[Second]


def beginning(s: WorldRecord, seconds: int) -> WorldRecord:
    """Return the first seconds of a record, and the labels of the symptoms that showed themselves in them."""
    columns = {name: getattr(s, name)[: 10 * seconds] for name in ("z", "v", "door", "presence", "level_offset_m")}
    labels = [label for label in s.labels if label.symptom is None or label.symptom_onset_s < seconds]
    return replace(s, **columns, stage=s.stage[:seconds], labels=labels, seconds=s.seconds[:seconds])


def world(
    lifts: int = 20, seed: int = 3, hour: float = MORNING, offices: float = OFFICE_SHARE, **more: object
) -> World:
    """Return a world that starts in 2001."""
    occupied = fleet(lifts, seed, offices)
    return World(occupied, seed, START_NS, hour=hour, offices=offices, **more)  # type: ignore[arg-type]


def live(w: World, seconds: int) -> WorldRecord:
    """Simulate so many seconds and record them."""
    every = np.arange(len(w))
    door, presence = np.full((10, len(w)), CLOSED), np.zeros((10, len(w)), dtype=np.bool_)
    columns: tuple[list[F64], list[F64], list[F64], list[NDArray[np.int64]], list[NDArray[np.bool_]]]
    columns = ([], [], [], [], [])
    labels, seconds_of, stages = [], [], []
    for _ in range(seconds):
        begin_s = w.begin_s
        second = w.step()
        labels += second.labels
        seconds_of.append(second)
        stages.append(w.cars.stage[: len(w)].copy())
        z, v, _ = w.cars.trajectories.at(every, begin_s[:, None] + np.arange(1, 11) / 10)
        door, presence = hold(door, second.door), hold(presence, second.infrared)
        for column, rows in zip(columns, (z.T, v.T, car_positions(w).T, door, presence), strict=True):
            column.append(rows)
    z, v, car_m, door, presence = (np.concatenate(column) for column in columns)
    heights_m = w.cars.lifts.heights_m[every]
    level_offset_m = np.stack([np.nanmin(np.abs(heights_m[k] - car_m[:, k, None]), axis=1) for k in every], axis=1)
    top_m = np.nanmax(heights_m, axis=1)
    rated_mps = w.cars.lifts.rated_mps[every]
    return WorldRecord(
        z, v, door, presence, np.array(stages), level_offset_m, heights_m, top_m, rated_mps, labels, seconds_of
    )


def car_positions(w: World) -> F64:
    """Return the true positions of the cars in the last simulated second, (lifts, 10)."""
    z = np.repeat(w.motion.rest_m[:, None], 10, axis=1)
    z[w.motion.lift] = w.motion.z_m[:, :: w.motion.z_m.shape[1] // 10]
    return z[: len(w)]


def hold(before: NDArray[np.generic], events: Events, column: int = 0) -> NDArray[np.generic]:
    """Return one value of each event, held over the samples (10, lifts) of its second."""
    held = np.broadcast_to(before[-1], before.shape).copy()
    for lift in np.flatnonzero(np.diff(events.first)):
        for at_ms, values in zip(*events.of(lift), strict=True):
            held[at_ms // 100 :, lift] = values[column]
    return held


def longest_s(holds: NDArray[np.bool_]) -> float:
    """Return the longest stretch, in seconds, for which a column holds."""
    edges = np.flatnonzero(np.diff(np.r_[False, holds, False].astype(np.int8)))
    return float((edges[1::2] - edges[::2]).max(initial=0)) / 10
