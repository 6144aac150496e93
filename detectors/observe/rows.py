"""The table of rows: the state of each car at each of its readings, computed once for all rules.

A wild sample is rejected here: a speed or position that could not follow from the last believed one by physics is
believed only when the next one agrees with it (`sensor`). Event states hold until the lift reports otherwise or
messages go missing (`events`). A device that restarted was away for an unknown time: its earlier reports and
measurements are reset. The position of a barometer is shown, but no rule uses it. Silence makes a measured value
unknown and stops the clock of stillness; it never resets it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.observe import ride, sensor
from detectors.observe.acceleration import Accelerations
from detectors.observe.features import FeatureColumns
from detectors.observe.gaps import GAP_MOST_NS, NEVER_NS, age_s, longest_ns
from detectors.observe.landing import nearest
from detectors.observe.reports import events, lone_reports, pauses
from detectors.observe.rest import MOVING, rest, stay
from detectors.observe.row_table import RowColumns, RowTable
from detectors.observe.trips import TRIP
from detectors.observe.vibrations import accelerometer
from registry.facts import FleetFacts
from telemetry.arrays import F64, I64, Bools, Memory
from telemetry.batch import Batch
from telemetry.compiled import columns, compiled, copied, inlined, records

MEASURED = ("v", "v_odd", "z", "z_odd", "rate", "speed")
MEASURED_NS = ("v_ns", "v_odd_ns", "z_ns", "z_odd_ns", "speed_ns")
SMOOTHED = ("z_fast", "z_slow", "z_slower", "z_left", "z_stop")
TRIP_NS = ("motion_ns", "still_since_ns", "trip_ns", "left_ns", "way_ns")
INSTANTS = (*MEASURED_NS, *TRIP_NS, "impact_ns", "t_ns", "read_ns", "broken_ns")

MEMORY = np.dtype(
    [
        *events.FIELDS,
        *lone_reports.FIELDS,
        *pauses.FIELDS,
        *ride.FIELDS,
        *accelerometer.FIELDS,
        *((name, np.float64) for name in (*MEASURED, *SMOOTHED)),
        *((name, np.float64) for name in ("accel", "way_m", "peak_mps", "before_mps", "sure_mps")),
        *((name, np.int64) for name in (*INSTANTS, "interval_ns", "still_ns", "trips")),
        *((name, np.int64) for name in ("landing", "refer_to", "refer_trips")),
        *((name, np.bool_) for name in ("doubt", "settled")),
    ],
    align=True,
)
"""One record for each lift; unknown floats are NaN, unknown instants `NEVER_NS`."""


class _Facts(NamedTuple):
    """The columns of facts that the recurrence reads."""

    rated_mps: F64
    top_m: F64
    landings_m: F64
    door_zone_m: F64
    barometer: Bools


class _Readings(NamedTuple):
    """The columns of a batch that the recurrence reads."""

    lift: NDArray[np.int32]
    t_ns: I64
    v: F64
    z: F64
    door: F64
    presence: F64
    curtain: F64
    mode: F64
    power: F64
    alarm: F64
    reboot: F64
    gap: F64
    unnumbered: F64


class _ReadingOfCar(NamedTuple):
    """One row of `_Readings`. A function that is passed many columns spends its time on counting their references."""

    lift: int
    t_ns: int
    v: float
    z: float
    door: float
    presence: float
    curtain: float
    mode: float
    power: float
    alarm: float
    reboot: float
    gap: float
    unnumbered: float


def start(n: int) -> Memory:
    """Return the records of `n` cars without readings so far."""
    unknown = dict.fromkeys((*MEASURED, *SMOOTHED), np.nan)
    started = events.START | lone_reports.START | pauses.START | ride.START
    return records(n, MEMORY, **started, **unknown, **dict.fromkeys(INSTANTS, NEVER_NS), still_ns=MOVING)


def step(
    memory: Memory, batch: Batch, features: FeatureColumns, accelerations: Accelerations, facts: FleetFacts
) -> tuple[Memory, RowTable, Memory]:
    """Return the records after the batch, the table of rows, and the finished trips.

    A block of vibration is known at the rows of its lift from its first instant on.
    """
    memory, n = copied(memory), len(batch)
    made = columns(
        RowColumns,
        n,
        lift=batch.lift,
        t_ns=batch.t_ns,
        status_after_ns=batch.status_after_ns,
        late_press=batch.late_press,
        stale=batch.stale == 1.0,
        accelerations=accelerations,
    )
    read = _Readings(
        batch.lift, batch.t_ns, batch.v_mps, batch.z_m, batch.door, batch.presence, batch.curtain, batch.mode,
        batch.power, batch.alarm, batch.reboot, batch.gap, batch.unnumbered,
    )  # fmt: skip
    of = _Facts(facts.rated_speed_mps, facts.top_m, facts.landings_m, facts.door_zone_m, facts.barometer)
    trips = np.empty(n, dtype=TRIP)
    count = _run(memory, read, features, of, made, trips)
    return memory, RowTable(*made), trips[:count]


@compiled
def _run(memory: Any, read: Any, features: Any, facts: Any, made: Any, trips: Any) -> int:
    """Advance each lift's car by its rows, and by the features of its vibration in between."""
    block = finished = 0
    for k in range(len(read.lift)):
        lift, t_ns = read.lift[k], read.t_ns[k]
        if block < len(features.lift) and features.lift[block] <= lift:
            block = _take_in_features(memory, features, block, lift, t_ns)
        own = memory[lift]
        _take_in_events(own, _reading(read, k))
        gap_ns = longest_ns(own["interval_ns"])
        v = sensor.possible_speed(read.v[k], facts.rated_mps[lift])
        place = sensor.possible_place(read.z[k], facts.top_m[lift])
        z = np.nan if facts.barometer[lift] else place
        v_read, made.accel[k] = sensor.believe_speed(own, v, t_ns, facts.rated_mps[lift])
        z_read, jumped, rate = sensor.believe_place(own, z, t_ns, facts.rated_mps[lift])
        v_now = v if v_read else (rate if t_ns - own["v_ns"] > gap_ns else np.nan)
        if not np.isnan(v_now):
            own["speed"], own["speed_ns"] = v_now, t_ns
        v_last = own["speed"] if t_ns - own["speed_ns"] <= gap_ns else np.nan
        z_last = own["z"] if t_ns - own["z_ns"] <= gap_ns else np.nan
        distance_m = np.nan
        ride.note(own, t_ns, v, v_read, z if z_read else np.nan)
        if z_read or not np.isnan(v_now):
            distance_m = rest(own, t_ns, gap_ns, v_last, z_last, z_read)
        landing = nearest(place if facts.barometer[lift] else z_last, facts.landings_m[lift], own["landing"])
        offset_m = np.nan
        if landing >= 0:
            own["landing"] = landing
            if not facts.barometer[lift]:
                offset_m = z_last - facts.landings_m[lift, landing]
        if facts.barometer[lift] and not np.isnan(place):
            own["z"] = place  # for the page only: `z_ns` shows that it was not read
        sure_mps, offset_read_m = 0.0 if np.isnan(v_now) else own["sure_mps"], offset_m if z_read else np.nan
        events.rule_out_open_door(own, t_ns, v_now, sure_mps, offset_read_m, facts.door_zone_m[lift])
        if not np.isnan(distance_m) and own["left_ns"] != NEVER_NS:
            _finish(trips[finished], own, lift, t_ns, distance_m, facts.landings_m[lift])
            finished += 1
        if own["settled"] and own["motion_ns"] == t_ns:
            stay(own, t_ns, z_last)
            ride.begin(own, t_ns)
        silent = t_ns - own["motion_ns"] > gap_ns or own["doubt"]
        _measure_interval(own, t_ns, gap_ns, not (np.isnan(v) and np.isnan(z)))
        made.gap_ns[k] = min(gap_ns, t_ns - own["broken_ns"])
        made.dt_s[k] = np.nan if own["t_ns"] == NEVER_NS else age_s(t_ns, own["t_ns"])
        own["t_ns"] = t_ns
        made.v[k], made.z[k] = v_now, z if z_read else np.nan
        made.v_last[k], made.z_last[k] = v_last, z_last
        made.door[k], made.presence[k] = events.door(own), events.presence(own)
        made.unentered[k], made.missing[k] = own["unentered"], own["missed_ns"] == t_ns
        made.set_aside[k] = not (z_read or np.isnan(z))
        made.curtain[k], made.alarm[k] = events.curtain(own), events.alarm(own)
        made.mode[k], made.power[k] = own["mode"], own["power"]
        made.offset_m[k], made.landing[k] = offset_m, landing
        made.still_s[k] = np.nan if silent else max(own["still_ns"], 0) / 1e9
        begins = own["still_ns"] == 0 and own["still_since_ns"] == t_ns
        made.at_rest[k] = not silent and (own["still_ns"] > 0 or begins)
        made.still_since_ns[k], made.trips[k] = own["still_since_ns"], own["trips"]
        made.impact_ns[k] = own["impact_ns"]
        made.accelerometer_doubt[k] = accelerometer.is_doubtful(own)
        made.z_doubt[k] = sensor.is_doubtful(own, jumped, offset_m)
    while block < len(features.lift):
        block = _take_in_features(memory, features, block, features.lift[block], features.t_ns[block])
    return finished


