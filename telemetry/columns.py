"""The columns of a group of messages: gathered piece by piece, made into arrays once for the whole group.

Instants are rounded to whole microseconds, the same way in every stream: a double of milliseconds holds no more, and
what was read at one instant must not fall apart by a nanosecond.
"""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

from telemetry.batch import F64, I32, I64, Decoded, Messages, Refusal, Samples, Waveforms
from telemetry.said import CHANNELS, CLOCK_AHEAD_LIMIT_MS, NAN, READING_LIMIT, Part, Piece, Said, join

NAMES = {
    "speed": ("v_mps",),
    "displacement": ("z_m",),
    "vibration": ("x", "y", "z"),
    "door": ("door",),
    "infrared": ("presence", "curtain"),
}
STATUS_NAMES = ("online", "alarm", "mode", "power", "heartbeat_s")


def instants(t_ms: F64, offset_ms: F64 | float = 0.0) -> I64:
    """Return int64 nanoseconds of milliseconds since 1970 plus an offset, rounded once, to whole microseconds."""
    whole = np.floor(t_ms)
    fraction_us = np.rint((t_ms - whole + offset_ms) * 1e3)
    return whole.astype(np.int64) * 1_000_000 + fraction_us.astype(np.int64) * 1_000


class _Stream:
    """What was said on one stream: four numbers a block, and the pieces of its channels."""

    def __init__(self, channels: int) -> None:
        self.blocks: list[float] = []
        self.clocks: list[Any] = []
        self.channels: tuple[list[Any], ...] = tuple([] for _ in range(channels))

    def add(self, message: int, part: Part) -> None:
        self.blocks += (message, part.t_ms, part.length)
        self.clocks.append(part.clock)
        for column, channel in zip(self.channels, part.channels, strict=True):
            column.append(channel)


class _Blocks:
    """The blocks of one stream as arrays: `rows` gives each reading its block, `offset_ms` its time after `t_ms`."""

    def __init__(self, stream: _Stream, sampled: bool) -> None:
        table = np.frombuffer(array("d", stream.blocks), dtype=np.float64).reshape(-1, 3)
        self.message: I32 = table[:, 0].astype(np.int32)
        self.t_ms: F64 = table[:, 1]
        self.count: I64 = table[:, 2].astype(np.int64)
        self.end: I64 = np.cumsum(self.count)
        self.rows: NDArray[np.intp] = np.repeat(np.arange(len(table)), self.count)
        if sampled:
            self.dt_ms: F64 = np.frombuffer(array("d", stream.clocks), dtype=np.float64)
            place = np.arange(len(self.rows)) - np.repeat(self.end - self.count, self.count)
            self.offset_ms: F64 = place * self.dt_ms[self.rows]
        else:
            self.offset_ms = _offsets(stream.clocks, self.count)

    def last_ms(self) -> F64:
        """Return the time of the last reading of each block (its own time where it is empty)."""
        last = self.t_ms.copy()
        spoken = self.count > 0
        last[spoken] += self.offset_ms[self.end[spoken] - 1]
        return last

    def t_ns(self) -> I64:
        """Return the instant of each reading."""
        return instants(self.t_ms[self.rows], self.offset_ms)

    def disordered(self) -> NDArray[np.intp]:
        """Return the readings that lie before `t_ms` or before the one above them in their block."""
        early = self.offset_ms < 0
        early[1:] |= (np.diff(self.offset_ms) < 0) & (np.diff(self.rows) == 0)
        return np.flatnonzero(early | ~np.isfinite(self.offset_ms))


def _offsets(clocks: list[Piece | None], count: I64) -> F64:
    said = [clock for clock in clocks if clock is not None]
    if len(said) == len(clocks):
        return join(said)
    offset_ms = np.zeros(int(count.sum()))
    if said:
        offset_ms[np.repeat([clock is not None for clock in clocks], count)] = join(said)
    return offset_ms


