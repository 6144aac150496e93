"""Cuts a batch into parts that may be judged one after the other, with the same result as the whole.

rows      L1 a b c d | L1 e f  L2 a b | L2 c d
blocks    L1    x    | L1 y           | L2  z      beside the rows around their instants
steps     all of them with the first piece: their instants are their own
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from telemetry.arrays import I64, Bools
from telemetry.batch import CHANNELS, Batch, Steps, Waveforms
from telemetry.groups import blocks, joined_waves

COLUMNS = ("lift", "t_ns", *CHANNELS)
VIBRATIONS = ("waveforms", "machine")
NO_VIBRATION: dict[str, Any] = dict.fromkeys([name for kind in VIBRATIONS for name in (kind, f"{kind}_due_ns")])
STATUSES = ("mode", "power", "alarm", "online", "reboot")
READINGS = ("v_mps", "z_m", "door", "presence", "curtain")


def pieces(batch: Batch, rows: int) -> Iterator[Batch]:
    """Yield the batch in pieces of `rows` rows at most; the last one holds what comes after the last row, too."""
    begins = list(range(0, len(batch), rows)) or [0]
    ends = [*begins[1:], len(batch)]
    blocks: dict[str, list[int]] = {name: _ends_of_blocks(batch, name, ends) for name in VIBRATIONS}
    for k, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        cut: dict[str, Any] = {name: getattr(batch, name)[begin:end] for name in COLUMNS}
        for name, block_ends in blocks.items():
            cut |= _blocks(batch, name, block_ends[k - 1] if k else 0, block_ends[k]) if block_ends else {}
        yield replace(batch, **cut, steps=batch.steps if k == 0 else None)


def _ends_of_blocks(batch: Batch, name: str, ends: list[int]) -> list[int]:
    """Return the block before which each piece ends: the first one due at the next piece's first row or later."""
    waves: Waveforms | None = getattr(batch, name)
    if waves is None:
        return []
    due_ns: I64 = getattr(batch, f"{name}_due_ns")
    made = []
    for end in ends[:-1]:
        lift, t_ns = batch.lift[end], batch.t_ns[end]
        of_lift = np.searchsorted(waves.message, [lift, lift + 1])
        made.append(int(of_lift[0] + np.searchsorted(due_ns[of_lift[0] : of_lift[1]], t_ns)))
    return [*made, len(due_ns)]


def _blocks(batch: Batch, name: str, begin: int, end: int) -> dict[str, Any]:
    """Return these vibration blocks of a batch, by the names of its columns."""
    if begin == end:
        return {name: None, f"{name}_due_ns": None}
    waves: Waveforms = getattr(batch, name)
    first = waves.first[begin : end + 1]
    cut = Waveforms(
        waves.message[begin:end],
        waves.t_ns[begin:end],
        waves.dt_ns[begin:end],
        first - first[0],
        np.ascontiguousarray(waves.xyz[:, first[0] : first[-1]]),
    )
    return {name: cut, f"{name}_due_ns": getattr(batch, f"{name}_due_ns")[begin:end]}


def joined(parts: Sequence[Batch]) -> Batch:
    """Return batches as one, the rows and blocks of each after those of the one before."""
    columns: dict[str, Any] = {name: np.concatenate([getattr(one, name) for one in parts]) for name in COLUMNS}
    for name in VIBRATIONS:
        if some := [one for one in parts if getattr(one, name) is not None]:
            columns[name] = joined_waves([getattr(one, name) for one in some])
            columns[f"{name}_due_ns"] = np.concatenate([getattr(one, f"{name}_due_ns") for one in some])
    if steps := [one.steps for one in parts if one.steps is not None]:
        columns["steps"] = Steps(*(np.concatenate(each) for each in zip(*steps, strict=True)))
    return Batch(**columns)


def lifts_of(batch: Batch) -> list[int]:
    """Return the lifts that have rows or vibration blocks in a batch, ascending."""
    waves = [getattr(batch, name).message for name in VIBRATIONS if getattr(batch, name) is not None]
    return [int(lift) for lift in np.unique(np.concatenate([batch.lift, *waves]))]


def first_ns(batch: Batch) -> int:
    """Return the instant of the first row of a batch that has any, else of its first vibration block."""
    due = [getattr(batch, f"{name}_due_ns") for name in VIBRATIONS]
    return int(next(column[0] for column in (batch.t_ns, *due) if column is not None and len(column)))


def of_lifts(batch: Batch, lifts: Sequence[int], *, others: bool = False) -> Batch:
    """Return what a batch has of these lifts, or of all `others`."""

    def has(lift: Any) -> Bools:
        return np.isin(lift, lifts, invert=others)

    kept = has(batch.lift)
    cut: dict[str, Any] = {name: getattr(batch, name)[kept] for name in COLUMNS}
    for name in VIBRATIONS:
        if (waves := getattr(batch, name)) is not None:
            mine, due = has(waves.message), f"{name}_due_ns"
            cut |= (
                {name: blocks(waves, mine), due: getattr(batch, due)[mine]} if mine.any() else {name: None, due: None}
            )
    if batch.steps is not None:
        lift, t_ns, ahead_ns = batch.steps
        cut["steps"] = Steps(lift[has(lift)], t_ns[has(lift)], ahead_ns[has(lift)])
    return replace(batch, **cut)


def halves(batch: Batch) -> list[Batch]:
    """Return two parts of a batch: some lifts and the others, the first and the last rows of one lift, or its only row
    and its vibration; none where there is nothing to part."""
    lifts = lifts_of(batch)
    if len(lifts) > 1:
        first = lifts[: len(lifts) // 2]
        return [of_lifts(batch, first), of_lifts(batch, first, others=True)]
    if len(batch) > 1:
        return list(pieces(batch, (len(batch) + 1) // 2))
    if len(batch) == 1 and any(getattr(batch, name) is not None for name in VIBRATIONS):
        no_rows: dict[str, Any] = {name: getattr(batch, name)[:0] for name in COLUMNS}
        return [replace(batch, **no_rows, steps=None), replace(batch, **NO_VIBRATION)]
    return []


def statuses(batch: Batch) -> Batch:
    """Return the rows of a batch that report a status, without any readings, and the steps of its clocks."""
    kept = ~np.isnan([getattr(batch, name) for name in STATUSES]).all(axis=0)
    cut: dict[str, Any] = {name: getattr(batch, name)[kept] for name in COLUMNS}
    cut |= {name: np.full_like(cut[name], np.nan) for name in READINGS}
    return replace(batch, **cut, **NO_VIBRATION)


def reset(batch: Batch) -> Batch:
    """Return a batch of one lift as after a restart of its device: what it reported before is unknown."""
    reboot = batch.reboot.copy()
    reboot[:1] = 1.0
    return replace(batch, reboot=reboot)
