"""Routes for supervisors and Prometheus: liveness, readiness and metrics."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.responses import Response

from dashboards.api.context import AppContext
from dashboards.api.responses import OrjsonResponse, problem_responses
from dashboards.live.fleet_view import SEVERITIES, STATES
from dashboards.live.partitions import PartitionStatus
from telemetry import instant

GAUGES = ("_bytes", "_seconds")
NOT_IN_A_METRIC_NAME = re.compile(r"[^a-zA-Z0-9_]")


def probes(context: AppContext) -> APIRouter:
    """Return the routes of liveness, readiness and metrics."""
    router = APIRouter(tags=["probes"])
    context.server_metrics.registry.register(FleetCollector(context))

    @router.get("/healthz", responses=problem_responses())
    async def healthz() -> dict[str, str]:
        """Answer that the process is alive."""
        return {"status": "alive"}

    @router.get("/readyz", responses=problem_responses(503))
    def readyz() -> OrjsonResponse:
        """Answer that records and time series are available, when a monitor last wrote, and the monitors' warnings."""
        view = context.poller.current_view()
        context.series()
        broken = context.poller.rules_set_aside()
        warnings = [f"rules set aside: {', '.join(broken)}"] if broken else []
        warnings += [_stopped(each) for each in context.poller.partitions() if not each.is_running]
        wrote = instant.text(view.as_of_ns or None)
        return OrjsonResponse({"status": "ready", "monitor_wrote": wrote, "warnings": warnings})

    @router.get(
        "/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}, **problem_responses()}
    )
    def metrics() -> Response:
        """Return all metrics in Prometheus' text format."""
        return Response(generate_latest(context.server_metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router


def _stopped(status: PartitionStatus) -> str:
    since = f"since {instant.text(status.wrote_ns)}" if status.wrote_ns is not None else "and never ran"
    return f"the monitor of partition {status.partition} is not running, {since}: start it; its lifts are blind"


class FleetCollector(Collector):
    """Metrics of the fleet: lifts by state, open alerts by severity, and the counts of each monitor."""

    def __init__(self, context: AppContext) -> None:
        self._desk = context

    def collect(self) -> Iterable[Metric]:
        """Return the current metrics."""
        view = self._desk.poller.last_view
        if view is None:
            return
        lifts = GaugeMetricFamily("liftwatch_lifts", "Lifts by state", labels=["state"])
        for code, name in enumerate(STATES):
            lifts.add_metric([name], int((view.state == code).sum()))
        open_alerts = GaugeMetricFamily("liftwatch_open_alerts", "Open alerts by severity", labels=["severity"])
        for name, count in zip(SEVERITIES, view.counts.sum(axis=0).tolist(), strict=True):
            open_alerts.add_metric([name], count)
        wrote = GaugeMetricFamily("liftwatch_monitor_wrote_seconds", "When a monitor last wrote, seconds since 1970")
        wrote.add_metric([], view.as_of_ns / 1e9)
        running = GaugeMetricFamily("liftwatch_partition_running", "Whether a monitor runs", labels=["partition"])
        for each in self._desk.poller.partitions():
            running.add_metric([each.partition], each.is_running)
        yield from (lifts, open_alerts, wrote, running, *self._monitors())

    def _monitors(self) -> Iterable[Metric]:
        """Return the counts of the monitors; the part of a count's key after a colon becomes the label `kind`.

        A count whose name ends in `_bytes` or `_seconds` is a gauge, every other one a counter.
        """
        families: dict[str, Any] = {}
        for monitor, counts in sorted(self._desk.poller.counts().items()):
            for key, value in sorted(counts.items()):
                name, _, kind = key.partition(":")
                name = f"liftwatch_monitor_{NOT_IN_A_METRIC_NAME.sub('_', name)}"
                if name not in families:
                    measured = GaugeMetricFamily if name.endswith(GAUGES) else CounterMetricFamily
                    families[name] = measured(name, "Told by the monitor", labels=["monitor", "kind"])
                families[name].add_metric([monitor, kind], value)
        return families.values()
