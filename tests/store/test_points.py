"""From decoded columns to rows: names of the contract, vibration reduced to seconds, and no row without a value."""

from __future__ import annotations

import numpy as np
import pytest

from store.series.points import points, vibration_features
from store.series.timeseries import AXES, SECOND_NS
from telemetry.batch import Decoded, Messages, Samples, Waveforms
from tests.store.worlds import START_NS

NO_BLOCKS = Waveforms(
    np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0), np.zeros(1, np.int64), np.zeros((3, 0), np.float32)
)


def messages(lift_ids: list[str]) -> Messages:
    n = len(lift_ids)
    zeros, never = np.zeros(n, np.int64), np.zeros(n, np.bool_)
    return Messages(lift_ids, ["north"] * n, ["0"] * n, zeros, zeros, zeros, zeros, zeros, never, never, ~never)


def blocks(*parts: tuple[float, float, np.ndarray]) -> Waveforms:
    """Return blocks that begin so many seconds after `START_NS`, sampled every so many seconds."""
    lengths = [part[2].shape[1] for part in parts]
    return Waveforms(
        np.arange(len(parts), dtype=np.int32),
        START_NS + np.array([round(part[0] * 1e9) for part in parts], np.int64),
        np.array([part[1] * 1e9 for part in parts]),
        np.r_[0, np.cumsum(lengths)].astype(np.int64),
        np.concatenate([part[2] for part in parts], axis=1).astype(np.float32),
    )


def naive(waves: Waveforms) -> list[tuple[int, int, list[float]]]:
    """Reduce block by block and sample by sample."""
    found = []
    for i in range(len(waves.message)):
        seconds: dict[int, list[int]] = {}
        for k in range(int(waves.first[i + 1] - waves.first[i])):
            t_ns = int(waves.t_ns[i]) + int(np.ceil(k * waves.dt_ns[i] - 1e-6))
            seconds.setdefault(t_ns // SECOND_NS, []).append(int(waves.first[i]) + k)
        for second, columns in seconds.items():
            features = []
            for row in range(3):
                part = waves.xyz[row, columns].astype(np.float64)
                part = part[~np.isnan(part)]
                if not len(part):
                    features += [np.nan] * 4
                else:
                    features += [np.sqrt(np.mean(part**2)), part.min(), part.max(), part.mean()]
            found.append((int(waves.message[i]), max(second * SECOND_NS, int(waves.t_ns[i])), features))
    return found


def columns(features: dict[str, np.ndarray]) -> np.ndarray:
    return np.array([features[f"{f}_{axis}"] for axis in AXES for f in ("rms", "min", "max", "mean")]).T


@pytest.mark.parametrize("seed", range(30))
def test_features_equal_a_plain_loop_over_blocks_and_samples(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(rng.integers(1, 8)):
        xyz = rng.normal(size=(3, rng.integers(0, 300)))
        if seed % 3 == 0:
            xyz[:, rng.random(xyz.shape[1]) < 0.3] = np.nan
        start, dt = (
            round(rng.uniform(0, 5), int(rng.integers(0, 4))),
            rng.choice([0.01, 0.004, 1 / 256, 1 / 3, 0.7, 1.0, 2.5, 60.0]),
        )
        parts.append((start, dt, xyz))
    waves = blocks(*parts)
    message, t_ns, features = vibration_features(waves)
    expected = naive(waves)
    assert message.tolist() == [row[0] for row in expected]
    assert t_ns.tolist() == [row[1] for row in expected]
    if expected:
        np.testing.assert_allclose(columns(features), [row[2] for row in expected], rtol=2e-5, atol=1e-6)


def test_whole_aligned_seconds_are_reduced_the_same_way_as_any_others() -> None:
    xyz = np.random.default_rng(1).normal(size=(3, 100))
    waves = blocks((0, 0.01, xyz), (7, 0.01, xyz + 1), (9, 0.01, xyz * 2))
    message, t_ns, features = vibration_features(waves)
    assert message.tolist() == [0, 1, 2]
    assert ((t_ns - START_NS) // SECOND_NS).tolist() == [0, 7, 9]
    np.testing.assert_allclose(columns(features), [row[2] for row in naive(waves)], rtol=2e-5)


def test_two_blocks_that_share_a_second_make_two_rows_of_it() -> None:
    ones = np.ones((3, 100))
    waves = blocks((0.3, 0.01, ones), (1.3, 0.01, 5 * ones))
    _, t_ns, features = vibration_features(waves)
    assert (t_ns - START_NS).tolist() == [300_000_000, SECOND_NS, 1_300_000_000, 2 * SECOND_NS]
    assert features["max_z"].tolist() == [1, 1, 5, 5]


def test_a_single_sample_needs_no_interval_and_may_be_huge() -> None:
    waves = blocks((0.25, np.nan, np.full((3, 1), 3e38)), (1.5, 0.01, np.full((3, 2), -2e38)))
    message, t_ns, features = vibration_features(waves)
    assert message.tolist() == [0, 1]
    assert (t_ns - START_NS).tolist() == [250_000_000, 1_500_000_000]
    assert features["max_x"].tolist() == [np.float32(3e38), np.float32(-2e38)]


def test_channels_have_the_names_of_the_contract_and_empty_rows_are_left_out() -> None:
    nan = np.nan
    index = np.array([0, 1, 1], np.int32)
    t_ns = START_NS + np.arange(3)
    decoded = Decoded(
        messages(["A", "B"]),
        {
            "speed": Samples(index, t_ns, {"v_mps": np.array([1.0, nan, 2.0])}),
            "door": Samples(index[:0], t_ns[:0], {"door": np.zeros(0)}),
            "infrared": Samples(index, t_ns, {"presence": np.array([1, nan, nan]), "curtain": np.array([nan, 0, nan])}),
            "status": Samples(
                index,
                t_ns,
                {"mode": np.array([1, nan, nan]), "heartbeat_s": np.array([nan, 30, nan]), "power": t_ns * nan},
            ),
        },
        NO_BLOCKS,
        [],
    )
    found = {rows.measurement: rows for rows in points(decoded, {"B": "south"})}
    assert sorted(found) == ["infrared", "speed", "status"]
    assert [found["speed"].lift_ids[i] for i in found["speed"].lift] == ["A", "B"]
    assert list(found["speed"].districts) == ["north", "south"]
    assert found["speed"].fields["v"].tolist() == [1, 2]
    assert len(found["infrared"]) == 2
    assert len(found["status"]) == 1
    assert sorted(found["status"].fields) == ["mode", "power"]
    late = points(decoded, oldest_ns=START_NS + 2)
    assert [(rows.measurement, rows.t_ns.tolist()) for rows in late] == [("speed", [START_NS + 2])]


def test_no_messages_make_no_points() -> None:
    assert points(Decoded(messages([]), {}, NO_BLOCKS, [])) == []
