"""A monitor of a small fleet that sends a bundle a lift and second, as it runs all day: its share of a core.

python -m benchmarks.live --lifts 90 --seconds 60
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import bundles, pipeline
from commands.child_process import is_listening
from commands.demo import find_mosquitto, mosquitto_configuration
from registry.actor import Actor
from store.records.repository import Records

WARM_S = 15
PAUSE_S = 0.05


def measure(lifts: int, seconds: int, vibration: bool) -> tuple[float, float]:
    """Return the seconds from the monitor's start until the connection, and the share of a core used from then on."""
    program = find_mosquitto()
    assert program is not None, pipeline.LACKING
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder, port = Path(name), pipeline.free_port()
        (folder / "mosquitto.conf").write_text(mosquitto_configuration(port, folder), encoding="utf-8")
        (folder / "liftwatch.toml").write_text(
            f"[broker]\nport = {port}\n[monitor]\ndata_dir = '{folder}'\n", encoding="utf-8"
        )
        with Records.open(f"sqlite:///{folder}/records.db") as records:
            records.put_lifts(bundles.facts(lifts), Actor.named("bench"), time.time_ns())
        log, processes = folder / "monitor.log", list[subprocess.Popen[bytes]]()
        try:
            broker = pipeline.started([program, "-c", str(folder / "mosquitto.conf")], folder / "broker.log")
            processes.append(broker)
            pipeline.wait(lambda: is_listening(port), broker, folder / "broker.log")
            begun = time.monotonic()
            command = [sys.executable, "-m", "liftwatch", "--config", str(folder / "liftwatch.toml"), "monitor"]
            monitor = pipeline.started(command, log)
            processes.insert(0, monitor)
            pipeline.wait(lambda: b"receiving" in log.read_bytes(), monitor, log)
            ready_s = time.monotonic() - begun
            publish(port, lifts, WARM_S, 0, vibration)
            before = pipeline.cpu_s(monitor.pid)
            publish(port, lifts, seconds, WARM_S, vibration)
            return ready_s, (pipeline.cpu_s(monitor.pid) - before) / seconds
        finally:
            for process in processes:
                process.send_signal(signal.SIGTERM)
                process.wait(60)


def publish(port: int, lifts: int, seconds: int, first: int, vibration: bool) -> None:
    """Publish a bundle of each lift a second, spread over the second, by the clock."""
    publisher = pipeline.connected_publisher(port)
    begun = time.monotonic()
    for second in range(first, first + seconds):
        for i in range(lifts):
            due = begun + second - first + i / lifts
            while (wait_s := due - time.monotonic()) > 0:
                publisher.serve(min(wait_s, PAUSE_S))
            body = bundles.bundle(i, second, time.time_ns() // 1_000_000 - 1000, typed=False, vibrates=vibration)
            topic = f"lift/v1/{bundles.DISTRICT}/{bundles.lift_id(i)}/bundle"
            publisher.publish(topic, bundles.encode.to_json(body))
    publisher.flush(PAUSE_S)
    publisher.close()


def main() -> None:
    """Print one line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--lifts", type=int, default=90)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--vibration", action="store_true", help="3 x 100 Hz in each bundle")
    asked = parser.parse_args()
    ready_s, share = measure(asked.lifts, asked.seconds, asked.vibration)
    print(f"{asked.lifts} lifts: ready after {ready_s:.1f} s, then {share:.3f} of a core")


if __name__ == "__main__":
    main()
