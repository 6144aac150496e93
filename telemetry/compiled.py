"""Compiled recurrences: plain loops over columns, compiled by Numba at their first call.

A recurrence is written for one lift and one reading in plain `if`s over columns sorted by lift and time. Its memory is
a structured array with one record for each lift, which it changes in place; records are read and written by name
(`own["since_ns"]`), which means the same to Numba and to Python. With `NUMBA_DISABLE_JIT=1` in the environment the same
functions run as they are written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Return `function` as Numba compiles it: without the interpreter, without its lock, kept in the disk cache."""
    return cast(Function, numba.njit(nogil=True, error_model="numpy", cache=True)(function))


def records(n: int, dtype: np.dtype[np.void], **start: float) -> NDArray[np.void]:
    """Return `n` records of `dtype`: each field holds its value of `start`, or zero."""
    made = np.zeros(n, dtype=dtype)
    for name, value in start.items():
        made[name] = value
    return made
