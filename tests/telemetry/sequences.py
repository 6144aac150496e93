"""Conversations of lifts, and what the sequencer releases of them, for the tests of the order."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from telemetry.batch import CHANNELS, Batch, Decoded
from telemetry.order.records import COUNTED, NEVER
from telemetry.order.sequence import VIBRATIONS, Sequencer
from telemetry.streams import MODES, POWERS, Entry
from telemetry.wire import encode
from telemetry.wire.decode import decode
from tests.telemetry import naive_sequence

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


def known(column: np.ndarray[Any, Any]) -> list[float]:
    """Return the values of a column at the rows where the column is known."""
    return column[~np.isnan(column)].tolist()  # type: ignore[no-any-return]
