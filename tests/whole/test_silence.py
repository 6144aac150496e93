"""Silence, measured by the wall clock: never seen, suspect, offline after a last will, and online again."""

from __future__ import annotations

import pytest

from tests.loopback import until
from tests.whole.installation import DISTRICT, System, wall_ms
from tests.whole.test_rules import holds_the_contract

pytestmark = pytest.mark.broker


def state(system: System, lift_id: str) -> str:
    return str(system.get(f"/api/v1/lifts/{lift_id}")["state"])


def test_a_lift_without_messages_is_never_seen(system: System) -> None:
    system.register("quiet")
    until(lambda: state(system, "quiet") == "never-seen", "never-seen")
    assert system.get("/api/v1/lifts/quiet")["latest"]["last_seen"] is None


def test_three_heartbeats_of_silence_make_a_lift_suspect_and_raise_nothing(system: System) -> None:
    system.register("faint")
    system.voice.send("faint", "status", {"seq": 1, "t": wall_ms(), "online": True, "heartbeat_s": 0.5})
    until(lambda: state(system, "faint") == "suspect", "suspect")
    assert system.voice.of("faint") == []
    system.voice.send("faint", "status", {"seq": 2, "t": wall_ms(), "heartbeat_s": 60})
    until(lambda: state(system, "faint") == "normal", "normal again")


def test_a_last_will_is_an_offline_lift_after_a_minute_and_a_message_clears_it(system: System) -> None:
    until(lambda: bool(system.voice.of("gone", "offline")), "the alert")
    (alert,) = system.voice.of("gone", "offline")
    holds_the_contract(alert)
    assert (alert["severity"], alert["state"], alert["count"]) == ("minor", "firing", 1)
    assert alert["evidence"]["limit_s"] == 60
    until(lambda: state(system, "gone") == "offline", "offline")
    system.voice.send("gone", "status", {"seq": 2, "t": wall_ms(), "online": True})
    until(lambda: system.voice.of("gone", "offline")[-1]["state"] == "cleared", "the end of the silence")
    until(lambda: state(system, "gone") == "normal", "normal again")
    assert system.get("/api/v1/lifts", district=DISTRICT, q="gone")["items"][0]["state"] == "normal"
