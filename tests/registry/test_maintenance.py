"""Maintenance windows as columns: which rows lie in them, held against a plain loop."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from registry.maintenance import NO_WINDOWS, MaintenanceWindows

T0_MS = 978_307_200_000
MS_NS = 1_000_000


def windows(spans: list[tuple[int, int, int]]) -> MaintenanceWindows:
    lift, begin_ms, end_ms = np.array(spans, dtype=np.int64).reshape(-1, 3).T
    return MaintenanceWindows(lift.astype(np.int32), (T0_MS + begin_ms) * MS_NS, (T0_MS + end_ms) * MS_NS)


def contain(windows_made: MaintenanceWindows, rows: list[tuple[int, int]]) -> list[bool]:
    lift, t_ms = np.array(rows, dtype=np.int64).reshape(-1, 2).T
    inside: list[bool] = windows_made.contain(lift.astype(np.int32), (T0_MS + t_ms) * MS_NS).tolist()
    return inside


@given(st.data())
def test_a_row_lies_in_a_window_of_its_own_lift_from_its_beginning_until_before_its_end(data: st.DataObject) -> None:
    spans = []
    for lift in range(3):
        ends = sorted(data.draw(st.lists(st.integers(0, 30), max_size=6)))
        spans += [(lift, begin, end) for begin, end in zip(ends[::2], ends[1::2], strict=False)]
    spans = data.draw(st.permutations(spans))
    rows = data.draw(st.lists(st.tuples(st.integers(0, 4), st.integers(-5, 35)), max_size=20))
    plain = [any(lift == of and begin <= t < end for of, begin, end in spans) for lift, t in rows]
    assert contain(windows(spans), rows) == plain


def test_without_windows_no_row_lies_in_one() -> None:
    assert contain(NO_WINDOWS, [(0, 0), (7, 1)]) == [False, False]
