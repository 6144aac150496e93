"""Groups of messages made into others: joined, cut, put in another order. Each message keeps its readings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from telemetry.arrays import I32, I64
from telemetry.batch import Decoded, Messages, Samples, Waveforms


def joined(groups: Sequence[Decoded]) -> Decoded:
    """Return these groups, one after the other, as one."""
    if len(groups) == 1:
        return groups[0]
    messages = [group.messages for group in groups]
    begins = np.cumsum([0, *(len(one.seq) for one in messages)])[:-1]
    columns = {field.name: _column([getattr(one, field.name) for one in messages]) for field in fields(Messages)}
    samples = {name: _samples([group.samples[name] for group in groups], begins) for name in groups[0].samples}
    waves = _joined([group.waveforms for group in groups], begins)
    machine = _joined([group.machine for group in groups], begins)
    refusals = [one for group in groups for one in group.refusals]
    return Decoded(Messages(**columns), samples, waves, refusals, machine)


def only(decoded: Decoded, kept: NDArray[np.bool_]) -> Decoded:
    """Return the messages that `kept` marks, with their readings, and all refusals."""
    return decoded if kept.all() else picked(decoded, np.flatnonzero(kept))


def of_lifts(decoded: Decoded, has: Callable[[str], bool]) -> Decoded:
    """Return the messages of the lifts for which `has` is true, with their readings, and the refusals of these lifts.

    `has` decides by the topic for a refusal that names no lift.
    """
    mine = {lift_id: has(lift_id) for lift_id in set(decoded.messages.lift_id)}
    refusals = [each for each in decoded.refusals if has(each.lift_id or each.topic)]
    kept = np.array([mine[lift_id] for lift_id in decoded.messages.lift_id], dtype=np.bool_)
    return only(replace(decoded, refusals=refusals), kept)


def picked(decoded: Decoded, rows: NDArray[np.intp]) -> Decoded:
    """Return these messages in this order, with their readings."""
    number = np.full(len(decoded.messages.seq), -1, dtype=np.int32)
    number[rows] = np.arange(len(rows), dtype=np.int32)
    columns = {field.name: _rows(getattr(decoded.messages, field.name), rows) for field in fields(Messages)}
    samples = {}
    for name, stream in decoded.samples.items():
        message, mine = _renamed(number, stream.message)
        channels = {channel: column[mine] for channel, column in stream.channels.items()}
        samples[name] = Samples(message, stream.t_ns[mine], channels)
    waves, machine = (_picked(waves, number) for waves in (decoded.waveforms, decoded.machine))
    return Decoded(Messages(**columns), samples, waves, decoded.refusals, machine)


def blocks(waves: Waveforms, which: NDArray[Any]) -> Waveforms:
    """Return the vibration blocks that `which`, a mask or their numbers, names."""
    mine = np.flatnonzero(which) if which.dtype == np.bool_ else which
    if len(mine) == len(waves.message) and (mine == np.arange(len(mine))).all():
        return waves
    lengths = np.diff(waves.first)[mine]
    first = np.r_[0, np.cumsum(lengths)]
    place = np.arange(first[-1]) + np.repeat(waves.first[:-1][mine] - first[:-1], lengths)
    return Waveforms(waves.message[mine], waves.t_ns[mine], waves.dt_ns[mine], first, np.take(waves.xyz, place, axis=1))


def joined_waves(parts: Sequence[Waveforms]) -> Waveforms:
    """Return the vibration blocks of all parts, one after the other."""
    some = [part for part in parts if len(part.message)]
    if len(some) < 2:
        return (some or parts)[0]
    return Waveforms(
        np.concatenate([part.message for part in some]),
        np.concatenate([part.t_ns for part in some]),
        np.concatenate([part.dt_ns for part in some]),
        np.r_[0, np.cumsum(np.concatenate([np.diff(part.first) for part in some]))],
        np.concatenate([part.xyz for part in some], axis=1),
    )


def _joined(parts: Sequence[Waveforms], begins: I64) -> Waveforms:
    numbered = zip(parts, begins, strict=True)
    return joined_waves([replace(waves, message=(waves.message + begin).astype(np.int32)) for waves, begin in numbered])


def _picked(waves: Waveforms, number: I32) -> Waveforms:
    message, mine = _renamed(number, waves.message)
    return replace(blocks(waves, mine), message=message)


def _renamed(number: I32, message: I32) -> tuple[I32, NDArray[np.intp]]:
    """Return the new numbers of the rows that stay, in order, and which rows these are."""
    now = number[message]
    stay = np.flatnonzero(now >= 0)
    stay = stay[np.argsort(now[stay], kind="stable")]
    return now[stay], stay


def _column(parts: Sequence[Any]) -> Any:
    return list(chain.from_iterable(parts)) if isinstance(parts[0], list) else np.concatenate(parts)


def _rows(column: Any, rows: NDArray[np.intp]) -> Any:
    return [column[row] for row in rows.tolist()] if isinstance(column, list) else column[rows]


def _samples(parts: Sequence[Samples], begins: I64) -> Samples:
    return Samples(
        _renumbered([part.message for part in parts], begins),
        np.concatenate([part.t_ns for part in parts]),
        {name: np.concatenate([part.channels[name] for part in parts]) for name in parts[0].channels},
    )


def _renumbered(messages: Sequence[I32], begins: I64) -> I32:
    return np.concatenate([part + begin for part, begin in zip(messages, begins, strict=True)]).astype(np.int32)


MESSAGE_BYTES = 500
"""About how much memory the texts and objects of a message take beside its columns."""


def size_bytes(decoded: Decoded) -> int:
    """Return about how much memory a decoded group takes."""
    readings = sum(
        samples.message.nbytes + samples.t_ns.nbytes + sum(channel.nbytes for channel in samples.channels.values())
        for samples in decoded.samples.values()
    )
    vibration = decoded.waveforms.xyz.nbytes + decoded.machine.xyz.nbytes
    refused = sum(len(refusal.payload) for refusal in decoded.refusals)
    return readings + vibration + refused + MESSAGE_BYTES * len(decoded.messages.lift_id)


def expired(decoded: Decoded, oldest_ns: int) -> int:
    """Return the number of readings older than the retention."""
    return sum(int((samples.t_ns < oldest_ns).sum()) for samples in decoded.samples.values())
