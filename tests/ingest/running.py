"""The monitor as its own process, and a client that publishes for lifts."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any, Self

import httpx
from paho.mqtt.client import CallbackAPIVersion, Client

from registry.facts import Floor, LiftFacts
from tests.forked import Liftwatch
from tests.loopback import PATIENCE_S, free_port, until
from tests.prepared_records import open_empty

T0_MS = 1_514_764_800_000
"""2018: a wall clock that leaked in is seen at once."""
DISTRICT = "anji"
RATED_MPS = 1.75
FLOORS = tuple(Floor(str(k), 3.0 * k) for k in range(60))


def facts(lift_id: str, district: str = DISTRICT) -> LiftFacts:
    """Return a lift that every rule can judge."""
    return LiftFacts(lift_id, district, rated_speed_mps=RATED_MPS, floors=FLOORS)


def bundle(second: int, v_mps: float, z_m: float) -> dict[str, Any]:
    """Return one second at an even speed, ten readings of it."""
    place = [round(z_m + 0.1 * k * v_mps, 4) for k in range(10)]
    speed = {"dt": 100, "v": [v_mps] * 10}
    body: dict[str, Any] = {"seq": second, "boot": "1", "t": T0_MS + 1000 * second}
    return body | {"speed": speed, "displacement": {"dt": 100, "z": place}, "door": {"state": "closed"}}


class Monitor:
    """`liftwatch monitor` on a data folder, which survives it."""

    def __init__(self, folder: Path, port: int, more: str = "") -> None:
        self.folder = folder
        self.log = folder / "monitor.log"
        self.http_port = free_port()
        self._config = folder / "liftwatch.toml"
        own = f"data_dir = '{folder}'\nhttp_port = {self.http_port}\n"
        self._config.write_text(f"[broker]\nport = {port}\n[monitor]\n{own}{more}", encoding="utf-8")
        self._process: Liftwatch | None = None
        self.records = open_empty(folder / "records.db")

    def start(self, receives: bool = True) -> Self:
        """Start the monitor, and wait until it receives from its broker, unless that is away."""
        before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as out:
            self._process = Liftwatch(["--config", self._config, "monitor"], out)
        if receives:
            until(lambda: b"receiving from" in self.log.read_bytes()[before:], "a monitor that receives")
        return self

    def readiness(self) -> tuple[int, str]:
        """Return the status and the reasons of its own /readyz; 0 where it does not answer yet."""
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.http_port}/readyz", trust_env=False, timeout=60)
        except httpx.TransportError:
            return 0, ""
        return answer.status_code, "; ".join(answer.json()["reasons"])

    def metric(self, name: str) -> float:
        """Return a value of its own /metrics, named with its labels."""
        text = httpx.get(f"http://127.0.0.1:{self.http_port}/metrics", trust_env=False, timeout=60).text
        return next(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))

    @property
    def pid(self) -> int:
        """The number of its process."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it as a power cut does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def has_ended(self) -> bool:
        """Return whether the monitor has ended by itself."""
        assert self._process is not None
        return self._process.poll() is not None

    def stop(self) -> int:
        """Ask it to end and return its exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(PATIENCE_S)

    def counts(self) -> dict[str, float]:
        """Return what it last counted."""
        pictures = self.records.live()
        return pictures[-1].counts if pictures else {}


class Voice:
    """A client that publishes for lifts, and receives the monitor's alerts."""

    def __init__(self, port: int) -> None:
        self.alerts: list[dict[str, Any]] = []
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe("lift/v1/+/+/alert", 1)
        self._client.on_message = lambda _client, _data, message: self.alerts.append(json.loads(message.payload))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def publish(self, topic: str, payload: Any, retain: bool = False) -> None:
        """Publish a message and wait until the broker has acknowledged it."""
        content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self._client.publish(topic, content, qos=1, retain=retain).wait_for_publish(PATIENCE_S)

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()
