"""One parsed message, between the two paths that parse (`fast_path`, `validating`) and the columns.

Both paths make the same values of the same message; a sampled array is raw memory, never a list of numbers.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
from cbor2 import CBORTag
from numpy.typing import NDArray

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
    "clock-behind",
    "clock-ahead",
    "lift-id",
)
"""The reasons of refusals; each is counted."""

FIELDS_LIMIT = 1000
"""Fields of one object, and lifts of one gateway message: looking one up walks the object."""
SEQ_END, NO_SEQ = 1 << 63, -1
BOOT_LIMIT_CHARS = 64
DT_MIN_MS, DT_MAX_MS = 1e-3, 86_400_000.0
READING_LIMIT = 1e6
"""The largest reading, in the unit of its stream; a larger one comes from a broken device."""
CLOCK_AHEAD_LIMIT_MS = CLOCK_AHEAD_LIMIT_S * 1e3
EARLIEST_MS = 1_420_070_400_000.0
"""2015-01-01: no device in use means an earlier time; messages of an older recording may."""

SAMPLED_CHANNELS = {"speed": ("v",), "displacement": ("z",), "vibration": ("x", "y", "z"), "machine": ("a",)}
EVENT_CHANNELS = {"door": ("state",), "infrared": ("presence", "curtain")}
NAN = float("nan")
BITS = {True: 1.0, False: 0.0, None: NAN}
DOOR_CODES = {name: float(code) for code, name in enumerate(DOOR_STATES)}

FLOATS: np.dtype[Any] = np.dtype("<f4")
DOUBLES: np.dtype[Any] = np.dtype("<f8")
TYPED_ARRAYS: dict[int, np.dtype[Any]] = {77: np.dtype("<i2"), 78: np.dtype("<i4"), 85: FLOATS, 86: DOUBLES}
"""Tags of RFC 8746 that the contract takes: int16, int32, float32 and float64, all little-endian."""

RawArray = Any
"""A sampled array as it is kept until the end of the group: `bytes` are float32, any other buffer holds doubles."""


class Invalid(Exception):
    """The sender's mistake: a reason that is counted, and a sentence that names the field and the remedy."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


STATUS_FIELDS = frozenset(("online", "alarm", "mode", "power", "heartbeat_s"))

StreamPart = tuple[Any, ...]
"""The readings of one stream in a message: its name, `t` in ms, its clock, its length, and its channels one by one.

The clock is `dt` in ms for a sampled stream (0 where a single sample needs none); for an event stream it is the list of
its offsets `at`, or None where all happened at `t`. Channels are
raw arrays of a sampled stream, lists of codes of events.
"""


Parsed = tuple[int, str, float | None, list[StreamPart], tuple[float, ...] | None]
"""A message of one lift: seq (-1 where it has none), boot, `t` in ms (None where it has none), its streams, and its
status: a time of its own (NaN where it has none) and its codes.

Where the message has no `t`, its streams have times that end with its arrival.
"""


def numbers(values: list[Any]) -> RawArray:
    """Return plain numbers as a raw array; raise TypeError where one of them is not a number."""
    if bool in set(map(type, values)):
        raise TypeError("true and false are not readings")
    return array("d", values)


def typed(tag: CBORTag) -> tuple[RawArray, int]:
    """Return a typed array as a raw array and its length; raise KeyError or ValueError for any other."""
    dtype, octets = TYPED_ARRAYS[tag.tag], tag.value
    if type(octets) is not bytes or len(octets) % dtype.itemsize:
        raise ValueError("a typed array of broken length")
    length = len(octets) // dtype.itemsize
    return octets if dtype is FLOATS else np.frombuffer(octets, dtype=dtype).astype(DOUBLES), length


def join(arrays: Sequence[RawArray]) -> NDArray[Any]:
    """Return all raw arrays, in their order, as one column: of float32 where all of them are, else of doubles."""
    kinds = set(map(type, arrays))
    if len(kinds) == 1 or bytes not in kinds:
        return np.frombuffer(b"".join(arrays), dtype=FLOATS if bytes in kinds else DOUBLES)
    runs = groupby(arrays, lambda raw: FLOATS if type(raw) is bytes else DOUBLES)
    return np.concatenate([np.frombuffer(b"".join(run), dtype=dtype).astype(DOUBLES) for dtype, run in runs])
