"""What the decoder refuses, and the reasons that it names."""

from __future__ import annotations

import json
from typing import Any

import cbor2
import numpy as np
import pytest
from cbor2 import CBORTag

from telemetry.streams import PAYLOAD_LIMIT_BYTES, Entry
from telemetry.wire.decode import decode
from telemetry.wire.parsed import REASONS
from tests.telemetry.wire import AHEAD_MS, ARRIVED_NS, HEAD, T_MS, decode_one, entry, message, refusal

TABLE: list[tuple[str, dict[str, Any], str, str]] = [
    ("speed", {}, "missing-field", "v"),
    ("speed", {"v": [1, 2]}, "missing-field", "dt"),
    ("infrared", {}, "missing-field", "presence"),
    ("bundle", {"door": {}}, "missing-field", "door.state"),
    ("speed", {"v": "fast"}, "type", "v"),
    ("speed", {"v": [1, "2"], "dt": 1}, "type", "v"),
    ("speed", {"v": [True]}, "type", "v"),
    ("speed", {"v": [[1], [2]], "dt": 1}, "type", "v"),
    ("speed", {"v": {"0": 1}}, "type", "v"),
    ("speed", {"v": 1, "seq": 1.5}, "type", "seq"),
    ("speed", {"v": 1, "seq": "1"}, "type", "seq"),
    ("speed", {"v": 1, "seq": True}, "type", "seq"),
    ("speed", {"v": 1, "t": "2001-09-09T01:46:40Z"}, "type", "t"),
    ("speed", {"v": 1, "boot": 1.5}, "type", "boot"),
    ("speed", {"v": 1, "boot": {}}, "type", "boot"),
    ("speed", {"v": [1, 2], "dt": "100"}, "type", "dt"),
    ("door", {"state": ["ajar"]}, "type", "state"),
    ("door", {"state": [None]}, "type", "state"),
    ("door", {"state": ["open"], "at": ["0"]}, "type", "at"),
    ("infrared", {"presence": ["yes"]}, "type", "presence"),
    ("status", {"online": "yes"}, "type", "online"),
    ("status", {"mode": "holiday"}, "type", "mode"),
    ("bundle", {"speed": [1, 2]}, "type", "speed"),
    ("bundle", {"status": {"alarm": "pressed"}}, "type", "status.alarm"),
    ("bundle", {"status": True}, "type", "status"),
    ("bundle", {"alarm": "pressed"}, "type", "alarm"),
    ("gateway", {"lifts": []}, "type", "lifts"),
    ("gateway", {}, "missing-field", "lifts"),
    ("speed", {"v": 1, "seq": -1}, "out-of-range", "seq"),
    ("speed", {"v": 1, "seq": 2**63}, "out-of-range", "seq"),
    ("speed", {"v": 1, "t": -1}, "out-of-range", "t"),
    ("speed", {"v": [1, 2], "dt": 0}, "out-of-range", "dt"),
    ("speed", {"v": [1, 2], "dt": -1}, "out-of-range", "dt"),
    ("speed", {"v": [1e7]}, "out-of-range", "v"),
    ("speed", {"v": 1, "boot": "b" * 65}, "out-of-range", "boot"),
    ("door", {"state": ["open", "closing"], "at": [5, 4]}, "out-of-range", "at"),
    ("door", {"state": ["open"], "at": [-1]}, "out-of-range", "at"),
    ("status", {"heartbeat_s": 0}, "out-of-range", "heartbeat_s"),
    ("door", {"state": ["open"], "at": [1, 2]}, "unequal-lengths", "at"),
    ("infrared", {"presence": [1, 0], "curtain": [1]}, "unequal-lengths", "presence"),
    ("vibration", {"dt": 10, "x": [1], "y": [1, 2], "z": [1]}, "unequal-lengths", "x"),
    ("speed", {"v": 1, "t": AHEAD_MS + 1}, "clock-ahead", "t"),
    ("speed", {"v": [1, 2], "dt": 86_400_000}, "clock-ahead", "t"),
    ("door", {"state": "open", "at": 400_000}, "clock-ahead", "t"),
    ("bundle", {"t": AHEAD_MS + 1}, "clock-ahead", "t"),
    ("status", {"t": AHEAD_MS + 1}, "clock-ahead", "t"),
]


