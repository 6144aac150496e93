"""What the decoder takes from messages, and the times that it gives to readings."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import cbor2
import numpy as np
import pytest
from cbor2 import CBORTag

from telemetry.streams import Entry
from telemetry.wire import encode
from telemetry.wire.decode import decode
from tests.telemetry.wire import AHEAD_MS, ARRIVED_NS, HEAD, T_MS, T_NS, decode_one, message, refusal


def column(payload: bytes, stream: str, name: str) -> list[float]:
    decoded = decode_one(payload, stream)
    assert not decoded.refusals, decoded.refusals
    values: list[float] = decoded.samples[stream].channels[name].tolist()
    return values


def offsets_ns(payload: bytes, stream: str) -> list[int]:
    offsets: list[int] = (decode_one(payload, stream).samples[stream].t_ns - T_NS).tolist()
    return offsets


def test_a_single_number_stands_for_an_array_of_one() -> None:
    assert column(message("speed", v=1.5), "speed", "v_mps") == [1.5]
    assert column(message("door", state="open", at=3), "door", "door") == [2.0]
    assert offsets_ns(message("door", state="open", at=3), "door") == [3_000_000]
    assert column(message("infrared", presence=1), "infrared", "presence") == [1.0]
    assert decode_one(message("vibration", x=1, y=2, z=3), "vibration").waveforms.xyz.tolist() == [[1], [2], [3]]


def test_null_and_nan_mean_no_reading_and_leave_no_row() -> None:
    assert column(message("speed", v=[1, None, 3], dt=100), "speed", "v_mps") == [1, 3]
    assert offsets_ns(message("speed", v=[1, None, 3], dt=100), "speed") == [0, 200_000_000]
    typed = encode.to_cbor(HEAD | {"dt": 100, "v": np.array([1, np.nan, 3], dtype=np.float32)})
    assert column(typed, "speed", "v_mps") == [1, 3]


def test_null_in_vibration_stays_in_its_place() -> None:
    blocks = decode_one(message("vibration", dt=10, x=[1, None], y=[1, 2], z=[1, 2]), "vibration").waveforms
    np.testing.assert_array_equal(blocks.xyz[0], np.float32([1, np.nan]))


def test_a_bundle_may_carry_machine_vibration() -> None:
    hum = np.array([0.25, np.nan, -1.5], dtype=np.float32)
    sent = HEAD | {"speed": {"v": 1.0}, "machine": {"t": T_MS + 0.5, "dt": 0.390625, "a": hum}}
    for payload in (encode.to_cbor(sent), encode.to_json(sent)):
        decoded = decode_one(payload)
        assert decoded.machine.dt_ns.tolist() == [390_625.0]
        assert decoded.machine.t_ns.tolist() == [T_NS + 500_000]
        np.testing.assert_array_equal(decoded.machine.xyz, hum[None])
        assert not len(decoded.waveforms.message)


@pytest.mark.parametrize("form", [encode.to_json, encode.to_cbor])
def test_the_machine_is_a_stream_of_its_own_topic(form: Callable[[object], bytes]) -> None:
    hum = np.array([0.25, np.nan, -1.5], dtype=np.float32)
    decoded = decode_one(form(HEAD | {"dt": 0.390625, "a": hum}), "machine")
    assert decoded.messages.t_end_ns.tolist() == [T_NS + 781_000]
    assert not decoded.messages.complete.any()
    np.testing.assert_array_equal(decoded.machine.xyz, hum[None])
    assert decoded.machine.dt_ns.tolist() == [390_625.0]


def test_a_machine_alone_may_be_one_number_and_is_refused_with_the_reason_where_it_is_no_reading() -> None:
    assert decode_one(message("machine", a=0.5), "machine").machine.xyz.tolist() == [[0.5]]
    assert refusal(message("machine", a="x"), "machine").reason == "type"
    assert refusal(message("machine", a=[1, 2]), "machine").reason == "missing-field"
    assert refusal(message("machine", a=1e9), "machine").reason == "out-of-range"


@pytest.mark.parametrize(
    "machine",
    ["gearless", 7, None, [1, 2], {}, {"a": None}, {"a": ["x"]}, {"a": [1, 2]}, {"a": [[1]], "dt": 1}, {"a": 1e9},
     {"a": [1, 2], "dt": 1e9}, {"t": AHEAD_MS + 1, "a": 1}],
)  # fmt: skip
def test_another_field_named_machine_is_one_that_nobody_knows(machine: object) -> None:
    decoded = decode_one(message("bundle", speed={"v": 1.0}, machine=machine))
    assert not decoded.refusals
    assert decoded.samples["speed"].channels["v_mps"].tolist() == [1.0]
    assert not len(decoded.machine.message)


def test_an_infrared_null_is_unchanged() -> None:
    decoded = decode_one(message("infrared", presence=[True, None, None], curtain=[None, 0, None]), "infrared")
    np.testing.assert_array_equal(decoded.samples["infrared"].channels["presence"], [1, np.nan])
    np.testing.assert_array_equal(decoded.samples["infrared"].channels["curtain"], [np.nan, 0])


def test_events_without_offsets_all_happened_at_t() -> None:
    assert offsets_ns(message("door", state=["closing", "closed"]), "door") == [0, 0]


@pytest.mark.parametrize("tag", [(77, "<i2"), (78, "<i4"), (85, "<f4"), (86, "<f8")])
def test_typed_arrays_of_each_kind_are_decoded(tag: tuple[int, str]) -> None:
    values = np.array([-2, 0, 3], dtype=tag[1])
    payload = cbor2.dumps(HEAD | {"dt": 100, "z": CBORTag(tag[0], values.tobytes())})
    assert column(payload, "displacement", "z_m") == [-2, 0, 3]


def test_a_stream_in_a_bundle_may_have_its_own_t_and_dt() -> None:
    payload = message("bundle", dt=50, speed={"v": [1, 2]}, displacement={"z": [3, 4], "dt": 200, "t": T_MS + 7})
    decoded = decode_one(payload)
    assert (decoded.samples["speed"].t_ns - T_NS).tolist() == [0, 50_000_000]
    assert (decoded.samples["displacement"].t_ns - T_NS).tolist() == [7_000_000, 207_000_000]
    assert decoded.messages.t_end_ns.tolist() == [T_NS + 207_000_000]


def test_streams_that_mean_one_instant_get_one_instant_whatever_the_rounding() -> None:
    streams = {"speed": {"t": T_MS, "dt": 0.1, "v": [0] * 8}, "displacement": {"t": T_MS + 0.3, "dt": 0.4, "z": [0, 0]}}
    decoded = decode_one(message("bundle", **streams, door={"at": [0.3, 0.7], "state": ["open", "closing"]}))
    at = {name: (samples.t_ns - T_NS).tolist() for name, samples in decoded.samples.items()}
    assert at["displacement"] == at["door"] == [300_000, 700_000] == [at["speed"][3], at["speed"][7]]


def test_fields_that_nobody_knows_are_ignored() -> None:
    assert column(message("speed", v=[1], rssi=-70, tags=["a", ["b"]], more={"v": {}}), "speed", "v_mps") == [1]


def test_boot_may_be_a_number_or_a_text_and_is_0_where_it_is_missing() -> None:
    sent = [message("speed", v=1, **more) for more in ({"boot": 7}, {"boot": "7"}, {})]
    boots = [decode_one(payload, "speed").messages.boot[0] for payload in sent]
    assert boots == ["7", "7", "0"]


def test_an_empty_bundle_is_a_sign_of_life() -> None:
    assert decode_one(message("bundle")).messages.lift_id == ["HZ-1"]


def test_a_last_will_without_seq_and_t_stands_at_its_arrival() -> None:
    decoded = decode_one(b'{"online": false}', "status")
    assert (decoded.messages.seq.tolist(), decoded.messages.timed.tolist()) == ([-1], [False])
    assert decoded.samples["status"].t_ns.tolist() == [ARRIVED_NS]
    assert decoded.samples["status"].channels["online"].tolist() == [0.0]


def test_a_status_sets_its_fields_and_leaves_the_others_unknown() -> None:
    payload = message("status", online=True, mode="fire", power="battery", alarm=1, heartbeat_s=30, firmware="2.1")
    channels = {
        name: values.tolist() for name, values in decode_one(payload, "status").samples["status"].channels.items()
    }
    assert channels == {"online": [1], "alarm": [1], "mode": [2], "power": [1], "heartbeat_s": [30]}
    assert np.isnan(decode_one(message("status", online=True), "status").samples["status"].channels["mode"]).all()


@pytest.mark.parametrize(
    ("age_s", "retained", "stale"), [(301, True, True), (299, True, False), (301, False, False), (None, True, True)]
)
def test_a_retained_status_is_stale_after_five_minutes(age_s: float | None, retained: bool, stale: bool) -> None:
    head = {"online": True} if age_s is None else {"online": True, "seq": 1, "t": ARRIVED_NS / 1e6 - age_s * 1e3}
    decoded = decode_one(json.dumps(head).encode(), "status", retained=retained)
    assert decoded.messages.retained_stale.tolist() == [stale]


def test_each_bundle_of_a_gateway_is_judged_by_itself() -> None:
    good = HEAD | {"speed": {"v": [1]}}
    lifts = {"A": good, "B": HEAD | {"speed": {"v": "fast"}}, "x y": good, "C": 7, "D": good}
    for payload in (json.dumps({"lifts": lifts}).encode(), cbor2.dumps({"lifts": lifts})):
        decoded = decode_one(payload, "gateway")
        assert decoded.messages.lift_id == ["A", "D"]
        assert [(each.reason, each.detail.split(":")[0]) for each in decoded.refusals] == [
            ("type", "lifts.B"),
            ("lift-id", "lifts.x y"),
            ("type", "lifts.C"),
        ]
        assert all(len(each.payload) < len(payload) for each in decoded.refusals)


def test_the_past_is_taken_as_it_is_from_2015_on() -> None:
    begin_ms = 1_420_070_400_000
    payload = json.dumps({"seq": 1, "t": begin_ms, "v": 1}).encode()
    assert decode_one(payload, "speed").samples["speed"].t_ns.tolist() == [begin_ms * 1_000_000]
    assert refusal(json.dumps({"seq": 1, "t": begin_ms - 1, "v": 1}).encode(), "speed").reason == "clock-behind"


def test_what_arrived_before_2015_may_be_of_any_time_before() -> None:
    old = Entry(1, 10**18, "lift/v1/hangzhou/HZ-1/speed", b'{"seq": 1, "t": 0, "v": 1}')
    assert decode([old]).samples["speed"].t_ns.tolist() == [0]


@pytest.mark.parametrize("stream", ["speed", "door", "status", "bundle", "gateway"])
@pytest.mark.parametrize(
    ("t", "reason", "remedy"),
    [
        (T_MS // 1000, "clock-behind", "looks like seconds: send milliseconds"),
        (T_MS / 1000, "clock-behind", "looks like seconds: send milliseconds"),
        (T_MS * 1000, "clock-ahead", "looks like microseconds: send milliseconds"),
        (T_MS * 1_000_000, "clock-ahead", "looks like nanoseconds: send milliseconds"),
        (946_684_800_000, "clock-behind", "set the device's clock"),
        (0, "clock-behind", "set the device's clock"),
        (ARRIVED_NS // 1_000_000 + 300_001, "clock-ahead", "set the device's clock"),
    ],
)
def test_a_time_in_another_unit_or_of_a_wrong_clock_is_refused_with_the_remedy(
    stream: str, t: float, reason: str, remedy: str
) -> None:
    body = {"speed": {"v": 1.0}, "door": {"state": "open"}, "status": {"alarm": True}}
    inner = {"seq": 1, "t": t} | (body.get(stream) or {"speed": {"dt": 100, "v": [1.0, 1.0]}})
    sent = {"lifts": {"A": inner}} if stream == "gateway" else inner
    for payload in (encode.to_json(sent), encode.to_cbor(sent)):
        refused = refusal(payload, stream)
        assert (refused.reason, remedy in refused.detail) == (reason, True), refused.detail
        assert "t: " in refused.detail


def test_a_time_of_a_stream_is_held_to_the_same_limits_as_the_time_of_its_bundle() -> None:
    for t, reason in ((T_MS // 1000, "clock-behind"), (T_MS * 1000, "clock-ahead")):
        for stream in ({"speed": {"t": t, "dt": 100, "v": [1.0, 1.0]}}, {"status": {"t": t, "alarm": True}}):
            refused = refusal(message("bundle", **stream))
            assert (refused.reason, refused.detail.split(".")[0]) == (reason, next(iter(stream)))


def test_without_t_the_last_reading_is_as_late_as_the_arrival() -> None:
    streams = {"speed": {"dt": 100, "v": [1.0] * 10}, "door": {"at": [0, 50], "state": ["open", "closing"]}}
    for payload in (json.dumps(streams).encode(), cbor2.dumps(streams)):
        decoded = decode_one(payload)
        assert decoded.samples["speed"].t_ns.tolist()[-1] == decoded.messages.t_end_ns[0] == ARRIVED_NS
        assert decoded.messages.t_ns[0] == decoded.samples["door"].t_ns[0] == ARRIVED_NS - 900_000_000
        assert (decoded.messages.seq[0], bool(decoded.messages.timed[0])) == (-1, False)
    assert decode_one(b'{"v": 1}', "speed").samples["speed"].t_ns.tolist() == [ARRIVED_NS]
    assert decode_one(b'{"seq": 4}').messages.t_ns.tolist() == [ARRIVED_NS]


def test_a_bundle_without_t_begins_with_the_earliest_of_its_streams() -> None:
    decoded = decode_one(json.dumps({"speed": {"t": T_MS + 40, "v": 1}, "door": {"t": T_MS, "state": "open"}}).encode())
    assert (decoded.messages.t_ns.tolist(), decoded.messages.timed.tolist()) == ([T_NS], [True])
    assert decoded.samples["speed"].t_ns.tolist() == [T_NS + 40_000_000]


def test_a_message_without_t_that_spans_more_than_a_day_is_refused() -> None:
    assert refusal(b'{"v": [1, 2, 3], "dt": 86000000}', "speed").reason == "missing-field"


@pytest.mark.parametrize(
    ("fields", "alarm", "mode"),
    [
        ({"status": {"alarm": True}}, 1.0, None),
        ({"status": {"alarm": True, "mode": "fire"}, "speed": {"v": 0.1}}, 1.0, 2.0),
        ({"alarm": True}, 1.0, None),
        ({"alarm": 0, "speed": {"v": 0.1}}, 0.0, None),
        ({"alarm": True, "mode": "inspection", "status": {"mode": "fire"}}, 1.0, 2.0),
        ({"alarm": True, "mode": 7, "power": "solar", "heartbeat_s": "often"}, 1.0, None),
    ],
)
def test_a_bundle_may_hold_a_status_or_its_fields_beside_the_streams(
    fields: dict[str, Any], alarm: float, mode: float | None
) -> None:
    for payload, stream in (
        (message("bundle", **fields), "bundle"),
        (cbor2.dumps(HEAD | fields), "bundle"),
        (json.dumps({"lifts": {"A": HEAD | fields}}).encode(), "gateway"),
    ):
        status = decode_one(payload, stream).samples["status"]
        assert status.t_ns.tolist() == [T_NS]
        assert status.channels["alarm"].tolist() == [alarm]
        assert np.array_equal(status.channels["mode"], [np.nan if mode is None else mode], equal_nan=True)


def test_a_status_in_a_bundle_may_have_a_time_of_its_own() -> None:
    decoded = decode_one(message("bundle", speed={"v": 1.0}, status={"t": T_MS + 400, "alarm": True}))
    assert decoded.samples["status"].t_ns.tolist() == decoded.messages.t_end_ns.tolist() == [T_NS + 400_000_000]


def test_no_entries_decode_to_no_messages() -> None:
    decoded = decode([])
    assert (len(decoded.messages.t_ns), decoded.refusals) == (0, [])
    assert decoded.waveforms.xyz.shape == (3, 0)
