"""The past of a fleet: readings of whole days, drawn as trips of constant acceleration instead of being simulated.

A demonstration shows weeks that nobody waited for. A day of fifty lifts costs some milliseconds here, and hours as a
simulated world. Trips come by the daily traffic of their building, begin where the one before ended, and are sampled
once a second; a lift at rest reports once a minute. A trouble changes the readings of its lift for its time:

    stall     the trip under way ends between two floors; the door stays closed until the trouble is over
    door      the door closes and reverses, again and again
    silence   the lift sends nothing
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from registry.facts import LiftFacts
from simulator.buildings.traffic import DAILY_TRAFFIC, KINDS
from simulator.scenarios.past_rides import PastTrips, Wear, rides_of
from telemetry.arrays import F64, I64, Bools, Index
from telemetry.streams import CLOSED, CLOSING, OPEN, OPENING

S_NS = 1_000_000_000
DAY_S = 86_400
TRIPS_AT_PEAK = 30.0
"""In the busiest hour of a building."""
ACCELERATION_MPS2 = 0.8
DWELL_S = 10.0
REST_REPORT_S = 60
DOOR_S = ((1.0, OPENING), (3.0, OPEN), (7.0, CLOSING), (9.0, CLOSED))
"""The reports of the door after a trip."""
PEOPLE_SHARE = 0.7
REVERSAL_S = 8.0
RMS_MPS2 = (0.02, 0.05)
STALL, DOOR, SILENCE = "stall", "door", "silence"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A trouble of a lift, by its number in the fleet: its form, its start and its duration."""

    lift: int
    form: str
    start_ns: int
    seconds: float

    @property
    def end_ns(self) -> int:
        """When it is over."""
        return self.start_ns + int(self.seconds * S_NS)


class PastRows(NamedTuple):
    """Rows of one stream as columns: the lift by its number, its time, and the channels as they are stored."""

    stream: str
    lift: Index
    t_ns: I64
    channels: dict[str, F64]


class _Trips(NamedTuple):
    """Trips in the order of lift and time. Times are seconds of the day, heights metres above the lowest landing."""

    lift: Index
    start_s: F64
    lasts_s: F64
    origin_m: F64
    target_m: F64
    top_mps: F64


def past_day(
    lifts: Sequence[LiftFacts], day_ns: int, troubles: Sequence[Trouble], seed: int, wears: Sequence[Wear] = ()
) -> Iterator[PastRows]:
    """Yield the rows of the day that begins at `day_ns`, the local midnight of the lifts."""
    rng = np.random.default_rng((seed, day_ns))
    trips = _trips(lifts, day_ns, rng)
    own = [trouble for trouble in troubles if day_ns <= trouble.start_ns and trouble.end_ns < day_ns + DAY_S * S_NS]
    stalls = [trouble for trouble in own if trouble.form == STALL]
    trips, stalled = _stalled(_without(trips, own, day_ns), lifts, stalls, day_ns)
    rows = [*_motion(trips, lifts), _doors(trips, own, stalled, day_ns), _people(trips, stalled, rng)]
    rows.append(_vibration(trips, rng))
    origin, target = (_landing(lifts, trips.lift, height_m) for height_m in (trips.origin_m, trips.target_m))
    begun = PastTrips(
        trips.lift, trips.start_s, trips.lasts_s, trips.origin_m, trips.target_m, origin, target, trips.top_mps
    )
    for stream, channels in zip(("trip", "feature"), rides_of(begun, len(lifts), wears, day_ns, seed), strict=True):
        rows.append((stream, trips.lift, trips.start_s, channels))
    for stream, lift, t_s, channels in rows:
        t_ns = day_ns + (t_s * S_NS).astype(np.int64)
        kept = ~_is_silent(lift, t_ns, own)
        order = np.lexsort((t_ns[kept], lift[kept]))
        yield PastRows(stream, lift[kept][order], t_ns[kept][order], {k: v[kept][order] for k, v in channels.items()})


