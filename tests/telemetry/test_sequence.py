"""The sequencer: what may be judged, in what order, whatever the network did and however messages were grouped."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.order.records import SLOT_NS, SLOTS
from telemetry.order.sequence import Sequencer
from telemetry.streams import Entry
from telemetry.wire import encode
from tests.telemetry.sequences import (
    FOREVER_NS,
    T0_MS,
    alone,
    assert_as_naive,
    assert_same,
    batches_of,
    bundle_at,
    counted,
    decoded_with_lifts,
    encode_code,
    entry,
    known,
    offsets_ms,
    run,
)
from tests.telemetry.wire import columns

KINDS = ("bundle", "bundle", "speed", "displacement", "vibration", "machine", "door", "infrared", "status", "will")


@st.composite
def conversations(draw: st.DrawFn) -> list[Entry]:
    """Draw messages of three lifts: out of order, repeated, restarted, silent, with events ahead of samples."""
    entries: list[Entry] = []
    arrived_ms = T0_MS + 20_000.0
    for position in range(draw(st.integers(1, 25))):
        if entries and draw(st.integers(0, 7)) == 0:
            again = draw(st.sampled_from(entries))
            entries.append(again._replace(position=position + 1, arrived_ns=int(arrived_ms * 1e6)))
            continue
        arrived_ms += draw(st.sampled_from([0, 10, 500, 1_000, 2_000, 2_001, 5_000]))
        kind = draw(st.sampled_from(KINDS))
        t_ms = T0_MS + 100 * draw(st.integers(0, 60)) + draw(st.sampled_from([0, 0, 0.1]))
        head: dict[str, Any] = {"seq": draw(st.integers(0, 12)), "t": t_ms}
        boot = draw(st.sampled_from([None, None, "a", "b"]))
        head |= {} if boot is None else {"boot": boot}
        head["seq"] += draw(st.sampled_from([0] * 9 + [10**6]))
        for name in draw(st.sampled_from([[]] * 8 + [["t"], ["seq", "t"]])):
            del head[name]
        count = draw(st.integers(1, 12))
        values = np.arange(count) + 1000.0 * position
        body: dict[str, dict[str, Any]] = {
            "speed": encode.speed(100, values),
            "displacement": encode.displacement(draw(st.sampled_from([100, 200])), values),
            "vibration": encode.vibration(10, np.full((3, 20 * count), position, dtype=np.float32)),
            "machine": {"dt": 0.5, "a": np.full(400 * count, position, dtype=np.float32)},
            "door": encode.door([0, draw(st.sampled_from([0, 350, 950, 1_700]))], ["opening", "open"]),
            "infrared": {"at": [50], "presence": [draw(st.sampled_from([True, False, None]))], "curtain": [True]},
            "status": {"online": True, "alarm": draw(st.booleans()), "mode": "normal"},
        }
        lift, retained = draw(st.integers(0, 2)), False
        if kind == "bundle":
            names = draw(st.sets(st.sampled_from(sorted(body.keys() - {"status"}))))
            message = head | {name: body[name] for name in sorted(names)}
        elif kind == "will":
            message, retained = {"online": False}, draw(st.booleans())
        else:
            message, retained = head | body[kind], kind == "status" and draw(st.booleans())
        stream = "status" if kind == "will" else kind
        entries.append(entry(position + 1, arrived_ms, lift, stream, message, retained))
    return entries


@given(
    conversations(),
    st.lists(st.integers(1, 25), max_size=8),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=80, deadline=None, derandomize=True)
def test_however_messages_are_cut_and_rows_are_released_the_rows_are_the_same(
    entries: list[Entry], cuts: list[int], idle: bool, restart: bool
) -> None:
    whole, counts = run(entries)
    parts, counts_of_parts = run(entries, cuts, idle, restart)
    assert_same(whole, parts)
    assert counts == counts_of_parts


@given(conversations())
@settings(max_examples=80, deadline=None, derandomize=True)
def test_a_plain_loop_over_messages_finds_the_same(entries: list[Entry]) -> None:
    assert_as_naive(entries)


def test_a_bundle_waits_for_nothing_and_its_streams_share_rows() -> None:
    (batch,), _ = batches_of([bundle_at(1, 0)])
    assert offsets_ms(batch) == [0, 250, 500, 750]
    assert batch.v_mps.tolist() == [0, 1, 2, 3]
    assert batch.z_m.tolist() == [1, 1, 1, 1]


def test_an_event_after_the_last_sample_comes_in_its_place_with_the_next_bundle() -> None:
    doors = encode.door([100, 1_100], ["opening", "open"])
    ahead = bundle_at(1, 0, speed=encode.speed(250, np.arange(4.0)), door=doors)
    (first, second), _ = batches_of([ahead, bundle_at(2, 1)])
    assert offsets_ms(first) == [0, 100, 250, 500, 750]
    assert offsets_ms(second) == [1_000, 1_100, 1_250, 1_500, 1_750]
    np.testing.assert_array_equal(second.door, [np.nan, 2, np.nan, np.nan, np.nan])


def test_readings_without_a_time_follow_what_was_judged_however_they_arrive() -> None:
    arrivals_ms = [0, 1_000, 1_950, 3_000, 3_000, 3_000, 6_000]
    entries = [
        entry(k + 1, T0_MS + at_ms, 0, "bundle", {"speed": encode.speed(100, np.full(10, float(k)))})
        for k, at_ms in enumerate(arrivals_ms)
    ]
    batches, sequencer = batches_of(entries)
    assert [known(batch.v_mps) for batch in batches] == [[k] * 10 for k in range(len(entries))]
    assert [offsets_ms(batches[k])[-1] for k in (0, 1, 3, 6)] == [0, 1_000, 3_000, 6_000]
    assert counted(sequencer) == {"received": 7}


def test_numbers_without_a_time_find_gaps_repeats_and_restarts() -> None:
    entries = [
        entry(k + 1, T0_MS + 1_000 * k, 0, "bundle", {"seq": seq, "speed": {"v": float(k)}})
        for k, seq in enumerate([5, 6, 6, 9, 0, 1])
    ]
    batches, sequencer = batches_of(entries)
    assert [known(batch.v_mps) for batch in batches] == [[0], [1], [], [3], [4], [5]]
    assert counted(sequencer) == {"received": 6, "repeats": 1, "gaps": 2, "restarts": 1}


def test_a_button_box_without_clock_and_numbers_is_released_at_once() -> None:
    pressed = [{"alarm": False}, {"alarm": True}, {"seq": 5, "alarm": True}]
    batches, sequencer = batches_of(
        [entry(k + 1, T0_MS + 3_000 * k, 0, "status", one) for k, one in enumerate(pressed)]
    )
    assert [batch.alarm.tolist() for batch in batches] == [[0], [1], [1]]
    assert counted(sequencer) == {"received": 3}


def test_single_streams_wait_a_second_of_the_lifts_time_for_each_other() -> None:
    pair = [alone(1, "speed", 0, v=1), alone(2, "displacement", 0, z=2)]
    batches, sequencer = batches_of([*pair, alone(3, "speed", 500, v=3), alone(4, "speed", 1_000, v=4)])
    assert [len(batch) for batch in batches] == [0, 0, 0, 1]
    assert (batches[-1].v_mps.tolist(), batches[-1].z_m.tolist()) == ([1], [2])
    assert counted(sequencer) == {"received": 4}


def test_no_row_waits_longer_than_its_slots_of_arrival_whatever_else_arrives() -> None:
    """A lift sends once; others go on, and so does the lift itself with messages that move its time on by little."""
    for more in ([], [alone(2, "speed", 200, v=1, t_ms=10), alone(3, "speed", 900, v=1, t_ms=20)]):
        batches, sequencer = batches_of([alone(1, "speed", 0, v=1), *more])
        assert [len(batch) for batch in batches] == [0] * (1 + len(more))
        wait_ms = SLOTS * SLOT_NS // 1_000_000
        assert not len(sequencer.idle((T0_MS + wait_ms - SLOT_NS // 1_000_000) * 1_000_000 - 1))
        assert offsets_ms(sequencer.idle((T0_MS + wait_ms) * 1_000_000)) == [0]


def test_nothing_waits_across_a_step_back_of_the_monitors_own_clock() -> None:
    _, sequencer = batches_of([alone(1, "speed", 0, v=1)])
    assert len(sequencer.idle((T0_MS - 3_600_000) * 1_000_000)) == 1


def test_rows_of_lifts_that_are_behind_in_the_journal_wait_for_their_messages() -> None:
    _, sequencer = batches_of([alone(1, "speed", 0, v=1)])
    assert not len(sequencer.idle(FOREVER_NS, np.array([True])))
    assert len(sequencer.idle(FOREVER_NS, np.array([False]))) == 1


@pytest.mark.parametrize("fields", [{"alarm": True}, {"online": False}, {"power": "battery"}, {"mode": "fire"}])
def test_a_status_waits_for_nothing_and_makes_nothing_late(fields: dict[str, Any]) -> None:
    """It comes in the middle of the second that the next bundle covers, or before readings that wait for others."""
    for before in (bundle_at(1, 0), alone(1, "speed", 800, v=1)):
        status = alone(2, "status", 1_450, **fields)
        ((*_, status_rows, after), sequencer) = batches_of([before, status, bundle_at(3, 1)._replace(position=3)])
        assert len(status_rows) == 1
        (name, value), *_ = fields.items()
        assert getattr(status_rows, name)[0] == encode_code(name, value)
        assert offsets_ms(after)[-4:] == [1_000, 1_250, 1_500, 1_750]
        assert "late" not in counted(sequencer)
    if "alarm" in fields:
        assert offsets_ms(status_rows)[0] + status_rows.status_after_ns[0] / 1e6 == pytest.approx(1_450)


def test_what_comes_after_its_time_was_released_is_counted_and_not_judged() -> None:
    late = entry(3, T0_MS + 2_500, 0, "door", {"seq": 2, "t": T0_MS + 1_500, "state": ["open"]})
    batches, sequencer = batches_of([bundle_at(1, 0), bundle_at(2, 1), late])
    assert not len(batches[-1])
    assert counted(sequencer) == {"received": 3, "late": 1}


def test_a_repeat_changes_nothing() -> None:
    batches, sequencer = batches_of([bundle_at(1, 0), bundle_at(2, 0), bundle_at(3, 1), bundle_at(4, 0)])
    assert [len(batch) for batch in batches] == [4, 0, 4, 0]
    assert counted(sequencer) == {"received": 4, "repeats": 2}


def test_missing_numbers_are_counted_as_gaps() -> None:
    _, sequencer = batches_of([bundle_at(1, 0), bundle_at(2, 1), bundle_at(3, 5)])
    assert counted(sequencer) == {"received": 3, "gaps": 3}


def test_a_gap_is_marked_where_the_received_rows_end_with_its_longest_duration() -> None:
    batches, _ = batches_of([bundle_at(1, 0), bundle_at(3, 5), bundle_at(4, 6)])
    assert [np.nansum(batch.gap) for batch in batches] == [0, 4.0, 0]
    assert (offsets_ms(batches[1])[0], batches[1].gap[0]) == (750.000001, 4.0)


def test_a_gap_before_a_late_message_is_marked_too() -> None:
    late = entry(3, T0_MS + 2_500, 0, "door", {"seq": 3, "t": T0_MS + 1_500, "state": ["open"]})
    batches, sequencer = batches_of([bundle_at(1, 0), bundle_at(2, 1), late])
    gone = sequencer.idle(FOREVER_NS)
    assert (np.nansum(batches[-1].gap) + np.nansum(gone.gap) > 0, counted(sequencer)["late"]) == (True, 1)


def test_a_lift_that_floods_its_second_is_released_unaligned_and_counted() -> None:
    def flood(position: int) -> Entry:
        message = {"seq": position, "t": T0_MS, "dt": 0.01, "v": np.arange(800.0) + position}
        return entry(position, T0_MS + 1_000, 0, "speed", message)

    assert_as_naive([flood(position) for position in range(1, 6)])
    batches, sequencer = batches_of([flood(position) for position in range(1, 6)])
    assert [len(batch) for batch in batches] == [0, 0, 800, 0, 0]
    assert counted(sequencer) == {"received": 5, "overflows": 1, "late": 2}


def test_a_message_that_is_not_to_be_judged_leaves_no_trace() -> None:
    sequencer = Sequencer()
    decoded, _ = decoded_with_lifts([bundle_at(1, 0)])
    batch, counts = sequencer.step(decoded, np.array([-1], dtype=np.int32))
    assert (len(batch), batch.waveforms, sum(counts.values()), len(sequencer.counts()["received"])) == (0, None, 0, 0)


def test_vibration_counts_from_its_own_time_on_however_the_stream_is_cut() -> None:
    speed = encode.speed(250, np.arange(4.0))
    vibrating = {"speed": speed, "vibration": encode.vibration(250, np.ones((3, 4), dtype=np.float32))}
    entries = [bundle_at(1 + k, k // 2, **vibrating) for k in range(6)]  # each comes twice
    for cuts in ([1, 2, 3, 4, 5], [2, 4], []):
        rows, _ = run(entries, cuts)
        due_ms = [due_ns // 1_000_000 - T0_MS for _, due_ns, _, _ in rows["waveforms"]]
        assert due_ms == [0, 1_000, 2_000]


def test_vibration_that_comes_after_its_time_counts_from_there_on() -> None:
    late = entry(3, T0_MS + 2_100, 0, "vibration", {"seq": 2, "t": T0_MS + 500, "dt": 10, "x": [1], "y": [1], "z": [1]})
    batches, sequencer = batches_of([bundle_at(1, 0), bundle_at(2, 1), late])
    assert batches[-1].waveforms_due_ns is not None
    assert batches[-1].waveforms_due_ns.tolist() == [T0_MS * 1_000_000 + 1_750_000_001]
    assert "late" not in counted(sequencer)


def test_a_snapshot_holds_nothing_of_what_has_gone_out() -> None:
    vibrating = {"vibration": encode.vibration(250, np.ones((3, 4), dtype=np.float32))}
    _, sequencer = batches_of([bundle_at(1 + k, k, **vibrating) for k in range(20)])
    snapshot = sequencer.snapshot()
    held = [column for name, column in snapshot.items() if name.startswith(("rows/", "waveforms/", "machine/"))]
    assert sum(column.size for column in held) == 2, "where nothing begins in either kind of vibration"
    assert snapshot["lifts"].nbytes < 1_200


def test_a_snapshot_of_other_records_is_refused() -> None:
    snapshot = Sequencer().snapshot()
    with pytest.raises(ValueError, match="version"):
        Sequencer().restore(snapshot | {"lifts": np.zeros(0, dtype=[("seq", np.int64)])})


def test_what_was_decoded_is_never_modified() -> None:
    decoded, lift = decoded_with_lifts(
        [bundle_at(1, 0), entry(2, T0_MS + 1_100, 0, "status", {"online": False}), bundle_at(3, 0)]
    )
    before = columns(decoded)
    Sequencer().step(decoded, lift)
    assert columns(decoded) == before
