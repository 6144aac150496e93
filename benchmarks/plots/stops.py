"""Emergency stops, runaways and buffers."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.plots.sheet import FORMULA, sheet
from simulator.maths import governor, stopping
from simulator.maths.scurve import RunLimits
from simulator.maths.trajectories import Trajectories
from tests.simulator.recorded_trip import ONE


def stops() -> Figure:
    """Draw emergency stops by load, direction and wear, runaways until the gear grips, and decelerations of buffers."""
    figure, axes = sheet(1, 3.4, 3)
    brake, away, buffer = axes[0]
    t = np.arange(0.0, 3.2, 0.005)
    stops = ((1, 0.0, 1.0, "up"), (1, 500.0, 1.0, "half load"), (-1, 0.0, 1.0, "down"), (1, 0.0, 0.75, "up, worn"))
    for sense, load, torque, label in stops:
        trajectories = Trajectories(np.zeros(1))
        trajectories.run_to(
            ONE, np.zeros(1), np.array([sense * 30.0]), RunLimits(*(np.array([x]) for x in (1.75, 0.8, 1.0)))
        )
        mps2 = stopping.brake_mps2(*(np.array([x]) for x in (1.65, torque, sense, 1000.0, load)))
        trajectories.brake(ONE, np.array([6.0]), mps2, stopping.BRAKE_DELAY_S, stopping.BRAKE_BUILD_S)
        z, v, _ = trajectories.at(ONE, 6.0 + t[None])
        brake.plot(t, np.abs(v[0]), lw=1.2, label=f"{label}: {mps2[0]:.2f} m/s², {abs(z[0, -1] - z[0, 0]):.2f} m")
    brake.set(xlabel="seconds since the brake fell", ylabel="speed, m/s", title="emergency stop", ylim=(-0.05, 2.7))
    _runaways(away)
    for rated, v_mps, label in ((1.0, 1.15, "linear spring, 1.15 m/s"), (1.75, 2.0, "oil, 2.01 m/s")):
        trajectories = Trajectories(np.array([v_mps / 2]))
        trajectories.replace_rest(ONE, np.zeros(1), [(np.array([-v_mps]), np.zeros(1), np.ones(1))])
        trajectories.hit_buffer(ONE, np.array([1.0 - 1e-9]), np.array([rated]))
        a = trajectories.at(ONE, 1.0 + t[None, t < 1.2])[2][0] / stopping.G_MPS2
        buffer.plot(t[t < 1.2], a, lw=1.2, label=label)
    buffer.axhline(0.5, color=FORMULA, lw=0.9, ls="--")
    buffer.set(xlabel="seconds since contact", ylabel="g, up positive", title="buffers (dashed: 0.5 g)")
    for one in (brake, away, buffer):
        one.legend(fontsize=7, frameon=False)
        one.title.set_fontsize(10)
    return figure


def _runaways(axes: Axes) -> None:
    """Draw the speed of a lift of 1.75 m/s that runs away, with a brake that works, and with one that does not."""
    rated, push = np.array([1.75]), np.array([0.6])
    switch_mps, trip_mps = float(governor.overspeed_switch_mps(rated)[0]), float(governor.governor_trip_mps(rated)[0])
    delay_s, switch = np.array([stopping.BRAKE_DELAY_S]), np.array([switch_mps])
    for sense, braked, label in ((-1, -1.5, "brake works"), (-1, 0.4, "gear, down"), (1, 0.4, "gripped, up")):
        grip = governor.grip_mps2(np.array([sense]), np.array([1000.0]), np.zeros(1))
        begins = (push, 0 * push, (switch_mps - rated) / push)
        caught = governor.overspeed_stop_pieces(switch, rated, push, np.array([braked]), grip, delay_s)
        t_s, v_mps = [-0.5, 0.0], [1.75, 1.75]
        for a, j, h in (begins, *caught):
            inside = np.linspace(0.0, h[0], 40)[1:]
            v_mps += (v_mps[-1] + inside * (a[0] + inside * j[0] / 2)).tolist()
            t_s += (t_s[-1] + inside).tolist()
        axes.plot(t_s, v_mps, lw=1.2, label=label)
    for mps, name in ((switch_mps, "switch"), (trip_mps, "trip")):
        axes.axhline(mps, color=FORMULA, lw=0.9, ls="--")
        axes.text(-0.5, mps, name, color=FORMULA, fontsize=7, va="bottom")
    axes.set(xlabel="seconds since it runs away", ylabel="speed, m/s", title="runaway")
