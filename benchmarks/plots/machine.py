"""The envelope spectrum of a machine with a worn bearing beside the frequencies of its defects."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from scipy.signal import butter, hilbert, sosfiltfilt

from benchmarks.plots.sheet import LINE, WORN, mark, sheet
from simulator.maths.scurve import RunLimits
from simulator.physics.machine_vibration import MACHINE_HZ, bearing_orders
from tests.simulator.recorded_trip import ONE, lift, standing


def machine() -> Figure:
    """Draw the machine's envelope spectrum with a worn bearing, and where the formulas put its defects."""
    figure, axes = sheet(3, 6.4, share_x=True)
    turn_hz = 1.75 / (np.pi * 0.4)
    for one, defect in zip(axes[:, 0], ("BPFO", "BPFI", "BSF"), strict=True):
        seeds = (k for k in range(99) if standing(lift(), seed=k, machine=True)._machine_sensors.defect[0] == defect)
        seed = next(seeds)
        for worn, colour, label in ((1.0, WORN, f"{defect} defect"), (0.0, LINE, "sound")):
            w = standing(lift(floors=31), seed=seed, machine=True)
            w.cars.condition.bearing[0] = worn
            drive = RunLimits(*(np.array([x]) for x in (1.75, 0.8, 1.0)))
            w.cars.trajectories.run_to(ONE, w.begin_s, np.array([120.0]), drive)
            a = np.concatenate([w.step().machine_mps2[0] for _ in range(25)])[5 * MACHINE_HZ :].astype(np.float64)
            band = sosfiltfilt(butter(4, (600, 1200), "band", fs=MACHINE_HZ, output="sos"), a)
            shape = np.abs(hilbert(band))
            spectrum = 2 * np.abs(np.fft.rfft((shape - shape.mean()) * np.hanning(len(shape)))) / len(shape)
            one.plot(np.fft.rfftfreq(len(shape), 1 / MACHINE_HZ), spectrum, color=colour, lw=0.8, label=label)
        for n in (1, 2):
            mark(one, n * bearing_orders()[defect] * turn_hz, f"{'2 ' * (n > 1)}{defect}")
        one.set(xlim=(0, 20), ylabel="m/s²")
        one.legend(fontsize=7, frameon=False, loc="upper right")
    axes[2, 0].set_xlabel("Hz of the envelope, 600 to 1 200 Hz, at 1.39 turns a second")
    axes[0, 0].set_title("A machine's bearing in the resonance of its housing", fontsize=10)
    return figure