@compiled
def _take_in_features(memory: Any, features: Any, block: int, lift: int, t_ns: int) -> int:
    """Apply the features of the blocks before a row, in the order of lifts and time; return the next block."""
    while block < len(features.lift) and (
        features.lift[block] < lift or (features.lift[block] == lift and features.t_ns[block] <= t_ns)
    ):
        own = memory[features.lift[block]]
        if not np.isnan(features.x_mean[block]):
            means = (features.x_mean[block], features.y_mean[block], features.z_mean[block])
            rms = features.x_rms[block] + features.y_rms[block] + features.z_rms[block]
            accelerometer.take_block(own, means, rms == 0.0)
        own["impact_ns"] = max(own["impact_ns"], features.impact_ns[block])
        features.mode[block], features.shut_in[block] = own["mode"], events.is_shut(own, features.t_ns[block])
        if features.t_ns[block] - own["speed_ns"] <= longest_ns(own["interval_ns"]):
            features.speed_mps[block] = own["speed"]
        block += 1
    return block


@inlined
def _reading(read: Any, k: int) -> _ReadingOfCar:
    return _ReadingOfCar(
        read.lift[k], read.t_ns[k], read.v[k], read.z[k], read.door[k], read.presence[k], read.curtain[k],
        read.mode[k], read.power[k], read.alarm[k], read.reboot[k], read.gap[k], read.unnumbered[k],
    )  # fmt: skip


