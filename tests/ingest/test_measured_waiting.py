"""Rides on their way to the time series: none is lost by a restart or an outage, and their number is bounded."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectors.behaviour.observation import OBSERVATION
from detectors.observe.rides.table import RideTable
from ingest.state import State
from ingest.waiting import measured
from ingest.waiting.measured import MeasuredWaiting, behaviour_values
from store.series.files import FileSeries
from store.series.line_protocol import encode
from store.series.timeseries import Points
from telemetry.behaviour_fields import FIELDS_OF, KINDS
from telemetry.instant import DAY_NS
from telemetry.ride_fields import FEATURES, FIELDS, MOTION

T0_NS = 978_307_200_000_000_000


def rides(*lifts: int, with_vibration: bool = True, **values: float) -> RideTable:
    """Return rides of these lifts, a minute apart."""
    n = len(lifts)
    table = np.full((n, len(FIELDS)), np.nan)
    for name, value in (
        {"distance_m": 6.0, "mode": 0.0} | ({"pp_x_mps2": 0.1} if with_vibration else {}) | values
    ).items():
        table[:, FIELDS.index(name)] = value
    t_ns = T0_NS + 60_000_000_000 * np.arange(n)
    no: Any = np.zeros(n, dtype=np.bool_)
    return RideTable(np.array(lifts, np.int32), t_ns, t_ns, t_ns, t_ns, np.zeros(n), no, table)


def waiting(found: RideTable) -> MeasuredWaiting:
    queue = MeasuredWaiting("trip", "feature")
    add(queue, found)
    return queue


def add(queue: MeasuredWaiting, found: RideTable) -> None:
    queue.add(found.lift, found.start_ns, found.values, ["L1", "L2"], ["north", "south"])


def points_of(some: Any, oldest_ns: int) -> list[Points]:
    return MeasuredWaiting("trip", "feature").points(some, oldest_ns)


def test_rides_are_rows_of_trip_and_feature(tmp_path: Path) -> None:
    _, some = waiting(rides(0, 1, 0)).first(10)
    with closing(FileSeries.open(tmp_path, raw_days=100_000)) as series:
        series.write(points_of(some, 0))
        series.write(points_of(some, 0))
        trips = series.readings("L1", "trip", T0_NS, T0_NS + DAY_NS)
        features = series.readings("L2", "feature", T0_NS, T0_NS + DAY_NS)
    assert trips.t_ns.tolist() == [T0_NS, T0_NS + 120_000_000_000]
    assert trips.channels["distance_m"].tolist() == [6.0, 6.0]
    assert np.isnan(trips.channels["stop_error_m"]).all()
    assert features.channels["pp_x_mps2"].tolist() == [pytest.approx(0.1)]
    assert set(features.channels) == {*MOTION, *FEATURES}


def test_a_ride_without_vibration_has_no_row_of_features() -> None:
    _, some = waiting(rides(0, with_vibration=False)).first(10)
    assert [rows.measurement for rows in points_of(some, 0)] == ["trip"]
    assert points_of(some, T0_NS + 1) == []


def test_a_ride_is_a_line_of_the_contract() -> None:
    _, some = waiting(rides(1)).first(10)
    assert [encode(rows) for rows in points_of(some, 0)] == [
        b'trip,district=south,lift=L2 distance_m=6.0,mode="normal" 978307200000000000',
        b"feature,district=south,lift=L2 pp_x_mps2=0.1 978307200000000000",
    ]


def test_a_ride_that_is_not_stored_is_in_the_snapshot() -> None:
    state = State([])
    add(state.rides, rides(0, 1))
    again = State.unpacked([], state.pack())
    assert [ride[:3] for ride in again.rides.first(10)[1]] == [ride[:3] for ride in state.rides.first(10)[1]]
    assert again.rides.first(10)[1][0][3].tobytes() == state.rides.first(10)[1][0][3].tobytes()


def test_rides_that_wait_are_bounded_and_the_oldest_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "WAITING_MOST", 2)
    queue = waiting(rides(0, 1, 0))
    assert (queue.dropped, [ride[0] for ride in queue.first(10)[1]]) == (1, ["L2", "L1"])


def test_rides_that_came_meanwhile_stay() -> None:
    queue = waiting(rides(0, 1))
    number, _ = queue.first(10)
    add(queue, rides(1))
    queue.done(number)
    assert [ride[0] for ride in queue.first(10)[1]] == ["L2"]


def observed(*kinds: str) -> np.ndarray:
    """Return an observation of each kind, all of lift L2 and from the same instant."""
    made = np.zeros(len(kinds), OBSERVATION)
    made["kind"], made["lift"], made["start_ns"] = [KINDS.index(kind) for kind in kinds], 1, T0_NS
    made["values"] = np.arange(made["values"].shape[1])
    return made


def test_two_behaviours_that_begin_together_are_both_stored(tmp_path: Path) -> None:
    state = State([])
    for kind in ("overload", "door-blocking"):
        one = observed(kind)
        state.behaviour.add(one["lift"], one["start_ns"], behaviour_values(one), ["L1", "L2"], ["north", "south"])
    again = State.unpacked([], state.pack()).behaviour
    with closing(FileSeries.open(tmp_path, raw_days=100_000)) as series:
        for row in again.first(10)[1]:
            series.write(again.points([row], 0))
        read = series.readings("L2", "behaviour", T0_NS, T0_NS + 1)
    known = {name: column.tolist() for name, column in read.channels.items() if not np.isnan(column).all()}
    assert known == {
        name: [float(k)] for kind in ("door-blocking", "overload") for k, name in enumerate(FIELDS_OF[kind])
    }
