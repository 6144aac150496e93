"""The matrix profile equals the distances between all windows; without its package it names the remedy."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from scipy.spatial.distance import cdist

from detectors.series.matrix_profile import MatrixProfile, PackageMissing
from detectors.series.windows import scores_of_rows, windows_of

ROOT = Path(__file__).parent.parent.parent.parent


def wave(n: int) -> np.ndarray:
    return np.sin(np.arange(n) * 2 * np.pi / 40) + 0.05 * np.random.default_rng(0).normal(size=n)


def naive_profile(series: np.ndarray, m: int) -> np.ndarray:
    """Return the z-normalised distance of each window to its nearest neighbour outside the exclusion zone."""
    windows = windows_of(series[:, None], m)
    z = (windows - windows.mean(axis=1, keepdims=True)) / windows.std(axis=1, keepdims=True)
    distance = cdist(z, z)
    n = len(windows)
    zone = int(np.ceil(m / 4))
    distance[np.abs(np.subtract.outer(np.arange(n), np.arange(n))) <= zone] = np.inf
    return distance.min(axis=1)


@pytest.fixture
def stumpy(monkeypatch: pytest.MonkeyPatch) -> None:
    """STUMPY without the compiler: its compiled code is not kept, and compiling takes ten times as long as a test."""
    with monkeypatch.context() as patch:  # read when STUMPY is imported
        patch.setattr(numba.config, "DISABLE_JIT", True)
        pytest.importorskip("stumpy")


@pytest.mark.usefixtures("stumpy")
def test_a_matrix_profile_equals_the_distances_written_out() -> None:
    series = wave(300)
    series[150:170] += 0.7
    expected = scores_of_rows(naive_profile(series, 30), 30)
    assert MatrixProfile(window=30).discords(series) == pytest.approx(expected, abs=1e-6)
    detector = MatrixProfile(window=30).fit(wave(300))
    assert detector.predict(np.full(300, np.nan)).tolist() == [0] * 300
    assert 120 <= int(detector.anomaly_scores(series).argmax()) < 200


def test_a_missing_package_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stumpy", None)
    with pytest.raises(PackageMissing, match=r"pip install liftwatch\[profile\]"):
        MatrixProfile(window=30).discords(wave(300))


@pytest.mark.usefixtures("stumpy")
def test_the_example_of_the_documentation_runs() -> None:
    text = (ROOT / "docs/detector-library.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(compile("\n".join(examples), "detector-library.md", "exec"), {})
