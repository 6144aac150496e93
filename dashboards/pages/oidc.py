"""Routes of sign-in with OpenID Connect: the way to the provider, and the way back.

A subject signs in as the person who is bound to it. It is bound by a one-time link, or to an invited person without a
password whose login is the verified e-mail address; nobody is created. No link binds a subject to an account with a
second factor, which it would replace. A link is used only by the form of its own page,
in the browser that has the cookie of that page: no other site can bind the visitor's subject to an account of its own.
"""

from __future__ import annotations

import logging
import time

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from dashboards.api.access import unnamed_reader
from dashboards.api.context import AppContext
from dashboards.http.problem import Problem
from dashboards.pages.private import render_private
from dashboards.sign_in.cookies import cookie_name, delete_cookie, set_cookie, set_session
from dashboards.sign_in.form_token import is_own_form
from dashboards.sign_in.gate import SIGN_IN_PATH, safe_return
from dashboards.sign_in.oidc import ATTEMPT_S, OidcAttempt, OidcClient, OidcRefused, OidcSubject, OidcUnknownAttempt
from dashboards.sign_in.requests import address_of, form_of
from registry.people import Person, actor_in
from store.records.audit.writing import REFUSED as REFUSED_ACT
from store.records.audit.writing import CountedAct
from store.records.repository import Records

log = logging.getLogger(__name__)

BEGIN_PATH = "/sign-in/oidc"
RETURN_PATH = "/sign-in/oidc/return"
BINDING = "liftwatch_oidc"
REFUSED = f"{SIGN_IN_PATH}?refused=provider"
SEE_OTHER = 303
CODE_CHARS = 4096


def oidc_pages(context: AppContext) -> APIRouter:
    """Return the routes, none where no provider is configured."""
    router = APIRouter(include_in_schema=False)
    if context.oidc is None:
        return router

    def provider() -> OidcClient:
        assert context.oidc is not None
        return context.oidc

    @router.get(BEGIN_PATH)
    def begin(request: Request) -> Response:
        return _begin(provider(), request, safe_return(request.query_params.get("next", "/")))

    @router.post(BEGIN_PATH)
    def begin_with_link(request: Request) -> Response:
        fields = form_of(request)
        if not is_own_form(request, fields):
            raise Problem(403, "forged-request", "The form is not of this browser: open the one-time link again.")
        return _begin(provider(), request, "/", fields.get("code", ""))

    @router.get(RETURN_PATH)
    def finish(request: Request) -> Response:
        state, code = request.query_params.get("state", ""), request.query_params.get("code", "")[:CODE_CHARS]
        now_ns, records = time.time_ns(), context.records()
        try:
            attempt, subject = provider().finish(
                state, request.cookies.get(cookie_name(request, BINDING), ""), code, now_ns / 1e9
            )
        except OidcUnknownAttempt as error:
            act = CountedAct(unnamed_reader(address_of(request)), "session.begin", "", outcome=REFUSED_ACT)
            context.audit.count(act, str(error))
            return RedirectResponse(REFUSED, SEE_OTHER)
        except OidcRefused as error:
            log.warning("OpenID Connect: %s", error)
            records.refuse_sign_in(None, address_of(request), now_ns)
            return RedirectResponse(REFUSED, SEE_OTHER)
        person = _person_of(records, attempt, subject, now_ns)
        address = address_of(request)
        if person is None or person.is_disabled or person.is_machine:
            records.refuse_sign_in(person, address, now_ns)
            return RedirectResponse(REFUSED, SEE_OTHER)
        by, agent = actor_in(person, person.membership(None), address), request.headers.get("user-agent", "")
        answer = RedirectResponse(attempt.target, SEE_OTHER)
        set_session(request, answer, records.begin_session(person.person_id, by, now_ns, agent))
        delete_cookie(request, answer, BINDING)
        return answer

    return router


def _begin(provider: OidcClient, request: Request, target: str, link: str = "") -> Response:
    """Send the browser to the provider: by a page where a form began it, since its policy forbids another site."""
    redirect_uri = f"{request.url.scheme}://{request.url.netloc}{RETURN_PATH}"
    try:
        address, binding = provider.begin(redirect_uri, target, link, address_of(request))
    except OidcRefused as error:
        log.warning("OpenID Connect: %s", error)
        return RedirectResponse(REFUSED, SEE_OTHER)
    answer: Response = RedirectResponse(address, SEE_OTHER)
    if request.method == "POST":
        answer = render_private(
            request, "sign_in_continue.html", page="sign-in", address=address, name=provider.settings.name
        )
    set_cookie(request, answer, BINDING, binding, int(ATTEMPT_S))
    return answer


def _person_of(records: Records, attempt: OidcAttempt, subject: OidcSubject, now_ns: int) -> Person | None:
    """Return the person of a subject, who may become bound to it by a link or by an invitation; None for nobody."""
    bound = records.person_of_subject(subject.issuer, subject.subject)
    if bound is not None:
        return bound
    invited = _invited(records, attempt, subject, now_ns)
    if invited is None or invited.is_machine or invited.is_disabled:
        return None
    by = actor_in(invited, invited.membership(None), None)
    return invited if records.bind_subject(invited.person_id, subject.issuer, subject.subject, by, now_ns) else None


def _invited(records: Records, attempt: OidcAttempt, subject: OidcSubject, now_ns: int) -> Person | None:
    """Return the person of the one-time link that the attempt began at, else of the verified e-mail address."""
    link = records.link(attempt.link, now_ns) if attempt.link else None
    if link is not None and link.person_id is not None:
        person = records.person(link.person_id)
        may = person is not None and not person.has_totp and not person.is_disabled
        return person if may and records.use_link(link) else None
    found = None if subject.email is None else records.person_of_login(subject.email)
    return None if found is None or found.has_password else found
