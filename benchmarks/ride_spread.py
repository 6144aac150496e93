"""Measures the rides of a simulated fleet in the way in which rides recorded by phones were measured.

    vertical acceleration ─┬─ low-pass, 1 Hz ─► greatest acceleration, and greatest slope (jerk)
                           └─ band-pass, 1 to 20 Hz ─► RMS of the ride

`python -m benchmarks.ride_spread` prints the percentiles of both. The filters are Butterworth filters of second order,
forwards and backwards. The 42 recorded rides are from some 15 buildings; the vibration of a phone in a hand is an upper
bound. The rated speeds are those of New York's register of lifts.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from simulator.buildings.fleet import fleet
from simulator.physics.car_vibration import WAVE_HZ
from simulator.physics.sensors import SAMPLE_HZ
from simulator.world.world import World
from telemetry.arrays import F64

START_NS, MORNING = 1_000_000_000 * 10**9, 8.0
SMOOTH_HZ, BAND_HZ = 1.0, (1.0, 20.0)
MOVES_MPS, LEAST_S, BESIDE_S = 0.05, 4.0, 0.5
PERCENT = 10, 50, 90
RECORDED = {
    "acceleration, 1 Hz low-pass, m/s²": (0.41, 0.64, 1.08),
    "jerk, 1 Hz low-pass, m/s³": (1.0, 1.3, 2.1),
    "vertical vibration, 1 to 20 Hz, RMS, m/s²": (0.05, 0.14, 0.37),
}
SPEED_PERCENT, REGISTERED_MPS = (5, 50, 75, 95), (0.51, 0.76, 1.78, 3.56)


class RideFigures(NamedTuple):
    """The figures of one ride, in the order of `RECORDED`."""

    accel_mps2: float
    jerk_mps3: float
    vibration_mps2: float


def measure(lifts: int, seconds: int, seed: int) -> list[RideFigures]:
    """Return the figures of all rides that begin and end within `seconds` of a working day's morning."""
    world = World(fleet(lifts, seed), seed, START_NS, hour=MORNING, vibration=True)
    waves, speeds = [], []
    for _ in range(seconds):
        second = world.step()
        assert second.vibration_mps2 is not None
        waves.append(second.vibration_mps2[:, 2])
        speeds.append(second.v_mps)
    columns = zip(np.concatenate(waves, axis=1), np.concatenate(speeds, axis=1), strict=True)
    return [ride for wave, v_mps in columns for ride in rides(wave.astype(np.float64), v_mps)]


def rides(wave_mps2: F64, v_mps: F64, wave_hz: int = WAVE_HZ) -> Iterator[RideFigures]:
    """Yield the figures of one lift's rides from its vertical acceleration and its speed at 10 Hz."""
    level = wave_mps2 - np.median(wave_mps2)
    smooth = _filtered(level, SMOOTH_HZ, "low", wave_hz)
    slope, band = np.gradient(smooth) * wave_hz, _filtered(level, BAND_HZ, "band", wave_hz)
    edges = np.flatnonzero(np.diff(np.abs(v_mps) > MOVES_MPS, prepend=False, append=False))
    every, beside = wave_hz // SAMPLE_HZ, round(BESIDE_S * SAMPLE_HZ)
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        if end - begin >= LEAST_S * SAMPLE_HZ and begin >= beside and end <= len(v_mps) - beside:
            whole = slice((begin - beside) * every, (end + beside) * every)
            moves = slice(begin * every, end * every)
            yield RideFigures(
                float(np.abs(smooth[whole]).max()), float(np.abs(slope[whole]).max()), float(band[moves].std())
            )


def _filtered(x: F64, hz: float | tuple[float, float], kind: str, wave_hz: int) -> F64:
    return np.asarray(sosfiltfilt(butter(2, hz, kind, fs=wave_hz, output="sos"), x), dtype=np.float64)


def table(found: list[RideFigures], rated_mps: NDArray[np.float64]) -> str:
    """Return the percentiles of recorded and simulated rides, and of the rated speeds, as a table in Markdown."""
    lines = ["| | percentiles, % | recorded | simulated |", "|---|---|---|---|"]
    for (name, recorded), column in zip(RECORDED.items(), np.array(found).T, strict=True):
        lines.append(_line(name, PERCENT, recorded, column))
    lines.append(_line("rated speed, m/s", SPEED_PERCENT, REGISTERED_MPS, rated_mps))
    return "\n".join(lines)


def _line(name: str, percent: tuple[int, ...], recorded: tuple[float, ...], simulated: F64) -> str:
    ours = np.percentile(simulated, percent)
    cells = (
        " / ".join(f"{value:{form}}" for value in row)
        for form, row in (("d", percent), (".2f", recorded), (".2f", ours))
    )
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ride_spread", description=__doc__)
    parser.add_argument("--lifts", type=int, default=400)
    parser.add_argument("--seconds", type=int, default=600, help="of a morning (default 600)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = measure(options.lifts, options.seconds, options.seed)
    rated_mps = np.array([lift.rated_speed_mps for lift in fleet(10 * options.lifts, options.seed)])
    print(f"{len(found)} rides of {options.lifts} lifts; rated speeds of {len(rated_mps)} lifts\n")
    print(table(found, rated_mps))


if __name__ == "__main__":
    main()
