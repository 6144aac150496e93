"""The on/off pair with hold times equals a plain loop, and keeps its promises one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import trigger
from detectors.observe import tables
from detectors.rule import CRITICAL, MAJOR, Level, Score
from telemetry.batch import readings
from tests.detectors import naive
from tests.detectors.world import BEGIN_NS, facts_of, tower

LEVELS = (
    Level(MAJOR),
    Level(MAJOR, hold_s=0.3, clear_s=1.0),
    Level(MAJOR, hold_s=1.0, readings=3, clear_readings=4),
    Level(CRITICAL, hold_s=0.2, by_hand=True),
    Level(CRITICAL, readings=1, clear_readings=1),
)
value = st.sampled_from([0.0, 0.99, 1.0, 2.5, np.nan])
row = st.tuples(st.integers(1, 50), value, value)
lift_rows = st.lists(row, max_size=40)


def run(level: Level, lifts: list[list[tuple[int, float, float]]], pieces: int) -> list[list[naive.Edge]]:
    """Return the edges of each lift, the rows fed in so many pieces; the row is counted within the lift."""
    facts, state = facts_of([tower()] * len(lifts)), trigger.start(len(lifts))
    memory = tables.start(len(lifts))
    edges: list[list[naive.Edge]] = [[] for _ in lifts]
    for piece in range(pieces):
        own = [(i, k) for i, rows in enumerate(lifts) for k in range(len(rows)) if k * pieces // len(rows) == piece]
        if not own:
            continue
        lift = np.array([i for i, _ in own], dtype=np.int32)
        ticks = [sum(r[0] for r in lifts[i][: k + 1]) for i, k in own]
        batch = readings(lift, BEGIN_NS + np.array(ticks, dtype=np.int64) * 100_000_000)
        memory, seen = tables.step(memory, batch, facts)
        rows = [lifts[i][k] for i, k in own]
        score = Score(np.array([r[1] for r in rows]), np.array([r[2] for r in rows]))
        state, found = trigger.step(state, level, score, seen.rows)
        for place, kind, onset_ns in zip(found.place, found.kind, found.onset_ns, strict=True):
            i, k = own[place]
            edges[i].append((k, "off" if kind == trigger.SHUT else "on", int(onset_ns)))
    return edges


@pytest.mark.parametrize("level", LEVELS, ids=str)
@settings(max_examples=150, deadline=None)
@given(lifts=st.lists(lift_rows, min_size=1, max_size=4), pieces=st.integers(1, 6))
def test_it_equals_a_plain_loop_however_it_is_cut(
    level: Level, lifts: list[list[tuple[int, float, float]]], pieces: int
) -> None:
    expected = []
    for rows in lifts:
        t_ns = (BEGIN_NS + np.cumsum([r[0] for r in rows]).astype(np.int64) * 100_000_000).tolist()
        expected.append(naive.findings(level, t_ns, [r[1] for r in rows], [r[2] for r in rows]))
    assert run(level, lifts, pieces) == expected


def edges(level: Level, on: str, off: str = "", ticks: int = 10, pause: int = 0) -> list[tuple[int, str]]:
    """Return row and kind for scores written as `1`, `0` and `?`, one row each `ticks` tenths of a second.

    `pause`: a pause of a minute before this row.
    """
    marks = {"1": 1.0, "0": 0.0, "?": np.nan}
    rows = [(ticks, marks[a], marks[b]) for a, b in zip(on, off or "0" * len(on), strict=True)]
    if pause:
        rows[pause] = (600, *rows[pause][1:])
    return [(k, kind) for k, kind, _ in run(level, [rows], 1)[0]]


def grown(level: Level, on: list[float], peaks: list[float]) -> list[tuple[int, int]]:
    """Return row and kind of the edges of one lift, one row a second."""
    t_ns = BEGIN_NS + np.arange(len(on), dtype=np.int64) * 1_000_000_000
    _, (car, *_) = tables.step(tables.start(1), readings(np.zeros(len(on), dtype=np.int32), t_ns), facts_of([tower()]))
    score = Score(np.array(on), 1.0 - np.array(on), {"far_m": np.array(peaks)})
    _, found = trigger.step(trigger.start(1), level, score, car)
    return list(zip(found.place.tolist(), found.kind.tolist(), strict=True))


def test_a_peak_is_found_wherever_it_exceeds_all_before_it_while_the_level_is_open() -> None:
    level = Level(CRITICAL, by_hand=True, peak="far_m")
    assert grown(level, [0, 1, 1, 1, 0, 1, 1], [9, 2, 3, 3, 2, np.nan, 4]) == [
        (2, trigger.OPENED),
        (6, trigger.GREW),
    ]


def test_a_peak_begins_anew_with_the_next_finding() -> None:
    level = Level(MAJOR, peak="far_m")
    assert grown(level, [1, 1, 1, 0, 0, 1, 1, 1], [1, 5, 6, 0, 9, 1, 2, 3]) == [
        (1, trigger.OPENED),
        (2, trigger.GREW),
        (4, trigger.SHUT),
        (6, trigger.OPENED),
        (7, trigger.GREW),
    ]


def test_one_reading_never_opens() -> None:
    assert edges(Level(MAJOR), "0100101") == []


def test_the_hold_time_is_spanned_by_readings() -> None:
    assert edges(Level(MAJOR, hold_s=2.0), "01101110") == [(6, "on")]


def test_an_unknown_reading_stops_the_clock_and_does_not_reset_it() -> None:
    assert edges(Level(MAJOR, hold_s=2.0), "01?1?10") == [(3, "on")]


def test_a_gap_counts_nothing_and_resets_nothing() -> None:
    assert edges(Level(MAJOR, hold_s=2.0), "0111110", pause=2) == [(4, "on")]
    assert edges(Level(MAJOR, hold_s=2.0), "0111110") == [(3, "on")]


@pytest.mark.parametrize("ticks", [50, 300, 600])
def test_a_lift_that_sends_seldom_serves_a_hold_time_too(ticks: int) -> None:
    assert edges(Level(MAJOR, hold_s=120.0), "0000" + "1" * 30, ticks=ticks) == [(4 + 1200 // ticks, "on")]


def test_no_interval_is_longer_than_a_heartbeat() -> None:
    assert edges(Level(MAJOR, hold_s=1.0), "0" + "1" * 30, ticks=700) == []


def test_missing_data_never_clears() -> None:
    assert edges(Level(MAJOR), "1100000", "???????") == [(1, "on")]


BY_HAND = Level(CRITICAL, by_hand=True)


def test_a_level_that_clears_by_hand_shuts_as_any_other() -> None:
    for level in (BY_HAND, Level(CRITICAL)):
        assert edges(level, "11?00110", "00?11001") == [(1, "on"), (4, "off"), (6, "on")]
        assert edges(level, "110000", "??????") == [(1, "on")]
        assert edges(level, "110000", "000011") == [(1, "on"), (5, "off")]


def test_a_level_that_clears_by_hand_is_found_again_while_its_condition_holds() -> None:
    level = Level(CRITICAL, hold_s=2.0, by_hand=True)
    assert edges(level, "1" * 30) == [(2, "on"), (13, "on"), (24, "on")]
    assert edges(Level(CRITICAL, hold_s=2.0), "1" * 30) == [(2, "on")]


def test_one_reading_never_finds_a_level_again() -> None:
    assert edges(BY_HAND, "11100", pause=2) == [(1, "on")]
    assert edges(BY_HAND, "11110", pause=2) == [(1, "on"), (3, "on")]


def test_missing_data_finds_no_level_again() -> None:
    assert edges(BY_HAND, "11" + "?" * 30) == [(1, "on")]
