"""The sequencer where clocks step, devices restart and messages overtake each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from telemetry.order.recurrence import STEP_GAP_NS
from telemetry.wire import encode
from tests.telemetry.sequences import (
    T0_MS,
    alone,
    batches_of,
    bundle_at,
    counted,
    decoded_with_lifts,
    entry,
    known,
    numbered,
    offsets_ms,
)


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
        assert row.t_ns[0] + row.status_after_ns[0] == (T0_MS + 750 - before_ms) * 10**6


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
