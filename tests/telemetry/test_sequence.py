"""The sequencer: what may be judged, in what order, whatever the network did and however messages were grouped."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.batch import CHANNELS, Batch, Decoded
from telemetry.order.records import COUNTED, NEVER, SLOT_NS, SLOTS
from telemetry.order.recurrence import STEP_GAP_NS
from telemetry.order.sequence import VIBRATIONS, Sequencer
from telemetry.streams import MODES, POWERS, Entry
from telemetry.wire import encode
from telemetry.wire.decode import decode
from tests.telemetry import naive_sequence
from tests.telemetry.wire import columns

T0_MS = 1_000_000_000_000  # 2001-09-09
SECOND_NS = 1_000_000_000
FOREVER_NS = (T0_MS + 10**9) * 1_000_000


def entry(
    position: int, arrived_ms: float, lift: int, stream: str, message: dict[str, Any], retained: bool = False
) -> Entry:
    topic = f"lift/v1/hangzhou/{lift}/{stream}"
    return Entry(position, int(arrived_ms * 1e6), topic, encode.to_json(message), retained)


def decoded_with_lifts(entries: Sequence[Entry]) -> tuple[Decoded, np.ndarray[Any, Any]]:
    decoded = decode(entries)
    assert not decoded.refusals, decoded.refusals[0]
    return decoded, np.array([int(lift_id) for lift_id in decoded.messages.lift_id], dtype=np.int32)


def run(
    entries: Sequence[Entry], cuts: Sequence[int] = (), idle: bool = False, restart: bool = False
) -> tuple[dict[str, Any], dict[str, list[int]]]:
    """Step through the groups between `cuts`, then fall silent; return all rows by lift and the counts."""
    sequencer, batches = Sequencer(), []
    bounds = sorted({0, *(cut for cut in cuts if cut < len(entries)), len(entries)})
    for begin, end in pairwise(bounds):
        if idle:
            batches.append(sequencer.idle(entries[begin].arrived_ns))
        decoded, lift = decoded_with_lifts(entries[begin:end])
        batches.append(sequencer.step(decoded, lift)[0])
        if restart:
            sequencer = reloaded(sequencer)
    batches.append(sequencer.idle(FOREVER_NS))
    for kind in VIBRATIONS:
        assert_blocks_come_with_the_rows_of_their_time(batches, kind)
    for batch in batches:
        assert_sorted(batch)
    counts = {name: column[np.flatnonzero(column)].tolist() for name, column in sequencer.counts().items()}
    return joined(batches) | {kind: vibration(batches, kind) for kind in VIBRATIONS}, counts


def vibration(batches: Sequence[Batch], kind: str = "waveforms") -> list[tuple[int, int, int, float]]:
    """Return lift, due time, beginning and first sample of each block, lift by lift in the order of their going out."""
    out = []
    for batch in batches:
        waves, due_ns = getattr(batch, kind), getattr(batch, f"{kind}_due_ns")
        if waves is not None:
            assert (np.diff(waves.message) >= 0).all()
            first = waves.xyz[-1, waves.first[:-1]]
            out += list(zip(*(c.tolist() for c in (waves.message, due_ns, waves.t_ns, first)), strict=True))
    return sorted(out, key=lambda block: block[0])


def assert_blocks_come_with_the_rows_of_their_time(batches: Sequence[Batch], kind: str) -> None:
    """A block goes out after every row before its time, and no later than the others."""
    passed_ns: dict[int, int] = {}
    last_due_ns: dict[int, int] = {}
    for batch in batches:
        for lift, t_ns in zip(batch.lift.tolist(), batch.t_ns.tolist(), strict=True):
            assert t_ns >= last_due_ns.get(lift, NEVER), "a row from before a block that has gone out"
        for lift, due_ns, _, _ in vibration([batch], kind):
            assert due_ns > passed_ns.get(lift, NEVER), "a block after a row that it counts at"
            assert due_ns >= last_due_ns.get(lift, NEVER)
            last_due_ns[lift] = due_ns
        passed_ns |= dict(zip(batch.lift.tolist(), batch.t_ns.tolist(), strict=True))


def reloaded(sequencer: Sequencer) -> Sequencer:
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **sequencer.snapshot())
    file.seek(0)
    again = Sequencer()
    with np.load(file, allow_pickle=False) as arrays:
        again.restore(dict(arrays))
    return again


def joined(batches: Sequence[Batch]) -> dict[str, Any]:
    columns = {name: np.concatenate([getattr(b, name) for b in batches]) for name in ("lift", "t_ns", *CHANNELS)}
    order = np.argsort(columns["lift"], kind="stable")
    return {name: column[order] for name, column in columns.items()}


def assert_sorted(batch: Batch) -> None:
    same = np.diff(batch.lift) == 0
    assert (np.diff(batch.lift) >= 0).all()
    assert (np.diff(batch.t_ns)[same] > 0).all()


def assert_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    for name, column in one.items():
        np.testing.assert_array_equal(column, other[name], err_msg=name)


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


def assert_as_naive(entries: list[Entry]) -> None:
    fast, counts = run(entries)
    decoded, lift = decoded_with_lifts(entries)
    naive = naive_sequence.sequence([(decoded, lift.tolist())])
    rows = [(index, t_ns, row) for index in sorted(naive) for t_ns, row in sorted(naive[index].rows.items())]
    assert list(zip(fast["lift"].tolist(), fast["t_ns"].tolist(), strict=True)) == [(i, t) for i, t, _ in rows]
    for name in CHANNELS:
        np.testing.assert_array_equal(fast[name], [row.get(name, np.nan) for *_, row in rows], err_msg=name)
    for name in COUNTED:
        assert sum(counts[name]) == sum(lift.counts[name] for lift in naive.values()), name


def batches_of(entries: Sequence[Entry]) -> tuple[list[Batch], Sequencer]:
    """Step message by message; return each batch."""
    sequencer = Sequencer()
    return [sequencer.step(*decoded_with_lifts([each]))[0] for each in entries], sequencer


def counted(sequencer: Sequencer) -> dict[str, int]:
    return {name: int(column.sum()) for name, column in sequencer.counts().items() if column.any()}


def offsets_ms(batch: Batch) -> list[float]:
    return ((batch.t_ns - T0_MS * 1_000_000) / 1e6).tolist()


def bundle_at(position: int, second: int, **streams: Any) -> Entry:
    if not streams:
        streams = {"speed": encode.speed(250, np.arange(4.0)), "displacement": encode.displacement(250, np.ones(4))}
    message = encode.bundle(second, T0_MS + 1_000 * second, **streams)
    return entry(position, T0_MS + 1_000 * (second + 1), 0, "bundle", message)


def alone(position: int, stream: str, arrived_ms: int, *, t_ms: int | None = None, **body: Any) -> Entry:
    """Return a message of one stream that arrives at once, or bears the time `t_ms`."""
    t_ms = arrived_ms if t_ms is None else t_ms
    return entry(position, T0_MS + arrived_ms, 0, stream, {"seq": position, "t": T0_MS + t_ms, **body})


def encode_code(name: str, value: Any) -> float:
    """Return how a status's field stands in a batch."""
    return float({"power": POWERS, "mode": MODES}[name].index(value) if name in ("power", "mode") else value)


