"""How long alerts take from the arrival of their deciding message, the last of its lift, while other lifts send."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.loopback import until
from tests.whole.installation import DISTRICT, System, wall_ms

pytestmark = pytest.mark.broker

OTHERS, EACH = 30, 5
CONTRACT_S, SLACK_S = 2.0, 4.0
TOO_FAST = {"dt": 100, "v": [3.5] * 10}
STILL = {"speed": {"dt": 100, "v": [0.0] * 600}, "displacement": {"dt": 100, "z": [0.0] * 600}}

Burst = Iterator[tuple[str, dict[str, Any]]]


def pressed_after_a_bundle(_: str) -> Burst:
    """Send one bundle, and press the button inside the second that it covers."""
    t = wall_ms()
    yield "bundle", {"seq": 1, "t": t - 1000, "speed": {"dt": 100, "v": [0.0] * 10}, "door": {"state": "closed"}}
    yield "status", {"seq": 2, "t": t - 500, "online": True, "alarm": True}


def too_fast_in_a_bundle(_: str) -> Burst:
    yield "bundle", {"seq": 1, "t": wall_ms() - 900, "speed": TOO_FAST}


def too_fast_alone(_: str) -> Burst:
    yield "speed", {"seq": 1, "t": wall_ms() - 900} | TOO_FAST


def too_fast_by_gateway(lift_id: str) -> Burst:
    yield "gateway", {"lifts": {lift_id: {"seq": 1, "t": wall_ms() - 900, "speed": TOO_FAST}}}


def open_for_two_minutes(_: str) -> Burst:
    """Send once a minute, and then no more: the hold time of 120 s ends in the last message."""
    begin = wall_ms() - 181_000
    for k in range(3):
        yield "bundle", {"seq": k, "t": begin + 60_000 * k, **STILL, "door": {"state": "open"}}


KINDS: dict[str, tuple[str, Callable[[str], Burst]]] = {
    "l-press": ("alarm-button", pressed_after_a_bundle),
    "l-bundle": ("overspeed-up", too_fast_in_a_bundle),
    "l-single": ("overspeed-up", too_fast_alone),
    "l-gateway": ("overspeed-up", too_fast_by_gateway),
    "l-held": ("door-held-open", open_for_two_minutes),
}


def publish_for_others(system: System, enough: threading.Event) -> None:
    """Publish a bundle a second for each of the other lifts until `enough` is set."""
    seq = 0
    while not enough.wait(1.0 / OTHERS):
        body = {"seq": seq // OTHERS, "t": wall_ms() - 900, "speed": {"dt": 100, "v": [0.0] * 10}}
        system.voice.publish(f"lift/v1/{DISTRICT}/l-other-{seq % OTHERS}/bundle", body)
        seq += 1


def test_the_last_message_of_a_lift_is_judged_in_time_while_other_lifts_send(system: System) -> None:
    lifts = [f"{kind}-{k}" for kind in KINDS for k in range(EACH)]
    system.register(*lifts)
    enough, sent_ms = threading.Event(), dict[str, int]()
    others = threading.Thread(target=publish_for_others, args=(system, enough))
    others.start()
    try:
        for lift in lifts:
            for stream, body in KINDS[lift.rpartition("-")[0]][1](lift):
                sent_ms[lift] = wall_ms()
                system.voice.send(lift if stream != "gateway" else f"gw-{lift}", stream, body)
        until(lambda: all(system.voice.of(lift) for lift in lifts), "an alert of each")
    finally:
        enough.set()
        others.join()
    for kind, (rule, _) in KINDS.items():
        alerts = [system.voice.of(f"{kind}-{k}")[0] for k in range(EACH)]
        assert {alert["rule"] for alert in alerts} == {rule}
        took_s = [datetime.fromisoformat(a["noticed"]).timestamp() - sent_ms[a["lift_id"]] / 1000 for a in alerts]
        assert min(took_s) <= CONTRACT_S + SLACK_S, kind  # a busy machine delays some, a rule that waits delays all
