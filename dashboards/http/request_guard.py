"""The request guard: ASGI middleware that checks host, origin and body size, and adds security headers.

An unknown host name is refused (421): DNS rebinding needs one, an IP address cannot be rebound. A write from another
site is refused (403), and so is a body over its limit (413). Every response carries the same strict headers. An
unexpected exception of the application is logged here and answered as a problem (500) without internal details.
"""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Callable, Collection, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.http.problem import Problem
from dashboards.http.secret_paths import without_secret

log = logging.getLogger(__name__)

BODY_LIMIT_BYTES = 256 * 1024
IMPORT_LIMIT_BYTES = 32 * 1024 * 1024
IMPORT_PATH = "/api/v1/lifts/import"
PHOTO_LIMIT_BYTES = 8 * 1024 * 1024
PHOTO_PATH = re.compile(r"/reports/[^/]+/photo")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
CONTENT_SECURITY_POLICY = "Content-Security-Policy"
HEADERS = {
    CONTENT_SECURITY_POLICY: "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'; img-src 'self' data:",  # data: the number in the icon of the tab
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


TLS_ONLY = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
"""Sent over TLS, but not by names of this machine: other programs on its ports may have no TLS."""


class RequestGuard:
    """Middleware around the whole application; `hosts` are accepted names besides localhost and IP addresses."""

    def __init__(
        self, app: ASGIApp, respond: Callable[[Request, Problem], Response], hosts: Collection[str] = ()
    ) -> None:
        self.app, self.respond = app, respond
        self.hosts = {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        is_tls = scope["scheme"] == "https" and not _is_localhost(_name_of(headers.get("host", "")))
        sender = _HeaderSender(send, HEADERS | TLS_ONLY if is_tls else HEADERS)
        try:
            self._check_host_and_origin(scope["method"], headers)
            await self.app(scope, _limit_body(scope["path"], headers, receive), sender.send)
        except Problem as refusal:
            await self._refuse(refusal, sender, scope, receive)
        except ClientDisconnect:
            log.debug(
                "%s %s: the client left before its request was whole", scope["method"], without_secret(scope["path"])
            )
        except Exception:
            log.exception("%s %s failed", scope["method"], without_secret(scope["path"]))
            problem = Problem(500, "unexpected", "Something went wrong on our side; the server's log has the details.")
            await self._refuse(problem, sender, scope, receive)

    def _check_host_and_origin(self, method: str, headers: Headers) -> None:
        host = headers.get("host", "")
        if not self._is_own_host(host):
            raise Problem(
                421, "unknown-host", f"This server does not answer to the name {host!r}; add it to its `hosts` setting."
            )
        if method in SAFE_METHODS:
            return
        origin = headers.get("origin")
        foreign = origin is not None and urlsplit(origin).netloc.lower() != host.lower()
        if foreign or headers.get("sec-fetch-site") == "cross-site":
            raise Problem(403, "cross-site", "A page of another site may not change anything here; use our own.")

    def _is_own_host(self, host: str) -> bool:
        name = _name_of(host)
        if _is_localhost(name) or name in self.hosts:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    async def _refuse(self, problem: Problem, sender: _HeaderSender, scope: Scope, receive: Receive) -> None:
        if not sender.started:
            await self.respond(Request(scope), problem)(scope, receive, sender.send)


def _name_of(host: str) -> str:
    """Return the name in a Host header, without its port; empty where the header is not a host."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_localhost(name: str) -> bool:
    return name == "localhost" or name.endswith(".localhost")


class _HeaderSender:
    """Adds security headers to a response; `started` is true once the response has begun."""

    def __init__(self, send: Send, headers: Mapping[str, str]) -> None:
        self._send, self._headers = send, headers
        self.started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in self._headers.items():
                headers.setdefault(name, value)
        await self._send(message)


def _limit_body(path: str, headers: Headers, receive: Receive) -> Receive:
    """Return `receive` with a limit on the body: a problem (413) where its announced or actual size is too large."""
    is_photo = PHOTO_PATH.fullmatch(path) is not None
    limit = IMPORT_LIMIT_BYTES if path == IMPORT_PATH else PHOTO_LIMIT_BYTES if is_photo else BODY_LIMIT_BYTES
    too_large = Problem(413, "too-large", f"The body is too large: send at most {limit} bytes.")
    declared = headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > limit:
        raise too_large
    received = 0

    async def receive_within_limit() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise too_large
        return message

    return receive_within_limit