class Columns:
    """A group of messages on its way to `Decoded`."""

    def __init__(self) -> None:
        self.streams = {name: _Stream(len(channels)) for name, channels in NAMES.items()}
        self.lift_id: list[str] = []
        self.district: list[str] = []
        self.boot: list[str] = []
        self.t_ms: list[float] = []
        self.whole: list[int] = []
        self.flags: list[bool] = []
        self.status: list[float] = []
        self.refusals: list[Refusal] = []

    def add(
        self, lift_id: str, district: str, said: Said, arrived_ns: int, position: int, complete: bool, stale: bool
    ) -> None:
        """Take one message."""
        number = len(self.lift_id)
        self.lift_id.append(lift_id)
        self.district.append(district)
        self.boot.append(said.boot)
        self.t_ms.append(arrived_ns / 1e6 if said.t_ms is None else said.t_ms)
        self.whole += (said.seq, arrived_ns, position)
        self.flags += (complete, stale, said.t_ms is not None)
        for part in said.parts:
            self.streams[part.stream].add(number, part)
        if said.status is not None:
            self.status += (number, *said.status)

    def finish(self) -> tuple[Decoded, set[int]]:
        """Return what was said, and the positions of the messages whose numbers break the contract."""
        t_ms = np.array(self.t_ms, dtype=np.float64)
        whole = np.array(self.whole, dtype=np.int64).reshape(-1, 3)
        limit_ms = whole[:, 1] / 1e6 + CLOCK_AHEAD_LIMIT_MS
        blocks = {name: _Blocks(stream, name in CHANNELS) for name, stream in self.streams.items()}
        columns = {name: self._columns(name) for name in NAMES}
        suspect: list[NDArray[Any]] = [np.flatnonzero(t_ms > limit_ms)]
        last_ms = t_ms.copy()
        for name, block in blocks.items():
            np.maximum.at(last_ms, block.message, block.last_ms())
            suspect.append(block.message[block.rows[block.disordered()]])
            suspect += [block.message[block.rows[np.abs(column) > READING_LIMIT]] for column in columns[name]]
        suspect.append(np.flatnonzero(~(last_ms <= limit_ms)))
        broken = {int(position) for position in whole[np.concatenate(suspect), 2]}
        if broken:
            return EMPTY, broken
        messages = self._messages(t_ms, last_ms, whole)
        samples = {name: _samples(blocks[name], NAMES[name], columns[name]) for name in NAMES if name != "vibration"}
        samples["status"] = self._status(messages.t_ns)
        return Decoded(messages, samples, _waveforms(blocks["vibration"], columns["vibration"]), self.refusals), broken

    def _columns(self, name: str) -> list[F64]:
        channels = self.streams[name].channels
        if name in CHANNELS:
            return [join(channel) for channel in channels]
        return [np.array([code for codes in channel for code in codes], dtype=np.float64) for channel in channels]

    def _messages(self, t_ms: F64, last_ms: F64, whole: I64) -> Messages:
        flags = np.array(self.flags, dtype=np.bool_).reshape(-1, 3)
        return Messages(
            lift_id=self.lift_id,
            district=self.district,
            boot=self.boot,
            seq=whole[:, 0],
            t_ns=instants(t_ms),
            t_end_ns=instants(last_ms),
            arrived_ns=whole[:, 1],
            position=whole[:, 2],
            complete=flags[:, 0],
            retained_stale=flags[:, 1],
            timed=flags[:, 2],
        )

    def _status(self, t_ns: I64) -> Samples:
        table = np.array(self.status, dtype=np.float64).reshape(-1, 1 + len(STATUS_NAMES))
        message = table[:, 0].astype(np.int32)
        return Samples(message, t_ns[message], {name: table[:, i + 1] for i, name in enumerate(STATUS_NAMES)})


def _samples(block: _Blocks, names: tuple[str, ...], columns: list[F64]) -> Samples:
    """Return the readings of one stream, without the rows that hold none."""
    message, t_ns = block.message[block.rows], block.t_ns()
    silent = np.isnan(columns[0])
    for column in columns[1:]:
        silent &= np.isnan(column)
    if silent.any():
        message, t_ns, columns = message[~silent], t_ns[~silent], [column[~silent] for column in columns]
    return Samples(message, t_ns, dict(zip(names, columns, strict=True)))


def _waveforms(block: _Blocks, columns: list[F64]) -> Waveforms:
    spoken = block.count > 0
    dt_ns = np.where(block.dt_ms > 0, block.dt_ms * 1e6, NAN)
    return Waveforms(
        message=block.message[spoken],
        t_ns=instants(block.t_ms[spoken]),
        dt_ns=dt_ns[spoken],
        first=np.r_[0, block.end[spoken]].astype(np.int64),
        xyz=np.stack(columns).astype(np.float32),
    )


EMPTY, _ = Columns().finish()
"""What a group without messages said."""
