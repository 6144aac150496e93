"""UCR anomaly archive: one anomaly a series; a series is solved where the greatest score lies within 100 rows of it.

The name of a file gives the rows for fitting and the anomaly: `001_UCR_Anomaly_NAME_TRAINING_FIRST_LAST.txt`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from detectors.series.kmeans_ad import KMeansAD
from detectors.series.sub_pca import SubPCA

NAME = re.compile(r"(\d+)_UCR_Anomaly_.*_(\d+)_(\d+)_(\d+)\.txt")
SLACK_ROWS = 100
WINDOW = 100


def solved(path: Path, detector: SubPCA | KMeansAD) -> bool:
    """Return whether the greatest score after the training is at the anomaly."""
    found = NAME.fullmatch(path.name)
    assert found is not None, path.name
    training, first, last = (int(found[group]) for group in (2, 3, 4))
    values = np.array(path.read_text(encoding="utf-8").split(), dtype=np.float64)
    scores = detector.fit(values[:training]).anomaly_scores(values)
    worst = training + int(np.nanargmax(scores[training:]))
    return first - SLACK_ROWS <= worst <= last + SLACK_ROWS


def report(folder: Path) -> Iterator[str]:
    """Yield how many series of the archive each detector solves."""
    paths = sorted(path for path in folder.rglob("*.txt") if NAME.fullmatch(path.name))
    yield f"UCR, {len(paths)} series"
    for detector in (SubPCA(window=WINDOW), KMeansAD(window=WINDOW)):
        right = sum(solved(path, detector) for path in paths)
        yield f"  {type(detector).__name__:<26} {right} solved ({right / max(len(paths), 1):.0%})"