def numbered(numbers: Sequence[tuple[int, int]]) -> list[Entry]:
    """Return bundles that arrive a second apart: the number and the second of each."""
    samples = encode.speed(250, np.arange(4.0))
    return [
        entry(k + 1, T0_MS + 1_000 * k, 0, "bundle", encode.bundle(seq, T0_MS + 1_000 * second, speed=samples))
        for k, (seq, second) in enumerate(numbers)
    ]


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


def known(column: np.ndarray[Any, Any]) -> list[float]:
    """Return the values of a column at the rows where the column is known."""
    return column[~np.isnan(column)].tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("boot", [{}, {"boot": "b"}])
def test_a_jump_of_seq_is_one_restart_and_no_gap_and_the_numbers_go_on_from_before_it(boot: dict[str, str]) -> None:
    numbers = [0, 1, 2, 17_900_000_000, 4, 5, 6, 7]
    entries = [
        entry(k + 1, T0_MS + 1_000 * k, 0, "bundle", {"seq": seq, "t": T0_MS + 1_000 * k, "speed": {"v": k}} | boot)
        for k, seq in enumerate(numbers)
    ]
    batches, sequencer = batches_of(entries)
    assert [known(batch.v_mps) for batch in batches] == [[k] for k in range(len(entries))]
    assert counted(sequencer) == {"received": 8, "restarts": 1, "gaps": 1}


def test_a_device_that_goes_on_after_a_jump_is_one_restart() -> None:
    _, sequencer = batches_of(numbered([(0, 0), (1, 1), (2_000_000, 2), (2_000_001, 3), (2_000_003, 4)]))
    assert counted(sequencer) == {"received": 5, "restarts": 1, "gaps": 1}


def test_a_gap_of_a_day_of_messages_is_a_gap() -> None:
    _, sequencer = batches_of(numbered([(0, 0), (86_400, 1)]))
    assert counted(sequencer) == {"received": 2, "gaps": 86_399}


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
        assert offsets_ms(status_rows)[0] + status_rows.alarm_after_ns[0] / 1e6 == pytest.approx(1_450)


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


