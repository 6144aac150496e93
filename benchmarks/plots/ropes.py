"""The stretch of the ropes: a person's step, and a load that the drive corrects."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from benchmarks.plots.sheet import FORMULA, LINE, WORN, mark, sheet
from simulator.physics.suspension import natural_hz, stiffness_npm
from telemetry.streams import OPEN
from tests.simulator.recorded_trip import ONE, lift, record, standing


def ropes() -> Figure:
    """Draw a person's step at 50 m of free rope, and a heavy load that the drive corrects."""
    figure, axes = sheet(2, 5.6)
    facts = lift(floors=16, rated_load_kg=1000.0)
    w = standing(facts)
    w.cars.trajectories.z[:] = 14.0
    w.cars.change_load(ONE, w.begin_s + 0.5, np.array([75.0]))
    r = record(w, 6)
    t = np.arange(len(r.z)) / r.hz - 0.5
    k = stiffness_npm(np.array(5.0), np.array(50.0), np.array(1.0))
    hz = natural_hz(k, np.array(2075.0))
    step = axes[0, 0]
    step.plot(t, (r.z - 14.0) * 1000, color=LINE, lw=1.2, label="car")
    step.axhline(-75 * 9.81 / k * 1000, color=FORMULA, lw=0.9, ls="--", label="-75 g / k = -2.7 mm")
    for n in range(1, 4):
        mark(step, 0.15 + n / hz, f"{n} / f_n", 0.12)
    step.set(xlabel=f"seconds since a person of 75 kg stepped in; 50 m of rope, 1:1, f_n = {hz:.2f} Hz", ylabel="mm")
    step.legend(fontsize=7, frameon=False, loc="lower right")
    w = standing(facts)
    w.cars.floor[:], w.cars.door[:] = 0, OPEN
    z = []
    for second in range(16):
        if 1 <= second <= 10:
            w.cars.change_load(ONE, w.begin_s + 0.4, np.array([75.0]))
        z.append(record(w, 1).z)
    level = axes[1, 0]
    level.plot(np.arange(16 * 200) / 200, np.concatenate(z) * 1000, color=LINE, lw=1)
    low_m, high_m = 0.012, 0.020
    level.axhspan(-high_m * 1000, -low_m * 1000, color=WORN, alpha=0.15, lw=0, label="where a drive levels again")
    level.axhspan(-10, 10, color=LINE, alpha=0.06, lw=0, label="±10 mm")
    level.set(
        xlabel="seconds; ten people step in, one a second, at the lowest landing, door open",
        ylabel="mm from the landing",
    )
    level.legend(fontsize=7, frameon=False, loc="lower left")
    step.set_title("Ropes stretch, ring, and are levelled again", fontsize=10)
    return figure
