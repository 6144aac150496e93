"""Receivers of notifications that the tests run: an HTTP server with prepared answers, and an SMTP server."""

from __future__ import annotations

import json
import queue
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from tests.loopback import PATIENCE_S, free_port


@dataclass(frozen=True)
class Received:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class HttpReceiver:
    """Answers with the prepared answers, then with 204; while `release` is unset it does not answer."""

    url: str = ""
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    requests: queue.Queue[Received] = field(default_factory=queue.Queue)
    release: threading.Event = field(default_factory=threading.Event)

    def answer(self, status: int, content: Any = None, **headers: str) -> None:
        body = b"" if content is None else content if isinstance(content, bytes) else json.dumps(content).encode()
        self.answers.append((status, headers, body))

    def received(self) -> Received:
        return self.requests.get(timeout=PATIENCE_S)


@contextmanager
def http_receiver(note: Callable[[Received], None] = lambda _: None) -> Iterator[HttpReceiver]:
    """Run a receiver; `note` is called with each request as it arrives."""
    receiver = HttpReceiver()
    receiver.release.set()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            received = Received(self.command, self.path, headers, content)
            note(received)
            receiver.requests.put(received)
            status, given, body = receiver.answers.pop(0) if receiver.answers else (204, {}, b"")
            receiver.release.wait(PATIENCE_S)
            try:
                self.send_response(status)
                for name, value in {"content-length": str(len(body)), **given}.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the sender lost patience, as some tests want

        do_POST = do_GET = do_PUT = handle_any

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,))
        thread.start()
        receiver.url = f"http://127.0.0.1:{listening.server_address[1]}"
        try:
            yield receiver
        finally:
            receiver.release.set()
            listening.shutdown()
            thread.join()


@dataclass
class MailReceiver:
    """Keeps envelopes; `replies` are given to the next recipients and `data_replies` to the next contents instead."""

    port: int = 0
    envelopes: queue.Queue[Envelope] = field(default_factory=queue.Queue)
    replies: list[str] = field(default_factory=list)
    data_replies: list[str] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: Any) -> str:
        if self.replies:
            return self.replies.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        if self.data_replies:
            return self.data_replies.pop(0)
        self.envelopes.put(envelope)
        return "250 accepted"


@contextmanager
def mail_receiver(
    *, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None, password: bytes | None = None
) -> Iterator[MailReceiver]:
    """Run an SMTP server; with `password` it wants the user `lifts` to sign in."""
    receiver = MailReceiver()

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"lifts", password)
        return AuthResult(success=is_right, handled=False)

    controller = Controller(
        receiver, hostname="127.0.0.1", port=free_port(), ssl_context=tls, tls_context=starttls,
        require_starttls=starttls is not None, auth_required=password is not None, auth_require_tls=False,
        authenticator=authenticate if password else None,
    )  # fmt: skip
    controller.start()
    receiver.port = controller.port
    try:
        yield receiver
    finally:
        controller.stop()
