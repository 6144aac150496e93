"""A press of the alarm button is raised in whatever form it comes: with and without time, number, bundle and stream."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import cbor2
import pytest

from detectors.catalogue import RULES
from ingest.judging import Judging
from ingest.recordings.replaying import Replay
from registry.actor import Actor
from store.journal import Journal
from store.records.repository import AlertFilter
from telemetry.streams import Entry, topic
from telemetry.wire.decode import decode
from tests.ingest.judged import listened
from tests.ingest.running import DISTRICT, facts
from tests.loopback import until
from tests.prepared_records import open_empty

T_MS = int(time.time() * 1000) - 5_000
SPEED = {"speed": {"v": 0.1}}
AT = {"seq": 1, "t": T_MS}
FORMS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "status alone, nothing else": [("status", {"alarm": True})],
    "status with a number": [("status", {"seq": 5, "alarm": True})],
    "status after one that is quiet": [("status", {"alarm": False}), ("status", {"alarm": True})],
    "status with a time": [("status", {"t": T_MS, "alarm": True})],
    "status without a time after bundles": [("bundle", AT | SPEED), ("status", {"alarm": True})],
    "status without a time after bundles without": [("bundle", SPEED), ("status", {"alarm": True})],
    "status in a bundle": [("bundle", AT | SPEED | {"status": {"online": True, "alarm": True}})],
    "status in a bundle, nothing else": [("bundle", {"status": {"alarm": True}})],
    "beside the streams of a bundle": [("bundle", AT | SPEED | {"alarm": True})],
    "beside the streams of a bundle without a time": [("bundle", SPEED | {"alarm": True})],
    "in a bundle after bundles": [
        ("bundle", AT | SPEED),
        ("bundle", {"seq": 2, "t": T_MS + 1000} | SPEED | {"alarm": 1}),
    ],
    "in a gateway's bundle": [("gateway", {"lifts": {"L1": AT | SPEED | {"alarm": True}}})],
    "in a gateway's bundle without a time": [("gateway", {"lifts": {"L1": SPEED | {"status": {"alarm": True}}}})],
}


@pytest.mark.parametrize("encode", [lambda body: json.dumps(body).encode(), cbor2.dumps], ids=["json", "cbor"])
def test_a_press_is_raised_in_every_form(tmp_path: Path, encode: Any) -> None:
    lifts = {form: f"L{number}" for number, form in enumerate(FORMS, start=1)}
    with Journal.open(tmp_path / "journal", 64 << 20) as journal, open_empty(tmp_path / "r.db") as records:
        records.put_lifts([facts(lift) for lift in lifts.values()], Actor.named("test"), 0)
        for form, messages in FORMS.items():
            for stream, body in messages:
                sender = "GW" if stream == "gateway" else lifts[form]
                body = {"lifts": {lifts[form]: body["lifts"]["L1"]}} if stream == "gateway" else body
                journal.append([(time.time_ns(), topic(DISTRICT, sender, stream), encode(body), False)])
        judging = Judging(
            journal,
            records,
            RULES,
            lambda _: None,
            lambda: None,
            listened,
            batch_s=0.01,
        )
        judging.start()

        def missing() -> list[str]:
            alerts = records.alerts(AlertFilter(rule=("alarm-button",)), limit=100).items
            return [form for form, lift in lifts.items() if lift not in {one.lift_id for one in alerts}]

        try:
            until(lambda: not missing(), "a press in every form")
        finally:
            judging.stop()
            assert not missing()


def test_a_late_press_has_its_own_time_as_onset_after_the_alert_of_a_later_press_was_closed() -> None:
    pressed_at = {100: 100, 200: 50, 300: 50, 400: 40, 500: 500}  # the press at 50 s is sent twice, with two numbers
    run, found = Replay([facts("L1")], RULES, attended_s=60), dict[str, float]()
    for second in range(520):
        messages: list[tuple[str, dict[str, Any]]] = [("bundle", {"seq": 1000 + 2 * second} | SPEED)]
        if (at := pressed_at.get(second)) is not None:
            seq = 1001 + 2 * second if at == second else second
            messages.append(("status", {"seq": seq, "t": T_MS + 1000 * at, "alarm": True}))
            messages.append(("status", {"seq": 1001 + 2 * second, "t": T_MS + 1000 * second, "alarm": False}))
        for number, (stream, body) in enumerate(messages):
            payload = json.dumps({"t": T_MS + 1000 * second} | body).encode()
            arrived_ns = (T_MS + 1000 * second + 500) * 1_000_000
            decoded = decode([Entry(10 * second + number + 1, arrived_ns, topic(DISTRICT, "L1", stream), payload)])
            changes = run.step(decoded)
            alerts = [change.alert for change in changes if change.alert.rule == "alarm-button"]
            found |= {alert.id: alert.onset_ns / 1e9 - T_MS / 1e3 for alert in alerts}
    assert [round(onset_s, 3) for onset_s in found.values()] == list(pressed_at.values())