def _landing(lifts: Sequence[LiftFacts], lift: Index, height_m: F64) -> Index:
    """Return the nearest landing of each height."""
    heights = np.full((len(lifts), max(len(each.floors) for each in lifts)), np.inf)
    for k, each in enumerate(lifts):
        heights[k, : len(each.floors)] = [floor.height_m for floor in each.floors]
    return np.abs(heights[lift] - height_m[:, None]).argmin(axis=1)


Rows = tuple[str, Index, F64, dict[str, F64]]
"""A stream, the lift and the second of the day of each row, and its channels."""


def _trips(lifts: Sequence[LiftFacts], day_ns: int, rng: np.random.Generator) -> _Trips:
    """Draw the trips of a day: as many an hour as the traffic asks for, one after the other."""
    kinds = np.array([KINDS.index(lift.building_type) for lift in lifts])
    hours = np.arange(24)
    busy = DAILY_TRAFFIC.busy(kinds[:, None], np.broadcast_to(hours, (len(lifts), 24)).astype(float))
    counts = rng.poisson(TRIPS_AT_PEAK * busy)
    lift = np.repeat(np.arange(len(lifts)), counts.sum(axis=1))
    hour = np.concatenate([np.repeat(hours, row) for row in counts])
    wanted_s = (hour + rng.random(len(hour))) * 3600
    order = np.lexsort((wanted_s, lift))
    lift, wanted_s = lift[order], wanted_s[order]

    floors = np.array([len(each.floors) for each in lifts])
    heights = np.full((len(lifts), floors.max()), np.nan)
    for k, each in enumerate(lifts):
        heights[k, : floors[k]] = [floor.height_m for floor in each.floors]
    floor = _within(lift, 1 + (rng.random(len(lift)) * (floors[lift] - 1)).astype(np.intp)) % floors[lift]
    is_first = np.diff(lift, prepend=-1) > 0
    before = np.where(is_first, 0, np.roll(floor, 1))
    origin_m, target_m = heights[lift, before], heights[lift, floor]

    rated_mps = np.array([each.rated_speed_mps for each in lifts])[lift]
    way_m = np.abs(target_m - origin_m)
    top_mps = np.minimum(rated_mps, np.sqrt(way_m * ACCELERATION_MPS2))
    lasts_s = top_mps / ACCELERATION_MPS2 + way_m / top_mps
    busy_s = lasts_s + DWELL_S
    ahead_s = np.cumsum(busy_s) - busy_s
    start_s = _latest(lift, wanted_s - ahead_s) + ahead_s
    kept = start_s + busy_s < DAY_S
    return _chosen(_Trips(lift, start_s, lasts_s, origin_m, target_m, top_mps), kept)


def _within(lift: Index, steps: Index) -> Index:
    """Return the sum of the steps of each lift so far."""
    total = np.cumsum(steps)
    first = np.flatnonzero(np.diff(lift, prepend=-1) > 0)
    return total - np.repeat(total[first] - steps[first], np.diff(first, append=len(lift)))


def _latest(lift: Index, t_s: F64) -> F64:
    """Return the greatest value of each lift so far."""
    apart_s = lift * 1e7
    return np.maximum.accumulate(t_s + apart_s) - apart_s


def _without(trips: _Trips, troubles: Sequence[Trouble], day_ns: int) -> _Trips:
    """Return the trips but those that a trouble leaves no time for."""
    kept = np.ones(len(trips.lift), dtype=bool)
    for trouble in troubles:
        start_s, end_s = (trouble.start_ns - day_ns) / S_NS, (trouble.end_ns - day_ns) / S_NS
        meets = (trips.start_s < end_s + DWELL_S) & (trips.start_s + trips.lasts_s + DWELL_S > start_s - DWELL_S)
        kept &= ~(meets & (trips.lift == trouble.lift))
    return _chosen(trips, kept)


