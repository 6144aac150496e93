"""The token against forged requests of a form that is shown before there is a session.

A random secret in a cookie of the browser, and its token in the form; another site can neither read nor set either.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from dashboards.sign_in.cookies import cookie_name, set_cookie
from dashboards.sign_in.identity import csrf_token

COOKIE, FIELD = "liftwatch_form", "form_token"
VALID_S = 3600
SECRET_CHARS = 100


def form_secret(request: Request) -> str:
    """Return the secret of this browser, or a new one; the page with the form sets it by `remember_form`."""
    return request.cookies.get(cookie_name(request, COOKIE), "")[:SECRET_CHARS] or secrets.token_urlsafe(32)


def remember_form(request: Request, response: Response, secret: str) -> None:
    """Set the cookie with the secret of a form."""
    set_cookie(request, response, COOKIE, secret, VALID_S)


def is_own_form(request: Request, fields: Mapping[str, str]) -> bool:
    """Return whether a form was shown to the browser that sends it."""
    secret = request.cookies.get(cookie_name(request, COOKIE), "")[:SECRET_CHARS]
    return bool(secret) and secrets.compare_digest(fields.get(FIELD, "").encode(), csrf_token(secret).encode())