@pytest.mark.parametrize(("stream", "fields", "reason", "field"), TABLE, ids=lambda value: str(value)[:40])
def test_what_breaks_the_contract_is_refused_naming_the_field(
    stream: str, fields: dict[str, Any], reason: str, field: str
) -> None:
    for payload in (message(stream, **fields), cbor2.dumps(HEAD | fields)):
        refused = refusal(payload, stream)
        assert refused.reason == reason, refused.detail
        assert refused.detail.startswith(field), refused.detail
        assert len(refused.detail) < 200


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "syntax"),
        (b"hello", "syntax"),
        (b"{", "syntax"),
        (b'{"seq": 1,}', "syntax"),
        (b'{"seq": 1} {}', "syntax"),
        (b'{"a": "\xff"}', "syntax"),
        (b"[1]", "type"),
        (b'{"seq": 1, "t": 0, "v": NaN}', "non-finite"),
        (b'{"seq": 1, "t": 0, "v": [-Infinity]}', "non-finite"),
        (b'{"seq": 1, "t": 0, "v": 1e999}', "non-finite"),
        (b'{"seq": 1, "t": 0, "v": ' + b"9" * 5000 + b"}", "non-finite"),
        (b'{"seq": ' + b"9" * 30 + b', "t": 0, "v": 1}', "out-of-range"),
        (b'{"seq": 1, "seq": 2, "t": 0, "v": 1}', "duplicate-key"),
        (b'{"a": ' + b"[" * 100_000, "depth"),
        (b'{"a":' * 50_000, "depth"),
        (b"{" + b",".join(b'"%d":1' % i for i in range(20_000)) + b"}", "out-of-range"),
        (b" " * (PAYLOAD_LIMIT_BYTES + 1), "oversized"),
        (bytes.fromhex("a2637365710161740063"), "syntax"),
        (cbor2.dumps({"seq": 1, "t": T_MS, "v": float("inf")}), "non-finite"),
        (cbor2.dumps({"seq": 1, "t": float("nan"), "v": 1}), "non-finite"),
        (cbor2.dumps({"seq": 1, "t": T_MS, "v": CBORTag(85, np.float32([np.inf]).tobytes())}), "non-finite"),
        (cbor2.dumps({"seq": 1, "t": T_MS, "v": CBORTag(85, b"123")}), "type"),
        (cbor2.dumps({"seq": 1, "t": T_MS, "v": CBORTag(81, b"1234")}), "type"),
        (cbor2.dumps({"seq": 1, "t": T_MS, "v": b"1234"}), "type"),
        (cbor2.dumps({"seq": 1, "t": 0, "v": 1}) + b"\0", "syntax"),
        (bytes.fromhex("a3637365710161740061769b7fffffffffffffff"), "syntax"),
        (bytes.fromhex("a3637365710161740061765b7fffffffffffffff"), "syntax"),
        (bytes.fromhex("bb7fffffffffffffff"), "syntax"),
        (bytes.fromhex("a1617681") + b"\x81" * 100_000, "depth"),
        (b"\xa1\x61v" + b"\xc6" * 200_000 + b"\0", "depth"),
        (bytes.fromhex("a2637365710163736571") + b"\2", "duplicate-key"),
        (bytes.fromhex("a16176c249010000000000000000"), "type"),
        (bytes.fromhex("a16176d81c81d81d00"), "type"),
        (cbor2.dumps({"v": CBORTag(35, "(a+)+$")}), "type"),
    ],
    ids=lambda value: str(value[:24]),
)
def test_a_payload_that_cannot_be_read_is_refused(payload: bytes, reason: str) -> None:
    refused = refusal(payload, "speed")
    assert refused.reason == reason, refused.detail
    assert reason in REASONS


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("lift/v1/hangzhou/HZ-1/altitude", "stream"),
        ("lift/v1/hangzhou/HZ-1/alert", "stream"),
        ("lift/v1/hangzhou/HZ-1", "topic"),
        ("lift/v1/hangzhou/HZ-1/speed/extra", "topic"),
        ("lift/v2/hangzhou/HZ-1/speed", "topic"),
        ("/lift/v1/hangzhou/HZ-1/speed", "topic"),
        ("lift/v1/Hangzhou/HZ-1/speed", "topic"),
        ("lift/v1/hangzhou//speed", "topic"),
        ("lift/v1/hangzhou/" + "x" * 65 + "/speed", "topic"),
        ("lift/v1/hangzhou/a,b=1 v=2/speed", "topic"),
        ('lift/v1/hangzhou/") |> drop()/speed', "topic"),
        ("lift/v1/hangzhou/<script>/speed", "topic"),
        ("lift/v1/hangzhou/HZ-1\n/speed", "topic"),
        ("lift/v1/hangzhou/电梯/speed", "topic"),
        ("", "topic"),
        ("x" * 65_535, "topic"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_topic_that_does_not_parse_is_refused(topic: str, reason: str) -> None:
    decoded = decode([Entry(1, ARRIVED_NS, topic, message("speed", v=1))])
    assert [each.reason for each in decoded.refusals] == [reason]
    assert len(decoded.refusals[0].detail) < 200


@pytest.mark.parametrize(
    ("topic", "hint"),
    [
        ("lift/v1/anji/t-cap/Speed", "did you mean speed?"),
        ("lift/v1/anji/t-hum/machines", "did you mean machine?"),
        ("lift/v1/anji/t-temp/temperature", "must be one of door, infrared"),
        ("lift/v1/anji/sh4/bundle ", "'bundle ' (with a blank: remove it)"),
        ("lift/v1/anji/t-trail/bundle/", "ends with a slash"),
        ("/lift/v1/anji/t-slash/bundle", "begins with a slash"),
        ("lift/v1/anji/bundle", "has 4 levels where there must be 5: lift/v1/{district}/{lift_id}/{stream}"),
        ("lift/v1/anji/x/bundle/1", "has 6 levels"),
        ("lift/v1/Anji/x/bundle", "the district 'Anji' must be 1 to 32 of a-z"),
        ("lift/v1/anji/a b/bundle", "the lift id 'a b' (with a blank: remove it)"),
        ("lift/v1/anji//bundle", "the lift id '' must be 1 to 64"),
        ("LIFT/V1/anji/t-upper/bundle", "must begin with lift/v1"),
    ],
)
def test_the_refusal_of_a_topic_names_the_wrong_level_and_its_choices(topic: str, hint: str) -> None:
    (refused,) = decode([Entry(1, ARRIVED_NS, topic, message("speed", v=1))]).refusals
    assert hint in refused.detail


@pytest.mark.parametrize(
    ("topic", "lift_id"),
    [
        ("lift/v1/anji/t-cap/Speed", "t-cap"),
        ("lift/v1/Anji/t-trail/bundle/", "t-trail"),
        ("lift/v1/anji/bundle", ""),
        ("/lift/v1/anji/t-slash/bundle", ""),
        ("lift/v1/anji/a b/bundle", ""),
    ],
)
def test_a_refusal_names_the_lift_of_its_topic_where_that_is_to_be_read(topic: str, lift_id: str) -> None:
    (refused,) = decode([Entry(1, ARRIVED_NS, topic, message("speed", v=1))]).refusals
    assert refused.lift_id == lift_id


@pytest.mark.parametrize("lift_id", ["a b", "a,b=1", 'x") |> drop()', "<b>", "", "x" * 65, "a\nb", "电梯", "../../etc"])
def test_a_lift_id_in_an_envelope_that_is_none_is_refused(lift_id: str) -> None:
    decoded = decode_one(json.dumps({"lifts": {lift_id: HEAD}}).encode(), "gateway")
    assert [each.reason for each in decoded.refusals] == ["lift-id"]


def test_one_broken_number_does_not_cost_the_messages_beside_it() -> None:
    entries = [entry(message("speed", v=[1, 2], dt=10), "speed", position, f"L{position}") for position in range(1, 9)]
    entries[3] = entry(message("speed", v=[1, 1e9], dt=10), "speed", 4, "L4")
    entries[5] = entry(message("door", state=["open", "open"], at=[2, 1]), "door", 6, "L6")
    decoded = decode(entries)
    assert decoded.messages.lift_id == ["L1", "L2", "L3", "L5", "L7", "L8"]
    assert [(each.position, each.reason) for each in decoded.refusals] == [(4, "out-of-range"), (6, "out-of-range")]
    assert decoded.messages.position[decoded.samples["speed"].message].tolist() == [1, 1, 2, 2, 3, 3, 5, 5, 7, 7, 8, 8]
