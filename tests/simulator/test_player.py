"""The player publishes to a real broker as the contract states, and obeys fault requests."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from mqtt.client import BrokerAddress
from mqtt.publisher import Publisher, publish_once
from simulator.buildings.fleet import fleet
from simulator.faults.cause_table import InvalidFaultRequest
from simulator.playback.injection import inject
from simulator.playback.player import NS, Player, PlayerSettings, run
from simulator.scenarios.scenario import Scenario
from telemetry.streams import Entry
from telemetry.wire.decode import decode
from tests.broker import Broker
from tests.loopback import PATIENCE_S, free_port, until
from tests.processes import start_process
from tests.simulator.recorded_world import START_NS

pytestmark = pytest.mark.broker

PLAY = """
from mqtt.client import BrokerAddress
from simulator.playback.player import PlayerSettings, run
from simulator.scenarios.scenario import Scenario
run(PlayerSettings(Scenario(lifts=3, form="json"), BrokerAddress(port={port})))
"""


class Listener:
    """A subscriber that keeps the messages it received."""

    def __init__(self, port: int, topics: str = "lift/v1/#") -> None:
        self.received: list[mqtt.MQTTMessage] = []
        self._ready = threading.Event()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.on_message = lambda _client, _data, message: self.received.append(message)
        self._client.on_connect = lambda client, *_: client.subscribe(topics, qos=1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._ready.wait(PATIENCE_S)

    def of(self, stream: str) -> list[dict[str, Any]]:
        return [json.loads(m.payload) for m in list(self.received) if m.topic.endswith(f"/{stream}")]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def listening(port: int) -> Iterator[Listener]:
    listener = Listener(port)
    yield listener
    listener.close()


@contextmanager
def playing(settings: PlayerSettings) -> Iterator[Player]:
    """Play in a thread, and end it like Ctrl-C would."""
    ended = threading.Event()
    player = Player(settings, ended)
    thread = threading.Thread(target=player.play)
    thread.start()
    try:
        yield player
    finally:
        ended.set()
        thread.join(timeout=PATIENCE_S)
    assert not thread.is_alive()


def at(port: int, **more: Any) -> PlayerSettings:
    """Return settings for a broker; what belongs to the scenario goes there."""
    more.setdefault("form", "json")
    scenario = {name: more.pop(name) for name in list(more) if name in Scenario.model_fields}
    return PlayerSettings(Scenario(**scenario), BrokerAddress(port=port), **more)


def at_once(broker: Broker, **more: Any) -> PlayerSettings:
    """Return settings of a world in 2001 that is played as fast as it goes."""
    return at(broker.port, speed=float("inf"), start_ns=START_NS, seed=4, hour=8.0, **more)


@pytest.mark.parametrize("form", ["json", "cbor", "gateway"])
def test_every_second_of_every_lift_arrives_and_decodes(broker: Broker, form: str) -> None:
    with listening(broker.port) as listener:
        run(at_once(broker, lifts=45, seconds=12, form=form, vibration=True), threading.Event())
        messages = 45 * 12 if form != "gateway" else 3 * 12
        until(lambda: sum("status" not in m.topic for m in list(listener.received)) == messages, "the last bundle")
    entries = [
        Entry(k, START_NS + 60 * NS, message.topic, message.payload, message.retain)  # a time of now would refuse 2001
        for k, message in enumerate(listener.received, start=1)
    ]
    decoded = decode(entries)
    assert decoded.refusals == []
    assert len(decoded.samples["speed"].t_ns) == len(decoded.samples["displacement"].t_ns) == 45 * 12 * 10
    assert decoded.waveforms.xyz.shape == (3, 45 * 12 * 100)
    for lift in fleet(45, seed=4):
        rows = [k for k, of in enumerate(decoded.messages.lift_id) if of == lift.lift_id]
        counted = [int(decoded.messages.seq[k]) for k in rows if decoded.messages.seq[k] > 0]
        assert counted == list(range(1, len(counted) + 1))
        assert decoded.messages.district[rows[0]] == lift.district


def test_statuses_are_retained_and_are_offline_at_the_end(broker: Broker) -> None:
    run(at_once(broker, lifts=7, seconds=2), threading.Event())
    with listening(broker.port) as late:
        until(lambda: len(late.received) == 7, "seven retained statuses")
        assert late.of("status") == [{"online": False}] * 7
        assert all(message.retain for message in late.received)


def test_a_world_that_ends_before_the_broker_answers_is_published(broker: Broker) -> None:
    publisher = Publisher(BrokerAddress(port=broker.port))
    publisher.publish("lift/v1/d/one/status", b"{}", retain=True)  # nothing has served the connection yet
    assert publisher.flush(PATIENCE_S)
    publisher.close()
    with listening(broker.port) as late:
        until(lambda: len(late.received) == 1, "the status from before the connection")


def test_at_speed_1_messages_are_of_now_and_even_over_the_second(broker: Broker) -> None:
    with listening(broker.port) as listener, playing(at(broker.port, lifts=40)):
        until(lambda: len(listener.of("bundle")) >= 80, "two seconds of forty lifts")
        now_ms = time.time() * 1000
        times_ms = [bundle["t"] for bundle in listener.of("bundle")]
    assert max(times_ms) <= now_ms
    assert max(times_ms) > now_ms - 60_000
    assert len({t % 1000 // 100 for t in times_ms}) >= 8  # the lifts of a building send together


def test_a_faster_world_never_sends_future_readings(broker: Broker) -> None:
    start_ns = int(time.time() - 30) * NS
    with listening(broker.port) as listener, playing(at(broker.port, lifts=2, speed=50, start_ns=start_ns)):
        until(lambda: len(listener.of("bundle")) >= 62, "a minute of two lifts")
        assert max(bundle["t"] for bundle in listener.of("bundle")) <= time.time() * 1000


def test_a_world_shorter_than_a_day_ends_without_waiting_for_the_next_day(broker: Broker) -> None:
    with playing(at(broker.port, lifts=4, hours=0.001, seconds=4, speed=20)) as player:
        until(lambda: player.world.seconds == 4, "the last second")


def test_a_planned_fault_that_never_began_is_reported_at_the_end(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    late = {"lift": 1, "cause": "door-obstruction", "onset_h": 0.0009}
    run(at_once(broker, lifts=2, hours=0.001, seconds=4, faults=[late]), threading.Event())
    assert "1 of 1 planned faults never came about: faults[0] (door-obstruction)" in caplog.messages


def test_a_requested_fault_is_injected_and_labelled(broker: Broker, tmp_path: Path) -> None:
    labels = tmp_path / "labels.jsonl"
    with playing(at(broker.port, lifts=3, seed=4, hour=3.0, labels=labels)) as player:
        until(lambda: player.bundles > 0, "the first bundle")
        with listening(broker.port) as listener:
            inject(BrokerAddress(port=broker.port), "sim-00002", "network-cut", 60)
            until(lambda: {"online": False} in listener.of("status"), "the last will")
            silent_from = len(listener.received)
            until(lambda: sum("sim-00003/bundle" in m.topic for m in listener.received[silent_from:]) > 2, "the others")
            assert not [m for m in listener.received[silent_from:] if "sim-00002/bundle" in m.topic]
    (label,) = [json.loads(line) for line in labels.read_text().splitlines()]
    assert (label["lift_id"], label["cause"]) == ("sim-00002", "network-cut")
    assert label["end"] - label["onset"] == 60 * NS
    assert label["rules"] == ["offline"]


def test_a_restarted_terminal_has_a_new_boot_and_a_new_sequence(broker: Broker) -> None:
    with listening(broker.port) as listener, playing(at(broker.port, lifts=1, seed=4)):
        until(lambda: len(listener.of("bundle")) > 0, "the first bundle")
        inject(BrokerAddress(port=broker.port), "sim-00001", "terminal-dead", 2)
        until(lambda: len({bundle["boot"] for bundle in listener.of("bundle")}) == 2, "the second boot")
        first = listener.of("bundle")[0]["boot"]
        again = [
            message for message in listener.of("bundle") + listener.of("status") if message.get("boot", first) != first
        ]
    assert min(message["seq"] for message in again) == 1
    assert {"door", "infrared"} <= set(again[0])


NONSENSE = [
    b"",
    b"{bad",
    b"\xff\xfe",
    b"[1]",
    b'"power-cut"',
    b"{}",
    b'{"cause": []}',
    b'{"cause": "bad-luck"}',
    b'{"cause": "power-cut", "for_s": "long"}',
    b'{"cause": "power-cut", "for_s": true}',
    b'{"cause": "power-cut", "for_s": -1}',
    b'{"cause": "power-cut", "for_s": 1e300}',
    b"[" * 5000,
]


def test_invalid_fault_requests_are_counted_and_logged_and_stop_nothing(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    with playing(at(broker.port, lifts=2, seed=4)) as player, caplog.at_level(logging.WARNING):
        until(lambda: player.bundles > 0, "the first bundle")
        for payload in NONSENSE:
            publish_once(BrokerAddress(port=broker.port), "sim/v1/sim-00001/fault", payload)
        until(lambda: player.refused == len(NONSENSE), "the refusals")
        inject(BrokerAddress(port=broker.port), "sim-00001", "power-cut")
        until(lambda: player.faults == 1, "the fault among them")
    lines = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert len(lines) == len(NONSENSE)
    assert not [line for line in lines if "\n" in line or len(line) > 800]


def test_the_fleet_publishes_its_backlog_after_a_broker_outage(broker: Broker) -> None:
    with playing(at(broker.port, lifts=5, seed=4)) as player:
        until(lambda: player.bundles > 0, "the first bundle")
        broker.stop()
        gone = player.bundles
        until(lambda: player.bundles > gone + 10, "bundles without a broker")
        broker.start()
        with listening(broker.port) as listener:
            until(lambda: len(listener.of("bundle")) > 10, "the backlog and the present")
            counted = [bundle["seq"] for m, bundle in zip(bundles(listener), listener.of("bundle"), strict=False) if m]
    assert counted == sorted(counted)


def bundles(listener: Listener) -> list[bool]:
    return [m.topic.endswith("sim-00001/bundle") for m in list(listener.received) if m.topic.endswith("/bundle")]


def test_sigterm_ends_the_simulator_cleanly(broker: Broker) -> None:
    code = PLAY.format(port=broker.port)
    with listening(broker.port) as listener:
        process = start_process([sys.executable, "-c", code], cwd=Path(__file__).parents[2], stderr=subprocess.PIPE)
        until(lambda: len(listener.of("bundle")) > 0, "the first bundle")
        process.send_signal(signal.SIGTERM)
        _, output = process.communicate(timeout=PATIENCE_S)
        until(lambda: listener.of("status").count({"online": False}) == 3, "three goodbyes")
    assert (process.returncode, output) == (0, b"")


def test_the_broker_publishes_the_last_will_when_the_simulator_is_killed(broker: Broker) -> None:
    code = PLAY.format(port=broker.port)
    with listening(broker.port) as listener:
        process = start_process([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
        until(lambda: len(listener.of("bundle")) > 0, "the first bundle")
        os.kill(process.pid, signal.SIGKILL)
        process.wait(PATIENCE_S)
        until(lambda: {"online": False} in listener.of("status"), "the will")


@pytest.mark.parametrize(
    ("names", "bad"),
    [("speed", 0.0), ("speed", float("nan"))],
)
def test_settings_that_cannot_be_played_are_refused_by_name(names: str, bad: Any) -> None:
    with pytest.raises(ValueError, match=f"{names}: "):
        Player(PlayerSettings(**{names: bad}), threading.Event())


def test_inject_refuses_an_invalid_request_before_publishing() -> None:
    with pytest.raises(InvalidFaultRequest, match="cause: "):
        inject(BrokerAddress(port=1), "sim-00001", "bad-luck")
    with pytest.raises(InvalidFaultRequest, match="for_s: "):
        inject(BrokerAddress(port=1), "sim-00001", "power-cut", 0)
    with pytest.raises(InvalidFaultRequest, match="lift_id: "):
        inject(BrokerAddress(port=1), "a/b", "power-cut")
    with pytest.raises(OSError, match="refused"):
        inject(BrokerAddress(port=free_port()), "sim-00001", "power-cut")


def test_a_broker_with_only_mqtt_3_1_1_is_enough() -> None:
    """A broker in a few lines: it hangs up on MQTT 5 and lets 3.1.1 in, as some do."""
    versions: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server, playing(at(server.getsockname()[1], lifts=1)):
        while 4 not in versions:
            connection, _ = server.accept()
            with connection:
                version = connection.recv(1024)[8]
                versions.append(version)
                if version == 4:
                    connection.sendall(b"\x20\x02\x00\x00")
                    until(lambda: b"sim/v1/+/fault" in connection.recv(4096), "the subscription")  # noqa: B023
    assert versions[0] == 5
