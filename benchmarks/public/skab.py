"""SKAB: 34 files of a pump testbed, scored as by its leaderboard: 400 rows of each for fitting, and the rest counts.

Every row is a case of a binary classification; rows of all files are counted together, without any adjustment.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from detectors.series.ewma import EWMAChart
from detectors.series.pca import PCAChart
from telemetry.arrays import F64, Bools

TRAINING = 400
TUNED_ON = "other"
"""The folder whose figures decided on the parameters below."""
TAU_S, SHARE, MARGIN = 10.0, 0.9, 4.0
"""The smoothing, the share of the variance that the components explain, and the margin above the held-out rows."""


class Experiment(NamedTuple):
    """One file: the rows, and whether each is anomalous."""

    name: str
    rows: F64
    anomalous: Bools


class DetectionRates(NamedTuple):
    """F1, the share of normal rows flagged, and that of anomalous rows missed."""

    f1: float
    false_alarms: float
    missed: float

    def __str__(self) -> str:
        return f"F1 {self.f1:.3f}, false alarms {self.false_alarms:.1%}, missed {self.missed:.1%}"


Flagging = Callable[[F64, F64], Bools]
"""From the fitted rows and the rows to score, in their order, to a flag for each of the latter."""


def experiments(folder: Path) -> Iterator[Experiment]:
    """Yield the experiments with an anomaly in `folder`, the `data` of the SKAB repository or the repository itself."""
    for path in sorted(folder.rglob("*.csv")):
        if path.parent.name in ("other", "valve1", "valve2"):
            with path.open(encoding="utf-8") as file:
                table = np.array(
                    [[float(cell) for cell in row[1:]] for row in list(csv.reader(file, delimiter=";"))[1:]]
                )
            yield Experiment(f"{path.parent.name}/{path.stem}", table[:, :-2], table[:, -2] == 1.0)


def outcome(found: list[Experiment], flag: Flagging) -> DetectionRates:
    """Return the outcome of all rows after the training."""
    flags = np.concatenate([flag(one.rows[:TRAINING], one.rows[TRAINING:]) for one in found])
    truth = np.concatenate([one.anomalous[TRAINING:] for one in found])
    hits, false, missed = (int(np.sum(each)) for each in (flags & truth, flags & ~truth, ~flags & truth))
    return DetectionRates(
        2 * hits / (2 * hits + false + missed), false / int(np.sum(~truth)), missed / int(np.sum(truth))
    )


def always(_: F64, rows: F64) -> Bools:
    """Flag every row."""
    return np.ones(len(rows), np.bool_)


def t2_and_q(fitted: F64, rows: F64) -> Bools:
    """Flag by T² and Q with the limits of theory at 1 %."""
    return PCAChart().fit(fitted).anomaly_scores(rows) > 1.0


def smoothed_t2_and_q(fitted: F64, rows: F64) -> Bools:
    """Flag by T² and Q of averages; the components come from the first half of the training, the limits from the other.

    Rows that the components have not seen show how far a healthy plant drifts, which the fitted ones hide.
    """
    averages = EWMAChart(tau_s=TAU_S).fit(fitted).averages(np.vstack([fitted, rows]))
    half = len(fitted) // 2
    chart = PCAChart(SHARE).fit(averages[int(TAU_S) : half])
    limits = [MARGIN * np.quantile(each, 0.99) for each in chart.statistics(averages[half : len(fitted)])]
    t2, q = chart.statistics(averages[len(fitted) :])
    return (t2 > limits[0]) | (q > limits[1])


FLAGGINGS: dict[str, Flagging] = {
    "always alarming": always,
    "PCAChart, T² and Q": t2_and_q,
    "EWMAChart and PCAChart": smoothed_t2_and_q,
}


def report(folder: Path) -> Iterator[str]:
    """Yield a line for each detector over all files, and over those that decided nothing."""
    found = list(experiments(folder))
    rest = [one for one in found if not one.name.startswith(TUNED_ON)]
    yield f"SKAB, {len(found)} files (the figures of {len(found) - len(rest)} decided on the parameters)"
    for name, flag in FLAGGINGS.items():
        yield f"  {name:<26} all: {outcome(found, flag)}"
        yield f"  {'':<26} the rest: {outcome(rest, flag)}"
