"""Long tests come first in the share of every worker, and no test is lost."""

from __future__ import annotations

from typing import Any

import pytest

from tests.long_first import dealt


@pytest.mark.parametrize("workers", [2, 3, 4])
@pytest.mark.parametrize(("long", "short"), [(0, 7), (1, 9), (5, 40), (12, 3), (4, 0)])
def test_every_share_begins_with_its_part_of_the_long_tests(long: int, short: int, workers: int) -> None:
    longs: list[Any] = [f"long {number}" for number in range(long)]
    shorts: list[Any] = [f"short {number}" for number in range(short)]
    out: list[Any] = dealt(longs, shorts, workers)
    assert sorted(out) == sorted(longs + shorts)
    assert [one for one in out if one in longs] == longs
    assert [one for one in out if one in shorts] == shorts
    for remaining in range(workers, 0, -1):
        share, out = out[: len(out) // remaining], out[len(out) // remaining :]
        kinds = [one.startswith("short") for one in share]
        assert kinds == sorted(kinds)
        assert share == [] or long < workers or not kinds[0]
