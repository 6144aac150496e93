"""What every detector of `detectors.series` keeps: scikit-learn's conventions and its documented examples."""

from __future__ import annotations

import doctest
import importlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from detectors.series.cusum import CUSUMChart
from detectors.series.estimator import NotFitted, SeriesDetector
from detectors.series.ewma import EWMAChart
from detectors.series.kmeans_ad import KMeansAD
from detectors.series.pca import PCAChart
from detectors.series.sub_pca import SubPCA

ROOT = Path(__file__).parent.parent.parent.parent
DETECTORS = (EWMAChart, CUSUMChart, PCAChart, SubPCA, KMeansAD)
"""`test_matrix_profile.py` has the other one: its package takes long to compile."""
each_detector = pytest.mark.parametrize("kind", DETECTORS, ids=lambda kind: kind.__name__)


def normal(n: int = 200, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 2))


def fitted(kind: type[SeriesDetector]) -> SeriesDetector:
    return kind().fit(normal())


@each_detector
def test_scores_are_one_number_a_row_and_the_opposite_of_score_samples(kind: type[SeriesDetector]) -> None:
    detector, rows = fitted(kind), normal(seed=1)
    scores = detector.anomaly_scores(rows)
    assert scores.shape == (200,)
    assert (scores >= 0.0).all()
    assert (detector.score_samples(rows) == -scores).all()
    assert ((detector.decision_function(rows) < 0.0) == (detector.predict(rows) == -1)).all()
    assert (detector.predict(np.full((200, 2), np.nan)) == 0).all()


@each_detector
def test_an_extreme_row_scores_more_than_normal_ones(kind: type[SeriesDetector]) -> None:
    detector, rows = fitted(kind), normal(seed=1)
    rows[100:110] += [30.0, -30.0]
    scores = detector.anomaly_scores(rows)
    assert scores[100:110].max() > max(1.0, scores[:50].max())


@each_detector
def test_fit_and_scores_change_no_input_and_no_parameter(kind: type[SeriesDetector]) -> None:
    rows = normal()
    rows.setflags(write=False)
    detector = fitted(kind)
    before = kind().get_params()
    detector.anomaly_scores(rows)
    assert detector.get_params() == before == kind(**before).get_params()
    assert detector.n_features_in_ == 2


@each_detector
def test_a_second_fit_forgets_the_first(kind: type[SeriesDetector]) -> None:
    detector = fitted(kind)
    again = detector.fit(5.0 + 3.0 * normal(seed=2)).anomaly_scores(normal(seed=3))
    assert (again == kind().fit(5.0 + 3.0 * normal(seed=2)).anomaly_scores(normal(seed=3))).all()


@each_detector
@pytest.mark.parametrize(
    ("X", "complaint"),
    [
        (np.zeros((100, 3)), "3 features, but fit had 2"),
        (np.full((100, 2), np.inf), "infinite"),
        (np.zeros((100, 2, 2)), "shape"),
        (np.zeros((100, 0)), "shape"),
    ],
)
def test_what_cannot_be_scored_is_refused_by_name(kind: type[SeriesDetector], X: np.ndarray, complaint: str) -> None:
    detector = fitted(kind)
    with pytest.raises(ValueError, match=complaint):
        detector.anomaly_scores(X)


@each_detector
def test_a_detector_that_is_not_fitted_says_so(kind: type[SeriesDetector]) -> None:
    with pytest.raises(NotFitted, match="call fit"):
        kind().score_samples(normal())


@each_detector
def test_an_unknown_parameter_is_refused_with_those_there_are(kind: type[SeriesDetector]) -> None:
    with pytest.raises(ValueError, match=f"no parameter of {kind.__name__}; it has "):
        kind().set_params(windows=3)
    name, value = next(iter(kind().get_params().items()))
    assert kind().set_params(**{name: value}) == kind()


@pytest.mark.parametrize(
    ("detector", "rows", "complaint"),
    [
        (EWMAChart(tau_s=0.0), normal(), "above 0"),
        (EWMAChart(), [[1.0], [np.nan]], "two known values"),
        (CUSUMChart(limit=-1.0), normal(), "above 0"),
        (CUSUMChart(false_alarm_rate=2.0), normal(), "share between 0 and 1"),
        (PCAChart(n_components=1.5), normal(), "number of components"),
        (PCAChart(limits="guess"), normal(), "theory"),
        (PCAChart(), normal(2), "3 at least"),
        (SubPCA(window=1), normal(), "2 at least"),
        (SubPCA(window=300), normal(), "fewer than a window"),
        (KMeansAD(n_clusters=0), normal(), "1 or more"),
        (KMeansAD(), np.where(np.arange(200) % 7, 1.0, np.nan), "no window without NaN"),
    ],
)
def test_what_cannot_be_fitted_is_refused_with_the_remedy(detector, rows, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        detector.fit(rows)


def test_scikit_learn_clones_a_detector_and_takes_it_into_a_pipeline() -> None:
    from sklearn.base import clone
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = normal()
    pipeline = make_pipeline(StandardScaler(), clone(PCAChart(n_components=2)))
    assert pipeline.fit(rows).score_samples(rows) == pytest.approx(
        PCAChart(n_components=2).fit(rows).score_samples(rows)
    )


@pytest.mark.parametrize("name", ["ewma", "cusum", "pca", "sub_pca", "kmeans_ad"])
def test_the_examples_of_the_docstrings_run(name: str) -> None:
    result = doctest.testmod(importlib.import_module(f"detectors.series.{name}"))
    assert result.failed == 0
    assert result.attempted >= 4


def test_the_examples_of_the_documentation_run() -> None:
    text = (ROOT / "docs/detector-library.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(examples) == 5
    assert "matrix_profile" in examples.pop()  # test_matrix_profile.py runs it
    exec(compile("\n".join(examples), "detector-library.md", "exec"), {})


def test_the_library_imports_nothing_of_the_rest() -> None:
    code = (
        "import sys, detectors.series.sub_pca, detectors.series.kmeans_ad, detectors.series.ewma, "
        "detectors.series.cusum, detectors.series.matrix_profile\n"
        "rooms = {'alerts', 'registry', 'ingest', 'store', 'dashboards', 'polars', 'orjson', 'stumpy'}\n"
        "print(sorted(rooms & {name.partition('.')[0] for name in sys.modules}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stdout.strip() == "[]"
