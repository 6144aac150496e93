"""Routes for supervisors and Prometheus: liveness, readiness and metrics."""

from __future__ import annotations

import time
from collections.abc import Iterable

from fastapi import APIRouter
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.responses import Response

from dashboards.api.access import needs
from dashboards.api.context import AppContext
from dashboards.api.responses import OrjsonResponse, problem_responses
from dashboards.http.problem import Problem, unavailable
from dashboards.live.fleet_view import SEVERITIES, STATES
from dashboards.live.partitions import PartitionStatus
from registry.incident_kinds import INCIDENT_KINDS
from registry.roles import Verb
from store.monitor_counts import BEHIND_LIMIT_S, behind, metric_families, set_aside_warnings, without
from store.records.outbox.failing_endpoints import FailingEndpoint
from store.records.repository import RecordsUnavailable
from telemetry import instant


def probes(context: AppContext) -> APIRouter:
    """Return the routes of liveness, readiness and metrics."""
    router = APIRouter(tags=["probes"])

    @router.get("/healthz", responses=problem_responses())
    async def healthz() -> dict[str, str]:
        """Answer that the process is alive."""
        return {"status": "alive"}

    @router.get("/readyz", responses=problem_responses(503))
    def readyz() -> OrjsonResponse:
        """Answer that records and time series are available, and that all monitors judge and store in time."""
        view = context.poller.current_view()
        context.series()
        if late := _late(context):
            raise unavailable("monitor", "; ".join(late))
        warnings = set_aside_warnings(context.poller.rules_set_aside())
        counts = context.poller.counts()
        warnings += [f"partition {name}: {line}" for name, each in sorted(counts.items()) for line in without(each)]
        warnings += [
            f"webhook {each.endpoint} fails: {each.error} ({each.waiting} wait, {each.given_up} were given up)"
            for each in _failing_webhooks(context)
        ]
        wrote = instant.text(view.as_of_ns or None)
        return OrjsonResponse({"status": "ready", "monitor_wrote": wrote, "warnings": warnings})

    @router.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {}}}, **problem_responses(403)},
        dependencies=[needs(Verb.SEE_METRICS)],
    )
    def metrics() -> Response:
        """Return all metrics in Prometheus' text format."""
        return Response(generate_latest(context.server_metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router


def _failing_webhooks(context: AppContext) -> list[FailingEndpoint]:
    now_ns = time.time_ns()
    return context.records().failing_endpoints(now_ns, now_ns - instant.DAY_NS)


def _late(context: AppContext) -> list[str]:
    """Return a reason for each partition that is not judged or stored in time."""
    partitions, counts = context.poller.partitions(), context.poller.counts()
    if not counts:
        return ["no monitor has written yet: start one"]
    late = [_stopped(each) for each in partitions if not each.is_running]
    for each in partitions:
        if each.is_running and each.silent_s >= BEHIND_LIMIT_S:
            late.append(f"the monitor of partition {each.partition} has not written for {each.silent_s:.0f} s")
        late += [f"partition {each.partition}: {reason}" for reason in behind(counts.get(each.partition, {}))]
    return late


def _stopped(status: PartitionStatus) -> str:
    since = f"since {instant.text(status.wrote_ns)}" if status.wrote_ns is not None else "and never ran"
    return f"the monitor of partition {status.partition} is not running, {since}: start it; its lifts are blind"


class FleetCollector(Collector):
    """Metrics of the fleet: lifts by state, open alerts by severity, and the counts of each monitor."""

    def __init__(self, context: AppContext) -> None:
        self._context = context

    def collect(self) -> Iterable[Metric]:
        """Return the current metrics."""
        view = self._context.poller.last_view
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
        for each in self._context.poller.partitions():
            running.add_metric([each.partition], each.is_running)
        yield from self._open_incidents()
        yield from self._failing_webhooks()
        yield from (lifts, open_alerts, wrote, running, *metric_families(self._context.poller.counts()))

    def _open_incidents(self) -> Iterable[Metric]:
        """Yield the open incidents by kind and severity, nothing while the records do not answer."""
        found = GaugeMetricFamily(
            "liftwatch_incidents_open", "Open incidents by kind and severity", labels=["kind", "severity"]
        )
        try:
            counts = self._context.records().open_incident_counts()
        except (RecordsUnavailable, Problem):
            return
        for kind in INCIDENT_KINDS:
            for severity in SEVERITIES:
                found.add_metric([kind, severity], counts.get((kind, severity), 0))
        yield found

    def _failing_webhooks(self) -> Iterable[Metric]:
        """Yield the messages of failing webhooks, nothing while the records do not answer."""
        found = GaugeMetricFamily(
            "liftwatch_webhook_failing_messages",
            "Messages of a webhook that wait since an attempt failed, or were given up within a day",
            labels=["endpoint", "state"],
        )
        try:
            failing = _failing_webhooks(self._context)
        except (RecordsUnavailable, Problem):
            return
        for each in failing:
            found.add_metric([each.endpoint, "waiting"], each.waiting)
            found.add_metric([each.endpoint, "given-up"], each.given_up)
        yield found
