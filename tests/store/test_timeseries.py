"""One suite over every store of readings: what was written is found, reduced without losing a spike, and expires."""

from __future__ import annotations

import numpy as np
import pytest

from store.series.timeseries import HOUR_NS, MINUTE_NS, SECOND_NS, TimeSeries
from telemetry.instant import DAY_NS
from tests.store.worlds import START_NS, rows

UNKNOWN_LIFTS = ("nobody", "", 'L1" or true', "L1\\", "${1}", "L1\n|> drop()", "升降机", "x" * 300)


def test_raw_rows_are_read_back_in_the_order_of_time(store: TimeSeries) -> None:
    store.write([rows("speed", "L1", [2, 0, 1], v=[0.3, 0.1, -1e-300]), rows("displacement", "L1", [0], z=[12.5])])
    store.write([rows("speed", "L1", [0.5], v=[9.0]), rows("speed", "L2", [0.7], v=[5.0])])
    found = store.readings("L1", "speed", START_NS, START_NS + 2 * SECOND_NS)
    assert (found.t_ns - START_NS).tolist() == [0, 500_000_000, 1_000_000_000]
    assert found.channels["v"].tolist() == [0.1, 9.0, -1e-300]
    assert store.readings("L1", "displacement", START_NS, START_NS + 1).channels["z"].tolist() == [12.5]


def test_writing_the_same_rows_again_changes_nothing(store: TimeSeries) -> None:
    batches = [rows("speed", "L1", range(5), v=range(5)), rows("door", "L1", [0, 1], state=[0, 1])]
    for _ in range(3):
        store.write(batches)
    assert len(store.readings("L1", "speed", START_NS, START_NS + HOUR_NS)) == 5
    assert len(store.events("L1", "door", START_NS, START_NS + HOUR_NS)) == 2
    series = store.series("L1", "speed", START_NS, START_NS + 5 * SECOND_NS, 1)
    assert series.channels["v"].mean.tolist() == [2.0]


