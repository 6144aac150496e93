"""The vibration of the car at full speed beside the frequencies of its sources."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from scipy.signal import butter, sosfiltfilt

from benchmarks.plots.sheet import LINE, WORN, mark, sheet
from simulator.physics.guide_rails import BRACKETS_M, RAILS_M
from simulator.world.world import World
from telemetry.arrays import F64
from tests.simulator.recorded_trip import Ride, lift, ride, standing


def vibration() -> Figure:
    """Draw order spectra and rail joints, healthy and worn, with the formulas' lines."""
    figure, axes = sheet(3, 7.6)
    spectrum_z, spectrum_x, joints = axes[:, 0]
    per_m = 1 / (np.pi * 0.4)
    for worn, colour, label in ((0.6, WORN, "worn"), (0.0, LINE, "healthy")):
        w = _five_metre_rails()
        condition = w.cars.condition
        condition.roller[0] = condition.sheave[0] = worn
        condition.joint[0] = worn
        rails = w._vibration._guide_rails  # type: ignore[union-attr]
        weak_joint = rails.weak_joint[0] = 7
        r = ride(w, 76.0)
        for axes_of, axis in ((spectrum_z, 2), (spectrum_x, 0)):
            axes_of.plot(*_spectrum(r, axis), color=colour, lw=0.8, label=label)
        order = np.argsort(r.z[r.cruises])
        fast = sosfiltfilt(butter(4, 4.0, "high", fs=r.hz, output="sos"), r.xyz[0])
        joints.plot(r.z[r.cruises][order], fast[r.cruises][order], color=colour, lw=0.6, label=label)
    mark(spectrum_z, 1.75 * per_m, "sheave v/(πD)")
    mark(spectrum_z, 2 * 1.75 * per_m, "order 2", 0.86)
    for order_of in (1, 2, 3):
        mark(spectrum_x, order_of * 1.75 / (np.pi * float(rails.roller_m[0])), f"roller {order_of}")
    mark(spectrum_x, 1.75 / BRACKETS_M, "brackets v/2.5 m")
    for number in range(1, 16):
        at_m = float(rails.first_m[0]) + number * RAILS_M
        mark(joints, at_m, "displaced" if number == weak_joint else "")
    for one, name in ((spectrum_z, "z"), (spectrum_x, "x")):
        one.set(xlim=(0, 18), ylabel=f"{name}, m/s²", xlabel="Hz, at 1.75 m/s")
        one.legend(fontsize=7, frameon=False, loc="upper right")
    joints.set(xlabel="place of the car, m; dashed: rail joints", ylabel="x above 4 Hz, m/s²")
    joints.set_xlim(8, 68)
    spectrum_z.set_title("Vibration in the car at full speed, and where the formulas put its sources", fontsize=10)
    return figure


def _five_metre_rails() -> World:
    worlds = (standing(lift(), seed=k) for k in range(3, 99))
    return next(w for w in worlds if w._vibration._guide_rails.rails_m[0] == RAILS_M)  # type: ignore[union-attr]


def _spectrum(r: Ride, axis: int) -> tuple[F64, F64]:
    """Return frequencies and amplitudes at cruise."""
    x = (r.xyz[axis] - (r.a if axis == 2 else 0.0))[r.cruises]
    window = np.hanning(len(x))
    return np.fft.rfftfreq(len(x), 1 / r.hz), 2 * np.abs(np.fft.rfft((x - x.mean()) * window)) / window.sum()