def test_without_boot_a_lower_number_with_a_later_time_is_a_restarted_device() -> None:
    again = encode.bundle(0, T0_MS + 9_000, speed=encode.speed(250, np.arange(2.0)))
    batches, sequencer = batches_of([bundle_at(1, 5), entry(2, T0_MS + 9_500, 0, "bundle", again)])
    np.testing.assert_array_equal(batches[-1].reboot, [1, np.nan, np.nan])
    assert counted(sequencer) == {"received": 2, "restarts": 1}


def test_another_boot_is_a_restarted_device_and_no_gap() -> None:
    one = encode.bundle(3, T0_MS, boot="a", speed=encode.speed(250, np.arange(2.0)))
    two = encode.bundle(90, T0_MS + 1_000, boot="b", speed=encode.speed(250, np.arange(2.0)))
    entries = [entry(1, T0_MS + 500, 0, "bundle", one), entry(2, T0_MS + 1_500, 0, "bundle", two)]
    batches, sequencer = batches_of(entries)
    assert [np.nansum(batch.reboot) for batch in batches] == [0, 1]
    assert counted(sequencer) == {"received": 2, "restarts": 1}


@pytest.mark.parametrize("back_s", [3, 30, 240, 3_600])
def test_a_clock_that_is_set_back_begins_a_new_stretch_at_once(back_s: int) -> None:
    """Nothing after the step is late, the lift's time goes on with a gap, and the step is counted."""
    batches, sequencer = batches_of(numbered([(7, 0), (8, 1 - back_s), (9, 2 - back_s), (10, 3 - back_s)]))
    assert [len(batch) for batch in batches] == [4, 4, 4, 4]
    t_ms = np.concatenate([offsets_ms(batch) for batch in batches])
    gap_ms = STEP_GAP_NS / 1e6
    assert t_ms[4:8].tolist() == [750 + gap_ms, 1_000 + gap_ms, 1_250 + gap_ms, 1_500 + gap_ms]
    assert (np.diff(t_ms[4:]) == 250).all()
    assert all(np.isnan(batch.reboot).all() for batch in batches)
    assert counted(sequencer) == {"received": 4, "steps": 1}
    steps = batches[1].steps
    assert steps is not None
    assert [column.tolist() for column in steps] == [
        [0],
        [batches[1].t_ns[0]],
        [round(gap_ms + 750 - 1_000 * (1 - back_s)) * 10**6],
    ]
    assert [batch.steps for batch in batches[2:]] == [None, None]


@pytest.mark.parametrize("seq", [9, 5_000, 3])
def test_a_message_ahead_of_its_time_costs_itself_alone(seq: int) -> None:
    """Whatever its number: a forged message does not follow the sequence."""
    numbers = [(7, 0), (8, 1), (seq, 290), *((k, k - 6) for k in range(9, 14))]
    batches, sequencer = batches_of(numbered(numbers))
    assert [int(np.isfinite(batch.v_mps).sum()) for batch in batches] == [4] * len(numbers)
    assert counted(sequencer)["steps"] == 1
    assert "late" not in counted(sequencer)


def test_the_lifts_time_meets_its_clock_again_in_the_next_long_silence() -> None:
    batches, _ = batches_of(numbered([(7, 0), (8, -90), (9, -89), (10, 250), (11, 251)]))
    assert offsets_ms(batches[-2]) == [250_000, 250_250, 250_500, 250_750]
    steps = batches[-2].steps
    assert steps is not None
    assert steps.ahead_ns.tolist() == [0]


def test_a_stream_that_lags_behind_the_others_sets_no_clock_back() -> None:
    vibrates = [
        alone(2 * k + 2, "vibration", 1_000 * k + 500, t_ms=1_000 * k - 3_000, dt=10, x=[1], y=[1], z=[1])
        for k in range(4)
    ]
    bundles = [bundle_at(2 * k + 1, 2 * k)._replace(payload=encode.to_json(lagging(k))) for k in range(4)]
    _, sequencer = batches_of([each for pair in zip(bundles, vibrates, strict=True) for each in pair])
    assert "steps" not in counted(sequencer)


def lagging(k: int) -> dict[str, Any]:
    return encode.bundle(2 * k + 1, T0_MS + 1_000 * k, speed=encode.speed(250, np.arange(4.0)))


def test_a_status_alone_sets_no_clock_back_and_the_readings_after_it_do() -> None:
    back = [alone(2, "status", 2_000, t_ms=-60_000, online=True), alone(3, "speed", 2_100, t_ms=-60_000, v=1)]
    batches, sequencer = batches_of([bundle_at(1, 0), *back])
    assert [batch.steps is not None for batch in batches] == [False, False, True]
    assert counted(sequencer) == {"received": 3, "steps": 1, "gaps": 1}


