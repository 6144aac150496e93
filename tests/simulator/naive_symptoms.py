"""The symptoms as plain conditions on one lift and one sample at a time, for `test_labels` to compare with."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from operator import attrgetter
from types import SimpleNamespace as Seen

import numpy as np

from simulator.cars.state import FAULT_ACTIVE
from simulator.faults.cause_table import EFFECTS
from simulator.faults.labels import Label
from simulator.world.world import World
from telemetry.streams import CLOSED, CLOSING, NORMAL, OPEN, OPENING
from tests.simulator.recorded_world import car_positions, hold

Spans = list[tuple[float, float]]
Predicate = Callable[[Seen], bool]


def impaired(*names: str) -> Predicate:
    return lambda s: any(s.ill(name) != 0 for name in names)


def moving(sick: Predicate) -> Predicate:
    return lambda s: sick(s) and s.v != 0


def shut_in(s: Seen) -> bool:
    return bool(s.v == 0 and s.door == CLOSED and s.inside)


def strays(s: Seen) -> bool:
    return bool(s.effects("brake_slips") or s.effects("runs_away") or not 0.0 <= s.z <= s.top)


NAIVE: dict[str, tuple[Predicate, Predicate | None, float]] = {
    "person-shut-in-off-level": (lambda s: shut_in(s) and s.off > 0.20, None, 0.0),
    "person-shut-in-at-level": (lambda s: shut_in(s) and s.off <= 0.20, None, 20.0),
    "alarm-pressed": (lambda s: s.alarm, None, 0.0),
    "car-off-level": (lambda s: s.v == 0 and s.off > 0.20, None, 0.0),
    "leaves-landing-door-open": (lambda s: s.door == OPEN and not s.sprung and s.off > 0.20, None, 0.0),
    "runs-door-open": (lambda s: s.door == OPEN and not s.sprung and abs(s.v) > 0.3, None, 0.0),
    "door-opens-in-run": (
        lambda s: s.door == OPENING and s.v != 0 and s.off > 0.20,
        lambda s: s.door != CLOSED and s.v != 0,
        0.0,
    ),
    "above-rated-speed": (lambda s: abs(s.v) > 1.02 * s.rated and s.v <= 1.15 * s.rated, None, 0.0),
    "rises-too-fast": (lambda s: s.v > 1.15 * s.rated, None, 0.0),
    "falls-too-fast": (lambda s: s.v < -1.15 * s.rated, None, 0.0),
    "below-rated-speed": (
        lambda s: s.v != 0 and s.full and s.peak < 0.95 * s.rated,
        impaired("speed_loss"),
        0.0,
    ),
    "run-takes-too-long": (lambda s: s.v != 0 and s.door == CLOSED and s.run > s.sound_run + 5.0, None, 0.0),
    "drive-runs-car-stands": (lambda s: s.v == 0 and s.ill("spins_mps") != 0, None, 0.0),
    "stands-dead": (lambda s: s.effects("halts") and s.v == 0 and not s.battery, None, 60.0),
    "runs-empty": (
        lambda s: s.effects("runs_uncalled") and s.v != 0 and not s.inside,
        lambda s: s.effects("runs_uncalled"),
        60.0,
    ),
    "beyond-top": (lambda s: s.z > s.top + 0.1, None, 0.0),
    "beyond-bottom": (lambda s: s.z < -0.1, None, 0.0),
    "hard-stop": (lambda s: s.a * (1 if s.v < 0 else -1) > 1.5 and s.v != 0, None, 0.0),
    "safety-chain-open": (lambda s: s.t >= s.chain_opens and not strays(s), None, 0.0),
    "safety-chain-open-astray": (lambda s: s.t >= s.chain_opens and strays(s), None, 0.0),
    "door-does-not-close": (lambda s: s.door == CLOSING, None, 12.0),
    "door-reverses": (lambda s: s.reversals > 2 and s.door != CLOSED, None, 0.0),
    "door-does-not-open": (lambda s: shut_in(s) and s.off <= 0.20 and s.cycles == 0, None, 5.0),
    "door-cycles": (lambda s: s.cycles >= 5 and s.door == CLOSED, lambda s: s.cycles >= 5, 0.0),
    "door-stays-open": (lambda s: s.v == 0 and s.door == OPEN and s.off <= 0.20, None, 60.0),
    "doorway-blocked": (lambda s: s.door == OPEN and s.curtain, None, 45.0),
    "door-slow": (lambda s: s.ill("door_drag") != 0 and s.door in (OPENING, CLOSING), impaired("door_drag"), 0.0),
    "on-battery": (lambda s: s.battery, None, 0.0),
    "silence": (lambda s: s.silent, None, 0.0),
    "kept-back": (lambda s: s.ill("cut"), None, 0.0),
    "not-in-service": (lambda s: s.mode != NORMAL, None, 0.0),
    "stops-off-level": (
        lambda s: s.v == 0 and s.door == OPEN and 0.015 < s.miss < 0.20,
        impaired("level_m"),
        0.0,
    ),
    "re-levels": (
        lambda s: s.v != 0 and s.door == OPEN and abs(s.v) <= 0.3 and s.ill("sinks_mps") != 0,
        impaired("sinks_mps"),
        0.0,
    ),
    "rolls-back": (
        lambda s: s.run < 1.5 and s.v * s.heading < 0 and s.ill("rollback_m") != 0,
        impaired("rollback_m"),
        0.0,
    ),
    "brakes-long": (
        lambda s: s.v != 0 and s.t > s.rests_by + 0.05,
        lambda s: s.ill("brake_torque") < 1,
        0.0,
    ),
    "car-shakes": (
        lambda s: s.v == 0 and s.door == CLOSED and s.ill("jumping_kg") != 0 and s.shaken > 0.3,
        None,
        0.0,
    ),
    "speed-reads-wrong": (
        lambda s: s.v != 0 and s.ill("speed.gain") != 1,
        lambda s: s.ill("speed.gain") != 1,
        0.0,
    ),
}
"""Of each: where it shows, where it then still holds, and how long it must last."""
WHILE_MOVING = {
    "harsh-ride": ("harsh",),
    "ropes-slip": ("slip",),
    "vibrates-vertically": ("sheave", "rope_tension"),
    "vibrates-sideways": ("shoe", "roller_flat"),
    "rail-joint-knocks": ("joint",),
    "rollers-worn": ("roller", "roller_flat"),
    "bearing-damaged": ("bearing",),
}
WHILE_IMPAIRED = {
    "curtain-reads-blocked": "curtain_blocked",
    "curtain-reads-clear": "curtain_dead",
    "position-reads-wrong": "position.offset",
    "position-stuck": "position.stuck",
    "position-spikes": "position.spike_share",
    "speed-dead": "speed.dead",
    "speed-stuck": "speed.stuck",
    "accelerometer-dead": "accelerometer.dead",
    "accelerometer-silent": "accelerometer.mute",
    "accelerometer-reads-wrong": "accelerometer.offset",
    "presence-stuck": "presence_stuck",
    "presence-dead": "presence_dead",
    "door-sensor-stuck": "door_stuck",
    "clock-wrong": "clock_s",
    "out-of-order": "scrambled",
}
NAIVE |= {slug: (moving(impaired(*of)), impaired(*of), 0.0) for slug, of in WHILE_MOVING.items()}
NAIVE |= {slug: (impaired(of), None, 0.0) for slug, of in WHILE_IMPAIRED.items()}


def naive(w: World, seconds: int) -> tuple[list[Label], dict[int, dict[str, Spans]]]:
    """Return the labels of a world, and for each lift the intervals of each symptom, sample by sample."""
    labels: list[Label] = []
    since: dict[tuple[int, str], tuple[float, float]] = {}
    found: dict[int, dict[str, Spans]] = defaultdict(lambda: defaultdict(list))
    for lift, s in samples(w, seconds, labels):
        for slug, (shows, holds, _) in NAIVE.items():
            begun = since.get((lift, slug))
            if shows(s) or (begun is not None and holds is not None and holds(s)):
                since[lift, slug] = (begun[0] if begun else s.t, s.t + 0.1)
            elif begun is not None:
                found[lift][slug].append(since.pop((lift, slug)))
    for (lift, slug), span in since.items():
        found[lift][slug].append(span)
    return labels + w.unfinished(), found


def samples(w: World, seconds: int, labels: list[Label]) -> Iterator[tuple[int, Seen]]:
    """Yield the state of each lift, ten times a second, and add what ends to `labels`."""
    every, still = np.arange(len(w)), np.zeros((10, len(w)), dtype=np.bool_)
    door, inside, curtain = np.full((10, len(w)), CLOSED), still, still
    counts = [Seen(reversals=0, cycles=0, sprung=False, door=CLOSED) for _ in every]
    for _ in range(seconds):
        t = w.begin_s[:, None] + np.arange(10) / 10
        second = w.step()
        labels += second.labels
        door = hold(door, second.door)
        inside, curtain = (hold(x, second.infrared, k) for k, x in enumerate((inside, curtain)))
        (_, v, a), z = w.cars.trajectories.at(every, t), car_positions(w)
        shaken = {
            int(k): math.sqrt(sum(x * x for x in own) / len(own))
            for k, own in zip(w.motion.lift, w.motion.a_mps2, strict=True)
        }
        for lift in range(len(w)):
            facts = of_lift(w, lift)
            for k in range(10):
                one = Seen(**facts, t=t[lift, k], v=v[lift, k], a=a[lift, k], z=z[lift, k], door=int(door[k, lift]))
                one.inside, one.curtain, one.shaken = inside[k, lift], curtain[k, lift], shaken.get(lift, 0.0)
                one.off, one.run = min(abs(one.z - h) for h in one.heights), one.t - one.began
                one.reversals, one.cycles, one.sprung = count(counts[lift], one)
                yield lift, one


def count(counts: Seen, s: Seen) -> tuple[int, int, bool]:
    """Count door reversals since the door was closed, openings since the last run, and openings during a run."""
    turned, opened = (counts.door == before and s.door == OPENING for before in (CLOSING, CLOSED))
    counts.reversals = 0 if s.door == CLOSED else counts.reversals + turned
    counts.cycles = 0 if s.v != 0 and s.door == CLOSED else counts.cycles + opened
    counts.sprung = s.door != CLOSED and (counts.sprung or (opened and s.v != 0))
    counts.door = s.door
    return counts.reversals, counts.cycles, counts.sprung


def of_lift(w: World, lift: int) -> dict[str, object]:
    """Return the state of a lift and of its current or last run, at the end of a second."""
    cars, lifts, trajectories = w.cars, w.cars.lifts, w.cars.trajectories
    heights = [float(h) for h in lifts.heights_m[lift][: lifts.floors[lift]]]
    rated, a, j = float(lifts.rated_mps[lift]), float(lifts.a_mps2[lift]), float(lifts.j_mps3[lift])
    a = min(a, math.sqrt(rated * j))
    from_m, to_m = float(trajectories.z[0, lift]), float(trajectories.z[-1, lift])
    way = max(abs(to_m - from_m), 1e-6)
    full = way >= rated * a / j + rated**2 / a
    if full:
        sound_s = way / rated + rated / a + a / j
    elif way >= 2 * a**3 / j**2:
        sound_s = a / j + math.sqrt((a / j) ** 2 + 4 * way / a)
    else:
        sound_s = (32 * way / j) ** (1 / 3)
    cause = int(cars.cause[lift]) if cars.stage[lift] == FAULT_ACTIVE else 0
    return {
        "heights": heights,
        "top": max(heights),
        "rated": rated,
        "heading": np.sign(to_m - from_m),
        "began": float(trajectories.t[0, lift]),
        "sound_run": sound_s + float(lifts.equipment.creep_s[lift]),
        "full": full and not cars.homing[lift],
        "peak": max(abs(float(v)) for v in trajectories.v[:, lift]),
        "miss": min(abs(to_m - h) for h in heights),
        "alarm": bool(cars.alarm[lift]),
        "battery": bool(cars.battery[lift]),
        "silent": bool(cars.silent[lift]),
        "mode": int(cars.mode[lift]),
        "chain_opens": float(cars.chain_opens_s[lift]),
        "rests_by": float(cars.healthy_stop_s[lift]),
        "effects": lambda name: bool(getattr(EFFECTS, name)[cause]),
        "ill": lambda name: attrgetter(name)(cars.condition)[lift],
    }
