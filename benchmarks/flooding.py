"""Publishes floods of single lifts, from a process of its own, as fast as the broker accepts them.

    python -m benchmarks.flooding --port 1883 --bundles 1800 --messages 12

`--bundles` of a minute, ten readings a second, are of one lift (1 800 are thirty hours), `--messages` of 125 000
samples of another lift; every second one has a null.
"""

from __future__ import annotations

import argparse
import time

import orjson

from benchmarks import bundles, pipeline
from telemetry.streams import topic

SAMPLES, DT_MS = 125_000, 10
MINUTE_MS = 60_000


def publish(port: int, minutes: int, messages: int) -> None:
    """Publish both floods and wait until the broker has acknowledged them."""
    publisher, now_ms = pipeline.connected_publisher(port), time.time_ns() // 1_000_000
    for k in range(minutes):
        samples = {"speed": {"dt": 100, "v": [0.0] * 600}, "displacement": {"dt": 100, "z": [3.0] * 600}}
        body = {"seq": k, "t": now_ms - MINUTE_MS * (minutes - k), **samples}
        publisher.publish(topic(bundles.DISTRICT, "flood-1", "bundle"), orjson.dumps(body))
    for k in range(messages):
        begin_ms = now_ms - DT_MS * SAMPLES * (messages - k)
        body = {"seq": k, "t": begin_ms, "dt": DT_MS, "v": [None if k % 2 else 0] + [0] * (SAMPLES - 1)}
        publisher.publish(topic(bundles.DISTRICT, "flood-2", "speed"), orjson.dumps(body))
    publisher.flush(pipeline.READY_LIMIT_S)
    publisher.close()


def main() -> None:
    """Publish what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--bundles", type=int, default=0)
    parser.add_argument("--messages", type=int, default=0)
    asked = parser.parse_args()
    publish(asked.port, asked.bundles, asked.messages)


if __name__ == "__main__":
    main()
