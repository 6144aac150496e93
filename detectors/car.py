"""What is known of each car at each row: the state that all rules share, worked out once.

A wild sample is set aside here: a speed or position that could not follow from the last believed one by physics is
believed only when the next one agrees with it. Event states hold until they say otherwise; a reboot forgets them.
Silence makes a measured value unknown and stops the clock of stillness; it never resets it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.scan import Columns, Round, lay, scan
from telemetry.batch import Batch
from telemetry.facts import FleetFacts
from telemetry.trips import STILL_MPS, STILL_S, TRIP_MIN_M

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

NEVER_NS = -(2**62)
GAP_S = 3.0
"""Longer between two readings is a gap: what was read before it is unknown, and clocks stand still across it."""

JERKED_MPS2 = 12.0
"""No car changes its speed faster, even in free fall or on its safety gear."""
SPEED_MARGIN_MPS = 0.3
SPEED_STEP_MPS = 2.5
SPEED_STEP_RATED = 1.2
"""On a coarse feed a larger change than this (or this share of the rated speed) needs a second reading."""
SPEED_MAX_MPS = 25.0

PLACE_MARGIN_M = 0.03
PLACE_STEP_MPS2 = 2.5
PLACE_SPEED_MPS = 4.0
"""How fast a car may be that says nothing of its speed, where its rated speed is unknown too."""
PLACE_SPEED_RATED = 1.5
SHAFT_BEYOND_M = 5.0
"""No pit and no headroom is deeper: a position beyond is no position."""

ACCEL_TAU_S = 0.1
RATE_TAU_S = 0.3
CREEP_FAST_TAU_S = 1.0
CREEP_SLOW_TAU_S = 3.0
CREEP_M = 0.005
"""The two smoothed positions of a car that drifts 5 mm in 2 s stand 5 mm apart: (3 s - 1 s) x 2.5 mm/s."""

EVENTS = ("door", "presence", "curtain", "mode", "power", "alarm")


@dataclass(frozen=True, slots=True)
class Car:
    """Columns as long as the batch, laid round by round. NaN is unknown.

    `order`, `rounds`    the batch's row at each place, and the rounds (`detectors.scan`)
    `dt_s`               seconds since this lift's previous row (NaN at its first); a gap is kept as it is
    `v`, `z`             the believed speed (m/s) and position (m) read at this very row; where no speed is sent, `v` is
                         worked out from the position
    `accel`              smoothed change of the speed that was read (m/s²), NaN where none was or after a jump
    `v_last`, `z_last`   the latest believed ones, NaN once older than `GAP_S`
    `door`, `presence`, `curtain`, `mode`, `power`, `alarm`   as last said
    `offset_m`           z_last minus the nearest landing (NaN without floors); `landing` its index, -1 unknown
    `still_s`            for how long the car has been still (|v| < 0.05 m/s, no creep of 5 mm in 2 s) since it came to
                         rest; 0 while it moves, NaN in a gap and at a single odd reading
    `still_since_ns`     when it came to rest (the last time it did, while it moves)
    `trips`              completed trips so far
    `stale`              True where the row sets state and must raise nothing
    """

    order: NDArray[np.intp]
    rounds: tuple[Round, ...]
    lift: NDArray[np.int32]
    t_ns: I64
    dt_s: F64
    v: F64
    z: F64
    accel: F64
    v_last: F64
    z_last: F64
    door: F64
    presence: F64
    curtain: F64
    mode: F64
    power: F64
    alarm: F64
    stale: NDArray[np.bool_]
    offset_m: F64
    landing: NDArray[np.int32]
    still_s: F64
    still_since_ns: I64
    trips: I64

    def __len__(self) -> int:
        return len(self.lift)

    def at_rest(self) -> NDArray[np.bool_]:
        """Return where the car is known to stand still, be it for a moment."""
        resting: NDArray[np.bool_] = (self.still_s > 0.0) | ((self.still_since_ns == self.t_ns) & (self.still_s == 0.0))
        return resting


def start(n: int) -> Columns:
    """Return the state of `n` cars of which nothing is known."""
    unknown = (*EVENTS, "v", "v_odd", "z", "z_odd", "rate", "speed", "z_fast", "z_slow")
    never = ("t_ns", "v_ns", "v_odd_ns", "z_ns", "z_odd_ns", "speed_ns", "motion_ns", "still_since_ns")
    return {
        **{name: np.full(n, np.nan) for name in unknown},
        **{name: np.full(n, NEVER_NS) for name in never},
        "accel": np.zeros(n),
        "way_m": np.zeros(n),
        "still_ns": np.full(n, -1),
        "doubt": np.zeros(n, dtype=np.bool_),
        "settled": np.zeros(n, dtype=np.bool_),
        "trips": np.zeros(n, dtype=np.int64),
        "landing": np.zeros(n, dtype=np.int32),
    }


def step(state: Columns, batch: Batch, facts: FleetFacts) -> tuple[Columns, Car]:
    """Return the state after the batch, and what was known of each car at each of its rows."""
    order, laid = lay(batch.lift, len(facts))
    lift = batch.lift[order]
    v, z = batch.v_mps[order], batch.z_m[order]
    rows = {name: getattr(batch, name)[order] for name in EVENTS}
    rows |= {
        "t_ns": batch.t_ns[order],
        "v": np.where(np.abs(v) <= SPEED_MAX_MPS, v, np.nan),
        "z": np.where((z < -SHAFT_BEYOND_M) | (z > (facts.top_m + SHAFT_BEYOND_M)[lift]), np.nan, z),
        "reboot": batch.reboot[order] == 1.0,
    }
    rated = facts.rated_speed_mps
    per_lift = {
        "speed_step": np.fmax(SPEED_STEP_RATED * rated, SPEED_STEP_MPS),
        "place_speed": np.where(np.isnan(rated), PLACE_SPEED_MPS, PLACE_SPEED_RATED * rated),
    }
    landing = state["landing"]
    state, made = scan(laid, state, advance, rows, per_lift)
    index, offset = nearest(made["z_last"], lift, landing, facts.landings_m)
    landing, known = landing.copy(), index >= 0
    landing[lift[known]] = index[known]  # of a lift's rows the last one stays
    state = {**state, "landing": landing}
    stale = batch.stale[order] == 1.0
    return state, Car(
        order=order, rounds=laid, lift=lift, t_ns=rows["t_ns"], stale=stale, landing=index, offset_m=offset, **made
    )


def advance(state: Columns, row: Columns, lift: Columns) -> tuple[Columns, Columns]:
    """Carry each car over one row (elementwise)."""
    t_ns = row["t_ns"]
    said = {name: _hold(state[name], row[name], row["reboot"]) for name in EVENTS}
    speed = _hear_speed(state, row["v"], t_ns, lift["speed_step"])
    place = _hear_place(state, row["z"], t_ns, lift["place_speed"])
    v_now = np.where(speed["heard"], row["v"], np.where(_age_s(t_ns, speed["v_ns"]) > GAP_S, place["rate_now"], np.nan))
    spoke = ~np.isnan(v_now)
    speed_last = np.where(spoke, v_now, state["speed"])
    speed_ns = np.where(spoke, t_ns, state["speed_ns"])
    v_last = np.where(_age_s(t_ns, speed_ns) > GAP_S, np.nan, speed_last)
    rest = _rest(state, spoke | place["heard"], t_ns, v_last, place)
    after = {
        **said,
        **{name: speed[name] for name in ("v", "v_ns", "v_odd", "v_odd_ns", "accel")},
        **{name: place[name] for name in ("z", "z_ns", "z_odd", "z_odd_ns", "rate")},
        **rest,
        "t_ns": t_ns,
        "speed": speed_last,
        "speed_ns": speed_ns,
        "landing": state["landing"],
    }
    silent = (_age_s(t_ns, rest["motion_ns"]) > GAP_S) | rest["doubt"]
    return after, {
        **said,
        "dt_s": np.where(state["t_ns"] == NEVER_NS, np.nan, _age_s(t_ns, state["t_ns"])),
        "v": v_now,
        "z": np.where(place["heard"], row["z"], np.nan),
        "accel": speed["accel_now"],
        "v_last": v_last,
        "z_last": np.where(_age_s(t_ns, place["z_ns"]) > GAP_S, np.nan, place["z"]),
        "still_s": np.where(silent, np.nan, np.maximum(rest["still_ns"], 0) / 1e9),
        "still_since_ns": rest["still_since_ns"],
        "trips": rest["trips"],
    }


def _hold(last: F64, said: F64, reboot: NDArray[np.bool_]) -> F64:
    """Return what an event stream says now: the new word, else the last one, else nothing after a reboot."""
    return np.where(np.isnan(said), np.where(reboot, np.nan, last), said)


def _age_s(t_ns: I64, then_ns: I64) -> F64:
    return (t_ns - then_ns) / 1e9


def _hear_speed(state: Columns, v: F64, t_ns: I64, largest_step: F64) -> dict[str, NDArray[Any]]:
    """Believe a speed that the last one could have become, or that the one set aside before it agrees with."""
    dt_s = _age_s(t_ns, state["v_ns"])
    near = np.abs(v - state["v"]) <= SPEED_MARGIN_MPS + np.minimum(JERKED_MPS2 * dt_s, largest_step)
    odd_dt_s = _age_s(t_ns, state["v_odd_ns"])
    agrees = np.abs(v - state["v_odd"]) <= SPEED_MARGIN_MPS + np.minimum(JERKED_MPS2 * odd_dt_s, largest_step)
    spoke = ~np.isnan(v)
    heard = spoke & (near | agrees | np.isnan(state["v"]))
    steady = heard & near & (dt_s <= GAP_S) & (dt_s > 0.0)
    raw = (v - state["v"]) / np.where(steady, dt_s, 1.0)
    smooth = state["accel"] + (raw - state["accel"]) * dt_s / (ACCEL_TAU_S + dt_s)
    aside = spoke & ~heard
    return {
        "heard": heard,
        "v": np.where(heard, v, state["v"]),
        "v_ns": np.where(heard, t_ns, state["v_ns"]),
        "v_odd": np.where(aside, v, np.where(heard, np.nan, state["v_odd"])),
        "v_odd_ns": np.where(aside, t_ns, state["v_odd_ns"]),
        "accel": np.where(steady, smooth, np.where(heard, 0.0, state["accel"])),
        "accel_now": np.where(steady, smooth, np.nan),
    }


def _hear_place(state: Columns, z: F64, t_ns: I64, place_speed: F64) -> dict[str, NDArray[Any]]:
    """Believe a position within reach of the last one, or of the one set aside before it; work out its rate."""
    dt_s = _age_s(t_ns, state["z_ns"])
    span_s = np.minimum(dt_s, GAP_S)
    known = np.fmax(np.abs(state["rate"]), np.abs(state["speed"]))
    known = np.where(np.isnan(known), place_speed, known)
    near = np.abs(z - state["z"]) <= PLACE_MARGIN_M + span_s * (known + PLACE_STEP_MPS2 * span_s)
    odd_s = np.minimum(_age_s(t_ns, state["z_odd_ns"]), GAP_S)
    agrees = np.abs(z - state["z_odd"]) <= PLACE_MARGIN_M + odd_s * (place_speed + PLACE_STEP_MPS2 * odd_s)
    spoke = ~np.isnan(z)
    heard = spoke & (near | agrees | np.isnan(state["z"]))
    steady = heard & near & (dt_s <= GAP_S) & (dt_s > 0.0)
    raw = (z - state["z"]) / np.where(steady, dt_s, 1.0)
    last = state["rate"]
    smooth = np.where(np.isnan(last), raw, last + (raw - last) * dt_s / (RATE_TAU_S + dt_s))
    turned = (smooth * last < 0.0) & (np.minimum(np.abs(smooth), np.abs(last)) > STILL_MPS)
    aside = spoke & ~heard
    fast = state["z_fast"] + (z - state["z_fast"]) * dt_s / (CREEP_FAST_TAU_S + dt_s)
    slow = state["z_slow"] + (z - state["z_slow"]) * dt_s / (CREEP_SLOW_TAU_S + dt_s)
    return {
        "heard": heard,
        "z": np.where(heard, z, state["z"]),
        "z_ns": np.where(heard, t_ns, state["z_ns"]),
        "z_odd": np.where(aside, z, np.where(heard, np.nan, state["z_odd"])),
        "z_odd_ns": np.where(aside, t_ns, state["z_odd_ns"]),
        "rate": np.where(steady, smooth, np.where(heard, np.nan, last)),
        "rate_now": np.where(steady & ~turned, smooth, np.nan),
        "z_fast": np.where(heard, np.where(np.isnan(state["z_fast"]), z, fast), state["z_fast"]),
        "z_slow": np.where(heard, np.where(np.isnan(state["z_slow"]), z, slow), state["z_slow"]),
    }


def _rest(state: Columns, heard: NDArray[np.bool_], t_ns: I64, v_last: F64, place: Columns) -> dict[str, NDArray[Any]]:
    """Count how long the car has been still. One reading that says otherwise is a doubt, the second ends it."""
    creeps = np.abs(place["z_fast"] - state["z_slow"]) >= CREEP_M
    moves = heard & ((np.abs(v_last) >= STILL_MPS) | creeps)
    rests = heard & ~moves
    was = state["still_ns"] >= 0
    doubt = np.where(heard, moves & was & ~state["doubt"], state["doubt"])
    gone = moves & ~doubt
    dt_ns = t_ns - state["motion_ns"]
    counted = np.where(dt_ns <= int(GAP_S * 1e9), dt_ns, 0)
    still_ns = np.where(rests, np.where(was, state["still_ns"] + counted, 0), np.where(gone, -1, state["still_ns"]))
    way = state["way_m"] + np.where(gone & (counted > 0), v_last * counted / 1e9, 0.0)
    way = np.where(np.isnan(way), state["way_m"], way)
    arrived = (still_ns >= int(STILL_S * 1e9)) & ~state["settled"]
    return {
        "still_ns": still_ns,
        "still_since_ns": np.where(rests & ~was, t_ns, state["still_since_ns"]),
        "motion_ns": np.where(heard & ~doubt, t_ns, state["motion_ns"]),
        "doubt": doubt,
        "settled": (state["settled"] | arrived) & ~gone,
        "way_m": np.where(arrived, 0.0, way),
        "trips": state["trips"] + (arrived & (np.abs(way) > TRIP_MIN_M)),
        "z_fast": np.where(gone & place["heard"], place["z"], place["z_fast"]),
        "z_slow": np.where(gone & place["heard"], place["z"], place["z_slow"]),
    }


def nearest(
    z: F64, lift: NDArray[np.int32], guess: NDArray[np.int32], landings_m: F64
) -> tuple[NDArray[np.int32], F64]:
    """Return for each row the index of the nearest landing (-1 unknown) and z minus its height.

    `guess` is a landing for each lift; the walk from there to the nearest is as long as the way between them, so a
    good guess is quick and a bad one still right.
    """
    halfway = (landings_m[:, 1:] + landings_m[:, :-1]) / 2
    edge = np.full((len(landings_m), 1), np.inf)
    bounds = np.concatenate([-edge, np.where(np.isnan(halfway), np.inf, halfway), edge], axis=1)
    every, floor = np.arange(len(landings_m)), np.minimum(np.maximum(guess, 0), bounds.shape[1] - 2)
    low, high = bounds[every, floor], bounds[every, floor + 1]
    index = floor[lift]
    known = ~(np.isnan(z) | np.isnan(landings_m[:, 0])[lift])
    todo = np.flatnonzero(known & ((z <= low[lift]) | (z > high[lift])))
    while len(todo):
        mine, here = lift[todo], index[todo]
        move = (z[todo] > bounds[mine, here + 1]).astype(np.int32) - (z[todo] <= bounds[mine, here])
        walking = move != 0
        todo = todo[walking]
        index[todo] += move[walking]
    height = landings_m[lift, index]
    return np.where(known, index, np.int32(-1)), np.where(known, z - height, np.nan)
