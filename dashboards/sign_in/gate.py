"""The sign-in gate: ASGI middleware that finds out who asks, before any route.

    public path ──────────────────────────► nobody        static files, the page behind the code, links that answer, …
    no account in the records, loopback ──► open          everything; so does a demonstration with accounts
    token or session ─────────────────────► its account   else a page redirects to /sign-in, a program gets 401;
                                                          without a demanded second factor, the own account alone

A change by a cookie session needs the token against forged requests, in `X-CSRF-Token` or in the form; forms are read
here, so that no route can forget. `request.state.identity` and `request.state.scope` are set for every request.
"""

from __future__ import annotations

import ipaddress
import secrets
import time
from collections.abc import Callable
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.http.problem import RETRY_AFTER_S, Problem, unavailable
from dashboards.http.request_guard import SAFE_METHODS
from dashboards.sign_in.attempts import ChangeLimits
from dashboards.sign_in.cookies import clear_session, session_secret
from dashboards.sign_in.identity import NOBODY, OPEN, SCRAPER, Authenticator, Identity
from dashboards.sign_in.requests import CHALLENGE, address_of, sign_in_required
from store.records.repository import RecordsUnavailable

SIGN_IN_PATH = "/sign-in"
ANONYMOUS_PATHS = ("/healthz", "/readyz", "/api/openapi.json", "/service-worker.js", "/offline")
ANONYMOUS_FOLDERS = ("/static/", "/reports/", "/answer/", "/calendars/")
CODE_FOLDER = "/code/"
"""The public page: answered to everybody, and to those who are signed in with what they may do there."""
SIGN_IN_PATHS = (SIGN_IN_PATH, "/welcome", "/api/v1/session")
SIGN_IN_FOLDER = "/sign-in/"
METRICS_PATH = "/metrics"
ACCOUNT_PATH = "/account"
OWN_PATHS = (ACCOUNT_PATH, "/sign-out", "/api/v1/me", *SIGN_IN_PATHS)
SECOND_FACTOR = "second-factor-required"
FORM = "application/x-www-form-urlencoded"
FORM_LIMIT_BYTES = 64 * 1024
FORM_FIELDS = 200
CREDENTIAL_LIMIT_BYTES = 4096
CSRF_HEADER, CSRF_FIELD = "x-csrf-token", "csrf"
FORWARDING_HEADERS = ("via", "forwarded", "x-real-ip", "x-client-ip", "true-client-ip", "cdn-loop")
FORWARDING_PREFIXES = ("x-forwarded-", "x-original-", "x-cluster-", "cf-")
LINKED = ("cross-site", "same-site")
"""The values of `Sec-Fetch-Site` of a browser that follows a link of another site to this machine."""
PROXY_HTTP_VERSION = "1.0"
"""The version that nginx uses to the server behind it unless told otherwise, and no browser does."""

RenderError = Callable[[Request, int], Response | None]


