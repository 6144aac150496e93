"""Checks of the scores that a detector returns, before compiled code reads them without checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from detectors.rule import Level, Score

FLOAT, INTEGER = np.dtype(np.float64), np.dtype(np.int64)


class BadScore(Exception):
    """A detector returned scores that do not fit its rule's levels and its table; the text names the difference."""


def check(scores: Sequence[Score], levels: Sequence[Level], rows: int) -> None:
    """Raise `BadScore` unless there is one score for each level, with columns of `rows` numbers."""
    if len(scores) != len(levels):
        raise BadScore(f"{len(scores)} scores for {len(levels)} levels")
    shape = (rows,)
    for score, level in zip(scores, levels, strict=True):
        if level.peak and level.peak not in score.evidence:
            raise BadScore(f"no evidence {level.peak}, which is its level's peak")
        columns = (score.on, score.off, *score.evidence.values())
        if _fit(columns, FLOAT, shape) and (score.since_ns is None or _fit((score.since_ns,), INTEGER, shape)):
            continue  # most scores, and the quickest way to see that
        _check_column("on", score.on, rows, np.float64)
        _check_column("off", score.off, rows, np.float64)
        if score.since_ns is not None:
            _check_column("since_ns", score.since_ns, rows, np.int64)
        for name, column in score.evidence.items():
            _check_column(f"evidence {name}", column, rows, None)


def _check_column(name: str, column: Any, rows: int, dtype: type[np.generic] | None) -> None:
    if not isinstance(column, np.ndarray) or column.shape != (rows,):
        raise BadScore(f"{name} has the shape {np.shape(column)} instead of ({rows},)")
    if column.dtype != dtype if dtype is not None else column.dtype.kind not in "fiub":
        raise BadScore(f"{name} has the dtype {column.dtype} instead of {np.dtype(dtype) if dtype else 'a number'}")


def _fit(columns: Sequence[Any], dtype: np.dtype[Any], shape: tuple[int]) -> bool:
    for each in columns:  # a generator costs as much again
        if type(each) is not np.ndarray or each.dtype is not dtype or each.shape != shape:
            break
    else:
        return True
    return False
