"""The columns of a group of messages: collected unchanged, made into arrays once for the whole group.

Instants are rounded to whole microseconds, the same way in every stream: a double of milliseconds has no finer
resolution, and readings of one instant must not differ by a nanosecond.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from telemetry.arrays import F64, I32, I64
from telemetry.batch import Decoded, Messages, Refusal, Samples, Waveforms
from telemetry.streams import MACHINE
from telemetry.wire.parsed import (
    CLOCK_AHEAD_LIMIT_MS,
    EARLIEST_MS,
    NAN,
    READING_LIMIT,
    SAMPLED_CHANNELS,
    Parsed,
    StreamPart,
    join,
)

NAMES = {
    "speed": ("v_mps",),
    "displacement": ("z_m",),
    "vibration": ("x", "y", "z"),
    "machine": ("a",),
    "door": ("door",),
    "infrared": ("presence", "curtain"),
}
STATUS_NAMES = ("online", "alarm", "mode", "power", "heartbeat_s")
_MESSAGE = ("lift_id", "district", "boot", "seq", "t_ms", "arrived_ns", "position", "complete", "stale", "timed")


def instants(t_ms: F64, offset_ms: F64 | float = 0.0) -> I64:
    """Return int64 nanoseconds of milliseconds since 1970 plus an offset, rounded once, to whole microseconds."""
    whole = np.floor(t_ms)
    fraction_us = np.rint((t_ms - whole + offset_ms) * 1e3)
    return whole.astype(np.int64) * 1_000_000 + fraction_us.astype(np.int64) * 1_000


class GroupColumns:
    """A group of messages on its way to `Decoded`."""

    def __init__(self) -> None:
        self.refusals: list[Refusal] = []
        self._messages: list[tuple[Any, ...]] = []
        self._parts: dict[str, list[StreamPart]] = {name: [] for name in NAMES}
        self._message_numbers: dict[str, list[int]] = {name: [] for name in NAMES}
        self._status: list[tuple[float, ...]] = []

    def add(
        self, lift_id: str, district: str, parsed: Parsed, arrived_ns: int, position: int, complete: bool, stale: bool
    ) -> None:
        """Add one message."""
        number = len(self._messages)
        seq, boot, t_ms, parts, status = parsed
        timed = t_ms is not None
        t_ms = t_ms if timed else min((part[1] for part in parts), default=arrived_ns / 1e6)
        self._messages.append((lift_id, district, boot, seq, t_ms, arrived_ns, position, complete, stale, timed))
        for part in parts:
            stream = part[0]
            self._message_numbers[stream].append(number)
            self._parts[stream].append(part)
        if status is not None:
            self._status.append((number, *status))

    def finish(self) -> tuple[Decoded, set[int]]:
        """Return the decoded group, and the positions of the messages whose numbers break the contract."""
        fields = dict(zip(_MESSAGE, _transposed(self._messages, len(_MESSAGE)), strict=True))
        t_ms, arrived_ns = _floats(fields["t_ms"]), _whole(fields["arrived_ns"])
        streams = {name: _StreamArrays(name, self._message_numbers[name], parts) for name, parts in self._parts.items()}
        last_ms, early = t_ms.copy(), t_ms < EARLIEST_MS
        broken = np.zeros(len(t_ms), dtype=np.bool_)
        for stream in streams.values():
            np.fmax.at(last_ms, stream.message, stream.last_ms())
            early[stream.message[stream.t_ms < EARLIEST_MS]] = True
            broken[stream.broken()] = True
        broken |= early & np.array(fields["timed"], dtype=np.bool_) & (arrived_ns / 1e6 >= EARLIEST_MS)
        broken |= last_ms > arrived_ns / 1e6 + CLOCK_AHEAD_LIMIT_MS
        status, own_ms = self._status_samples(t_ms)
        np.fmax.at(last_ms, status.message, own_ms)
        position = _whole(fields["position"])
        if broken.any():
            return NO_MESSAGES, set(position[broken].tolist())
        messages = Messages(
            lift_id=list(fields["lift_id"]),
            district=list(fields["district"]),
            boot=list(fields["boot"]),
            seq=_whole(fields["seq"]),
            t_ns=instants(t_ms),
            t_end_ns=instants(last_ms),
            arrived_ns=arrived_ns,
            position=position,
            complete=np.array(fields["complete"], dtype=np.bool_),
            retained_stale=np.array(fields["stale"], dtype=np.bool_),
            timed=np.array(fields["timed"], dtype=np.bool_),
        )
        waves = {name: streams.pop(name).waveforms() for name in ("vibration", MACHINE)}
        samples = {name: stream.samples() for name, stream in streams.items()}
        samples["status"] = status
        return Decoded(messages, samples, waves["vibration"], self.refusals, waves[MACHINE]), set()

    def _status_samples(self, t_ms: F64) -> tuple[Samples, F64]:
        """Return the status of each message that has one, and the times of their own."""
        number, own_ms, *columns = map(_floats, _transposed(self._status, 2 + len(STATUS_NAMES)))
        message = number.astype(np.int32)
        at_ms = np.where(np.isnan(own_ms), t_ms[message], own_ms)
        return Samples(message, instants(at_ms), dict(zip(STATUS_NAMES, columns, strict=True))), own_ms


class _StreamArrays:
    """The blocks of one stream as arrays. `clock` is `dt_ms` of each block where it is sampled, and else the offset of
    each reading in ms."""

    def __init__(self, name: str, numbers: list[int], parts: list[StreamPart]) -> None:
        _, t_ms, clock, length, *channels = _transposed(parts, 4 + len(NAMES[name]))
        self.names, self.sampled = NAMES[name], name in SAMPLED_CHANNELS
        self.message: I32 = _whole(numbers).astype(np.int32)
        self.t_ms = _floats(t_ms)
        self.length = _whole(length)
        self.end: I64 = np.cumsum(self.length)
        if self.sampled:
            self.clock = _floats(clock)
            self.columns: NDArray[Any] = join([*chain.from_iterable(channels)]).reshape(len(channels), -1)
        else:
            self.clock = _flat(offsets or [0.0] * count for offsets, count in zip(clock, length, strict=True))
            self.columns = np.array([_flat(channel) for channel in channels])

    def last_ms(self) -> F64:
        """Return the time of the last reading of each block, its own time where it holds none."""
        if self.sampled:
            return self.t_ms + np.maximum(self.length - 1, 0) * self.clock
        last_ms = self.t_ms.copy()
        filled = self.length > 0
        last_ms[filled] += self.clock[self.end[filled] - 1]
        return last_ms

    def broken(self) -> I32:
        """Return the messages with a reading beyond every limit, or with an event out of order or before its `t`."""
        bad = np.zeros(int(self.length.sum()), dtype=np.bool_)
        for column in self.columns:
            if len(column) and not (column.min() >= -READING_LIMIT and column.max() <= READING_LIMIT):
                bad |= np.abs(column) > READING_LIMIT
        if not self.sampled:
            bad |= ~np.isfinite(self.clock) | (self.clock < 0)
            bad[1:] |= (np.diff(self.clock) < 0) & (np.diff(self._block()) == 0)
        return self.message[self._block()[bad]] if bad.any() else self.message[:0]

    def samples(self) -> Samples:
        """Return the readings, without the rows that hold none."""
        t_ns = self._sample_times() if self.sampled else instants(self.t_ms[self._block()], self.clock)
        message, columns = np.repeat(self.message, self.length), self.columns
        empty = np.isnan(columns).all(axis=0)
        if empty.any():
            message, t_ns, columns = message[~empty], t_ns[~empty], columns[:, ~empty]
        return Samples(message, t_ns, dict(zip(self.names, columns.astype(np.float64, copy=False), strict=True)))

    def _sample_times(self) -> I64:
        """Return the instant of each sample, as `instants` does, with few passes over columns that may be long."""
        whole_ms = np.floor(self.t_ms)
        us = np.repeat(self.clock, self.length)
        us *= np.arange(len(us)) - np.repeat(self.end - self.length, self.length)
        us += np.repeat(self.t_ms - whole_ms, self.length)
        us *= 1e3
        t_ns = np.rint(us, out=us).astype(np.int64)
        t_ns *= 1_000
        t_ns += np.repeat(whole_ms.astype(np.int64) * 1_000_000, self.length)
        return t_ns

    def waveforms(self) -> Waveforms:
        """Return the blocks as they are, but for empty ones."""
        filled = self.length > 0
        dt_ns = np.where(self.clock > 0, self.clock * 1e6, NAN)[filled]
        first = np.r_[0, self.end[filled]].astype(np.int64)
        xyz = np.asarray(self.columns, dtype=np.float32)
        return Waveforms(self.message[filled], instants(self.t_ms[filled]), dt_ns, first, xyz)

    def _block(self) -> NDArray[np.intp]:
        """Return the block of each reading."""
        return np.repeat(np.arange(len(self.length)), self.length)


def _transposed(rows: list[tuple[Any, ...]], width: int) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True)) if rows else [()] * width


def _floats(numbers: Iterable[float]) -> F64:
    return np.frombuffer(array("d", numbers), dtype=np.float64)


def _whole(numbers: Iterable[int]) -> I64:
    return np.frombuffer(array("q", numbers), dtype=np.int64)


def _flat(lists: Iterable[Iterable[float]]) -> F64:
    return _floats(chain.from_iterable(lists))


NO_MESSAGES, _ = GroupColumns().finish()
"""A group without messages."""
