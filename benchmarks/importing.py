"""Measures an import of many lifts beside a running monitor and server: its duration, and the delays of other work.

python -m benchmarks.importing --lifts 100000

Some lifts send a bundle a second, and every half a second the alarm button of another one is pressed. Measured during
the import and while monitor and server take it in: from the press to the alert on MQTT, the commit of another process,
and the first page of the list of lifts.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from paho.mqtt.client import CallbackAPIVersion, Client, MQTTMessage

from benchmarks import bundles, pipeline
from commands.child_process import is_listening
from commands.demo import find_mosquitto, mosquitto_configuration
from registry.actor import Actor
from registry.facts import export_csv
from store.records.repository import Records

TALKING, PRESSING, PRESS_EVERY_S, COMMIT_EVERY_S, PAGE_EVERY_S = 100, 1_000, 0.5, 0.1, 0.5
BEFORE_S, AFTER_S, TAKEN_IN_LIMIT_S = 5.0, 5.0, 120.0
BASE = "lift/v1"


class TalkingLifts:
    """Lifts that send bundles, and others whose alarm buttons are pressed; `waits_s` is from press to alert."""

    def __init__(self, port: int) -> None:
        self.waits_s: list[float] = []
        self._pressed_s: dict[str, float] = {}
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe(f"{BASE}/+/+/alert", 1)
        self._client.on_message = self._on_alert
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._second = self._presses = 0

    def _on_alert(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        alert = json.loads(message.payload)
        pressed_s = self._pressed_s.get(alert["lift_id"])
        if alert["rule"] == "alarm-button" and pressed_s is not None:
            self.waits_s.append(time.monotonic() - pressed_s)
            del self._pressed_s[alert["lift_id"]]

    def publish_all(self) -> None:
        """Send a bundle of each lift."""
        self._second += 1
        for i in range(TALKING):
            body = bundles.bundle(i, self._second, time.time_ns() // 1_000_000 - 1000, typed=False, vibrates=False)
            self._client.publish(f"{BASE}/{bundles.DISTRICT}/{bundles.lift_id(i)}/bundle", json.dumps(_plain(body)), 1)

    def press(self) -> None:
        """Press the button of the next lift."""
        name = bundles.lift_id(TALKING + self._presses)
        self._presses += 1
        self._pressed_s[name] = time.monotonic()
        press = {"t": time.time_ns() // 1_000_000, "alarm": True}
        self._client.publish(f"{BASE}/{bundles.DISTRICT}/{name}/status", json.dumps(press), 1)

    @property
    def unanswered(self) -> int:
        """The number of presses without an alert so far."""
        return len(self._pressed_s)


def _plain(body: Any) -> Any:
    if isinstance(body, dict):
        return {name: _plain(value) for name, value in body.items()}
    return body.tolist() if isinstance(body, np.ndarray) else body


def repeating(
    act: Callable[[], object], every_s: float, stopping: threading.Event, took_s: list[float]
) -> threading.Thread:
    """Call `act` every `every_s` in a thread of its own, and append the duration of each call to `took_s`."""

    def run() -> None:
        while not stopping.wait(every_s):
            begun_s = time.monotonic()
            act()
            took_s.append(time.monotonic() - begun_s)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def measure(lifts: int) -> list[str]:
    """Return the lines of the report."""
    program = find_mosquitto()
    assert program is not None, pipeline.LACKING
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder, port, http = Path(name), pipeline.free_port(), pipeline.free_port()
        (folder / "mosquitto.conf").write_text(mosquitto_configuration(port, folder), encoding="utf-8")
        (folder / "liftwatch.toml").write_text(
            f"[broker]\nport = {port}\n[monitor]\ndata_dir = '{folder}'\n[dashboards]\nport = {http}\n",
            encoding="utf-8",
        )
        own = [sys.executable, "-m", "liftwatch", "--config", str(folder / "liftwatch.toml")]
        with Records.open(f"sqlite:///{folder}/records.db") as records:
            records.put_lifts(bundles.facts(TALKING + PRESSING), Actor.named("bench"), time.time_ns())
            running = [pipeline.started([program, "-c", str(folder / "mosquitto.conf")], folder / "broker.log")]
            pipeline.wait(lambda: is_listening(port))
            log = folder / "monitor.log"
            running += [
                pipeline.started([*own, "monitor"], log),
                pipeline.started([*own, "serve"], folder / "serve.log"),
            ]
            pipeline.wait(lambda: b"receiving from" in log.read_bytes() and is_listening(http))
            try:
                return beside(lifts, port, f"http://127.0.0.1:{http}", records)
            finally:
                for process in reversed(running):
                    process.send_signal(signal.SIGTERM)
                    process.wait(60)


def beside(lifts: int, port: int, address: str, records: Records) -> list[str]:
    """Import while lifts send and alarms are pressed; return the lines of the report."""
    talking, stopping = TalkingLifts(port), threading.Event()
    commits_s: list[float] = []
    pages_s: list[float] = []
    asking = httpx.Client(base_url=address, trust_env=False, timeout=600)
    threads = [
        repeating(talking.publish_all, 1.0, stopping, []),
        repeating(talking.press, PRESS_EVERY_S, stopping, []),
        repeating(lambda: records.move_cursor("bench", 1), COMMIT_EVERY_S, stopping, commits_s),
        repeating(lambda: asking.get("/api/v1/lifts?limit=50").raise_for_status(), PAGE_EVERY_S, stopping, pages_s),
    ]
    time.sleep(BEFORE_S)
    lines = [_line("before", talking.waits_s, commits_s, pages_s)]
    first = len(talking.waits_s), len(commits_s), len(pages_s)
    body = export_csv(bundles.facts(TALKING + PRESSING + lifts)[TALKING + PRESSING :]).encode()
    begun_s = time.monotonic()
    answer = httpx.post(
        f"{address}/api/v1/lifts/import",
        content=body,
        headers={"content-type": "text/csv"},
        timeout=600,
        trust_env=False,
    )
    assert len(answer.raise_for_status().json()["taken"]) == lifts
    took_s = time.monotonic() - begun_s
    while _registered(records) < lifts and time.monotonic() - begun_s < TAKEN_IN_LIMIT_S:
        time.sleep(pipeline.PAUSE_S)
    in_s = time.monotonic() - begun_s
    time.sleep(AFTER_S)
    stopping.set()
    for thread in threads:
        thread.join()
    time.sleep(AFTER_S)
    lines.append(_line("beside", talking.waits_s[first[0] :], commits_s[first[1] :], pages_s[first[2] :]))
    head = f"{lifts} lifts, {len(body) / 1e6:.0f} MB of CSV: imported in {took_s:.1f} s, judged by in {in_s:.1f} s,"
    return [f"{head} {talking.unanswered} presses without an alert", *lines]


def _registered(records: Records) -> float:
    """Return how many registered lifts the monitor has taken in, by its own count."""
    pictures = records.live()
    return pictures[-1].counts.get("registry_lifts", 0.0) if pictures else 0.0


def _line(when: str, *measured: list[float]) -> str:
    parts = []
    for name, waits_s in zip(("alarm", "commit", "page"), measured, strict=True):
        p50, p99, most = np.percentile(waits_s, [50, 99, 100]) if waits_s else (np.nan,) * 3
        parts.append(f"{name} {p50:.2f} {p99:.2f} {most:.2f}")
    return f"{when}: seconds, p50 p99 largest: " + "; ".join(parts)


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--lifts", type=int, default=100_000)
    for line in measure(parser.parse_args().lifts):
        print(line)


if __name__ == "__main__":
    main()
