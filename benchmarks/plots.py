"""Draws the plots of docs/world.md: the simulated world beside the formulas it follows.

Run from the root: `python -m benchmarks.plots`; each plot is a function here and a file in docs/world/.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.signal import butter, hilbert, sosfiltfilt

from simulator.buildings.fleet import fleet
from simulator.maths import governor, stopping
from simulator.maths.scurve import RunLimits, segment_times
from simulator.maths.trajectories import Trajectories
from simulator.physics.guide_rails import BRACKETS_M, RAILS_M
from simulator.physics.machine_vibration import MACHINE_HZ, bearing_orders
from simulator.physics.suspension import natural_hz, stiffness_npm
from simulator.world.second import Second
from simulator.world.world import World
from telemetry.arrays import F64
from telemetry.streams import DOOR_STATES, OPEN
from tests.simulator.recorded_trip import ONE, Ride, lift, record, ride, standing
from tests.simulator.recorded_world import MORNING, START_NS

EventReadings = tuple[list[int], list[list[int]]] | None

FOLDER = Path("docs/world")
INK, LINE, FORMULA, WORN = "#1d2733", "#0b6e99", "#b3432b", "#c98a1b"
WIDE_IN, DPI = 8.0, 110


def main() -> None:
    """Draw all of them, or those that are named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plots", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *PLOTS], help="which (default: all)")
    parser.add_argument("--to", type=Path, default=FOLDER, help=f"the folder (default: {FOLDER})")
    options = parser.parse_args()
    options.to.mkdir(parents=True, exist_ok=True)
    for name in options.names or PLOTS:
        figure = PLOTS[name]()
        figure.savefig(options.to / f"{name}.png", dpi=DPI, metadata={"Software": None})
        print(options.to / f"{name}.png")


def sheet(rows: int, high_in: float, columns: int = 1, share_x: bool = False) -> tuple[Figure, NDArray[np.object_]]:
    """Return an empty figure and its axes."""
    figure = Figure(figsize=(WIDE_IN, high_in), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=share_x)
    for one in axes.flat:
        one.spines[["top", "right"]].set_visible(False)
        one.grid(color="#e6eaee", lw=0.6)
        one.tick_params(labelsize=8)
    return figure, axes


def mark(axes: Axes, x: float, text: str, top: float = 0.97) -> None:
    """Draw a line at a place that a formula gives."""
    axes.axvline(x, color=FORMULA, lw=0.9, ls="--")
    axes.text(x, top, f" {text}", color=FORMULA, fontsize=7, va="top", transform=axes.get_xaxis_transform())


def trip() -> Figure:
    """Draw the five streams of one passenger's trip, and the S-curve's own speed and acceleration beside them."""
    w = World(fleet(30, seed=5), 5, START_NS, hour=MORNING, vibration=True)
    seconds, starts_s, starts_m, begins_s = _simulate(w, 240)
    k, at = _find_ride(seconds, starts_s, begins_s)
    part, t0 = slice(at - 14, at + 32), starts_s[at, k]
    t10, t100 = ((begins_s[part, k, None] + np.arange(n) / n - t0).ravel() for n in (10, 100))
    v, z = (np.concatenate([getattr(s, name)[k] for s in seconds[part]]) for name in ("v_mps", "z_m"))
    lifts = w.cars.lifts
    displacement_m, limits = (
        z[-1] - starts_m[at, k],
        [float(x[k]) for x in (lifts.rated_mps, lifts.a_mps2, lifts.j_mps3)],
    )
    t, ideal_m, ideal_mps, ideal_mps2 = s_curve(abs(displacement_m), *limits)
    figure, axes = sheet(5, 8.6, share_x=True)
    door, infrared, speed, place, shake = axes[:, 0]
    draw_events(door, begins_s[part, k] - t0, [s.door.of(k) for s in seconds[part]], ["door"])
    draw_events(infrared, begins_s[part, k] - t0, [s.infrared.of(k) for s in seconds[part]], ["presence", "curtain"])
    door.set_yticks(range(4), DOOR_STATES)
    infrared.set_yticks([0, 1], ["no", "yes"])
    speed.plot(t10, v, ".", ms=3, color=LINE, label="read")
    speed.plot(t, np.sign(displacement_m) * ideal_mps, color=FORMULA, lw=1, label="S-curve, closed form")
    place.plot(t10, z, ".", ms=3, color=LINE, label="read")
    place.plot(
        t, starts_m[at, k] + np.sign(displacement_m) * ideal_m, color=FORMULA, lw=1, label="S-curve, closed form"
    )
    for height_m in lifts.heights_m[k][(lifts.heights_m[k] > z.min() - 1) & (lifts.heights_m[k] < z.max() + 1)]:
        place.axhline(height_m, color=FORMULA, lw=0.5, ls=":")
    for axis, colour in enumerate(("#8aa0ae", "#b9c6cf", LINE)):
        wave = np.concatenate([s.vibration_mps2[k, axis] for s in seconds[part]])
        shake.plot(t100, wave, lw=0.5, color=colour, label="xyz"[axis])
    shake.plot(t, np.sign(displacement_m) * ideal_mps2, color=FORMULA, lw=1, label="S-curve")
    speed.set_ylabel("speed, m/s")
    place.set_ylabel("place, m")
    shake.set(ylabel="vibration, m/s²", xlabel="seconds since the car set off; dotted: landings")
    for one, where in (
        (infrared, "center right"),
        (speed, "center right"),
        (place, (0.69, 0.61)),
        (shake, "upper right"),
    ):
        one.legend(fontsize=7, loc=where, ncols=4, frameon=False)
    door.set_title(
        f"A trip of {abs(displacement_m):.1f} m at {limits[0]:g} m/s: what the five streams say", fontsize=10
    )
    return figure


