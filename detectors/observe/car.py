"""What is known of each car at each row: the state that all rules share, worked out once.

A wild sample is set aside here: a speed or position that could not follow from the last believed one by physics is
believed only when the next one agrees with it. Event states hold until they say otherwise. A device that restarted, or
set its clock back, was away for nobody knows how long: what it said and measured before is forgotten.
What a barometer tells is shown, and judged by no rule.
Silence makes a measured value unknown and stops the clock of stillness; it never resets it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.observe import felt
from detectors.observe.felt import Felt
from detectors.observe.landing import nearest
from detectors.observe.scan import GAP_MOST_S, NEVER_NS, Columns, Rounds, age_s, gap_ns, lay, only, scan
from detectors.observe.sensor import hear_place, hear_speed, limits, possible_place, possible_speed, refer
from detectors.observe.trips import STILL_MPS, STILL_S, TRIP_MIN_M
from registry.facts import FleetFacts
from telemetry.batch import Batch, Waveforms
from telemetry.streams import CLOSED, CLOSING

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

CREEP_M = 0.005
"""How far apart the two smoothed positions of a still car may be (`sensor`)."""

DOOR_CLOSES_S = 2.0
"""No door closes faster: less than this that went missing holds one word of the door at most."""

IMPACT_MPS2 = 0.5 * 9.81
"""Running onto a buffer shakes the car floor by more than half of gravity; a ride does not."""

FEELS = tuple(felt.start(0))
REFERRED = ("refer_to", "refer_trips")
EVENTS = ("door", "presence", "curtain", "mode", "power", "alarm")
MEASURED = ("v", "v_odd", "z", "z_odd", "rate", "speed")
MEASURED_NS = ("v_ns", "v_odd_ns", "z_ns", "z_odd_ns", "speed_ns")


@dataclass(frozen=True, slots=True)
class Car:
    """Columns as long as the batch, in its order. NaN is unknown.

    `rounds`             the rows laid round by round (`scan`)
    `dt_s`               seconds since this lift's previous row (NaN at its first); a gap is kept as it is
    `v`, `z`             the believed speed (m/s) and position (m) read at this very row; where no speed is sent, `v` is
                         worked out from the position
    `accel`              smoothed change of the speed that was read (m/s²), NaN where none was or after a jump
    `gap_ns`             how long ago the last reading may be; what is older is unknown (`scan.gap_ns`)
    `v_last`, `z_last`   the latest believed ones, NaN once older than that
    `door`, `presence`, `curtain`, `mode`, `power`, `alarm`   as last said
    `door_doubt`         True where so much went missing since that the door may be closed by now (from open: two words)
    `presence_doubt`     True where something went missing since while the door was not closed: people may have left
    `offset_m`           z_last minus the nearest landing (NaN without floors); `landing` its index, -1 unknown
    `z_doubt`            True where the position jumped, and has not been found at landings since (`sensor`)
    `still_s`            for how long the car has been still (|v| < 0.05 m/s, no creep of 5 mm in 2 s) since it came to
                         rest; 0 while it moves, NaN in a gap and at a single odd reading
    `still_since_ns`     when it came to rest (the last time it did, while it moves)
    `trips`              completed trips so far
    `impact_ns`          when the vibration last showed an impact, as far as it is known with this batch
    `felt`               the car's own acceleration as its vibration tells it (`felt`), as far as it is known
    `stale`              True where the row sets state and must raise nothing
    """

    rounds: Rounds
    lift: NDArray[np.int32]
    t_ns: I64
    dt_s: F64
    gap_ns: I64
    v: F64
    z: F64
    accel: F64
    v_last: F64
    z_last: F64
    door: F64
    door_doubt: NDArray[np.bool_]
    presence: F64
    presence_doubt: NDArray[np.bool_]
    curtain: F64
    mode: F64
    power: F64
    alarm: F64
    impact_ns: I64
    stale: NDArray[np.bool_]
    offset_m: F64
    z_doubt: NDArray[np.bool_]
    landing: NDArray[np.int32]
    still_s: F64
    still_since_ns: I64
    trips: I64
    felt: Felt

    def __len__(self) -> int:
        return len(self.lift)

    def at_rest(self) -> NDArray[np.bool_]:
        """Return where the car is known to stand still, be it for a moment."""
        resting: NDArray[np.bool_] = (self.still_s > 0.0) | ((self.still_since_ns == self.t_ns) & (self.still_s == 0.0))
        return resting


def start(n: int) -> Columns:
    """Return the state of `n` cars of which nothing is known."""
    instants = (*MEASURED_NS, "motion_ns", "still_since_ns", "impact_ns", "trip_ns", "t_ns", "read_ns")
    return {
        **{name: np.full(n, np.nan) for name in (*EVENTS, *MEASURED, "z_fast", "z_slow")},
        **{name: np.full(n, NEVER_NS) for name in instants},
        "interval_ns": np.zeros(n, dtype=np.int64),
        "accel": np.zeros(n),
        "way_m": np.zeros(n),
        "still_ns": np.full(n, -1),
        "doubt": np.zeros(n, dtype=np.bool_),
        "presence_doubt": np.zeros(n, dtype=np.bool_),
        "door_missed": np.zeros(n, dtype=np.int64),
        "settled": np.zeros(n, dtype=np.bool_),
        "trips": np.zeros(n, dtype=np.int64),
        "landing": np.zeros(n, dtype=np.int32),
        **{name: np.zeros(n, dtype=np.int64) for name in REFERRED},
        **felt.start(n),
    }


def step(state: Columns, batch: Batch, facts: FleetFacts) -> tuple[Columns, Car]:
    """Return the state after the batch, and what was known of each car at each of its rows."""
    laid, lift = lay(batch.lift), batch.lift
    by_air, place = facts.barometer[lift], possible_place(batch.z_m, facts.top_m[lift])
    rows = {name: getattr(batch, name) for name in EVENTS}
    rows |= {
        "t_ns": batch.t_ns,
        "v": possible_speed(batch.v_mps, facts.rated_speed_mps[lift]),
        "z": np.where(by_air, np.nan, place),
        "reboot": batch.reboot == 1.0,
        "gap": batch.gap == 1.0,
    }
    landing, impact_ns = state["landing"].copy(), _feel(state["impact_ns"], batch.waveforms)
    feels, known = felt.step({name: state[name] for name in FEELS}, batch.waveforms)
    moves: Columns = {name: column for name, column in state.items() if name not in (*FEELS, *REFERRED)}
    refers: Columns = {name: state[name] for name in REFERRED}
    state, made = scan(laid, moves, advance, rows, limits(facts.rated_speed_mps))
    index, offset = nearest(np.where(by_air, place, made["z_last"]), lift, landing, facts.landings_m)
    landing[lift[index >= 0]] = index[index >= 0]  # of a lift's rows the last one stays
    if by_air.any():
        told, shown = by_air & ~np.isnan(place), state["z"].copy()
        shown[lift[told]] = place[told]
        state, offset = {**state, "z": shown}, np.where(by_air, np.nan, offset)
    refers, z_doubt = _refer(refers, laid, lift, {**made, "offset_m": offset})
    state = {**state, **feels, **refers, "landing": landing, "impact_ns": impact_ns}
    return state, Car(
        rounds=laid,
        lift=lift,
        t_ns=rows["t_ns"],
        impact_ns=impact_ns[lift],
        stale=batch.stale == 1.0,
        landing=index,
        offset_m=offset,
        felt=known,
        **{**made, "z_doubt": z_doubt},
    )


def advance(state: Columns, row: Columns, lift: Columns) -> tuple[Columns, Columns]:
    """Carry each car over one row (elementwise)."""
    t_ns = row["t_ns"]
    if row["reboot"].any():
        state = _forget(state, row["reboot"])
    said = {name: np.where(np.isnan(row[name]), state[name], row[name]) for name in EVENTS}
    dt_s = np.where(state["t_ns"] == NEVER_NS, np.nan, age_s(t_ns, state["t_ns"]))
    missed = state["door_missed"] + row["gap"] * np.where(dt_s >= DOOR_CLOSES_S, 2, 1)
    missed = np.where(np.isnan(row["door"]) & ~row["reboot"], missed, 0)
    ajar = (state["door"] != CLOSED) | (said["door"] != CLOSED)
    presence_doubt = (state["presence_doubt"] | (row["gap"] & ajar)) & np.isnan(row["presence"]) & ~row["reboot"]
    gap = gap_ns(state["interval_ns"])
    speed = hear_speed(state, row["v"], t_ns, lift["speed_step"])
    place = hear_place(state, row["z"], t_ns, lift["place_speed"])
    v_now = np.where(speed["heard"], row["v"], np.where(t_ns - speed["v_ns"] > gap, place["rate_now"], np.nan))
    spoke = ~np.isnan(v_now)
    speed_last = np.where(spoke, v_now, state["speed"])
    speed_ns = np.where(spoke, t_ns, state["speed_ns"])
    v_last = np.where(t_ns - speed_ns > gap, np.nan, speed_last)
    rest = _rest(state, spoke | place["heard"], t_ns, gap, v_last, place)
    after = {
        **said,
        **{name: speed[name] for name in ("v", "v_ns", "v_odd", "v_odd_ns", "accel")},
        **{name: place[name] for name in ("z", "z_ns", "z_odd", "z_odd_ns", "rate")},
        **rest,
        **_interval(state, row),
        "door_missed": missed,
        "presence_doubt": presence_doubt,
        "t_ns": t_ns,
        "speed": speed_last,
        "speed_ns": speed_ns,
        **{name: state[name] for name in ("landing", "impact_ns")},
    }
    silent = (t_ns - rest["motion_ns"] > gap) | rest["doubt"]
    return after, {
        **said,
        "door_doubt": missed >= np.where(said["door"] == CLOSING, 1, 2),
        "presence_doubt": presence_doubt,
        "dt_s": dt_s,
        "gap_ns": gap,
        "v": v_now,
        "z": np.where(place["heard"], row["z"], np.nan),
        "accel": speed["accel_now"],
        "v_last": v_last,
        "z_last": np.where(t_ns - place["z_ns"] > gap, np.nan, place["z"]),
        "still_s": np.where(silent, np.nan, np.maximum(rest["still_ns"], 0) / 1e9),
        "still_since_ns": rest["still_since_ns"],
        "trips": rest["trips"],
        "z_doubt": place["jumped"],
    }


def _refer(state: Columns, laid: Rounds, lift: NDArray[np.int32], made: Columns) -> tuple[Columns, NDArray[np.bool_]]:
    """Return where the position is in doubt: from a jump on, until it was found at landings again."""
    jumped, chosen = made["z_doubt"], state["refer_to"] > 0
    doubt = np.zeros(len(lift), dtype=np.bool_)
    chosen[lift[jumped]] = True
    cut = only(laid, chosen)
    if cut.sizes:
        rows = {"jumped": jumped, "place": np.arange(len(lift)), **{name: made[name] for name in ("trips", "offset_m")}}
        state, said = scan(cut, state, refer, rows)
        doubt[said["place"]] = said["refer_to"] > 0
    return state, doubt


def _feel(impact_ns: I64, waveforms: Waveforms | None) -> I64:
    """Return when each lift last felt an impact: two samples of the vertical vibration in a row."""
    if waveforms is None:
        return impact_ns
    strong = np.abs(waveforms.xyz[2]) > IMPACT_MPS2
    place = np.flatnonzero(strong[1:] & strong[:-1]) + 1
    if not len(place):
        return impact_ns
    block = np.searchsorted(waveforms.first, place, side="right") - 1
    t_ns = waveforms.t_ns[block] + ((place - waveforms.first[block]) * waveforms.dt_ns[block]).astype(np.int64)
    latest = impact_ns.copy()
    np.maximum.at(latest, waveforms.message[block], t_ns)
    return latest


def _forget(state: Columns, reboot: NDArray[np.bool_]) -> Columns:
    """Return the state without what a device said and measured before it was away."""
    unknown = {name: np.where(reboot, np.nan, state[name]) for name in (*EVENTS, *MEASURED)}
    return {**state, **unknown, **{name: np.where(reboot, NEVER_NS, state[name]) for name in MEASURED_NS}}


def _interval(state: Columns, row: Columns) -> Columns:
    """Measure the interval between two readings; of a lift that reads nothing, between whatever it says."""
    t_ns, read = row["t_ns"], ~(np.isnan(row["v"]) & np.isnan(row["z"]))
    reads_nothing = t_ns - state["read_ns"] > int(GAP_MOST_S * 1e9)
    then_ns = np.where(read & (state["read_ns"] != NEVER_NS), state["read_ns"], state["t_ns"])
    measured = (read | reads_nothing) & (then_ns != NEVER_NS)
    return {
        "interval_ns": np.where(measured, t_ns - then_ns, state["interval_ns"]),
        "read_ns": np.where(read, t_ns, state["read_ns"]),
    }


def _rest(
    state: Columns, heard: NDArray[np.bool_], t_ns: I64, gap: I64, v_last: F64, place: Columns
) -> dict[str, NDArray[Any]]:
    """Count how long the car has been still. One reading that says otherwise is a doubt, the second ends it."""
    creeps = np.abs(place["z_fast"] - state["z_slow"]) >= CREEP_M
    moves = heard & ((np.abs(v_last) >= STILL_MPS) | creeps)
    rests = heard & ~moves
    was = state["still_ns"] >= 0
    doubt = np.where(heard, moves & was & ~state["doubt"], state["doubt"])
    gone = moves & ~doubt
    dt_ns = t_ns - state["motion_ns"]
    counted = np.where(dt_ns <= gap, dt_ns, 0)
    still_ns = np.where(rests, np.where(was, state["still_ns"] + counted, 0), np.where(gone, -1, state["still_ns"]))
    way = state["way_m"] + np.where(gone & (counted > 0), v_last * counted / 1e9, 0.0)
    way = np.where(np.isnan(way), state["way_m"], way)
    arrived = (still_ns >= int(STILL_S * 1e9)) & ~state["settled"]
    trip = arrived & (np.abs(way) > TRIP_MIN_M)
    return {
        "still_ns": still_ns,
        "still_since_ns": np.where(rests & ~was, t_ns, state["still_since_ns"]),
        "motion_ns": np.where(heard & ~doubt, t_ns, state["motion_ns"]),
        "doubt": doubt,
        "settled": (state["settled"] | arrived) & ~gone,
        "way_m": np.where(arrived, 0.0, way),
        "trips": state["trips"] + trip,
        "trip_ns": np.where(trip, state["still_since_ns"], state["trip_ns"]),
        "z_fast": np.where(gone & place["heard"], place["z"], place["z_fast"]),
        "z_slow": np.where(gone & place["heard"], place["z"], place["z_slow"]),
    }
