"""Measures publishing: one process simulates a world, encodes its messages and sends them to a real Mosquitto.

There is no subscriber: the rate is that of the publisher and of the broker, which acknowledges every message; the CPU
time is the publisher's alone.
Run it as `python -m benchmarks.publishing`.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from benchmarks.pipeline import LACKING, READY_LIMIT_S, connected_publisher, free_port, started, wait
from commands.child_process import is_listening
from commands.demo import find_mosquitto, mosquitto_configuration
from simulator.playback.simulation import Simulation
from simulator.scenarios.scenario import Scenario

SECONDS, WARM_SECONDS = 10.0, 3

FLEETS = (("gateway", 20_000, False), ("gateway", 4_000, True), ("json", 5_000, False))
CALLED = {"json": "one JSON message a lift", "gateway": "CBOR gateways of 20"}


def main() -> None:
    """Measure and print."""
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} as it began\n")
    print(f"{'':<36}{'lifts':>8}{'CPU us a bundle':>18}{'bundles/s':>12}")
    for form, lifts, vibration in FLEETS:
        print(measure(form, lifts, SECONDS, vibration), flush=True)


def measure(form: str, lifts: int, for_s: float, vibration: bool) -> str:
    """Return a line with the published messages and their cost, or the reason why it was not measured."""
    what = CALLED[form] + (", 3 x 100 Hz" if vibration else "")
    program = find_mosquitto()
    if program is None:
        return f"{what}: {LACKING}"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        port = free_port()
        (Path(name) / "mosquitto.conf").write_text(mosquitto_configuration(port, Path(name)), encoding="utf-8")
        broker = started([program, "-c", f"{name}/mosquitto.conf"], Path(name) / "broker.log")
        try:
            wait(lambda: is_listening(port))
            scenario = Scenario(lifts=lifts, form=form, hour=8.0, vibration=vibration)  # type: ignore[arg-type]
            cpu_us, bundles_per_s = published(scenario, port, for_s)
            return f"{what:<36}{lifts:>8}{cpu_us:>18.1f}{bundles_per_s:>12,.0f}"
        finally:
            broker.terminate()
            broker.wait()


def published(scenario: Scenario, port: int, for_s: float) -> tuple[float, float]:
    """Simulate and publish for a while, as fast as possible; return CPU microseconds a bundle, and bundles a second."""
    simulation, publisher = Simulation(scenario, scenario.start_ns), connected_publisher(port)
    bundles, begun, cpu_s = 0, 0.0, 0.0
    while not begun or time.monotonic() < begun + for_s:
        if not begun and simulation.world.seconds == WARM_SECONDS:
            begun, cpu_s, bundles = time.monotonic(), time.process_time(), 0
        for packet in simulation.step():
            publisher.publish(packet.topic, packet.payload, packet.retain)
            bundles += packet.bundles
    publisher.flush(READY_LIMIT_S)
    publisher.close()
    wall_s, cpu_s = time.monotonic() - begun, time.process_time() - cpu_s
    assert publisher.unacknowledged == publisher.dropped == 0, "the broker has not taken all of it"
    return cpu_s * 1e6 / bundles, bundles / wall_s


if __name__ == "__main__":
    main()
