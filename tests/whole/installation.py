"""A running installation: a broker, `liftwatch monitor` and `liftwatch serve`, tested through their interfaces."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from paho.mqtt.client import CallbackAPIVersion, Client, MQTTMessage

from tests.broker import Broker, mosquitto
from tests.forked import Liftwatch
from tests.loopback import PATIENCE_S, free_port, until
from tests.whole.story import BUNDLES, FLOORS, RATED_MPS, T0_MS, Story

DISTRICT = "anji"
END_S = 5


class System:
    """One running installation on a folder of its own."""

    def __init__(
        self,
        broker: Broker,
        folder: Path,
        retained: Mapping[str, Any] | None = None,
        *,
        broker_port: int = 0,
        data_dir: Path | None = None,
        more: str = "",
    ) -> None:
        """Start both processes; the monitor connects to the broker at the port `broker_port` where that is not 0.

        `more` is appended to the configuration.
        """
        self.broker = broker
        self.voice = MqttClient(self.broker.port)
        for topic, payload in (retained or {}).items():
            self.voice.publish(topic, payload, retain=True).wait_for_publish(PATIENCE_S)
        self.folder, self.port, self.data_dir = folder, free_port(), data_dir or folder
        self._monitor_port = free_port()
        self._config = folder / "liftwatch.toml"
        self._config.write_text(
            f"[broker]\nport = {broker_port or self.broker.port}\n[monitor]\ndata_dir = '{self.data_dir}'\n"
            f"http_port = {self._monitor_port}\n"
            f"[dashboards]\nport = {self.port}\n{more}",
            encoding="utf-8",
        )
        self.log = folder / "system.log"
        self._out = self.log.open("ab")
        self.processes: dict[str, Liftwatch] = {}
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False, timeout=PATIENCE_S)
        self._canaries = 0
        try:
            self.start("monitor")
            self.start("serve")
            until(lambda: self.connections() > 0, "a monitor that is subscribed")
            until(self._ready, "a server that is ready")
        except AssertionError:
            self.stop()
            raise

    def start(self, command: str) -> None:
        """Start a process of the installation."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LIFTWATCH_")}
        self.processes[command] = Liftwatch(["--config", self._config, command], self._out, environment)

    def start_monitor(self) -> None:
        """Start the monitor again and wait until it is subscribed."""
        before = self.connections()
        self.start("monitor")
        until(lambda: self.connections() > before, "a monitor that is subscribed")

    def start_server(self) -> None:
        """Start the server again and wait until it answers."""
        self.start("serve")
        until(lambda: self._status("/healthz") == 200, "a server that answers")

    def end(self, command: str, how: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to a process and wait for its end."""
        process = self.processes[command]
        process.send_signal(how)
        process.wait(PATIENCE_S)

    def connections(self) -> int:
        """Return how often the monitor subscribed so far."""
        return self.log.read_bytes().count(b"receiving from")

    def _ready(self) -> bool:
        return self._status("/readyz") == 200

    def _status(self, path: str) -> int | None:
        """Return the status of an answer, None without one."""
        try:
            return self.http.get(path).status_code
        except httpx.TransportError:
            return None

    def stop(self) -> None:
        self.voice.close()
        self.http.close()
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            process.wait(PATIENCE_S)
        self._out.close()
        self.broker.stop()

    def get(self, path: str, status: int = 200, **query: Any) -> Any:
        """Return the JSON of a GET."""
        answer = self.http.get(path, params=query)
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text[:300]}"
        return answer.json()

    def post(self, path: str, body: Any, status: int = 200) -> Any:
        """Return the JSON of a POST."""
        answer = self.http.post(path, json=body)
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text[:300]}"
        return answer.json()

    def register(self, *lift_ids: str, **facts: Any) -> None:
        """Register lifts through the API, such that every rule can judge them unless `facts` differ, and wait until the
        monitor judges by it: until a lift that was registered with them is found too fast."""
        self._canaries += 1
        canary = f"canary-{self._canaries}"
        whole = {"district": DISTRICT, "rated_speed_mps": RATED_MPS, "floors": FLOORS}
        rows = [{"lift_id": lift_id, **whole, **facts} for lift_id in lift_ids] + [{"lift_id": canary, **whole}]
        assert self.post("/api/v1/lifts/import", rows)["refused"] == []
        second = 0

        def sings() -> bool:
            nonlocal second
            body = {"seq": second, "t": T0_MS + 1000 * second, "speed": {"dt": 100, "v": [2 * RATED_MPS] * 10}}
            self.voice.send(canary, "bundle", body)
            second += 1
            return bool(self.voice.of(canary, "overspeed-up"))

        until(sings, "a monitor that judges by new facts")

    def received(self, lift_id: str) -> int:
        """Return how many messages of a lift the API counts as received."""
        answer = self.http.get(f"/api/v1/lifts/{lift_id}")
        messages = answer.json().get("messages") if answer.status_code == 200 else None
        return int(messages["received"]) if messages else 0

    def counter(self, name: str, **labels: str) -> float:
        """Return a value of /metrics, 0 where it is not there."""
        return _metric(self.http.get("/metrics").text, name, labels) or 0.0

    def is_all_stored(self) -> bool:
        """Return whether the monitor has judged and stored every message that it has received."""
        try:
            metrics = httpx.get(f"http://127.0.0.1:{self._monitor_port}/metrics", trust_env=False).text
        except httpx.TransportError:
            return False
        lags = [_metric(metrics, "liftwatch_monitor_lag_messages", {"kind": kind}) for kind in ("judging", "storing")]
        return lags == [0.0, 0.0]


def _metric(text: str, name: str, labels: Mapping[str, str]) -> float | None:
    """Return a value of metrics in text form, None where it is not there."""
    for line in text.splitlines():
        head, _, value = line.rpartition(" ")
        if head.split("{")[0] == name and all(f'{key}="{label}"' in head for key, label in labels.items()):
            return float(value)
    return None


def installed(folder: Path, retained: Mapping[str, Any] | None = None) -> System:
    """Return an installation with a broker of its own."""
    return System(Broker(mosquitto(), folder), folder, retained)


class MqttClient:
    """A client that publishes messages of lifts and records the alerts that the monitor publishes."""

    def __init__(self, port: int) -> None:
        self.received: list[tuple[str, int, bool, dict[str, Any]]] = []
        self.sent: list[tuple[str, bytes]] = []
        subscribed = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.max_inflight_messages_set(1000)
        self._client.on_connect = lambda client, *_: client.subscribe("lift/v1/+/+/alert", 1)
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.on_message = self._receive
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert subscribed.wait(PATIENCE_S)

    def _receive(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self.received.append((message.topic, message.qos, message.retain, json.loads(message.payload)))

    def send(self, lift_id: str, stream: str, payload: Any, retain: bool = False, district: str = DISTRICT) -> None:
        """Publish a message of a lift."""
        self.publish(f"lift/v1/{district}/{lift_id}/{stream}", payload, retain).wait_for_publish(PATIENCE_S)

    def publish(self, topic: str, payload: Any, retain: bool = False) -> Any:
        content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.sent.append((topic, content))
        return self._client.publish(topic, content, qos=1, retain=retain)

    def play(self, lift_id: str, story: Story, feed: str = BUNDLES, **how: Any) -> None:
        """Publish the messages of a story, and a press of the alarm button `END_S` after its end."""
        seq = 0
        for stream, payload in story.messages(feed, **how):
            self.publish(f"lift/v1/{DISTRICT}/{lift_id}/{stream}", payload)
            seq = payload["seq"] + 1
        self.end(lift_id, seq, T0_MS + round(1000 * story.now_s))

    def end(self, lift_id: str, seq: int, t_ms: float, boot: str = "1") -> None:
        """Press the alarm button after all other messages: its alert proves that they were judged."""
        topic, head = f"lift/v1/{DISTRICT}/{lift_id}", {"boot": boot}
        t = t_ms + 1000 * END_S
        self.publish(f"{topic}/status", head | {"seq": seq, "t": t, "alarm": True})
        self.publish(f"{topic}/bundle", head | {"seq": seq + 1, "t": t + 2000}).wait_for_publish(PATIENCE_S)

    def of(self, lift_id: str, rule: str | None = None) -> list[dict[str, Any]]:
        """Return the transitions received of a lift, in their order."""
        alerts = [alert for _, _, _, alert in self.received if alert["lift_id"] == lift_id]
        return [alert for alert in alerts if rule is None or alert["rule"] == rule]

    def ended(self, *lift_ids: str) -> None:
        """Wait until the stories of these lifts are judged to their end."""
        for lift_id in lift_ids:
            until(lambda lift_id=lift_id: bool(self.of(lift_id, "alarm-button")), f"the end of {lift_id}")

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class DeviceWithLastWill:
    """A device that registers a last will with the broker, and loses its connection."""

    def __init__(self, port: int, lift_id: str) -> None:
        topic, connected = f"lift/v1/{DISTRICT}/{lift_id}/status", threading.Event()
        client = Client(CallbackAPIVersion.VERSION2, client_id=lift_id)
        client.will_set(topic, json.dumps({"online": False}), qos=1, retain=True)
        client.on_connect = lambda *_: connected.set()
        client.connect("127.0.0.1", port)
        client.loop_start()
        assert connected.wait(PATIENCE_S)
        status = {"seq": 1, "t": wall_ms(), "online": True}
        client.publish(topic, json.dumps(status), qos=1, retain=True).wait_for_publish(PATIENCE_S)
        client.loop_stop()
        client.socket().close()


def seconds(instant: str) -> float:
    """Return an alert's instant as seconds of the story."""
    assert instant.endswith("Z"), instant
    return datetime.fromisoformat(instant).timestamp() - T0_MS / 1000


def wall_ms() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)
