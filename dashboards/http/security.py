"""The door: who may ask, how much they may send, and what a browser may do with the answer.

A name that is not ours is refused (DNS rebinding needs one; an address cannot be rebound), a write from another
site is refused, a body past its limit is refused, and every answer carries the same strict headers. What goes wrong
behind the door is logged here and answered as a problem without a word about our insides.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.http.problem import Problem, response

log = logging.getLogger(__name__)

BODY_LIMIT_BYTES = 256 * 1024
IMPORT_LIMIT_BYTES = 32 * 1024 * 1024
IMPORT_PATH = "/api/v1/lifts/import"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Door:
    """Stands around the whole application; `hosts` are the names it answers to besides localhost and addresses."""

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self.app = app
        self.hosts = {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        answer = _Answer(send)
        try:
            self._admit(scope["method"], headers)
            await self.app(scope, _limited(scope["path"], headers, receive), answer.send)
        except Problem as refused:
            await self._refuse(refused, answer, scope, receive)
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"])
            problem = Problem(500, "unexpected", "Something went wrong on our side; the server's log has the details.")
            await self._refuse(problem, answer, scope, receive)

    def _admit(self, method: str, headers: Headers) -> None:
        host = headers.get("host", "")
        if not self._is_ours(host):
            raise Problem(
                421, "unknown-host", f"This server does not answer to the name {host!r}; add it to its `hosts` setting."
            )
        if method in SAFE_METHODS:
            return
        origin = headers.get("origin")
        foreign = origin is not None and urlsplit(origin).netloc.lower() != host.lower()
        if foreign or headers.get("sec-fetch-site") == "cross-site":
            raise Problem(403, "cross-site", "A page of another site may not change anything here; use our own.")

    def _is_ours(self, host: str) -> bool:
        try:
            name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        except ValueError:
            return False
        if name == "localhost" or name.endswith(".localhost") or name in self.hosts:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    async def _refuse(self, problem: Problem, answer: _Answer, scope: Scope, receive: Receive) -> None:
        if not answer.started:
            await response(problem)(scope, receive, answer.send)


class _Answer:
    """The way out: adds the headers to what is sent, and knows whether anything was."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)


def _limited(path: str, headers: Headers, receive: Receive) -> Receive:
    """Return `receive`, refusing a body that is, or turns out to be, larger than its path allows."""
    limit = IMPORT_LIMIT_BYTES if path == IMPORT_PATH else BODY_LIMIT_BYTES
    too_large = Problem(413, "too-large", f"The body is too large: send at most {limit} bytes.")
    announced = headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > limit:
        raise too_large
    taken = 0

    async def receive_within_limit() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise too_large
        return message

    return receive_within_limit
