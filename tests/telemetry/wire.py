"""Short ways to decode one message and to compare what was decoded."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import numpy as np

from telemetry.batch import Decoded, Messages, Refusal, Waveforms
from telemetry.streams import Entry
from telemetry.wire.decode import decode

T_MS = 1_600_000_000_000  # 2020-09-13
T_NS = T_MS * 1_000_000
AHEAD_MS = T_MS + 1_000 + 300_000
ARRIVED_NS = T_NS + 1_000_000_000
HEAD: dict[str, Any] = {"seq": 1, "t": T_MS}


def message(stream: str, **fields: Any) -> bytes:
    """Return a message of a stream as JSON."""
    return json.dumps(HEAD | fields).encode()


def entry(payload: bytes, stream: str = "bundle", position: int = 1, lift_id: str = "HZ-1", **more: Any) -> Entry:
    return Entry(position, ARRIVED_NS, f"lift/v1/hangzhou/{lift_id}/{stream}", payload, **more)


def decode_one(payload: bytes, stream: str = "bundle", **more: Any) -> Decoded:
    return decode([entry(payload, stream, **more)])


def refusal(payload: bytes, stream: str = "bundle", **more: Any) -> Refusal:
    decoded = decode_one(payload, stream, **more)
    assert not decoded.messages.lift_id
    (refused,) = decoded.refusals
    return refused


def assert_same(one: Decoded, other: Decoded, what: object = "") -> None:
    """Hold two decodings of `what` against each other, bit for bit."""
    assert one.refusals == other.refusals, what
    ours, theirs = columns(one), columns(other)
    assert ours.keys() == theirs.keys()
    for name, column in ours.items():
        assert column == theirs[name], f"{name} of {what!r}"


def columns(decoded: Decoded) -> dict[str, Any]:
    """Return every column as (dtype, shape, bytes), by name."""
    named: dict[str, Any] = {f.name: getattr(decoded.messages, f.name) for f in fields(Messages)}
    for stream, samples in decoded.samples.items():
        parts = {"message": samples.message, "t_ns": samples.t_ns, **samples.channels}
        named |= {f"{stream}.{name}": column for name, column in parts.items()}
    for name in ("waveforms", "machine"):
        named |= {f"{name}.{f.name}": getattr(getattr(decoded, name), f.name) for f in fields(Waveforms)}
    return {
        name: (column.dtype, column.shape, column.tobytes()) if isinstance(column, np.ndarray) else column
        for name, column in named.items()
    }
