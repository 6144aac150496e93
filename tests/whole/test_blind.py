"""A lift that is received and cannot be judged, in the running product: its state, the reason and the remedy."""

from __future__ import annotations

from typing import Any

import pytest

from tests.loopback import until
from tests.whole.installation import DISTRICT, System, wall_ms

pytestmark = pytest.mark.broker


def shown(system: System, lift_id: str) -> dict[str, Any]:
    response = system.http.get(f"/api/v1/lifts/{lift_id}")
    return dict(response.json()["latest"]) if response.status_code == 200 else {"state": None, "blind": None}


def still(seq: int, t: float) -> dict[str, Any]:
    return {"seq": seq, "t": t, "speed": {"dt": 100, "v": [0.0] * 10}, "door": {"state": "closed"}}


def test_a_terminal_that_sends_seconds_is_blind_with_the_remedy_until_it_sends_milliseconds(system: System) -> None:
    system.register("w-seconds")
    for seq in range(3):
        system.voice.send("w-seconds", "bundle", still(seq, wall_ms() // 1000))
    until(lambda: shown(system, "w-seconds")["state"] == "blind", "blind")
    item = shown(system, "w-seconds")
    assert item["blind"]["reason"] == "clock-behind"
    assert "send milliseconds" in item["blind"]["text"]["en"]
    assert item["blind"]["since"] == item["since"]
    assert item["last_seen"] is not None
    listed = system.get("/api/v1/lifts", state="blind", district=DISTRICT)["items"]
    assert "w-seconds" in [one["lift_id"] for one in listed]
    assert system.get("/api/v1/fleet")["states"]["blind"] >= 1
    assert 'liftwatch_lifts{state="blind"}' in system.http.get("/metrics").text
    system.voice.send("w-seconds", "bundle", still(3, wall_ms() - 1000))
    until(lambda: shown(system, "w-seconds")["state"] == "normal", "normal again")
    assert shown(system, "w-seconds")["blind"] is None


def test_a_stranger_that_sends_millimetres_is_blind_for_its_units(system: System) -> None:
    sent = {"speed": {"dt": 500, "v": [1750, 1750]}, "displacement": {"dt": 500, "z": [12000, 12875]}}
    system.voice.send("w-millimetres", "bundle", {"seq": 1, "t": wall_ms() - 1000} | sent)
    until(lambda: shown(system, "w-millimetres")["state"] == "blind", "blind")
    assert shown(system, "w-millimetres")["blind"]["reason"] == "units"