def _chosen(trips: _Trips, which: Any) -> _Trips:
    """Return the chosen trips, by a mask or by their places in a new order."""
    columns: list[Any] = [column[which] for column in trips]
    return _Trips(*columns)


class _Stalls(NamedTuple):
    """How long cars stand between two floors, in seconds of the day."""

    lift: Index
    from_s: F64
    to_s: F64


def _stalled(
    trips: _Trips, lifts: Sequence[LiftFacts], stalls: Sequence[Trouble], day_ns: int
) -> tuple[_Trips, _Stalls]:
    """Return the trips with one more for each stall, which ends between two floors as the stall begins."""
    added = []
    for stall in stalls:
        start_s = (stall.start_ns - day_ns) / S_NS
        low, high = lifts[stall.lift].floors[1].height_m, lifts[stall.lift].floors[2].height_m
        way_m = (low + high) / 2
        top_mps = min(lifts[stall.lift].rated_speed_mps or 1.0, float(np.sqrt(way_m * ACCELERATION_MPS2)))
        lasts_s = top_mps / ACCELERATION_MPS2 + way_m / top_mps
        added.append((stall.lift, start_s - lasts_s, lasts_s, 0.0, way_m, top_mps))
    more = np.array(added).reshape(-1, 6)
    ends_s = np.array([(stall.end_ns - day_ns) / S_NS for stall in stalls])
    stood = _Stalls(more[:, 0].astype(np.intp), more[:, 1] + more[:, 2], ends_s)
    columns: list[Any] = [np.concatenate([column, more[:, k].astype(column.dtype)]) for k, column in enumerate(trips)]
    joined = _Trips(*columns)
    return _chosen(joined, np.lexsort((joined.start_s, joined.lift))), stood


def _motion(trips: _Trips, lifts: Sequence[LiftFacts]) -> Iterator[Rows]:
    """Yield speed and position, once a second in a trip and once a minute at rest."""
    samples = np.ceil(trips.lasts_s).astype(np.intp) + 1
    trip = np.repeat(np.arange(len(samples)), samples)
    begins = np.cumsum(samples) - samples
    lasts_s = trips.lasts_s[trip]
    gone_s = np.minimum(np.arange(len(trip)) - begins[trip], lasts_s)
    left_s = lasts_s - gone_s
    top_mps = trips.top_mps[trip]
    speed_mps = np.minimum(top_mps, ACCELERATION_MPS2 * np.minimum(gone_s, left_s))
    ramp_s = top_mps / ACCELERATION_MPS2
    way_m = np.abs(trips.target_m - trips.origin_m)[trip]
    rising_m, falling_m = ACCELERATION_MPS2 * gone_s**2 / 2, way_m - ACCELERATION_MPS2 * left_s**2 / 2
    cruising_m = top_mps * (gone_s - ramp_s / 2)
    done_m = np.where(gone_s <= ramp_s, rising_m, np.where(left_s <= ramp_s, falling_m, cruising_m))
    direction = np.sign(trips.target_m - trips.origin_m)[trip]

    lift, t_s = (each.ravel() for each in np.meshgrid(np.arange(len(lifts)), np.arange(0, DAY_S, REST_REPORT_S)))
    last = np.searchsorted(trips.lift * 1e7 + trips.start_s, lift * 1e7 + t_s, "right") - 1
    has_one = (last >= 0) & (trips.lift[last] == lift)
    rests = ~has_one | (t_s > trips.start_s[last] + trips.lasts_s[last])
    lift, t_s, at_m = lift[rests], t_s[rests].astype(float), np.where(has_one, trips.target_m[last], 0.0)[rests]

    both = np.concatenate([trips.lift[trip], lift]), np.concatenate([trips.start_s[trip] + gone_s, t_s])
    yield "speed", *both, {"v": np.concatenate([direction * speed_mps, np.zeros(len(lift))])}
    moved_m = np.concatenate([trips.origin_m[trip] + direction * done_m, at_m])
    yield "displacement", *both, {"z": moved_m}


