"""An import of many lifts beside a monitor: alarms are announced meanwhile, and the new facts count afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.actor import Actor
from tests.broker import Broker
from tests.ingest.running import DISTRICT, RATED_MPS, T0_MS, Monitor, Voice, bundle, facts
from tests.loopback import until

MANY = 5_000


@pytest.fixture(name="monitor")
def running(broker: Broker, tmp_path: Path) -> Iterator[Monitor]:
    monitor = Monitor(tmp_path, broker.port)
    monitor.records.put_lifts([facts(f"L{number}") for number in range(3)], Actor.named("test"), time.time_ns())
    yield monitor.start()
    monitor.stop()


def test_alarms_are_announced_while_an_import_goes_on(broker: Broker, monitor: Monitor) -> None:
    voice = Voice(broker.port)
    taken_at: list[int] = []

    def press(taken: int) -> None:
        name = f"L{len(taken_at)}"
        if len(taken_at) < 3:
            voice.publish(f"lift/v1/{DISTRICT}/{name}/status", {"seq": 1, "t": T0_MS, "alarm": True})
            until(lambda: any(alert["lift_id"] == name for alert in voice.alerts), "an alarm during the import")
            taken_at.append(taken)

    monitor.records.put_lifts(
        [facts(f"M{number:05}") for number in range(MANY)], Actor.named("test"), time.time_ns(), press
    )
    assert 0 < taken_at[0] < taken_at[1] < taken_at[2] < MANY
    newest, second = f"M{MANY - 1:05}", 0

    def judged_by_its_facts() -> bool:
        nonlocal second
        second += 1
        voice.publish(f"lift/v1/{DISTRICT}/{newest}/bundle", bundle(second, 2 * RATED_MPS, 10.0))
        return any(alert["lift_id"] == newest and alert["rule"] == "overspeed-up" for alert in voice.alerts)

    until(judged_by_its_facts, "the facts of the last lift")
    voice.close()
