"""Prometheus metrics of the dashboards process, and the middleware that measures requests.

Requests are labelled with the template of their path, never with the requested path: a client cannot create series.
"""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS")
ACKNOWLEDGE_BUCKETS_S = (15, 30, 60, 120, 180, 300, 600, 1800, 3600)
LATENCY_BUCKETS_S = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class ServerMetrics:
    """The metrics of one dashboards process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "liftwatch_http_requests", "Answers given", ("method", "route", "status"), registry=self.registry
        )
        self.latency = Histogram(
            "liftwatch_http_request_seconds",
            "Time from a request to the first byte of its answer",
            ("route",),
            buckets=LATENCY_BUCKETS_S,
            registry=self.registry,
        )
        self.listeners = Gauge("liftwatch_live_listeners", "Open live streams", registry=self.registry)
        self.dropped = Counter(
            "liftwatch_live_dropped", "Live streams ended by the server", ("reason",), registry=self.registry
        )
        self.connections_dropped = Counter(
            "liftwatch_http_connections_dropped", "Connections ended by the server", ("reason",), registry=self.registry
        )
        self.acknowledged_s = Histogram(
            "liftwatch_incident_acknowledge_seconds",
            "Time from an incident's opening, or its last rise, to its acknowledgement in this process",
            ("severity",),
            buckets=ACKNOWLEDGE_BUCKETS_S,
            registry=self.registry,
        )
        self.polls = Counter("liftwatch_records_polls", "Looks at the records", ("outcome",), registry=self.registry)


class RequestMetrics:
    """ASGI middleware that counts and times every response of the wrapped application."""

    def __init__(self, app: ASGIApp, server_metrics: ServerMetrics) -> None:
        self.app = app
        self.server_metrics = server_metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start_s = time.perf_counter()
        method = scope["method"] if scope["method"] in METHODS else "other"

        async def fleet_summary(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "unmatched")
                self.server_metrics.requests.labels(method, route, message["status"]).inc()
                self.server_metrics.latency.labels(route).observe(time.perf_counter() - start_s)
            await send(message)

        await self.app(scope, receive, fleet_summary)
