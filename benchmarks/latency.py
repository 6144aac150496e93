"""Measures the latency of alerts, from the deciding message of a lift to the alert on MQTT, beside a publishing fleet.

    python -m benchmarks.latency --lifts 100 1000 5000
    python -m benchmarks.latency --lifts 100 --flood 1800 180 --restart

Each probe is a lift of its own that sends no later message. Time counts from just before the publication to
the alert's arrival at a subscriber, so it includes the broker twice.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
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
Flood = tuple[int, int]
"""How many bundles of a minute one lift sends at once, and how many of the longest messages another."""

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


class MonitorProcess:
    """The monitor as a process that can be killed and started again."""

    def __init__(self, command: list[str], log: Path) -> None:
        self._command, self._log = command, log

    def start(self) -> None:
        """Start it and wait until it receives."""
        before = self._log.stat().st_size if self._log.exists() else 0
        self.process = pipeline.started(self._command, self._log)
        pipeline.wait(lambda: b"receiving from" in self._log.read_bytes()[before:])

    def kill(self) -> None:
        """End it without a warning."""
        self.process.kill()
        self.process.wait()

    def cpu_s(self) -> float:
        """Return its CPU time since it was started."""
        return pipeline.cpu_s(self.process.pid)


def measure(lifts: int, seconds: int, flood: Flood | None = None, restarts: bool = False) -> Iterator[str]:
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
        monitor = MonitorProcess(command, folder / "monitor.log")
        try:
            monitor.start()
            yield from _run(port, lifts, seconds, flood, monitor if restarts else None).lines(lifts)
            yield f"{'CPU seconds of the monitor':<39}{lifts:>6}{monitor.cpu_s():>27.1f}"
        finally:
            for process in (monitor.process, broker):
                process.send_signal(signal.SIGTERM)
                process.wait(60)


def _run(port: int, lifts: int, seconds: int, flood: Flood | None, restarted: MonitorProcess | None) -> Probes:
    """Publish a bundle a lift and second, and the probes among them, by the clock.

    The monitor `restarted` is killed before the flood, and started again into it.
    """
    publisher, probes = pipeline.connected_publisher(port), Probes(port)
    t0_ms = time.time_ns() // 1_000_000 - 1000
    fleet = [
        (topic(bundles.DISTRICT, bundles.lift_id(i), "bundle"), orjson.dumps(_quiet(i, t0_ms))) for i in range(lifts)
    ]
    begun = time.monotonic()
    for second in range(WARM_S + seconds + SETTLE_S):
        if flood is not None and second == WARM_S:
            paused_s = time.monotonic()
            _flood(port, flood, restarted)
            begun += time.monotonic() - paused_s
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


def _flood(port: int, flood: Flood, restarted: MonitorProcess | None) -> None:
    """Begin the flood; a monitor that is restarted starts once the broker holds all of it."""
    numbers = ["--port", str(port), "--bundles", str(flood[0]), "--messages", str(flood[1])]
    command = [sys.executable, "-m", "benchmarks.flooding", *numbers]
    if restarted is None:
        subprocess.Popen(command)
        return
    restarted.kill()
    subprocess.check_call(command)
    restarted.start()


def _quiet(i: int, t_ms: int) -> dict[str, Any]:
    """Return the bundle of a lift that stands, numbered so that it can be restamped."""
    samples = {"speed": {"dt": 100, "v": [0.0] * 10}, "displacement": {"dt": 100, "z": [3.0 * (i % 5)] * 10}}
    return {"seq": bundles.FIRST_SECOND, "t": t_ms, **samples, "door": {"state": ["closed"]}}


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--lifts", type=int, nargs="+", default=LIFTS)
    parser.add_argument("--seconds", type=int, default=20, help="how long probes are sent (default 20)")
    flood_help = (
        "beside so many bundles of a minute of one lift, and messages of 125 000 samples of another, sent at once"
    )
    parser.add_argument("--flood", type=int, nargs=2, metavar=("BUNDLES", "MESSAGES"), help=flood_help)
    parser.add_argument(
        "--restart", action="store_true", help="with --flood: the monitor is killed and started into it"
    )
    asked = parser.parse_args()
    print(HEAD)
    for lifts in asked.lifts:
        for line in measure(lifts, asked.seconds, asked.flood, asked.restart):
            print(line, flush=True)


if __name__ == "__main__":
    main()
