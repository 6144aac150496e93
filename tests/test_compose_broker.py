"""The broker's files and its container's own script, run by a real Mosquitto: it starts and holds its rules."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
import yaml

from tests.loopback import accepts, free_port, until
from tests.processes import start_process

ROOT = Path(__file__).parent.parent
MOSQUITTO = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]["mosquitto"]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None or shutil.which("mosquitto_sub") is None:
        pytest.skip("no mosquitto with its clients on PATH (Debian: mosquitto, mosquitto-clients)")
    port = free_port()
    for folder in ("run", "config", "data", "secrets"):
        (tmp_path / folder).mkdir()
    script = MOSQUITTO["command"][0].replace("monitor dashboards lifts", "monitor dashboards lifts A-1 GW-7")
    for secret in (*MOSQUITTO["secrets"], "broker_A-1", "broker_GW-7"):
        (tmp_path / "secrets" / secret).write_text(f"{secret}-pass\n", encoding="utf-8")
    for volume in MOSQUITTO["volumes"]:
        source, target = volume.split(":")[:2]
        if source.startswith("./"):
            text = (ROOT / source).read_text(encoding="utf-8").replace("/mosquitto/", f"{tmp_path}/")
            text = text.replace("listener 1883", f"listener {port} 127.0.0.1")
            if os.geteuid() == 0 and target.endswith(".conf"):
                text += "\nuser root\n"
            if target.endswith(".acl"):
                text = text.replace("#user GW-7", "user GW-7").replace("#topic write", "topic write")
            (tmp_path / "config" / Path(target).name).write_text(text, encoding="utf-8")
    script = in_place(script, tmp_path).replace("exec mosquitto ", f"exec {program} ")
    process = start_process([*MOSQUITTO["entrypoint"], script], stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: process.poll() is not None or accepts(port), "the broker")
        assert process.poll() is None, process.stderr and process.stderr.read()
        yield port, tmp_path
    finally:
        process.terminate()
        process.communicate(timeout=60)


def in_place(script: str, folder: Path) -> str:
    """Return a script of the compose file as the container's shell would see it, with its folders moved."""
    return script.replace("$$", "$").replace("/mosquitto/", f"{folder}/").replace("/run/secrets/", f"{folder}/secrets/")


@pytest.mark.broker
def test_the_brokers_health_check_tells_a_living_broker_from_a_dead_one(broker: tuple[int, Path]) -> None:
    port, folder = broker
    script = in_place(MOSQUITTO["healthcheck"]["test"][1], folder)
    for at, expected in ((port, True), (free_port(), False)):
        check = script.replace("mosquitto_sub ", f"mosquitto_sub -h 127.0.0.1 -p {at} ")
        assert (subprocess.run(["sh", "-c", check], check=False, capture_output=True).returncode == 0) is expected


@pytest.mark.broker
@pytest.mark.parametrize(
    ("who", "topic", "may"),
    [
        ("lifts", "lift/v1/north/A-1/speed", True),
        ("lifts", "lift/v1/north/A-1/gateway", True),
        ("lifts", "lift/v1/north/speed", True),
        ("lifts", "lift/v1/north/A-1/alert", False),
        ("lifts", "lift/v1/north/A-1/incident", False),
        ("lifts", "lift/v1/north/A-1/health", False),
        ("A-1", "lift/v1/north/A-1/speed", True),
        ("A-1", "lift/v1/north/A-1/Speed", True),
        ("A-1", "lift/v1/north/A-1/gateway", False),
        ("A-1", "lift/v1/north/A-1/alert", False),
        ("A-1", "lift/v1/north/A-1/incident", False),
        ("A-1", "lift/v1/north/A-1/health", False),
        ("A-1", "lift/v1/north/A-2/speed", False),
        ("A-1", "lift/v1/north/GW-7/gateway", False),
        ("GW-7", "lift/v1/north/GW-7/gateway", True),
        ("GW-7", "lift/v1/north/A-1/bundle", False),
        ("GW-7", "lift/v1/north/GW-8/gateway", False),
        ("GW-7", "lift/v1/north/GW-7/alert", False),
        ("lifts", "sim/v1/A-1/fault", False),
        ("dashboards", "sim/v1/A-1/fault", True),
        ("dashboards", "lift/v1/north/A-1/alert", False),
        ("monitor", "lift/v1/north/A-1/alert", True),
        ("monitor", "lift/v1/north/A-1/speed", False),
        ("monitor", "sim/v1/A-1/fault", False),
    ],
)
def test_everyone_may_say_only_what_is_theirs(broker: tuple[int, Path], who: str, topic: str, may: bool) -> None:
    assert publish(broker[0], who, f"broker_{who}-pass", topic) == ("Success" if may else "Not authorized")


@pytest.mark.broker
@pytest.mark.parametrize(("who", "password"), [(None, None), ("monitor", "broker_lifts-pass")])
def test_strangers_are_turned_away(broker: tuple[int, Path], who: str | None, password: str | None) -> None:
    assert publish(broker[0], who, password, "lift/v1/north/A-1/speed") == "refused: Not authorized"


def publish(port: int, who: str | None, password: str | None, topic: str) -> str:
    """Publish one message and return what the broker answered to it, or to the greeting."""
    answers: list[str] = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5, reconnect_on_failure=False)
    if who is not None:
        client.username_pw_set(who, password)

    def connected(client: mqtt.Client, _: object, __: object, reason: Any, ___: object) -> None:
        if reason.is_failure:
            answers.append(f"refused: {reason}")
        else:
            client.publish(topic, b"{}", qos=1)

    def published(_: mqtt.Client, __: object, ___: int, reason: Any, ____: object) -> None:
        answers.append("Success" if not reason.is_failure else str(reason))

    client.on_connect, client.on_publish = connected, published
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        until(lambda: bool(answers), "the broker's answer")
    finally:
        client.disconnect()
        client.loop_stop()
    return answers[0]
