"""The cookie of a session. Behind TLS its name begins with `__Host-`: no other host of the domain can set that."""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.responses import Response

PLAIN, SECURE = "liftwatch", "__Host-liftwatch"


def is_secure(request: HTTPConnection) -> bool:
    """Return whether a request arrived over TLS, at this server or at a trusted proxy."""
    return request.url.scheme == "https"


def session_secret(request: HTTPConnection) -> str | None:
    """Return the secret in the cookie of a request, None where there is none."""
    return request.cookies.get(SECURE if is_secure(request) else PLAIN)


def set_session(request: HTTPConnection, response: Response, secret: str) -> None:
    """Set the cookie; the browser forgets the cookie when it ends, the server ends the session."""
    secure = is_secure(request)
    response.set_cookie(SECURE if secure else PLAIN, secret, path="/", secure=secure, httponly=True, samesite="lax")


def clear_session(request: HTTPConnection, response: Response) -> None:
    """Remove the cookie."""
    secure = is_secure(request)
    response.delete_cookie(SECURE if secure else PLAIN, path="/", secure=secure, httponly=True, samesite="lax")
