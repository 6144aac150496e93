"""The sequencer: what may be judged, in what order, whatever the network did and however messages were grouped."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry import encode
from telemetry.batch import CHANNELS, Batch, Decoded
from telemetry.decode import decode
from telemetry.sequence import COUNTED, Sequencer
from telemetry.streams import Entry
from tests.telemetry import naive_sequence

T0_MS = 1_000_000_000_000  # 2001-09-09
SECOND_NS = 1_000_000_000
FOREVER_NS = (T0_MS + 10**9) * 1_000_000


def entry(
    position: int, arrived_ms: float, lift: int, stream: str, message: dict[str, Any], retained: bool = False
) -> Entry:
    topic = f"lift/v1/hangzhou/{lift}/{stream}"
    return Entry(position, int(arrived_ms * 1e6), topic, encode.to_json(message), retained)


def heard(entries: Sequence[Entry]) -> tuple[Decoded, np.ndarray[Any, Any]]:
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
        decoded, lift = heard(entries[begin:end])
        batches.append(sequencer.step(decoded, lift, 0)[0])
        if restart:
            sequencer = reloaded(sequencer)
    batches.append(sequencer.idle(FOREVER_NS))
    for batch in batches:
        assert_sorted(batch)
    counts = {name: column[np.flatnonzero(column)].tolist() for name, column in sequencer.counts().items()}
    return joined(batches), counts


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


KINDS = ("bundle", "bundle", "speed", "displacement", "door", "infrared", "status", "will")


@st.composite
def conversations(draw: st.DrawFn) -> list[Entry]:
    """Draw what three lifts might say: out of order, repeated, restarted, silent, with events ahead of samples."""
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
        count = draw(st.integers(1, 12))
        values = np.arange(count) + 1000.0 * position
        body: dict[str, dict[str, Any]] = {
            "speed": encode.speed(100, values),
            "displacement": encode.displacement(draw(st.sampled_from([100, 200])), values),
            "door": encode.door([0, draw(st.sampled_from([0, 350, 950, 1_700]))], ["opening", "open"]),
            "infrared": {"at": [50], "presence": [draw(st.sampled_from([True, False, None]))], "curtain": [True]},
            "status": {"online": True, "alarm": draw(st.booleans()), "mode": "normal"},
        }
        lift, retained = draw(st.integers(0, 2)), False
        if kind == "bundle":
            names = draw(st.sets(st.sampled_from(["speed", "displacement", "door", "infrared"])))
            message = head | {name: body[name] for name in sorted(names)}
        elif kind == "will":
            message, retained = {"online": False}, draw(st.booleans())
        else:
            message, retained = head | body[kind], kind == "status" and draw(st.booleans())
        stream = "status" if kind == "will" else kind
        entries.append(entry(position + 1, arrived_ms, lift, stream, message, retained))
    return entries


@given(conversations(), st.lists(st.integers(1, 25), max_size=8), st.booleans(), st.booleans())
@settings(max_examples=80, deadline=None)
def test_however_messages_are_cut_into_groups_the_rows_are_the_same(
    entries: list[Entry], cuts: list[int], idle: bool, restart: bool
) -> None:
    whole, counts = run(entries)
    parts, counts_of_parts = run(entries, cuts, idle, restart)
    assert_same(whole, parts)
    assert counts == counts_of_parts


@given(conversations())
@settings(max_examples=80, deadline=None)
def test_a_plain_loop_over_messages_finds_the_same(entries: list[Entry]) -> None:
    assert_as_naive(entries)


def assert_as_naive(entries: list[Entry]) -> None:
    fast, counts = run(entries)
    decoded, lift = heard(entries)
    naive = naive_sequence.sequence([(decoded, lift.tolist())])
    rows = [(index, t_ns, row) for index in sorted(naive) for t_ns, row in sorted(naive[index].rows.items())]
    assert list(zip(fast["lift"].tolist(), fast["t_ns"].tolist(), strict=True)) == [(i, t) for i, t, _ in rows]
    for name in CHANNELS:
        np.testing.assert_array_equal(fast[name], [row.get(name, np.nan) for *_, row in rows], err_msg=name)
    for name in COUNTED:
        assert sum(counts[name]) == sum(lift.counts[name] for lift in naive.values()), name