@compiled
def _take_in_events(own: Any, read: Any) -> None:
    """Apply the states of a row, a restart of the device, and missing messages."""
    if read.reboot == 1.0:
        _forget(own)
    events.take_in(own, read)
    if own["missed_ns"] == read.t_ns:
        own["broken_ns"] = read.t_ns


@compiled
def _forget(own: Any) -> None:
    """Reset the measurements from before a device was away."""
    own["v"] = own["v_odd"] = own["z"] = own["z_odd"] = own["rate"] = own["speed"] = own["z_left"] = np.nan
    own["v_ns"] = own["v_odd_ns"] = own["z_ns"] = own["z_odd_ns"] = own["speed_ns"] = NEVER_NS
    ride.forget(own)


@compiled
def _measure_interval(own: Any, t_ns: int, gap_ns: int, reads: bool) -> None:
    """Measure the interval between two readings; of a lift that reads nothing, between any two messages.

    Across messages that went missing none is measured. No clock counts across a longer interval than `gap_ns`.
    """
    then_ns = own["t_ns"]
    if reads and own["read_ns"] != NEVER_NS:
        then_ns = own["read_ns"]
    if (reads or t_ns - own["read_ns"] > GAP_MOST_NS) and then_ns > own["missed_ns"]:
        own["interval_ns"] = t_ns - then_ns
        if own["interval_ns"] > gap_ns:
            own["broken_ns"] = t_ns
    if reads:
        own["read_ns"] = t_ns


@compiled
def _finish(trip: Any, own: Any, lift: int, t_ns: int, distance_m: float, landings_m: Any) -> None:
    """Write the row of a trip that is finished at `t_ns`."""
    trip["lift"], trip["t_ns"] = lift, t_ns
    trip["start_ns"], trip["stop_ns"] = own["left_ns"], own["still_since_ns"]
    trip["from_m"], trip["to_m"] = own["z_left"], own["z_stop"]
    trip["from_landing"] = nearest(own["z_left"], landings_m, own["landing"])
    trip["to_landing"] = nearest(own["z_stop"], landings_m, own["landing"])
    trip["distance_m"], trip["way_m"], trip["back_m"] = distance_m, ride.way_m(own), ride.back_m(own, distance_m)
    trip["peak_mps"], trip["steady_mps"] = own["peak_mps"], ride.steady_mps(own)
    trip["mode"], trip["power"] = own["mode"], own["power"]
