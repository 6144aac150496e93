"""What machines ask: alive, able to serve, and the numbers behind it (Prometheus text)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.responses import Response

from dashboards.api.answer import Json, problems
from dashboards.api.desk import Desk
from dashboards.live.picture import SEVERITIES, STATES
from telemetry import instant

UNFIT = re.compile(r"[^a-zA-Z0-9_]")


def probes(desk: Desk) -> APIRouter:
    """Return the routes that supervisors and Prometheus ask."""
    router = APIRouter(tags=["probes"])
    desk.meters.registry.register(FleetCollector(desk))

    @router.get("/healthz", responses=problems())
    async def healthz() -> dict[str, str]:
        """Say that the process lives."""
        return {"status": "alive"}

    @router.get("/readyz", responses=problems(503))
    def readyz() -> Json:
        """Say that the records and the time series answer, when the monitor last wrote, and what it warns of."""
        shown = desk.watch.orders().picture
        desk.series()
        broken = desk.watch.rules_set_aside()
        warnings = [f"rules set aside: {', '.join(broken)}"] if broken else []
        wrote = instant.text(shown.as_of_ns or None)
        return Json({"status": "ready", "monitor_wrote": wrote, "warnings": warnings})

    @router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}, **problems()})
    def metrics() -> Response:
        """Tell every count in Prometheus' text format."""
        return Response(generate_latest(desk.meters.registry), media_type=CONTENT_TYPE_LATEST)

    return router


class FleetCollector(Collector):
    """Lifts by state, open alerts by severity, and what each monitor counts of itself."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def collect(self) -> Iterable[Metric]:
        """Return the numbers as they are now."""
        shown = self._desk.watch.shown
        if shown is None:
            return
        lifts = GaugeMetricFamily("liftwatch_lifts", "Lifts by state", labels=["state"])
        for code, name in enumerate(STATES):
            lifts.add_metric([name], int((shown.state == code).sum()))
        open_alerts = GaugeMetricFamily("liftwatch_open_alerts", "Open alerts by severity", labels=["severity"])
        for name, count in zip(SEVERITIES, shown.counts.sum(axis=0).tolist(), strict=True):
            open_alerts.add_metric([name], count)
        wrote = GaugeMetricFamily("liftwatch_monitor_wrote_seconds", "When a monitor last wrote, seconds since 1970")
        wrote.add_metric([], shown.as_of_ns / 1e9)
        yield from (lifts, open_alerts, wrote, *self._monitors())

    def _monitors(self) -> Iterable[Metric]:
        """Return the monitors' own counts; in `refused:not-json` what follows the colon is the kind.

        What ends in `_bytes` goes up and down; all else only grows.
        """
        families: dict[str, Any] = {}
        for monitor, counts in sorted(self._desk.watch.counts().items()):
            for key, value in sorted(counts.items()):
                name, _, kind = key.partition(":")
                name = f"liftwatch_monitor_{UNFIT.sub('_', name)}"
                if name not in families:
                    measured = GaugeMetricFamily if name.endswith("_bytes") else CounterMetricFamily
                    families[name] = measured(name, "Told by the monitor", labels=["monitor", "kind"])
                families[name].add_metric([monitor, kind], value)
        return families.values()
