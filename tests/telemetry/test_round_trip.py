"""`decode` returns what `encode` was given: every form, to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from telemetry.batch import Decoded
from telemetry.streams import Entry
from telemetry.wire import encode
from telemetry.wire.decode import decode

T_MS = 1_000_000_000_000  # 2001-09-09
ARRIVED_NS = (T_MS + 1_000) * 1_000_000
FORMS = [encode.to_json, encode.to_cbor]


def decode_one(payload: bytes, stream: str = "bundle", **entry: Any) -> Decoded:
    return decode([Entry(1, ARRIVED_NS, f"lift/v1/hangzhou/HZ-1/{stream}", payload, **entry)])


@pytest.mark.parametrize("form", FORMS)
def test_a_bundle_comes_back_as_it_was_sent(form: Callable[[Any], bytes]) -> None:
    rng = np.random.default_rng(1)
    v, z = rng.normal(size=10).astype(np.float32), rng.normal(size=10)
    xyz = rng.normal(size=(3, 100)).astype(np.float32)
    sent = encode.bundle(
        7,
        T_MS + 0.5,
        boot="b1",
        speed=encode.speed(100, v),
        displacement=encode.displacement(100, z),
        vibration=encode.vibration(10, xyz),
        door=encode.door([0, 250.5], ["closing", "closed"]),
        infrared={"at": [0, 10], "presence": [True, None], "curtain": [False, 1]},
    )
    decoded = decode_one(form(sent))
    assert not decoded.refusals
    assert (decoded.messages.lift_id, decoded.messages.district, decoded.messages.boot) == (
        ["HZ-1"],
        ["hangzhou"],
        ["b1"],
    )
    assert decoded.messages.seq.tolist() == [7]
    assert decoded.messages.complete.all()
    t_ns = T_MS * 1_000_000 + 500_000 + np.arange(10) * 100_000_000
    for name, channel, values in (("speed", "v_mps", v), ("displacement", "z_m", z)):
        assert decoded.samples[name].t_ns.tolist() == t_ns.tolist()
        np.testing.assert_array_equal(decoded.samples[name].channels[channel].astype(values.dtype), values, strict=True)
    np.testing.assert_array_equal(decoded.waveforms.xyz, xyz, strict=True)
    assert decoded.waveforms.dt_ns.tolist() == [10e6]
    assert decoded.samples["door"].channels["door"].tolist() == [3, 0]
    assert (decoded.samples["door"].t_ns - t_ns[0]).tolist() == [0, 250_500_000]
    np.testing.assert_array_equal(decoded.samples["infrared"].channels["presence"], [1, np.nan])
    np.testing.assert_array_equal(decoded.samples["infrared"].channels["curtain"], [0, 1])
    assert decoded.messages.t_end_ns.tolist() == [t_ns[-1] + 90_000_000]


@pytest.mark.parametrize("form", FORMS)
def test_a_gateway_message_holds_each_of_its_lifts(form: Callable[[Any], bytes]) -> None:
    bundles = {
        f"L{i}": encode.bundle(i, T_MS, speed=encode.speed(100, np.full(3, i, dtype=np.float32))) for i in range(20)
    }
    decoded = decode_one(form(encode.gateway(bundles)), "gateway")
    assert decoded.messages.lift_id == list(bundles)
    assert decoded.samples["speed"].message.tolist() == np.repeat(np.arange(20), 3).tolist()
    assert decoded.samples["speed"].channels["v_mps"].tolist() == np.repeat(np.arange(20.0), 3).tolist()
