"""Measures the whole chain: a publisher, a real Mosquitto, and the monitor in a process of its own, on one machine.

The publisher sends seconds of the fleet as fast as the monitor keeps up (QoS 1, a bounded window of what it has
not yet judged), so the rate is the chain's. The CPU is the monitor process's alone, as the kernel counts it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import bundles
from benchmarks.cost import Cost
from commands.child_process import is_listening
from commands.demo import find_mosquitto, mosquitto_configuration
from ingest.receiving.source import MqttSource
from mqtt.client import BrokerAddress
from mqtt.publisher import Publisher
from registry.actor import Actor
from store.records.repository import Records

UNJUDGED_SECONDS = 3
WARM_SHARE = 1 / 6
PAUSE_S = 0.02
READY_LIMIT_S = 60.0
LOG_SHOWN = 2_000
HOUR_MS = 3_600_000


CALLED = {"json": "chain, one JSON message a lift", "gateway": f"chain, CBOR gateways of {bundles.GATEWAY_LIFTS}"}
LACKING = "Mosquitto is not on this machine (on Debian: apt-get install mosquitto)"


def received_us(form: str, lifts: int, program: str) -> float:
    """Return CPU microseconds a bundle for receiving a second of the fleet from Mosquitto and acknowledging it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        port = free_port()
        (Path(name) / "mosquitto.conf").write_text(mosquitto_configuration(port, Path(name)), encoding="utf-8")
        log = Path(name) / "broker.log"
        broker = started([program, "-c", f"{name}/mosquitto.conf"], log)
        wait(lambda: is_listening(port), broker, log)
        source = MqttSource(BrokerAddress(port=port), "liftwatch-monitor")
        source.connect(READY_LIMIT_S)
        publisher = connected_publisher(port)
        made = list(bundles.messages(form, lifts, bundles.FIRST_SECOND, 0))
        for where, payload in made:
            publisher.publish(where, payload)
        publisher.flush(READY_LIMIT_S)
        publisher.close()
        before, received = time.process_time(), 0
        while received < len(made):
            arrivals = source.take(PAUSE_S)
            source.acknowledge(arrivals)
            received += len(arrivals)
        took_s = time.process_time() - before
        source.close()
        broker.terminate()
        broker.wait()
        return took_s * 1e6 / lifts


def connected_publisher(port: int) -> Publisher:
    """Return a connected publisher."""
    publisher = Publisher(BrokerAddress(port=port))
    assert publisher.connect(READY_LIMIT_S) is None
    return publisher


def measure(form: str, lifts: int, for_s: float) -> Cost | str:
    """Return the cost of the whole chain, or the reason why it was not measured."""
    program = find_mosquitto()
    if program is None:
        return f"{CALLED[form]}: {LACKING}"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder, port = Path(name), free_port()
        (folder / "mosquitto.conf").write_text(mosquitto_configuration(port, folder), encoding="utf-8")
        (folder / "liftwatch.toml").write_text(
            f"[broker]\nport = {port}\n[monitor]\ndata_dir = '{folder}'\n", encoding="utf-8"
        )
        url = f"sqlite:///{folder}/records.db"
        with Records.open(url) as records:
            records.put_lifts(bundles.facts(lifts), Actor.named("bench"), time.time_ns())
            broker = started([program, "-c", str(folder / "mosquitto.conf")], folder / "broker.log")
            wait(lambda: is_listening(port), broker, folder / "broker.log")
            command = [sys.executable, "-m", "liftwatch", "--config", str(folder / "liftwatch.toml"), "monitor"]
            log = folder / "monitor.log"
            monitor = started(command, log)
            wait(lambda: b"receiving from" in log.read_bytes(), monitor, log)
            try:
                return flow(form, lifts, for_s, port, records, monitor.pid)
            finally:
                for process in (monitor, broker):
                    process.send_signal(signal.SIGTERM)
                    process.wait(60)


def flow(form: str, lifts: int, for_s: float, port: int, records: Records, monitor: int) -> Cost:
    """Publish for a while; return how much the monitor judged and its CPU time."""
    publisher = connected_publisher(port)
    t0_ms = int(time.time() * 1000) - HOUR_MS
    made = list(bundles.messages(form, lifts, bundles.FIRST_SECOND, t0_ms))
    second, begun, end = 0, None, time.monotonic() + (1 + WARM_SHARE) * for_s
    while time.monotonic() < end:
        if begun is None and time.monotonic() > end - for_s:
            begun = reading(records, monitor)
        if second * lifts - judged(records) > UNJUDGED_SECONDS * lifts:
            publisher.serve(PAUSE_S)
            continue
        for where, payload in made:
            publisher.publish(where, bundles.restamped(payload, form, second, t0_ms))
        second += 1
    assert begun is not None, "the warming up took all the time there was"
    wall_s, done, cpu = (after - before for after, before in zip(reading(records, monitor), begun, strict=True))
    publisher.flush(PAUSE_S)
    publisher.close()
    return Cost(CALLED[form], lifts, cpu * 1e6 / done, done / wall_s)


def reading(records: Records, monitor: int) -> tuple[float, float, float]:
    """Return the clock, the bundles judged and the monitor's CPU seconds, now."""
    return time.monotonic(), judged(records), cpu_s(monitor)


def judged(records: Records) -> float:
    """Return how many bundles the monitor has judged, by its own count."""
    pictures = records.live()
    return pictures[-1].counts.get("bundles", 0.0) if pictures else 0.0


def cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process, as the kernel counts them."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def started(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    """Start a process that writes to `log`."""
    with log.open("ab") as out:
        return subprocess.Popen(command, stdout=out, stderr=out)


def free_port() -> int:
    """Return a port of the loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait(ready: Callable[[], bool], process: subprocess.Popen[bytes] | None = None, log: Path | None = None) -> None:
    """Wait until `ready` returns true: for `READY_LIMIT_S`, and longer while more programs want a core than there are.

    A `process` that ends before is an error; either error has the end of its `log`.
    """
    left_s, last_s = READY_LIMIT_S, time.monotonic()
    while not ready():
        left_s, last_s = left_s - (time.monotonic() - last_s) / load(), time.monotonic()
        if left_s < 0.0 or (process is not None and process.poll() is not None):
            what = "did not start in time" if left_s < 0.0 else "ended"
            said = log.read_text(errors="replace")[-LOG_SHOWN:] if log is not None else ""
            raise RuntimeError(f"broker or monitor {what}: {said}".rstrip(": "))
        time.sleep(PAUSE_S)


def load() -> float:
    """Return how many programs want each core, 1 at least."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