def _simulate(w: World, lasts_s: int) -> tuple[list[Second], F64, F64, F64]:
    """Return the readings of so many seconds, and when and where each lift's last run began."""
    columns: list[tuple[Second, F64, F64, F64]] = []
    for _ in range(lasts_s):
        begin_s = w.begin_s
        columns.append(
            (w.step(), w.cars.trajectories.t[0][: len(w)].copy(), w.cars.trajectories.z[0][: len(w)].copy(), begin_s)
        )
    seconds, starts_s, starts_m, begins_s = zip(*columns, strict=True)
    return list(seconds), np.array(starts_s), np.array(starts_m), np.array(begins_s)


def _find_ride(seconds: list[Second], starts_s: F64, begins_s: F64) -> tuple[int, int]:
    """Return a lift and the second in which it set off on a run of its own, of 10 to 30 m, with somebody inside."""
    z_m = np.array([s.z_m[:, 0] for s in seconds])
    for at in range(20, len(seconds) - 36):
        starts = (
            (starts_s[at] >= begins_s[at])
            & (starts_s[at] == starts_s[at + 31])
            & (starts_s[at - 12] < begins_s[at - 12] - 12)
        )
        displacement_m = np.abs(z_m[at + 31] - z_m[at])
        for k in np.flatnonzero(starts & (displacement_m > 10) & (displacement_m < 30)).tolist():
            readings = [one for s in seconds[at - 10 : at] if (one := s.infrared.of(k))]
            if any(presence for one in readings for presence, _ in one[1]):
                return k, at
    raise AssertionError("nobody rides alone in these minutes")


def draw_events(axes: Axes, begins_s: F64, readings: list[EventReadings], names: list[str]) -> None:
    """Draw an event stream as steps, each value held until the next event."""
    for channel, (name, colour) in enumerate(zip(names, (LINE, WORN), strict=False)):
        events = [
            (begin_s + at_ms / 1000, values[channel])
            for begin_s, one in zip(begins_s, readings, strict=True)
            for at_ms, values in zip(*(one or ([], [])), strict=True)
        ]
        t, values = zip(*events, (begins_s[-1] + 1, events[-1][1]), strict=True)
        axes.step(t, values, where="post", color=colour, lw=1.2, label=name)


def s_curve(displacement_m: float, v_mps: float, a_mps2: float, j_mps3: float) -> tuple[F64, F64, F64, F64]:
    """Return times, places, speeds and accelerations of the ideal run, from its seven segments alone."""
    jerk_s, steady_s, cruise_s = (
        float(x) for x in segment_times(*map(np.array, (displacement_m, v_mps, a_mps2, j_mps3)))
    )
    lasts = (jerk_s, steady_s, jerk_s, cruise_s, jerk_s, steady_s, jerk_s)
    knots = np.concatenate([[0.0], np.cumsum(lasts)])
    a_pk = j_mps3 * jerk_s
    t = np.linspace(0, knots[-1], 2000)
    a = np.interp(t, knots, [0, a_pk, a_pk, 0, 0, -a_pk, -a_pk, 0])
    v = _integral(a, t)
    return t, _integral(v, t), v, a


def _integral(x: F64, t: F64) -> F64:
    """Return the integral of samples from the first on, by trapezoids."""
    return np.concatenate([[0.0], np.cumsum((x[1:] + x[:-1]) / 2 * np.diff(t))])


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


def stops() -> Figure:
    """Draw emergency stops by load, direction and wear, runaways until they are caught, and what buffers do."""
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
    axes[0, 0].set_title("A machine's bearing, heard through its housing's resonance", fontsize=10)
    return figure


PLOTS: dict[str, Callable[[], Figure]] = {
    "trip": trip,
    "vibration": vibration,
    "ropes": ropes,
    "stops": stops,
    "machine": machine,
}

if __name__ == "__main__":
    main()
