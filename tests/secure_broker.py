"""The shipped broker with devices: `ingest/mosquitto.conf` on free ports, its files written by `liftwatch devices`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

import liftwatch
from tests.broker import mosquitto
from tests.loopback import accepts, free_port, until
from tests.processes import start_process

SHIPPED = Path(__file__).parents[1] / "ingest" / "mosquitto.conf"
DEVICES, CERTIFICATES, OWN = 8883, 8884, 8885
REFUSED_BY_TLS = "refused by TLS"


class SecureBroker:
    """A broker that a test may kill and start again; `port` gives the port of each listener."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._program = folder, mosquitto()
        self.port = {shipped: free_port() for shipped in (DEVICES, CERTIFICATES, OWN)}
        self.config = folder / "liftwatch.toml"
        self.config.write_text(
            f"[broker]\nport = {self.port[OWN]}\naccess_dir = '{folder}/access'\npid_file = '{folder}/mosquitto.pid'\n"
            f"[monitor]\ndata_dir = '{folder}/data'\n",
            encoding="utf-8",
        )
        (folder / "sessions").mkdir()
        self.devices("programs", "--demo", "--secrets", folder / "secrets")
        (folder / "mosquitto.conf").write_text(self._moved(SHIPPED.read_text(encoding="utf-8")), encoding="utf-8")
        self.start()

    def _moved(self, text: str) -> str:
        for shipped, port in self.port.items():
            text = text.replace(f"listener {shipped}", f"listener {port} 127.0.0.1")
        text = text.replace("/mosquitto/access", f"{self.folder}/access")
        text = text.replace("/mosquitto/data", f"{self.folder}/sessions")
        text += f"pid_file {self.folder}/mosquitto.pid\n"
        return text + ("user root\n" if os.geteuid() == 0 else "")

    def start(self) -> None:
        command = [self._program, "-c", str(self.folder / "mosquitto.conf")]
        with (self.folder / "broker.log").open("ab") as log:
            self._process = start_process(command, stderr=log, stdout=log)
        until(lambda: self._process.poll() is not None or accepts(self.port[OWN]), "the broker")
        assert self._process.poll() is None, (self.folder / "broker.log").read_text(encoding="utf-8")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(timeout=60)

    def devices(self, *arguments: str | Path, code: int = 0) -> None:
        """Run `liftwatch devices` with these arguments."""
        line = ["--config", str(self.config), "devices", *map(str, arguments)]
        assert liftwatch.main(line) == code, arguments

    def secret(self, program: str) -> str:
        return (self.folder / "secrets" / program).read_text(encoding="utf-8")

    def client(self, listener: int, **how: Any) -> BrokerClient:
        return BrokerClient(self.port[listener], self.folder / "access" / "authority.pem", **how)

    def program(self, name: str, client_id: str = "") -> BrokerClient:
        return self.client(OWN, user=name, password=self.secret(name), client_id=client_id)


class BrokerClient:
    """A client of one connection over TLS, and what the broker answered to it."""

    def __init__(
        self,
        port: int,
        authority: Path,
        user: str | None = None,
        password: str | None = None,
        certificate: Path | None = None,
        client_id: str = "",
        will: str | None = None,
    ) -> None:
        self.answer: str | None = None
        self.is_ended = False
        self.received: list[tuple[str, bytes]] = []
        self._answers: dict[int, str] = {}
        self._client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id, protocol=mqtt.MQTTv5, reconnect_on_failure=False
        )
        self._client._raise_for_invalid_topic = lambda topic: None  # type: ignore[method-assign]
        key = str(certificate.with_suffix(".key")) if certificate else None
        self._client.tls_set(str(authority), str(certificate) if certificate else None, key)
        if user is not None:
            self._client.username_pw_set(user, password)
        if will is not None:
            self._client.will_set(will, b"will", qos=1)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._ended
        self._client.on_message = lambda _c, _d, message: self.received.append((message.topic, message.payload))
        self._client.on_publish = lambda _c, _d, mid, reason, _p: self._answers.update({mid: str(reason)})
        self._client.on_subscribe = lambda _c, _d, mid, reasons, _p: self._answers.update({mid: str(reasons[0])})
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        until(lambda: self.answer is not None, "the broker's answer")

    def _connected(self, _c: mqtt.Client, _d: object, _f: object, reason: Any, _p: object) -> None:
        self.answer = str(reason)

    def _ended(self, _c: mqtt.Client, _d: object, _f: object, _reason: Any, _p: object) -> None:
        self.answer, self.is_ended = self.answer or REFUSED_BY_TLS, True

    def publish(self, topic: str, payload: bytes = b"{}", retain: bool = False) -> str:
        """Publish and return the broker's answer: Success, also without subscribers, or the refusal."""
        return self.answered(self.send(topic, payload, retain=retain))

    def send(self, topic: str, payload: bytes = b"{}", qos: int = 1, retain: bool = False) -> int:
        """Publish and return the number by which `answered` waits for the answer."""
        return self._client.publish(topic, payload, qos=qos, retain=retain).mid

    def answered(self, number: int) -> str:
        """Return the broker's answer to what was sent: Success, also without subscribers, or the refusal."""
        answer = self._answered(number)
        return "Success" if answer == "No matching subscribers" else answer

    def subscribe(self, topic: str) -> str:
        return self._answered(self._client.subscribe(topic, 1)[1] or 0)

    def _answered(self, mid: int) -> str:
        until(lambda: mid in self._answers or self.is_ended, "the broker's answer")
        return self._answers.get(mid, "ended")

    def break_off(self) -> None:
        """Break the connection, so that the broker publishes the last will."""
        sock: Any = self._client.socket()
        sock.close()
        self._client.loop_stop()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def secure_broker(tmp_path: Path) -> Iterator[SecureBroker]:
    """A broker with the shipped configuration, without devices."""
    running = SecureBroker(tmp_path)
    yield running
    running.kill()


def added(broker: SecureBroker, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Add a device with a password, or renew it, and return the password."""
    capsys.readouterr()
    broker.devices(*arguments)
    found = re.search(r"\b[0-9a-f]{48}\b", capsys.readouterr().out)
    assert found is not None
    return found[0]
