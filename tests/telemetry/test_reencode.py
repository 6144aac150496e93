"""Messages encoded from decoded columns decode to the same columns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from telemetry.batch import Decoded
from telemetry.streams import Entry
from telemetry.wire import encode
from telemetry.wire.decode import decode
from telemetry.wire.reencode import grid, reencoded
from tests.store.messages import sample_entries
from tests.telemetry.wire import T_MS, assert_same, decode_one


def again(decoded: Decoded, shift_ns: int = 0) -> Decoded:
    messages = decoded.messages
    entries = [
        Entry(
            int(messages.position[one.row]),
            int(messages.arrived_ns[one.row]),
            one.topic,
            encode.to_json(one.body),
            bool(messages.retained_stale[one.row]),
        )
        for one in reencoded(decoded, shift_ns)
    ]
    return replace(decode(entries), refusals=decoded.refusals)


def test_messages_of_every_form_are_encoded_again_bit_for_bit() -> None:
    decoded = decode(sample_entries())
    assert_same(again(decoded), decoded)


@pytest.mark.parametrize(
    ("stream", "body"),
    [
        ("bundle", {}),
        ("bundle", {"speed": {"dt": 1000 / 3, "v": [0.1, None, 0.3, None]}}),
        (
            "bundle",
            {"speed": {"t": T_MS - 700.5, "dt": 0.5, "v": [None, 0.2]}, "infrared": {"at": [5], "curtain": [1]}},
        ),
        ("bundle", {"door": {"t": T_MS + 3.125, "at": [0, 7.001], "state": ["open", "closing"]}}),
        ("bundle", {"vibration": {"dt": 2.5, "x": [None, 1], "y": [0, None], "z": [1e-9, None]}}),
        ("bundle", {"machine": {"t": T_MS - 0.5, "dt": 1000 / 2560, "a": [0.25, None, 1e-9]}}),
        ("bundle", {"speed": {"v": 1.0}, "status": {"alarm": True, "mode": "fire"}}),
        ("bundle", {"speed": {"v": 1.0}, "status": {"t": T_MS + 700.5, "online": True}, "alarm": False}),
        ("bundle", {"seq": None, "speed": {"dt": 100, "v": [1.0, 2.0]}}),
        ("speed", {"dt": 16.667, "v": [None, None, 0.1, None, 0.3]}),
        ("displacement", {"z": 3.5}),
        ("infrared", {"at": [0.5], "presence": [None], "curtain": [True]}),
        ("vibration", {"dt": 1e3 / 7, "x": [0.1, 0.2], "y": [0, 0], "z": [0, 0]}),
        ("machine", {"dt": 1000 / 2560, "a": [0.25, None, 1e-9]}),
        ("status", {"online": True, "mode": "fire", "alarm": True, "heartbeat_s": 12.5}),
    ],
)
def test_an_odd_message_is_encoded_again_bit_for_bit(stream: str, body: dict[str, object]) -> None:
    decoded = decode_one(encode.to_json({"seq": 7, "t": T_MS + 0.125} | body), stream)
    assert not decoded.refusals
    encoded = again(decoded)
    if stream in ("speed", "vibration"):  # the end of a stream message without a reading is not encoded
        encoded = replace(encoded, messages=replace(encoded.messages, t_end_ns=decoded.messages.t_end_ns))
    assert_same(encoded, decoded)


@pytest.mark.parametrize("stream", ["bundle", "speed"])
def test_a_message_without_a_time_is_encoded_with_the_time_of_its_arrival(stream: str) -> None:
    speed = {"dt": 100, "v": [0.1, 0.2]}
    decoded = decode_one(encode.to_json(speed if stream == "speed" else {"speed": speed}), stream)
    timed = replace(decoded, messages=replace(decoded.messages, timed=np.ones(1, dtype=np.bool_)))
    assert_same(again(decoded), timed)


def test_an_old_retained_status_is_encoded_without_its_alarm() -> None:
    old = encode.to_json({"seq": 1, "t": T_MS - 1e6, "online": True, "alarm": True, "mode": "inspection"})
    (one,) = reencoded(decode_one(old, "status", retained=True))
    assert one.retained
    assert "alarm" not in one.body
    assert one.body["mode"] == "inspection"


def test_all_times_shift_together() -> None:
    decoded, shift_ns = decode(sample_entries()), 86_400_000 * 1_000_000
    shifted = again(
        replace(decoded, messages=replace(decoded.messages, arrived_ns=decoded.messages.arrived_ns + shift_ns)),
        shift_ns,
    )
    timed = decoded.messages.timed
    for field in ("t_ns", "t_end_ns"):
        moved = getattr(shifted.messages, field) - getattr(decoded.messages, field)
        assert (moved[timed] == shift_ns).all()
    for stream, samples in decoded.samples.items():
        moved = shifted.samples[stream].t_ns - samples.t_ns
        assert (moved[timed[samples.message]] == shift_ns).all()
    for name in ("waveforms", "machine"):
        assert (getattr(shifted, name).t_ns - getattr(decoded, name).t_ns == shift_ns).all()


@example(dt_us=1e6 / 128, places={5, 190, 194})
@given(
    dt_us=st.one_of(st.integers(100, 2_000_000), st.integers(1, 400).map(lambda hz: 1e6 / hz)),
    places=st.sets(st.integers(0, 300), min_size=1),
)
def test_a_grid_with_holes_is_found_again(dt_us: float, places: set[int]) -> None:
    offset_ns = np.rint(np.array(sorted(places)) * dt_us).astype(np.int64) * 1000
    dt_ms, found = grid(offset_ns)
    near_ns = np.rint(found * dt_ms * 1e3).astype(np.int64) * 1000
    assert len(near_ns) == len(offset_ns)
    if float(dt_us).is_integer():
        assert (near_ns == offset_ns).all()