def _doors(trips: _Trips, troubles: Sequence[Trouble], stalled: _Stalls, day_ns: int) -> Rows:
    """Return the reports of the doors: after a trip, not in a stall but after it, and again and again in a trouble."""
    end_s = trips.start_s + trips.lasts_s
    opens_s = end_s.copy()
    for own, to_s in _ends_of_stalls(trips, stalled):
        opens_s[own] = to_s
    lift = [trips.lift for _ in DOOR_S]
    t_s = [opens_s + after_s for after_s, _ in DOOR_S]
    state = [np.full(len(opens_s), float(state)) for _, state in DOOR_S]
    for trouble in troubles:
        if trouble.form != DOOR:
            continue
        first_s = (trouble.start_ns - day_ns) / S_NS
        starts = first_s + np.arange(0.0, trouble.seconds - REVERSAL_S, REVERSAL_S)
        for after_s, value in ((0.0, CLOSING), (3.0, OPENING), (5.0, OPEN)):
            lift.append(np.full(len(starts), trouble.lift))
            t_s.append(starts + after_s)
            state.append(np.full(len(starts), float(value)))
        lift.append(np.full(2, trouble.lift))
        t_s.append(first_s + trouble.seconds + np.array([0.0, 3.0]))
        state.append(np.array([float(CLOSING), float(CLOSED)]))
    return "door", np.concatenate(lift), np.concatenate(t_s), {"state": np.concatenate(state)}


def _people(trips: _Trips, stalled: _Stalls, rng: np.random.Generator) -> Rows:
    """Return presence and light curtain: people enter before a trip and leave after it, or after the stall."""
    manned = rng.random(len(trips.lift)) < PEOPLE_SHARE
    leaves_s = trips.start_s + trips.lasts_s + 4.0
    for own, to_s in _ends_of_stalls(trips, stalled):
        manned |= own
        leaves_s[own] = to_s + 4.0
    lift = trips.lift[manned]
    enters_s, leaves_s = trips.start_s[manned] - 3.0, leaves_s[manned]
    t_s = np.concatenate([enters_s, enters_s + 1.0, leaves_s - 1.0, leaves_s])
    presence = np.repeat([np.nan, 1.0, np.nan, 0.0], len(lift))
    curtain = np.repeat([1.0, 0.0, 1.0, 0.0], len(lift))
    return "infrared", np.tile(lift, 4), t_s, {"presence": presence, "curtain": curtain}


def _ends_of_stalls(trips: _Trips, stalled: _Stalls) -> Iterator[tuple[Bools, float]]:
    """Yield for each stall which trip ends in it, and when it is over."""
    for lift, from_s, to_s in zip(stalled.lift, stalled.from_s, stalled.to_s, strict=True):
        yield (trips.lift == lift) & (np.abs(trips.start_s + trips.lasts_s - from_s) < 1e-3), float(to_s)


def _vibration(trips: _Trips, rng: np.random.Generator) -> Rows:
    """Return the features of the vibration in the middle of each trip, in m/s²."""
    channels: dict[str, F64] = {}
    for axis in "xyz":
        rms = rng.uniform(*RMS_MPS2, len(trips.lift)) * (1.0 if axis == "z" else 0.6)
        channels |= {f"rms_{axis}": rms, f"min_{axis}": -3 * rms, f"max_{axis}": 3 * rms, f"mean_{axis}": 0 * rms}
    return "vibration", trips.lift, trips.start_s + trips.lasts_s / 2, channels


def _is_silent(lift: Index, t_ns: I64, troubles: Sequence[Trouble]) -> Bools:
    """Return whether each row falls into a silence of its lift."""
    silent = np.zeros(len(lift), dtype=bool)
    for trouble in troubles:
        if trouble.form == SILENCE:
            silent |= (lift == trouble.lift) & (t_ns >= trouble.start_ns) & (t_ns < trouble.end_ns)
    return silent
