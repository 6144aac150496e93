"""Limits and forms of a message that the contract states: what is inside is taken, what is outside is refused."""

from __future__ import annotations

import json
from typing import Any

import cbor2
import pytest

from tests.telemetry.wire import HEAD, T_MS, decode_one, message, refusal

SPEED: dict[str, Any] = {"dt": 100, "v": [0.0, 0.5]}


def gateway(lifts: int) -> bytes:
    return json.dumps({"lifts": {f"L{k}": {"seq": 1, "t": T_MS} for k in range(lifts)}}).encode()


def test_a_gateways_message_holds_at_most_a_thousand_lifts() -> None:
    assert len(decode_one(gateway(1_000), "gateway").messages.lift_id) == 1_000
    refused = refusal(gateway(1_001), "gateway")
    assert (refused.reason, "1000" in refused.detail.replace(" ", "").replace(",", "")) == ("out-of-range", True)


@pytest.mark.parametrize(("boot", "read"), [(7, "7"), ("7", "7"), ("x" * 64, "x" * 64), (0, "0")])
def test_a_boot_is_a_text_or_a_number_of_the_same_digits(boot: Any, read: str) -> None:
    assert decode_one(message("speed", boot=boot, **SPEED), "speed").messages.boot == [read]


def test_a_boot_of_more_than_64_characters_is_refused() -> None:
    assert refusal(message("speed", boot="x" * 65, **SPEED), "speed").reason in ("out-of-range", "type")


def test_a_byte_order_mark_is_refused() -> None:
    assert refusal(b"\xef\xbb\xbf" + message("speed", **SPEED), "speed").reason == "syntax"


def test_the_tag_of_self_described_cbor_is_accepted_and_no_other() -> None:
    tree = HEAD | SPEED
    plain, tagged = cbor2.dumps(tree), cbor2.dumps(cbor2.CBORTag(55_799, tree))
    one, other = decode_one(plain, "speed"), decode_one(tagged, "speed")
    assert (
        one.samples["speed"].channels["v_mps"].tolist() == other.samples["speed"].channels["v_mps"].tolist() == [0, 0.5]
    )
    assert refusal(cbor2.dumps(cbor2.CBORTag(55_800, tree)), "speed").reason in ("type", "syntax")


@pytest.mark.parametrize(("dt", "is_taken"), [(0.001, True), (0.0009, False), (86_400_000, True), (86_400_001, False)])
def test_dt_lies_between_a_microsecond_and_a_day(dt: float, is_taken: bool) -> None:
    body = {"t": T_MS - 86_400_000, "seq": 1, "dt": dt, "v": [0.0, 0.5]}
    decoded = decode_one(json.dumps(body).encode(), "speed")
    assert (len(decoded.messages.lift_id) == 1, [one.reason for one in decoded.refusals]) == (
        is_taken,
        [] if is_taken else ["out-of-range"],
    )


@pytest.mark.parametrize(("seq", "is_taken"), [(0, True), (2**63 - 1, True), (2**63, False), (-1, False), (1.5, False)])
def test_seq_is_a_whole_number_from_0_below_2_to_the_63(seq: float, is_taken: bool) -> None:
    decoded = decode_one(message("speed", seq=seq, **SPEED), "speed")
    assert (len(decoded.messages.lift_id) == 1) == is_taken


@pytest.mark.parametrize("heartbeat_s", [0, -1, 86_401])
def test_a_heartbeat_is_above_0_and_at_most_a_day(heartbeat_s: float) -> None:
    assert refusal(message("status", online=True, heartbeat_s=heartbeat_s), "status").reason == "out-of-range"
    assert decode_one(message("status", online=True, heartbeat_s=86_400), "status").messages.lift_id
