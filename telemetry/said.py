"""What one message said, between the two readers of the wire (`quick`, `careful`) and the columns.

Both readers make the same values of the same message; none of them holds a Python object for each number.
"""

from __future__ import annotations

from array import array
from typing import Any, NamedTuple

import numpy as np
from cbor2 import CBORTag

from telemetry.batch import F64
from telemetry.streams import CLOCK_AHEAD_LIMIT_S, DOOR_STATES

REASONS = (
    "topic",
    "stream",
    "oversized",
    "syntax",
    "depth",
    "duplicate-key",
    "missing-field",
    "type",
    "non-finite",
    "out-of-range",
    "unequal-lengths",
    "clock-ahead",
    "lift-id",
)
"""Why a message can be refused; each is counted."""

FIELDS_LIMIT = 1000
"""Fields of one object, and lifts of one gateway message: looking one up walks the object."""
SEQ_END = 1 << 63
BOOT_LIMIT_CHARS = 64
DT_MIN_MS, DT_MAX_MS = 1e-3, 86_400_000.0
READING_LIMIT = 1e6
"""The largest reading, in the unit of its stream, that can be meant: beyond it speaks a broken device."""
CLOCK_AHEAD_LIMIT_MS = CLOCK_AHEAD_LIMIT_S * 1e3

CHANNELS = {"speed": ("v",), "displacement": ("z",), "vibration": ("x", "y", "z")}
NAN = float("nan")
BITS = {True: 1.0, False: 0.0, None: NAN}
DOOR_CODES = {name: float(code) for code, name in enumerate(DOOR_STATES)}

TYPED_ARRAYS: dict[int, np.dtype[Any]] = {
    77: np.dtype("<i2"),
    78: np.dtype("<i4"),
    85: np.dtype("<f4"),
    86: np.dtype("<f8"),
}
"""Tags of RFC 8746 that the contract takes: int16, int32, float32 and float64, all little-endian."""
DOUBLES: np.dtype[Any] = np.dtype("<f8")

Piece = Any
"""A sampled array as it is kept until the end of the group: a simdjson buffer or an `array("d")`, both of doubles, or a
CBOR typed array."""


class Refused(Exception):
    """The sender's mistake: a reason that is counted, and a sentence that names the field and the remedy."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Part(NamedTuple):
    """What one stream said.

    `clock` is `dt` in ms for a sampled stream (0 where a single sample needs none); for an event stream it is the
    piece of its offsets `at`, or None where all happened at `t_ms`. `channels` holds pieces for a sampled stream and
    lists of codes for an event stream, each of this `length`.
    """

    stream: str
    t_ms: float
    clock: Any
    length: int
    channels: tuple[Any, ...]


class Said(NamedTuple):
    """A message of one lift. Only a status may leave out `t` (`t_ms` is None) and `seq` (then -1)."""

    seq: int
    boot: str
    t_ms: float | None
    parts: list[Part]
    status: tuple[float, ...] | None = None


def doubles(values: list[Any]) -> Piece:
    """Return a piece of plain numbers; raise TypeError where one of them is not a number."""
    if bool in set(map(type, values)):
        raise TypeError("true and false are not readings")
    return array("d", values)


def typed_count(tag: CBORTag) -> int:
    """Return how many numbers a typed array holds; raise KeyError or ValueError where it is not one that we take."""
    size = TYPED_ARRAYS[tag.tag].itemsize
    octets = tag.value
    if type(octets) is not bytes or len(octets) % size:
        raise ValueError("a typed array of broken length")
    return len(octets) // size


def join(pieces: list[Piece]) -> F64:
    """Return all pieces, in their order, as one column of doubles."""
    if CBORTag not in set(map(type, pieces)):
        return np.frombuffer(b"".join(pieces), dtype=DOUBLES)
    runs: list[tuple[np.dtype[Any], list[Any]]] = []
    for piece in pieces:
        tagged = type(piece) is CBORTag
        dtype = TYPED_ARRAYS[piece.tag] if tagged else DOUBLES
        if not runs or runs[-1][0] is not dtype:
            runs.append((dtype, []))
        runs[-1][1].append(piece.value if tagged else piece)
    return np.concatenate([np.frombuffer(b"".join(run), dtype=dtype).astype(np.float64) for dtype, run in runs])
