"""Groups of messages made into others: several joined into one, or some of one kept. What each message said stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from telemetry.batch import I32, I64, Decoded, Messages, Samples, Waveforms


def joined(groups: Sequence[Decoded]) -> Decoded:
    """Return what these groups said, one after the other, as one."""
    if len(groups) == 1:
        return groups[0]
    said = [group.messages for group in groups]
    begins = np.cumsum([0, *(len(messages.seq) for messages in said)])[:-1]
    columns = {field.name: _column([getattr(one, field.name) for one in said]) for field in fields(Messages)}
    samples = {name: _samples([group.samples[name] for group in groups], begins) for name in groups[0].samples}
    waveforms = _waveforms([group.waveforms for group in groups], begins)
    return Decoded(Messages(**columns), samples, waveforms, [one for group in groups for one in group.refusals])


def only(decoded: Decoded, kept: NDArray[np.bool_]) -> Decoded:
    """Return the messages that `kept` names, and what they said; refusals are no message of any lift and stay."""
    if kept.all():
        return decoded
    number = (np.cumsum(kept) - 1).astype(np.int32)
    columns = {field.name: _where(getattr(decoded.messages, field.name), kept) for field in fields(Messages)}
    samples = {}
    for name, said in decoded.samples.items():
        mine = kept[said.message]
        channels = {channel: column[mine] for channel, column in said.channels.items()}
        samples[name] = Samples(number[said.message[mine]], said.t_ns[mine], channels)
    waves = decoded.waveforms
    mine, lengths = kept[waves.message], np.diff(waves.first)
    first = np.r_[0, np.cumsum(lengths[mine])]
    xyz = waves.xyz[:, np.repeat(mine, lengths)]
    waveforms = Waveforms(number[waves.message[mine]], waves.t_ns[mine], waves.dt_ns[mine], first, xyz)
    return Decoded(Messages(**columns), samples, waveforms, decoded.refusals)


def _column(parts: Sequence[Any]) -> Any:
    return list(chain.from_iterable(parts)) if isinstance(parts[0], list) else np.concatenate(parts)


def _where(column: Any, kept: NDArray[np.bool_]) -> Any:
    if isinstance(column, list):
        return [value for value, mine in zip(column, kept.tolist(), strict=True) if mine]
    return column[kept]


def _samples(parts: Sequence[Samples], begins: I64) -> Samples:
    return Samples(
        _renumbered([part.message for part in parts], begins),
        np.concatenate([part.t_ns for part in parts]),
        {name: np.concatenate([part.channels[name] for part in parts]) for name in parts[0].channels},
    )


def _waveforms(parts: Sequence[Waveforms], begins: I64) -> Waveforms:
    lengths = np.concatenate([np.diff(part.first) for part in parts])
    return Waveforms(
        _renumbered([part.message for part in parts], begins),
        np.concatenate([part.t_ns for part in parts]),
        np.concatenate([part.dt_ns for part in parts]),
        np.r_[0, np.cumsum(lengths)],
        np.concatenate([part.xyz for part in parts], axis=1),
    )


def _renumbered(messages: Sequence[I32], begins: I64) -> I32:
    return np.concatenate([part + begin for part, begin in zip(messages, begins, strict=True)]).astype(np.int32)
