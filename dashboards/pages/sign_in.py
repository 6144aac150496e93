"""Pages of signing in and out, and of a one-time link; forms that need no script."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from dashboards.api.context import AppContext
from dashboards.http.problem import Problem
from dashboards.pages.private import render_private
from dashboards.sign_in.cookies import clear_session, set_session
from dashboards.sign_in.form_token import form_secret, remember_form
from dashboards.sign_in.gate import SIGN_IN_PATH, safe_return
from dashboards.sign_in.identity import csrf_token
from dashboards.sign_in.requests import address_of, form_of, identity_of, session_of
from dashboards.sign_in.welcome import Welcome

SEE_OTHER = 303


def sign_in_pages(context: AppContext) -> APIRouter:
    """Return the routes of these pages."""
    router = APIRouter(include_in_schema=False)
    oidc = context.settings.sign_in.oidc

    def form(request: Request, target: str, fault: str = "", status: int = 200, **values: Any) -> Response:
        return render_private(
            request, "sign_in.html", status=status, page="sign-in", target=target, fault=fault,
            provider=oidc and oidc.name, values={"login": "", "seconds": 0} | values,
        )  # fmt: skip

    @router.get(SIGN_IN_PATH)
    def sign_in_form(request: Request) -> Response:
        target = safe_return(request.query_params.get("next", "/"))
        if identity_of(request).person is not None:
            return RedirectResponse(target, SEE_OTHER)
        return form(request, target, "provider" if "refused" in request.query_params else "")

    @router.post(SIGN_IN_PATH)
    def sign_in(request: Request) -> Response:
        fields = form_of(request)
        target, login = safe_return(fields.get("next", "/")), fields.get("login", "")
        address, agent = address_of(request), request.headers.get("user-agent", "")
        code = fields.get("recovery") or fields.get("code", "")
        try:
            secret = context.passwords.sign_in(login, fields.get("password", ""), code, address, agent, time.time_ns())
        except Problem as problem:
            if problem.status_code != 429:
                raise
            seconds = int((problem.headers or {}).get("Retry-After", "0"))
            return form(request, target, "wait", 429, login=login, seconds=seconds)
        if secret is None:
            return form(request, target, "refused", 401, login=login)
        answer = RedirectResponse(target, SEE_OTHER)
        set_session(request, answer, secret)
        return answer

    @router.post("/sign-out")
    def sign_out(request: Request) -> Response:
        identity, person, session = session_of(request)
        only = None if form_of(request).get("everywhere") else session.session_id
        assert identity.scope.actor is not None, "a session has an account"
        context.records().end_sessions(person.person_id, identity.scope.actor, time.time_ns(), only=only)
        answer = RedirectResponse(SIGN_IN_PATH, SEE_OTHER, headers={"Clear-Site-Data": '"cache", "storage"'})
        clear_session(request, answer)
        return answer

    _add_welcome(router, context)
    return router


def _add_welcome(router: APIRouter, context: AppContext) -> None:
    """Add the page of a one-time link: the person chooses a password; the first administrator a login as well."""

    def page(request: Request, code: str, fault: str = "", status: int = 200, **values: str) -> Response:
        welcome = Welcome(context.records(), context.passwords, code, address_of(request), time.time_ns())
        empty = {"name": "", "login": "", "organisation": ""}
        kind = "gone" if welcome.link is None else "first" if welcome.person is None else "person"
        secret = form_secret(request)
        shown = render_private(
            request, "welcome.html", status=410 if kind == "gone" else status, page="welcome", kind=kind,
            code=code, fault=fault, person=welcome.person, values=empty | values,
            provider=context.settings.sign_in.oidc and context.settings.sign_in.oidc.name,
            form_token=csrf_token(secret),
        )  # fmt: skip
        remember_form(request, shown, secret)
        return shown

    @router.get("/welcome")
    def welcome_form(request: Request) -> Response:
        return page(request, request.query_params.get("code", ""))

    @router.post("/welcome")
    def welcome(request: Request) -> Response:
        fields = {name: value for name, value in form_of(request).items() if name != "code"}
        code = form_of(request).get("code", "")
        welcome = Welcome(context.records(), context.passwords, code, address_of(request), time.time_ns())
        fault = welcome.accept(fields)
        if fault is not None:
            kept = {name: fields.get(name, "") for name in ("name", "login", "organisation")}
            return page(request, code, fault, 422, **kept)
        context.authenticator.people_were_added()
        if welcome.needs_code:
            return RedirectResponse(SIGN_IN_PATH, SEE_OTHER)
        answer = RedirectResponse("/", SEE_OTHER)
        set_session(request, answer, welcome.begin_session(request.headers.get("user-agent", "")))
        return answer
