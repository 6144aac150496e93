"""The cookies: behind TLS each is `Secure`, with a name in `__Host-`, which no other host of the domain can set."""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.responses import Response

SESSION = "liftwatch"
ANSWERED_BY = "liftwatch-answer"
"""The secret of the link by which the browser has answered an incident last."""


def is_secure(request: HTTPConnection) -> bool:
    """Return whether a request arrived over TLS, at this server or at a trusted proxy."""
    return request.url.scheme == "https"


def cookie_name(request: HTTPConnection, name: str) -> str:
    """Return the name of a cookie on the connection of a request."""
    return f"__Host-{name}" if is_secure(request) else name


def set_cookie(
    request: HTTPConnection, response: Response, name: str, value: str, max_age_s: int | None = None
) -> None:
    """Set a cookie that no script can read; without an age the browser forgets the cookie when it ends."""
    response.set_cookie(
        cookie_name(request, name), value, max_age=max_age_s, path="/", secure=is_secure(request), httponly=True,
        samesite="lax",
    )  # fmt: skip


def delete_cookie(request: HTTPConnection, response: Response, name: str) -> None:
    """Remove a cookie."""
    secure = is_secure(request)
    response.delete_cookie(cookie_name(request, name), path="/", secure=secure, httponly=True, samesite="lax")


def session_secret(request: HTTPConnection) -> str | None:
    """Return the secret in the cookie of a request, None where there is none."""
    return request.cookies.get(cookie_name(request, SESSION))


def set_session(request: HTTPConnection, response: Response, secret: str) -> None:
    """Set the cookie of a session; the server ends the session."""
    set_cookie(request, response, SESSION, secret)


def clear_session(request: HTTPConnection, response: Response) -> None:
    """Remove the cookie of a session."""
    delete_cookie(request, response, SESSION)