class SignInGate:
    """Middleware between the request guard and the routes.

    `may_be_open` is whether the server may run without accounts: it listens on loopback, and sign-in is not required.
    `error_page` renders an error for a browser that asks for a page, and returns None for every other request;
    `respond` returns a problem as the response to one.
    """

    def __init__(
        self,
        app: ASGIApp,
        authenticator: Authenticator,
        may_be_open: bool,
        error_page: RenderError,
        respond: Callable[[Request, Problem], Response],
    ) -> None:
        self.app, self.respond = app, respond
        self.authenticator, self.may_be_open, self.error_page = authenticator, may_be_open, error_page
        self.changes = ChangeLimits()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        request.state.identity, request.state.scope = NOBODY, NOBODY.scope
        answer = None
        try:
            receive = await self._admit(request, receive)
        except Problem as problem:
            answer = self._refusal(request, problem)
        except RecordsUnavailable:
            answer = self._refusal(request, unavailable("records", "they do not answer now"))
        await (answer or self.app)(scope, receive, send)

    async def _admit(self, request: Request, receive: Receive) -> Receive:
        """Set the identity of a request and read its form; raise a problem where the request is not admitted."""
        identity = await run_in_threadpool(self._identify, request)
        request.state.identity, request.state.scope = identity, identity.scope
        if request.method in SAFE_METHODS:
            return receive
        if identity.person is not None and not self.changes.take(identity.person.person_id, time.monotonic()):
            detail = "There were too many changes at once: wait a moment, then go on."
            raise Problem(429, "too-many-changes", detail, headers={"Retry-After": str(RETRY_AFTER_S)})
        sent = request.headers.get(CSRF_HEADER, "")
        if _is_form(request):
            body, receive = await _read_form(receive)
            request.state.form = _fields(body)
            sent = request.state.form.pop(CSRF_FIELD, "")
        if identity.csrf and not secrets.compare_digest(sent.encode(), identity.csrf.encode()):
            detail = "The token against forged requests is missing or old: load the page again, and repeat."
            raise Problem(403, "forged-request", detail)
        return receive

    def _identify(self, request: Request) -> Identity:
        """Return who asks; a problem (401) for a request that needs an account and has none."""
        path = request.url.path
        if path in ANONYMOUS_PATHS or path.startswith(ANONYMOUS_FOLDERS):
            return NOBODY
        if path.startswith(CODE_FOLDER):
            return (self._of_credentials(request) if session_secret(request) else None) or NOBODY
        identity = self._of_credentials(request)
        if identity is not None:
            if identity.lacks_second_factor and not _is_of_account(path):
                detail = "Your organisation demands a second factor: set it up on the page of your account."
                raise Problem(403, SECOND_FACTOR, detail)
            return identity
        if path in SIGN_IN_PATHS or path.startswith(SIGN_IN_FOLDER):
            return NOBODY
        if path == METRICS_PATH and self._is_local(request):
            return SCRAPER
        if self.may_be_open and self._is_local(request) and not self.authenticator.asks_to_sign_in():
            return OPEN
        raise sign_in_required()

    def _of_credentials(self, request: Request) -> Identity | None:
        """Return the account of the token or else of the cookie; a problem (401) for a token that is not valid."""
        client, now_ns = address_of(request), time.time_ns()
        authorization = request.headers.get("authorization")
        if authorization is not None:
            kind, _, token = authorization[:CREDENTIAL_LIMIT_BYTES].partition(" ")
            is_bearer = kind.lower() == "bearer"
            identity = self.authenticator.of_token(token.strip(), client, now_ns) if is_bearer else None
            if identity is None:
                detail = "The token is not valid: it does not exist, has expired or was revoked."
                raise Problem(401, "invalid-token", detail, headers=CHALLENGE)
            return identity
        secret = session_secret(request)
        if not secret:
            return None
        return self.authenticator.of_session(secret, client, request.headers.get("user-agent", ""), now_ns)

    def _is_local(self, request: Request) -> bool:
        """Return whether a request comes from this machine, by no proxy and by a name of this machine."""
        if any(name in FORWARDING_HEADERS or name.startswith(FORWARDING_PREFIXES) for name in request.headers):
            return False
        if _is_of_other_host(request):
            return False
        if request.scope.get("http_version") == PROXY_HTTP_VERSION:
            return False
        return not is_remote(address_of(request)) and is_loopback(request.url.hostname or "")

    def _refusal(self, request: Request, problem: Problem) -> Response:
        """Return the answer to a request that is not admitted: a redirect, a page or a problem document."""
        page = self.error_page(request, problem.status_code)
        if page is None:
            refused = self.respond(request, problem)
        elif problem.status_code == 401:
            refused = RedirectResponse(sign_in_address(request), status_code=303)
        elif problem.slug == SECOND_FACTOR:
            refused = RedirectResponse(ACCOUNT_PATH, status_code=303)
        else:
            refused = page
        if problem.slug == "sign-in-required" and session_secret(request):
            clear_session(request, refused)
        return refused


def _is_of_account(path: str) -> bool:
    """Return whether a path is of the own account: open to who has to set up a second factor."""
    return path in OWN_PATHS or path.startswith((ACCOUNT_PATH + "/", SIGN_IN_FOLDER))


def _is_of_other_host(request: Request) -> bool:
    """Return whether a page of another host made a request, so that a proxy has replaced the host; a link is none."""
    page, host = request.headers.get("referer"), request.headers.get("host", "").lower()
    is_foreign = page is not None and page.lower().partition("//")[2].partition("/")[0] != host
    return is_foreign and request.headers.get("sec-fetch-site") not in LINKED


def is_loopback(host: str) -> bool:
    """Return whether a name or an address is this machine's own."""
    name = host.lower().rstrip(".")
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def is_remote(client: str) -> bool:
    """Return whether a client is another machine; a client without an IP address has a socket of this one."""
    try:
        return not ipaddress.ip_address(client).is_loopback
    except ValueError:
        return False


def sign_in_address(request: Request) -> str:
    """Return the address of the sign-in page, which returns to this request's page."""
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    is_page = path != "/" and request.method in SAFE_METHODS
    return SIGN_IN_PATH if not is_page else f"{SIGN_IN_PATH}?next={quote(path, safe='')}"


def safe_return(target: str) -> str:
    """Return a path of this server to go to after sign-in; `/` for every other target."""
    is_path = target.startswith("/") and not target.startswith(("//", "/\\"))
    parts = urlsplit(target) if is_path and target.isprintable() and "\\" not in target else None
    return target if parts and not parts.scheme and not parts.netloc and len(target) <= FORM_LIMIT_BYTES else "/"


def _fields(body: str) -> dict[str, str]:
    """Return the fields of a form; a problem (400) where it has too many."""
    try:
        return dict(parse_qsl(body, keep_blank_values=True, max_num_fields=FORM_FIELDS))
    except ValueError:
        raise Problem(400, "malformed-request", f"The form has more than {FORM_FIELDS} fields.") from None


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").split(";")[0].strip().lower() == FORM


async def _read_form(receive: Receive) -> tuple[str, Receive]:
    """Return the body of a form, and a `receive` that yields the body again; a problem (413) beyond the limit."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
        if len(body) > FORM_LIMIT_BYTES:
            raise Problem(413, "too-large", f"The form is too large: send at most {FORM_LIMIT_BYTES} bytes.")
    replayed = False

    async def receive_again() -> Message:
        nonlocal replayed
        if replayed:
            return await receive()
        replayed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return body.decode("utf-8", "replace"), receive_again
