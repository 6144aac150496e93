"""The scorers of the public benchmarks, on series made here: the data themselves are not part of the repository."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.public import nab, skab, ucr
from detectors.series.sub_pca import SubPCA


def naive_nab_weights(n: int, windows: list[tuple[int, int]]) -> list[float]:
    """Return the worth of a flag at each row, written out as NAB's description has it."""

    def sigmoid(place: float) -> float:
        return -1.0 if place > 3.0 else 2.0 / (1.0 + np.exp(5.0 * place)) - 1.0

    out = []
    for row in range(n):
        inside = [(begin, end) for begin, end in windows if begin <= row <= end]
        before = [(begin, end) for begin, end in windows if end < row]
        if inside:
            begin, end = inside[0]
            out.append(sigmoid(-(end - row + 1) / (end - begin + 1)) / sigmoid(-1.0))
        elif before:
            begin, end = before[-1]
            out.append(sigmoid((row - end) / (end - begin)))
        else:
            out.append(-1.0)
    return out


def test_the_worth_of_a_flag_is_that_of_nab() -> None:
    windows = [(20, 39), (60, 69)]
    assert nab.weights(120, windows)[0] == pytest.approx(naive_nab_weights(120, windows))


def test_perfect_flags_score_100_none_score_0_and_false_ones_cost() -> None:
    series = nab.LabelledSeries("a", np.zeros(1000), [(300, 399), (700, 799)])

    def flags(*rows: int) -> np.ndarray:
        return np.isin(np.arange(1000), rows)

    assert nab.score([series], lambda _: flags(300, 700)) == pytest.approx(100.0)
    assert nab.score([series], lambda _: flags()) == 0.0
    assert nab.score([series], lambda _: flags(300, 700, 600)) < 100.0
    assert nab.score([series], lambda _: flags(390, 700)) < nab.score([series], lambda _: flags(310, 700))
    assert nab.score([series], lambda _: flags(100)) == 0.0  # the probation counts nothing


def test_a_corpus_is_read_and_a_step_is_flagged(tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(size=600)
    values[400:] += 12.0
    stamps = np.datetime64("2001-01-01T00:00:00") + np.arange(600) * np.timedelta64(300, "s")
    (tmp_path / "labels").mkdir()
    (tmp_path / "data").mkdir()
    rows = "".join(f"{stamp!s},{value}\n".replace("T", " ") for stamp, value in zip(stamps, values, strict=True))
    (tmp_path / "data/a.csv").write_text(f"timestamp,value\n{rows}", encoding="utf-8")
    window = [str(stamps[k]).replace("T", " ") + ".000000" for k in (390, 450)]
    (tmp_path / "labels/combined_windows.json").write_text(json.dumps({"a.csv": [window]}), encoding="utf-8")
    (series,) = nab.corpus(tmp_path)
    assert series.windows == [(390, 450)]
    assert np.flatnonzero(nab.flagged(series))[0] in range(400, 405)
    assert nab.score([series], nab.flagged) > 60.0


def test_skab_counts_the_rows_after_the_training_of_all_files_together() -> None:
    truth = np.arange(1000) >= 700
    found = [skab.Experiment("a", np.zeros((1000, 2)), truth)]
    seen = skab.outcome(found, lambda _, rows: np.arange(400, 1000) >= 850)
    assert (seen.f1, seen.false_alarms, seen.missed) == pytest.approx((300 / 450, 0.0, 0.5))
    everything = skab.outcome(found, skab.always)
    assert (everything.f1, everything.false_alarms, everything.missed) == pytest.approx((600 / 900, 1.0, 0.0))


def test_skab_is_read_and_a_broken_relation_is_flagged(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    load = rng.normal(size=1000)
    rows = np.column_stack([load, -load, 2.0 * load]) + 0.05 * rng.normal(size=(1000, 3))
    rows[700:, 1] += 3.0
    (tmp_path / "valve1").mkdir()
    lines = [";".join(["t", *map(str, row), str(float(k >= 700)), "0.0"]) for k, row in enumerate(rows)]
    (tmp_path / "valve1/0.csv").write_text("\n".join(["head", *lines]), encoding="utf-8")
    (one,) = skab.experiments(tmp_path)
    assert one.name == "valve1/0"
    seen = skab.outcome([one], skab.smoothed_t2_and_q)
    assert seen.f1 > 0.95


def test_a_series_of_ucr_is_solved_where_the_greatest_score_is_at_the_anomaly(tmp_path: Path) -> None:
    wave = np.sin(np.arange(3000) * 2 * np.pi / 50) + 0.02 * np.random.default_rng(3).normal(size=3000)
    wave[2200:2230] = 0.0
    for first, expected in ((2200, True), (2700, False)):
        path = tmp_path / f"001_UCR_Anomaly_made_1500_{first}_{first + 29}.txt"
        path.write_text("\n".join(map(str, wave)), encoding="utf-8")
        assert ucr.solved(path, SubPCA(window=50)) is expected
