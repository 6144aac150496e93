"""ASGI middleware that reports requests refused for their account or their address.

Which responses count: 401 (no account), 403 (not allowed, or from another site), 421 (unknown host), 429 (too many).
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

REFUSED_STATUSES = (401, 403, 421, 429)

ReportRefusal = Callable[[Scope, int], None]


class RefusalReport:
    """Middleware that calls `report(scope, status)` for each refused request."""

    def __init__(self, app: ASGIApp, report: ReportRefusal) -> None:
        self.app = app
        self.report = report

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope.setdefault("state", {})  # so that what the application sets there is seen here

        async def send_and_report(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in REFUSED_STATUSES:
                self.report(scope, message["status"])
            await send(message)

        await self.app(scope, receive, send_and_report)
