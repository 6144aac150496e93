"""The answers of a monitor's HTTP port: metrics, readiness with its reasons, and health."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import orjson
from prometheus_client import CollectorRegistry, Histogram, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from ingest.probing.http_port import HttpAnswer, Routes
from store.monitor_counts import LAG_SECONDS, metric_families

JSON = "application/json"


class Probed(Protocol):
    """The interface of a monitor to its probes."""

    name: str
    turn_time: Histogram

    def all_counts(self) -> dict[str, float]: ...

    def not_ready(self) -> list[str]: ...

    def warnings(self) -> list[str]: ...

    def dead_threads(self) -> list[str]: ...


def routes(monitor: Probed) -> Routes:
    """Return the answer of each path."""
    registry = CollectorRegistry()
    registry.register(CountsCollector(monitor))
    registry.register(monitor.turn_time)
    ProcessCollector(registry=registry)
    return {
        "/metrics": lambda: HttpAnswer(200, CONTENT_TYPE_LATEST, generate_latest(registry)),
        "/readyz": lambda: _readiness(monitor),
        "/healthz": lambda: _health(monitor),
    }


class CountsCollector(Collector):
    """The counts of a monitor at the moment."""

    def __init__(self, monitor: Probed) -> None:
        self._monitor = monitor

    def collect(self) -> Iterable[Metric]:
        """Return the metrics."""
        return metric_families({self._monitor.name: self._monitor.all_counts()})


def _readiness(monitor: Probed) -> HttpAnswer:
    reasons, counts = monitor.not_ready(), monitor.all_counts()
    lags = {key.partition(":")[2]: round(value, 1) for key, value in counts.items() if key.startswith(LAG_SECONDS)}
    body = {
        "status": "waiting" if reasons else "ready",
        "reasons": reasons,
        "warnings": monitor.warnings(),
        "lag_seconds": lags,
    }
    return HttpAnswer(503 if reasons else 200, JSON, orjson.dumps(body))


def _health(monitor: Probed) -> HttpAnswer:
    dead = monitor.dead_threads()
    body = {"status": f"dead threads: {', '.join(dead)}; restart the monitor" if dead else "alive"}
    return HttpAnswer(503 if dead else 200, JSON, orjson.dumps(body))