def test_a_restarted_device_whose_clock_is_behind_is_judged_at_once() -> None:
    one = encode.bundle(70, T0_MS, boot="a", speed=encode.speed(250, np.arange(2.0)))
    two = encode.bundle(0, T0_MS - 3_600_000, boot="b", speed=encode.speed(250, np.arange(2.0)))
    before = encode.bundle(69, T0_MS - 3_700_000, boot="a", speed=encode.speed(250, np.arange(2.0)))
    entries = [entry(k, T0_MS + 500 * k, 0, "bundle", body) for k, body in enumerate((one, two, before), start=1)]
    batches, sequencer = batches_of(entries)
    np.testing.assert_array_equal(batches[1].reboot, [1, np.nan, np.nan])
    assert counted(sequencer) == {"received": 3, "restarts": 1, "steps": 1, "late": 1}, "history of the boot before"


def test_history_that_comes_after_the_present_is_late_and_changes_nothing() -> None:
    batches, sequencer = batches_of(numbered([(8, 100), (3, 50), (4, 51), (9, 101)]))
    assert [len(batch) for batch in batches] == [4, 0, 0, 4]
    assert counted(sequencer) == {"received": 4, "late": 2}


HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("seq", "before_ms", "raised"),
    [(9, 400, True), (3, 2_000, True), (3, 20 * HOUR_MS, True), (3, 25 * HOUR_MS, False)],
)
def test_a_press_of_the_alarm_button_is_raised_whenever_it_comes(seq: int, before_ms: int, raised: bool) -> None:
    """In its place in the sequence it sets the button too; late, it sets no state."""
    press = alone(2, "status", 1_200, t_ms=750 - before_ms, alarm=True, mode="fire", seq=seq)
    batches, sequencer = batches_of([*numbered([(8, 0)]), press])
    row = batches[-1]
    assert len(row) == raised
    assert counted(sequencer).get("late", 0) == (seq == 3)
    if raised:
        assert (row.alarm[0] == 1, row.mode[0] == 2, row.late_press[0] == 1) == (
            (True, True, False) if seq == 9 else (False, False, True)
        )
        assert row.t_ns[0] + row.alarm_after_ns[0] == (T0_MS + 750 - before_ms) * 10**6


def test_an_old_retained_status_presses_no_button() -> None:
    status = {"seq": 3, "t": T0_MS - 400_000, "alarm": True}
    batches, _ = batches_of([*numbered([(8, 0)]), entry(2, T0_MS + 1_000, 0, "status", status, retained=True)])
    assert not len(batches[-1])


def test_a_bundle_that_was_overtaken_on_its_way_sets_no_clock_back() -> None:
    batches, _ = batches_of(numbered([(8, 1), (7, 0), (9, 2)]))
    assert [np.nansum(batch.reboot) for batch in batches] == [0, 0, 0]


def test_a_last_will_stands_at_the_lifts_own_latest_time_so_that_a_backlog_stays_in_time() -> None:
    will = entry(2, T0_MS + 90_000, 0, "status", {"online": False})
    (_, gone), sequencer = batches_of([bundle_at(1, 0), will])
    assert (gone.online.tolist(), offsets_ms(gone)) == ([0.0], [750.000001])
    backlog, _ = sequencer.step(
        *decoded_with_lifts([bundle_at(3, 1)._replace(arrived_ns=(T0_MS + 300_000) * 1_000_000)])
    )
    assert len(backlog) == 4
    assert "late" not in counted(sequencer)


def test_a_status_does_not_move_the_time_of_a_lifts_readings() -> None:
    """The first message of a lift is its status; readings from before it, and older kept ones, are judged."""
    for back_ms in (900, 600_000):
        status = entry(1, T0_MS, 0, "status", {"online": True}, retained=True)
        samples = encode.bundle(2, T0_MS - back_ms, speed=encode.speed(250, np.arange(4.0)))
        (status_rows, batch), sequencer = batches_of([status, entry(2, T0_MS + 100, 0, "bundle", samples)])
        assert status_rows.online.tolist() == [1]
        assert batch.v_mps.tolist() == [0, 1, 2, 3]
        assert counted(sequencer) == {"received": 2}


def test_a_stale_retained_status_is_marked_in_its_row() -> None:
    status = {"seq": 1, "t": T0_MS, "online": True, "mode": "inspection"}
    (row,), _ = batches_of([entry(1, T0_MS + 400_000, 0, "status", status, retained=True)])
    assert (row.stale.tolist(), row.mode.tolist(), row.online.tolist()) == ([1], [1], [1])


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
