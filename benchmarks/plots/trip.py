"""The five streams of one passenger's trip beside the S-curve."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.plots.sheet import FORMULA, LINE, WORN, sheet
from simulator.buildings.fleet import fleet
from simulator.maths.scurve import segment_times
from simulator.world.second import Second
from simulator.world.world import World
from telemetry.arrays import F64
from telemetry.streams import DOOR_STATES
from tests.simulator.recorded_world import MORNING, START_NS

EventReadings = tuple[list[int], list[list[int]]] | None


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
    door.set_title(f"A trip of {abs(displacement_m):.1f} m at {limits[0]:g} m/s in the five streams", fontsize=10)
    return figure


def _simulate(w: World, lasts_s: int) -> tuple[list[Second], F64, F64, F64]:
    """Return the readings of `lasts_s` seconds, and the time and place at which each lift's last run began."""
    columns: list[tuple[Second, F64, F64, F64]] = []
    for _ in range(lasts_s):
        begin_s = w.begin_s
        columns.append(
            (w.step(), w.cars.trajectories.t[0][: len(w)].copy(), w.cars.trajectories.z[0][: len(w)].copy(), begin_s)
        )
    seconds, starts_s, starts_m, begins_s = zip(*columns, strict=True)
    return list(seconds), np.array(starts_s), np.array(starts_m), np.array(begins_s)


def _find_ride(seconds: list[Second], starts_s: F64, begins_s: F64) -> tuple[int, int]:
    """Return a lift and the second in which it set off on a run of its own, of 10 to 30 m, with a passenger."""
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
