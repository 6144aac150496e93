"""Measures the latency of alerts, from the deciding message of a lift to the alert on MQTT, beside a publishing fleet.

    python -m benchmarks.latency --lifts 100 1000 5000
    python -m benchmarks.latency --lifts 100 --flood

Each probe is a lift of its own that sends no later message. Time counts from just before the publication to
the alert's arrival at a subscriber, so it includes the broker twice.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from paho.mqtt.client import CallbackAPIVersion, Client

from benchmarks import bundles, pipeline
from commands.child_process import is_listening
from commands.demo import find_mosquitto, mosquitto_configuration
from mqtt.publisher import Publisher
from registry.actor import Actor
from registry.facts import LiftFacts
from store.records.repository import Records
from telemetry.streams import topic

LIFTS = (100, 1_000, 5_000)
HEAD = f"{'':<39}{'lifts':>6}{'probes':>9}{'p50':>9}{'p99':>9}{'largest':>9}{'missing':>9}"
WARM_S, SETTLE_S, PAUSE_S = 4, 3, 0.002
PROBES_PER_S = 12
TOO_FAST = {"dt": 100, "v": [2 * bundles.RATED_MPS] * 10}
FLOOD_BUNDLES, FLOOD_MESSAGES, FLOOD_SAMPLES = 1_800, 12, 125_000

KINDS = {
    "status, alarm button": ("status", lambda _: {"alarm": True}),
    "bundle, overspeed": ("bundle", lambda _: {"speed": TOO_FAST}),
    "single stream, overspeed": ("speed", lambda _: TOO_FAST),
    "gateway, overspeed": ("gateway", lambda lift: {"lifts": {lift: {"seq": 1, "t": now_ms(), "speed": TOO_FAST}}}),
}


def now_ms() -> int:
    """Return the time of a first sample that is about to be sent."""
    return time.time_ns() // 1_000_000 - 900


class Probes:
    """Sends the deciding messages, and notes when each alert arrives."""

    def __init__(self, port: int) -> None:
        self.sent: dict[str, tuple[str, float]] = {}
        self.alerted_s: dict[str, float] = {}
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe("lift/v1/+/+/alert", 1)
        self._client.on_message = lambda _client, _data, message: self._on_alert(message.topic)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _on_alert(self, where: str) -> None:
        self.alerted_s.setdefault(where.split("/")[3], time.monotonic())

    def send(self, publisher: Publisher) -> None:
        """Send the deciding message of the next probe."""
        number = len(self.sent)
        kind = list(KINDS)[number % len(KINDS)]
        stream, deciding = KINDS[kind]
        lift = f"probe-{number:05d}"
        body = deciding(lift) | ({} if stream == "gateway" else {"seq": 1, "t": now_ms()})
        self.sent[lift] = kind, time.monotonic()
        publisher.publish(topic(bundles.DISTRICT, lift, stream), orjson.dumps(body))

    def lines(self, lifts: int) -> Iterator[str]:
        """Yield a line for each kind of message."""
        self._client.loop_stop()
        for kind in KINDS:
            sent = {lift: at_s for lift, (which, at_s) in self.sent.items() if which == kind}
            took_s = [self.alerted_s[lift] - at_s for lift, at_s in sent.items() if lift in self.alerted_s]
            p50, p99, most = np.quantile(took_s, [0.5, 0.99, 1.0]) if took_s else [np.nan] * 3
            numbers = "".join(f"{one:>7.2f} s" for one in (p50, p99, most))
            yield f"{kind:<39}{lifts:>6}{len(sent):>9}{numbers}{len(sent) - len(took_s):>9}"


def measure(lifts: int, seconds: int, flood: bool = False) -> Iterator[str]:
    """Yield the result lines of a fleet of `lifts` lifts, or the reason why it was not measured."""
    program = find_mosquitto()
    if program is None:
        yield f"latency: {pipeline.LACKING}"
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder, port = Path(name), pipeline.free_port()
        (folder / "mosquitto.conf").write_text(mosquitto_configuration(port, folder), encoding="utf-8")
        settings = f"[broker]\nport = {port}\n[monitor]\ndata_dir = '{folder}'\n"
        (folder / "liftwatch.toml").write_text(settings, encoding="utf-8")
        probes = PROBES_PER_S * seconds
        with Records.open(f"sqlite:///{folder}/records.db") as records:
            known = [LiftFacts(f"probe-{k:05d}", bundles.DISTRICT, rated_speed_mps=1.75) for k in range(probes)]
            records.put_lifts([*bundles.facts(lifts), *known], Actor.named("bench"), time.time_ns())
        broker = pipeline.started([program, "-c", str(folder / "mosquitto.conf")], folder / "broker.log")
        pipeline.wait(lambda: is_listening(port))
        command = [sys.executable, "-m", "liftwatch", "--config", str(folder / "liftwatch.toml"), "monitor"]
        monitor = pipeline.started(command, folder / "monitor.log")
        try:
            pipeline.wait(lambda: b"receiving from" in (folder / "monitor.log").read_bytes())
            yield from _run(port, lifts, seconds, flood).lines(lifts)
        finally:
            for process in (monitor, broker):
                process.send_signal(signal.SIGTERM)
                process.wait(60)


def _run(port: int, lifts: int, seconds: int, flood: bool) -> Probes:
    """Publish a bundle a lift and second, and the probes among them, by the clock."""
    publisher, probes = pipeline.connected_publisher(port), Probes(port)
    t0_ms = time.time_ns() // 1_000_000 - 1000
    fleet = [
        (topic(bundles.DISTRICT, bundles.lift_id(i), "bundle"), orjson.dumps(_quiet(i, t0_ms))) for i in range(lifts)
    ]
    begun = time.monotonic()
    for second in range(WARM_S + seconds + SETTLE_S):
        if flood and second == WARM_S:
            _flood(publisher)
        due_probes = PROBES_PER_S if WARM_S <= second < WARM_S + seconds else 0
        sends = [(i / lifts, i) for i in range(lifts)] + [((k + 0.5) / PROBES_PER_S, -1) for k in range(due_probes)]
        for share, i in sorted(sends):
            while (wait_s := begun + second + share - time.monotonic()) > 0:
                publisher.serve(min(wait_s, PAUSE_S))
            if i < 0:
                probes.send(publisher)
            else:
                publisher.publish(fleet[i][0], bundles.restamped(fleet[i][1], "json", second, t0_ms))
    publisher.flush(pipeline.READY_LIMIT_S)
    publisher.close()
    return probes


def _quiet(i: int, t_ms: int) -> dict[str, Any]:
    """Return the bundle of a lift that stands, numbered so that it can be restamped."""
    samples = {"speed": {"dt": 100, "v": [0.0] * 10}, "displacement": {"dt": 100, "z": [3.0 * (i % 5)] * 10}}
    return {"seq": bundles.FIRST_SECOND, "t": t_ms, **samples, "door": {"state": ["closed"]}}


def _flood(publisher: Publisher) -> None:
    """Send thirty hours of one lift and the longest messages of another."""
    for k in range(FLOOD_BUNDLES):
        t_ms = now_ms() - 60_000 * (FLOOD_BUNDLES - k)
        samples = {"speed": {"dt": 100, "v": [0.0] * 600}, "displacement": {"dt": 100, "z": [3.0] * 600}}
        publisher.publish(topic(bundles.DISTRICT, "flood-1", "bundle"), orjson.dumps({"seq": k, "t": t_ms, **samples}))
    for k in range(FLOOD_MESSAGES):
        t_ms = now_ms() - 10 * FLOOD_SAMPLES * (FLOOD_MESSAGES - k)
        body = {"seq": k, "t": t_ms, "dt": 10, "v": [0] * FLOOD_SAMPLES}
        publisher.publish(topic(bundles.DISTRICT, "flood-2", "speed"), orjson.dumps(body))


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--lifts", type=int, nargs="+", default=LIFTS)
    parser.add_argument("--seconds", type=int, default=20, help="how long probes are sent (default 20)")
    parser.add_argument("--flood", action="store_true", help="beside thirty hours of one lift, sent at once")
    asked = parser.parse_args()
    print(HEAD)
    for lifts in asked.lifts:
        for line in measure(lifts, asked.seconds, asked.flood):
            print(line, flush=True)


if __name__ == "__main__":
    main()
