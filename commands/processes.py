"""Work divided among processes: the same results in the same order, for any number of processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar

Result = TypeVar("Result")


def each(work: Callable[..., Result], shares: Sequence[tuple[Any, ...]]) -> list[Result]:
    """Call `work` with the arguments of each share, each in a process of its own where there are several."""
    if len(shares) == 1:
        return [work(*shares[0])]
    with ProcessPoolExecutor(len(shares), get_context("spawn")) as pool:
        return list(pool.map(work, *zip(*shares, strict=True)))
