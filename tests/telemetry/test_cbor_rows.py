"""CborRows encoded together equal each row encoded alone."""

from __future__ import annotations

import cbor2
import numpy as np
import pytest

from telemetry.wire import encode
from telemetry.wire.cbor_rows import CborColumn, CborRows, map_head


def test_rows_encoded_together_equal_rows_encoded_alone() -> None:
    random = np.random.default_rng(7)
    count, v = random.integers(0, 1 << 32, 50), random.normal(size=(50, 3)).astype("<f4")
    v[4, 1] = np.nan
    rows = CborRows({"n": CborColumn("n", ">u4"), "speed": {"dt": 100, "v": CborColumn("v", "<f4", 3)}, "last": "x"})
    made = [map_head(3) + row for row in rows.encode(n=count, v=v)]
    alone = [
        encode.to_cbor({"n": int(n), "speed": {"dt": 100, "v": one}, "last": "x"})
        for n, one in zip(count, v, strict=True)
    ]
    assert list(map(repr, map(cbor2.loads, made))) == list(map(repr, map(cbor2.loads, alone)))


@pytest.mark.parametrize(("dtype", "count"), [("<f8", 1), ("<f8", 10), ("<i2", 3), ("<i4", 40), ("<f4", 100)])
def test_typed_arrays_of_every_length_are_the_same_bytes_as_one_by_one(dtype: str, count: int) -> None:
    array = np.arange(2 * count).reshape(2, count).astype(dtype)
    assert CborRows({"a": CborColumn("a", dtype, count)}).encode(a=array) == [
        encode.to_cbor({"a": row})[1:] for row in array
    ]


@pytest.mark.parametrize("count", [0, 23, 24, 255, 256, 65_535])
def test_the_head_of_a_map_counts_its_keys(count: int) -> None:
    whole = cbor2.dumps(dict.fromkeys(range(count)))
    assert whole.startswith(map_head(count))
    assert len(cbor2.loads(whole)) == count
