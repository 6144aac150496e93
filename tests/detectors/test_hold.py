"""How long something has held equals a plain loop, however the rows are cut."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import hold
from detectors.observe import tables
from telemetry.batch import readings
from tests.detectors.naive import gaps_ns
from tests.detectors.world import BEGIN_NS, facts_of

row = st.tuples(st.integers(1, 50), st.sampled_from([0.0, 1.0, 1.0, math.nan]))


def plainly(rows: list[tuple[int, float]]) -> list[tuple[float, int]]:
    out, since_ns, last_ns, served_ns = [], 0, 0, 0
    times = [BEGIN_NS + sum(ticks for ticks, _ in rows[: k + 1]) * 100_000_000 for k in range(len(rows))]
    for t_ns, gap_ns, (_, holds) in zip(times, gaps_ns(times), rows, strict=True):
        if holds == 1.0:
            served_ns += t_ns - last_ns if since_ns and t_ns - last_ns <= gap_ns else 0
            since_ns, last_ns = since_ns or t_ns, t_ns
        elif holds == 0.0:
            since_ns = served_ns = 0
        out.append((math.nan if math.isnan(holds) else served_ns / 1e9, since_ns))
    return out


@settings(max_examples=200, deadline=None)
@given(lifts=st.lists(st.lists(row, min_size=1, max_size=30), min_size=1, max_size=4), pieces=st.integers(1, 5))
def test_it_equals_a_plain_loop_however_it_is_cut(lifts: list[list[tuple[int, float]]], pieces: int) -> None:
    state, memory = hold.start(len(lifts)), tables.start(len(lifts))
    found: list[list[tuple[float, int]]] = [[] for _ in lifts]
    for piece in range(pieces):
        own = [(i, k) for i, rows in enumerate(lifts) for k in range(len(rows)) if k * pieces // len(rows) == piece]
        t_ns = [BEGIN_NS + sum(r[0] for r in lifts[i][: k + 1]) * 100_000_000 for i, k in own]
        batch = readings(np.array([i for i, _ in own], dtype=np.int32), np.array(t_ns, dtype=np.int64))
        memory, (car, *_) = tables.step(memory, batch, facts_of([None] * len(lifts)))
        holds = np.array([lifts[i][k][1] for i, k in own])
        state, served_s, since_ns = hold.step(state, car, holds)
        for place in range(len(car)):
            found[own[place][0]].append((float(served_s[place]), int(since_ns[place])))
    expected = [plainly(rows) for rows in lifts]
    assert [[since for _, since in rows] for rows in found] == [[since for _, since in rows] for rows in expected]
    for fast, slow in zip(found, expected, strict=True):
        assert np.array_equal([s for s, _ in fast], [s for s, _ in slow], equal_nan=True)
