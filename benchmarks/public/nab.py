"""NAB: 58 series with labelled windows, scored by NAB's rules under the standard profile.

The first flag in a window counts, the earlier the more; a flag outside costs the more the further it is behind the
window before. The score is 0 for a detector that flags nothing and 100 for a perfect one. NAB's own protocol chooses a
threshold over the whole corpus; here none is chosen on the series that are scored: each has the limit of its own first
part, in which NAB counts nothing.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from telemetry.arrays import F64, I64, Bools
from telemetry.compiled import compiled

FALSE_WEIGHT = 0.11
PROBATION, PROBATION_ROWS = 0.15, 750
SLOW_ROWS = 10_000
FEATURES = ((False, 1), (False, 30), (True, 1))
"""Whether the size of the step is looked at instead of the value, and the mean of how many rows."""
MARGIN, QUIET_ROWS = 1.3, 100
"""How far above its limit a score is flagged, and for how long no other flag follows."""


class LabelledSeries(NamedTuple):
    """One series: the values, and the first and last row of each labelled window."""

    name: str
    values: F64
    windows: Sequence[tuple[int, int]]

    @property
    def probation(self) -> int:
        """The number of rows at the beginning that count nothing."""
        return min(int(PROBATION * len(self.values)), PROBATION_ROWS)


def corpus(folder: Path) -> Iterator[LabelledSeries]:
    """Yield the series of the NAB repository in `folder`."""
    labels = json.loads((folder / "labels/combined_windows.json").read_text(encoding="utf-8"))
    for name in sorted(labels):
        with (folder / "data" / name).open(encoding="utf-8") as file:
            rows = list(csv.reader(file))[1:]
        row_at = {np.datetime64(row[0]): number for number, row in reversed(list(enumerate(rows)))}
        windows = [(row_at[np.datetime64(begin)], row_at[np.datetime64(end)]) for begin, end in labels[name]]
        yield LabelledSeries(name, np.array([float(row[1]) for row in rows]), sorted(windows))


def score(found: Sequence[LabelledSeries], flag: Callable[[LabelledSeries], Bools]) -> float:
    """Return the normalised score over the series, from 0 for no flag to 100 for perfect ones."""
    parts = [_parts(one, flag(one)) for one in found]
    total, windows = sum(part[0] for part in parts), sum(part[1] for part in parts)
    return 100.0 * (total + windows) / (2.0 * windows)


def _parts(series: LabelledSeries, flags: Bools) -> tuple[float, int]:
    """Return the score of one series and the number of its windows that count."""
    values, window = weights(len(series.values), series.windows)
    counted = np.arange(len(flags)) >= series.probation
    total, windows = FALSE_WEIGHT * float(values[flags & counted & (window < 0)].sum()), 0
    for number in range(len(series.windows)):
        held = counted & (window == number)
        if held.any():
            windows += 1
            hits = values[held & flags]
            total += max(-1.0, float(hits.max())) if len(hits) else -1.0
    return total, windows


def weights(n: int, windows: Sequence[tuple[int, int]]) -> tuple[F64, I64]:
    """Return what a flag at each row is worth, and the number of its window, -1 outside."""
    values, window, most = np.full(n, -1.0), np.full(n, -1), float(_sigmoid(np.array(-1.0)))
    for number, (begin, end) in enumerate(windows):
        inside = np.arange(begin, end + 1)
        values[inside] = _sigmoid(-(end - inside + 1) / (end - begin + 1)) / most
        window[inside] = number
        behind = np.arange(end + 1, windows[number + 1][0] if number + 1 < len(windows) else n)
        values[behind] = _sigmoid((behind - end) / (end - begin))
    return values, window


def _sigmoid(place: Any) -> F64:
    curve: F64 = np.where(place > 3.0, -1.0, 2.0 / (1.0 + np.exp(5.0 * np.minimum(place, 3.0))) - 1.0)
    return curve


def flagged(series: LabelledSeries) -> Bools:
    """Flag where a short mean leaves the slow mean of the rows before further than it did in the probation."""
    steps = np.abs(np.diff(series.values, prepend=series.values[:1]))
    worst = np.zeros(len(series.values))
    for of_steps, length in FEATURES:
        column = steps if of_steps else series.values
        z = _deviation(column, length, float(SLOW_ROWS), 1e-6 * float(np.abs(column).max()) + 1e-12)
        limit = max(float(np.quantile(z[10 : max(series.probation, 20)], 0.999)), 1e-9)
        worst = np.maximum(worst, z / limit)
    return _first_flags(worst, MARGIN, QUIET_ROWS, series.probation)


@compiled
def _deviation(column: Any, length: int, slow_rows: float, floor: float) -> Any:
    """Return how many slow standard deviations the mean of the last `length` rows is off the mean of those before."""
    z, mean, variance, held = np.zeros(len(column)), column[0], 0.0, 0.0
    for k in range(len(column)):
        if k >= length:
            held -= column[k - length]
            share = max(1.0 / (k - length + 1), 1.0 / slow_rows)
            off = column[k - length] - mean
            mean += share * off
            variance = (1.0 - share) * (variance + share * off * off)
        held += column[k]
        if k > length:
            z[k] = abs(held / length - mean) / (np.sqrt(variance) + floor)
    return z


@compiled
def _first_flags(score: Any, limit: float, quiet_rows: int, begin: int) -> Any:
    """Flag scores above the limit from row `begin` on, but those that follow a flag within `quiet_rows`."""
    flags, last = np.zeros(len(score), np.bool_), -quiet_rows - 1
    for k in range(begin, len(score)):
        if score[k] > limit and k - last > quiet_rows:
            flags[k] = True
            last = k
    return flags


def report(folder: Path) -> Iterator[str]:
    """Yield the scores over the corpus, and over the half whose score did not decide on the parameters above."""
    found = list(corpus(folder))
    yield f"NAB, {len(found)} series, standard profile (the score of every other one decided on the parameters)"
    yield f"  deviation of short means   all: {score(found, flagged):.1f}, the rest: {score(found[1::2], flagged):.1f}"
    nothing = score(found, lambda one: np.zeros(len(one.values), np.bool_))
    yield f"  no flag                    all: {nothing:.1f}"
