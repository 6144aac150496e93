"""Two monitors on one broker and one database: killed at any moment, neither loses, doubles or judges the other's."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import liftwatch
from registry.actor import Actor
from registry.partition import Partition
from store.records.repository import AlertFilter, Records
from tests.broker import Broker
from tests.forked import printed
from tests.ingest.running import DISTRICT, T0_MS, Monitor, Voice, bundle, facts
from tests.loopback import until

PARTS = tuple(Partition(number, 2) for number in range(2))
LIFTS = [[name for name in map("lift-{}".format, range(60)) if part.has(name)][:12] for part in PARTS]
AHEAD = 300


@pytest.fixture(name="monitor_of")
def monitors(broker: Broker, url: str, tmp_path: Path) -> Iterator[Callable[[str], Monitor]]:
    """Make a monitor of a partition, each on a folder of its own."""
    made: list[Monitor] = []

    def make(name: str) -> Monitor:
        folder = tmp_path / name.replace("/", "-of-")
        folder.mkdir()
        made.append(Monitor(folder, broker.port, f"partition = '{name}'\n[records]\nurl = '{url}'\n"))
        return made[-1]

    yield make
    for monitor in made:
        monitor.stop()


def press(voice: Voice, lift_id: str, second: int) -> None:
    body = {"seq": second, "boot": "1", "t": T0_MS + 1000 * second, "alarm": True}
    voice.publish(f"lift/v1/{DISTRICT}/{lift_id}/status", body)


@pytest.mark.long
def test_monitors_that_are_killed_judge_every_message_of_their_own_lifts_once(
    broker: Broker, url: str, monitor_of: Callable[[str], Monitor]
) -> None:
    voice = Voice(broker.port)
    with Records.open(url) as records:
        records.put_lifts([facts(name) for part in LIFTS for name in part], Actor.named("test"), time.time_ns())
        pair = [monitor_of(part.name).start() for part in PARTS]
        for second in range(AHEAD):  # one partition is far ahead of the other
            voice.publish(f"lift/v1/{DISTRICT}/{LIFTS[0][second % 4]}/bundle", bundle(second // 4, 0.0, 0.0))
        records.claim(PARTS[0])
        until(lambda: records.resume().position >= AHEAD, "a partition that is ahead")
        for part in LIFTS:
            for name in part[4:8]:
                press(voice, name, 0)
        for monitor in pair:
            monitor.kill()
        for part in LIFTS:  # kept by the broker
            for name in part[8:]:
                press(voice, name, 0)
        for monitor in pair:
            monitor.start()
        pressed = {name for part in LIFTS for name in part[4:]}

        def alarms_by_lift() -> Counter[str]:
            alerts = records.alerts(AlertFilter(rule=("alarm-button",)), limit=200).items
            return Counter(alert.lift_id for alert in alerts)

        until(lambda: alarms_by_lift().keys() >= pressed, "every alarm")
        assert alarms_by_lift() == Counter(pressed)
        until(lambda: {alert["lift_id"] for alert in voice.alerts} >= pressed, "every alarm on MQTT")
        names = {part.name for part in PARTS}
        until(lambda: {picture.partition for picture in records.live()} == names, "a picture of each partition")
    voice.close()


def test_a_monitor_of_another_number_of_partitions_ends_at_once_with_the_remedy(url: str, tmp_path: Path) -> None:
    with Records.open(url) as records:
        records.claim(PARTS[0])
    config = tmp_path / "liftwatch.toml"
    config.write_text(f"[monitor]\ndata_dir = '{tmp_path}'\npartition = '0/3'\n[records]\nurl = '{url}'\n")
    code, output = printed(["--config", config, "monitor"], tmp_path)
    assert code == liftwatch.UNUSABLE
    assert "begun with 2 partitions" in output
    assert "set monitor.partition to k/2" in output
    assert "Traceback" not in output