def test_a_series_has_least_greatest_and_mean_of_each_bucket_and_nan_where_it_is_empty(store: TimeSeries) -> None:
    store.write([rows("speed", "L1", [0, 1, 2, 3, 20, 21, 29.9, 30], v=[1, 2, 3, 4, -7, 8, 2, 99])])
    series = store.series("L1", "speed", START_NS, START_NS + 30 * SECOND_NS, 3)
    assert series.bucket_ns == 10 * SECOND_NS
    assert ((series.t_ns - START_NS) // SECOND_NS).tolist() == [0, 10, 20]
    v = series.channels["v"]
    np.testing.assert_array_equal(v.min, [1, np.nan, -7])
    np.testing.assert_array_equal(v.max, [4, np.nan, 8])
    np.testing.assert_array_equal(v.mean, [2.5, np.nan, 1])


@pytest.mark.parametrize("points", [1, 7, 100, 5_000])
def test_no_spike_is_lost_in_at_most_the_requested_buckets(store: TimeSeries, points: int) -> None:
    rng = np.random.default_rng(points)
    t_s = np.sort(rng.uniform(0, 3_000, 20_000)).round(3)
    v = rng.normal(size=len(t_s))
    v[[17, 9_000]] = 50, -60
    store.write([rows("speed", "L1", t_s, v=v)])
    series = store.series("L1", "speed", START_NS + 1, START_NS + 3_001 * SECOND_NS, points)
    assert 0 < len(series.t_ns) <= points
    assert np.nanmax(series.channels["v"].max) == 50
    assert np.nanmin(series.channels["v"].min) == -60
    assert (np.diff(series.t_ns) == series.bucket_ns).all()


def test_vibration_is_reduced_by_its_own_extremes(store: TimeSeries) -> None:
    axes = {f"{f}_{a}": [v, v] for a in "xyz" for f, v in (("rms", 0.5), ("min", -2.0), ("max", 3.0), ("mean", 0.25))}
    store.write([rows("vibration", "L1", [0, 1], **axes)])
    series = store.series("L1", "vibration", START_NS, START_NS + 2 * SECOND_NS, 1)
    assert sorted(series.channels) == ["x", "y", "z"]
    assert [series.channels["y"].min[0], series.channels["y"].max[0], series.channels["y"].mean[0]] == [-2, 3, 0.25]


def test_events_begin_with_the_state_at_the_beginning_of_the_window(store: TimeSeries) -> None:
    store.write([rows("door", "L1", [0, 5, 10, 20], state=[2, 3, 0, 1])])
    store.write([rows("door", "L1", [0], start_ns=START_NS - 3 * DAY_NS, state=[1])])
    found = store.events("L1", "door", START_NS + 7 * SECOND_NS, START_NS + 20 * SECOND_NS)
    assert ((found.t_ns - START_NS) // SECOND_NS).tolist() == [5, 10]
    assert found.channels["state"].tolist() == [3, 0]
    found = store.events("L1", "door", START_NS - DAY_NS, START_NS)
    assert (found.t_ns.tolist(), found.channels["state"].tolist()) == ([START_NS - 3 * DAY_NS], [1])
    assert len(store.events("L1", "door", START_NS - 6 * DAY_NS, START_NS - 4 * DAY_NS)) == 0


def test_each_channel_of_an_event_stream_keeps_its_last_value(store: TimeSeries) -> None:
    nan = np.nan
    store.write([rows("infrared", "L1", [0, 1, 2], presence=[1, nan, nan], curtain=[0, 1, nan])])
    store.write([rows("infrared", "L1", [2], presence=[0])])
    found = store.events("L1", "infrared", START_NS + 2 * SECOND_NS, START_NS + 3 * SECOND_NS)
    np.testing.assert_array_equal(found.channels["presence"], [1, 0])
    np.testing.assert_array_equal(found.channels["curtain"], [1, nan])


def test_two_messages_about_one_instant_are_one_event(store: TimeSeries) -> None:
    store.write([rows("infrared", "L1", [1], presence=[1])])
    store.write([rows("infrared", "L1", [1], curtain=[0])])
    found = store.events("L1", "infrared", START_NS, START_NS + 3 * SECOND_NS)
    assert {name: column.tolist() for name, column in found.channels.items()} == {"presence": [1], "curtain": [0]}


def test_a_status_keeps_its_texts_as_codes(store: TimeSeries) -> None:
    store.write([rows("status", "L1", [0, 1], online=[1, 0], mode=[4, np.nan], power=[np.nan, 1])])
    found = store.events("L1", "status", START_NS, START_NS + 3 * SECOND_NS)
    np.testing.assert_array_equal(found.channels["mode"], [4, np.nan])
    np.testing.assert_array_equal(found.channels["power"], [np.nan, 1])
    np.testing.assert_array_equal(found.channels["alarm"], [np.nan, np.nan])


def test_a_trip_and_its_features_are_read_back_and_unknown_values_are_nan(store: TimeSeries) -> None:
    trip = rows("trip", "L1", [0, 60], distance_m=[6.0, -9.0], stop_error_m=[-0.004, np.nan], mode=[0.0, 1.0])
    store.write([trip, rows("feature", "L1", [60], pp_x_mps2=0.25, order_z_20_mps2=0.001)])
    trips = store.readings("L1", "trip", START_NS, START_NS + 61 * SECOND_NS)
    assert trips.channels["distance_m"].tolist() == [6.0, -9.0]
    assert np.array_equal(trips.channels["stop_error_m"], [-0.004, np.nan], equal_nan=True)
    assert trips.channels["mode"].tolist() == [0.0, 1.0]
    features = store.readings("L1", "feature", START_NS, START_NS + 61 * SECOND_NS)
    assert features.t_ns.tolist() == [START_NS + 60 * SECOND_NS]
    assert features.channels["pp_x_mps2"].tolist() == [0.25]
    assert np.isnan(features.channels["pp_y_mps2"]).all()


def test_events_stop_at_the_limit(store: TimeSeries) -> None:
    store.write([rows("door", "L1", range(50), state=np.arange(50) % 4)])
    found = store.events("L1", "door", START_NS, START_NS + HOUR_NS, limit=10)
    assert found.channels["state"].tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]


@pytest.mark.parametrize("lift_id", UNKNOWN_LIFTS)
def test_an_unknown_lift_has_empty_answers_whatever_its_name(store: TimeSeries, lift_id: str) -> None:
    store.write([rows("speed", "L1", [0], v=[1]), rows("door", "L1", [0], state=[1])])
    series = store.series(lift_id, "speed", START_NS, START_NS + 10 * SECOND_NS, 10)
    assert len(series.t_ns) == 10
    assert np.isnan(series.channels["v"].mean).all()
    assert len(store.events(lift_id, "door", START_NS, START_NS + HOUR_NS)) == 0
    assert len(store.readings(lift_id, "speed", START_NS, START_NS + HOUR_NS)) == 0


def test_an_empty_window_and_an_empty_store_have_empty_answers(store: TimeSeries) -> None:
    assert len(store.series("L1", "speed", START_NS, START_NS, 10).t_ns) == 0
    assert len(store.readings("L1", "speed", START_NS, START_NS)) == 0
    assert len(store.events("L1", "door", START_NS + 5, START_NS)) == 0
    assert np.isnan(store.series("L1", "vibration", START_NS, START_NS + 40 * DAY_NS, 10).channels["x"].max).all()


def test_rows_of_several_days_and_lifts_in_one_write_are_all_stored(store: TimeSeries) -> None:
    t_s = np.arange(0, 3 * 86_400, 3_600.0)
    store.write([rows("speed", ["A", "B"], t_s, v=np.arange(len(t_s)))])
    found = store.readings("B", "speed", START_NS, START_NS + 4 * DAY_NS)
    assert found.channels["v"].tolist() == list(range(1, 72, 2))
    assert MINUTE_NS
