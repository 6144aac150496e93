"""A monitor's own small HTTP port: GET and HEAD of a few paths, for supervisors and Prometheus.

The port answers while the records are unavailable. A port that cannot be bound is retried and stops nothing. At most
`CONNECTIONS_LIMIT` connections are served at a time, each for one request and for at most `REQUEST_LIMIT_S`, however
slowly its client sends or reads.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from mqtt.backoff import Backoff
from store.outage import Outage
from telemetry.version import VERSION

log = logging.getLogger("liftwatch.http")

CONNECTIONS_LIMIT = 16
REQUEST_LIMIT_S = 5.0
RETRY_FIRST_S, RETRY_LIMIT_S = 1.0, 60.0


class HttpAnswer(NamedTuple):
    """The answer to a request."""

    status: int
    media_type: str
    body: bytes


Routes = Mapping[str, Callable[[], HttpAnswer]]


class HttpPort(threading.Thread):
    """Serves `routes` at `host` and `port`, in threads of its own, until it is stopped."""

    def __init__(self, host: str, port: int, routes: Routes) -> None:
        super().__init__(name="http", daemon=True)
        self._address, self._routes = (host, port), routes
        self._outage = Outage(f"no metrics at http://{host}:{port}", log)
        self._backoff = Backoff(RETRY_FIRST_S, RETRY_LIMIT_S)
        self._stopping = threading.Event()
        self._server: LimitedServer | None = None

    def run(self) -> None:
        """Bind the port, retrying until it succeeds, and serve."""
        while not self._stopping.is_set():
            try:
                with LimitedServer(self._address, self._routes) as server:
                    self._server = server
                    self._outage.over()
                    log.info("metrics, readiness and health at http://%s:%d", *self._address)
                    if not self._stopping.is_set():
                        server.serve_forever()
            except OSError as error:
                self._outage.failed(f"{error.strerror}; set monitor.http_port to a free port, or to 0 for none")
                self._stopping.wait(self._backoff.pause_s())

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        if self._server is not None:
            self._server.shutdown()
        self.join()


class LimitedServer(ThreadingHTTPServer):
    """A server of one request for each connection, and of so many connections at a time."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], routes: Routes) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.routes = routes
        self._ends_s: dict[socket.socket, float] = {}
        super().__init__(address, RequestHandler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection below the limit, else close it."""
        if len(self._ends_s) < CONNECTIONS_LIMIT:
            self._ends_s[request] = time.monotonic() + REQUEST_LIMIT_S
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection, then release its place."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            del self._ends_s[request]

    def service_actions(self) -> None:
        """End the connections whose time is over: the server calls this at least twice a second."""
        now_s = time.monotonic()
        for request, ends_s in list(self._ends_s.items()):
            if now_s >= ends_s:
                with suppress(OSError):  # its client, or its own thread, was first
                    request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log the error of a connection at debug level: a client may disconnect at any time."""
        log.debug("a request failed", exc_info=True)


class RequestHandler(BaseHTTPRequestHandler):
    """Answers one request by the server's routes; a query is ignored."""

    server: LimitedServer
    server_version, sys_version = f"liftwatch/{VERSION}", ""

    def do_GET(self) -> None:
        """Answer with a body."""
        self.wfile.write(self._answer())

    def do_HEAD(self) -> None:
        """Answer as to GET, without the body."""
        self._answer()

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Log nothing: a probe each second would fill the log."""

    def _answer(self) -> bytes:
        path = self.path.partition("?")[0]
        paths = ", ".join(self.server.routes)
        answer = HttpAnswer(404, "text/plain", f"Here are {paths}.\n".encode())
        if route := self.server.routes.get(path):
            answer = route()
        self.send_response(answer.status)
        for name, value in (("Content-Type", answer.media_type), ("Content-Length", str(len(answer.body)))):
            self.send_header(name, value)
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        return answer.body
