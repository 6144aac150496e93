"""The page of the own account: password, second factor, sessions, tokens, organisation and language.

Each form answers with a redirect to the page, which then says what was done, or with the page and what is wrong.
"""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from typing import Any

import segno
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from dashboards.api.context import AppContext
from dashboards.http.problem import Problem, not_found
from dashboards.pages import translations
from dashboards.pages.private import render_private
from dashboards.pages.routes import YEAR_S
from dashboards.pages.shown_agent import shown_agent
from dashboards.pages.shown_time import shown_time
from dashboards.pages.translations import COOKIE
from dashboards.sign_in.account_fields import TOO_MANY_TOKENS, add_token
from dashboards.sign_in.cookies import set_cookie, set_session
from dashboards.sign_in.requests import address_of, form_of, session_of
from registry.actor import Actor
from registry.passwords import LEAST_CHARS, password_fault
from registry.people import LANGUAGES, Person, lacks_second_factor
from registry.ways import shown_address
from store.records.identity.credentials import is_totp_secret, new_totp_secret, totp_address, totp_step

PATH = "/account"
SEE_OTHER = 303
DAY_S = 24 * 3600
S_NS = 1_000_000_000
TOKEN_DAYS = (30, 90, 365)
QR_SCALE = 5
SAID = ("did", "fault", "at", "secret", "codes", "way", "way_secret", "kind", "address")
"""The outcome of a form, as values of the template."""


class AccountForms:
    """The forms of one account, as one request sends them; each returns what is wrong, or None."""

    def __init__(self, context: AppContext, request: Request) -> None:
        self.identity, self.person, self.session = session_of(request)
        assert self.identity.scope.actor is not None, "a session has an account"
        self.by: Actor = self.identity.scope.actor
        self.context, self.records, self.request = context, context.records(), request
        self.fields, self.now_ns = form_of(request), time.time_ns()
        self.shown: dict[str, str] = {}

    def password(self) -> str | None:
        """Change the password; every other session ends."""
        if self.fields.get("new", "") != self.fields.get("again", ""):
            return "again"
        return self._refused() or self.context.passwords.change_password(
            self.person, self.fields.get("new", ""), self.by, self.now_ns
        )

    def totp(self) -> str | None:
        """Turn the second factor on, with a code that proves that the authenticator has the secret.

        One that is on is turned off first, with one of its own codes.
        """
        if self.person.has_totp:
            return "on"
        secret = self.fields.get("secret", "")
        step = None
        if is_totp_secret(secret):
            step = totp_step(secret, self.fields.get("code", ""), self.now_ns / S_NS)
        if step is None:
            return "code"
        fault = self._refused()
        if fault is None:
            self.records.set_totp(self.person.person_id, secret, step, self.by, self.now_ns)
            self._renew_recovery_codes()
        return fault

    def no_totp(self) -> str | None:
        """Turn the second factor off, with one of its codes; a short password needs it."""
        password = self.fields.get("password", "")
        fault = self._refused(with_code=True)
        if fault is None and password_fault(password, (self.person.login, self.person.name)) == "short":
            fault = "needed"
        if fault is None:
            self.records.set_totp(self.person.person_id, None, 0, self.by, self.now_ns)
        return fault

    def recovery(self) -> str | None:
        """Replace the recovery codes, with a code of the second factor."""
        fault = self._refused(with_code=True)
        if fault is None:
            self._renew_recovery_codes()
        return fault

    def _renew_recovery_codes(self) -> None:
        codes = self.records.renew_recovery_codes(self.person.person_id, self.by, self.now_ns)
        self.shown["codes"] = "\n".join(codes)

    def no_subject(self) -> str | None:
        """End the sign-in by the provider; who has no password would be locked out."""
        fault = self._refused()
        if fault is None:
            self.records.unbind_subject(self.person.person_id, self.by, self.now_ns)
        return fault

    def end(self) -> str | None:
        """End one session, or all others."""
        only = self.fields.get("session") or None
        but = self.session.session_id if only is None else None
        self.records.end_sessions(self.person.person_id, self.by, self.now_ns, only=only, but=but)
        return None

    def token(self) -> str | None:
        """Make a token."""
        membership, days = self.identity.membership, self.fields.get("days", "")
        if membership is None or days not in map(str, TOKEN_DAYS):
            return "token"
        expires_ns = self.now_ns + int(days) * DAY_S * S_NS
        organisation_id, name = membership.organisation.organisation_id, self.fields.get("name", "")
        try:
            self.shown["secret"] = add_token(
                self.records, self.person.person_id, organisation_id, name, expires_ns, self.by, self.now_ns
            )
        except Problem as problem:
            return "tokens" if problem.slug == TOO_MANY_TOKENS else "token"
        return None

    def revoke(self) -> str | None:
        """Revoke a token."""
        token_id = self.fields.get("token", "")
        return None if self.records.revoke_token(self.person.person_id, token_id, self.by, self.now_ns) else "gone"

    def organisation(self) -> str | None:
        """Act for another organisation."""
        wanted = self.fields.get("organisation", "")
        chosen = self.person.membership(wanted)
        if chosen is None or chosen.organisation.organisation_id != wanted:
            return "gone"
        session_id, person_id = self.session.session_id, self.person.person_id
        self.records.choose_organisation(session_id, person_id, wanted, self.by, self.now_ns)
        return None

    def language(self) -> str | None:
        """Choose the language of the pages and of messages."""
        if self.fields.get("language") not in LANGUAGES:
            return "gone"
        changes = {"language": self.fields["language"]}
        self.records.change_person(self.person.person_id, changes, self.by, self.now_ns)
        return None

    def _refused(self, *, with_code: bool = False) -> str | None:
        """Return `password` where the present password is not right, `wait` after too many attempts.

        `both` with a code, which takes part in the limits of attempts.
        """
        code = self.fields.get("code", "") if with_code else None
        try:
            is_right = self.context.passwords.confirm(
                self.person, self.fields.get("password", ""), address_of(self.request), code
            )
        except Problem:
            return "wait"
        return None if is_right else "both" if with_code else "password"


FORMS: Mapping[str, Any] = {
    "password": AccountForms.password,
    "totp": AccountForms.totp,
    "no-totp": AccountForms.no_totp,
    "recovery": AccountForms.recovery,
    "no-subject": AccountForms.no_subject,
    "end": AccountForms.end,
    "token": AccountForms.token,
    "revoke": AccountForms.revoke,
    "organisation": AccountForms.organisation,
    "language": AccountForms.language,
}


def account_pages(context: AppContext) -> APIRouter:
    """Return the routes of the page and its forms."""
    router = APIRouter(include_in_schema=False)

    @router.get(PATH)
    def show(request: Request) -> Response:
        did = request.query_params.get("did", "")
        is_known = f"account.did.{did}" in translations.catalogue(translations.ENGLISH)
        return account_page(context, request, did=did if is_known else "")

    @router.post(PATH + "/{form}")
    def accept(request: Request, form: str) -> Response:
        if form not in FORMS:
            raise not_found("form", form)
        forms = AccountForms(context, request)
        fault = FORMS[form](forms)
        if fault is not None:
            return account_page(context, request, fault=fault, at=form, status=422)
        if forms.shown:
            return account_page(context, request, 200, did=form, **forms.shown)
        answer = RedirectResponse(f"{PATH}?did={form}", SEE_OTHER)
        if form in ("password", "no-subject"):  # all sessions ended, this one too
            agent = request.headers.get("user-agent", "")
            set_session(
                request, answer, forms.records.begin_session(forms.person.person_id, forms.by, forms.now_ns, agent)
            )
        if form == "language":
            set_cookie(request, answer, COOKIE, forms.fields["language"], YEAR_S)
        return answer

    return router


def account_page(context: AppContext, request: Request, status: int = 200, **said: str) -> Response:
    """Return the page; `did`, `fault` with `at`, `secret`, and the fields of a form of ways, are what a form did."""
    identity, person, session = session_of(request)
    records = context.records()
    person = records.person(person.person_id) or person  # as the form left it
    offered = "" if person.has_totp else request.state.form.get("secret", "") if "at" in said else ""
    return render_private(
        request, "account.html", status=status, page="account", page_path=PATH, person=person,
        membership=identity.membership, demanded=lacks_second_factor(person, identity.membership),
        current_id=session.session_id, sessions=records.sessions(person.person_id),
        tokens=records.tokens(person.person_id), token_days=TOKEN_DAYS, least=LEAST_CHARS,
        said=dict.fromkeys(SAID, "") | said, shown_time=shown_time, shown_agent=shown_agent,
        ways=records.ways(person.person_id), way_kinds=context.settings.way_kinds, shown_address=shown_address,
        push_key=context.settings.push_key, recovery_codes=records.recovery_codes_left(person.person_id),
        **_totp_values(person, offered),
    )  # fmt: skip


def _totp_values(person: Person, offered: str) -> dict[str, str]:
    """Return a secret for the second factor, and its QR code, where the person has none."""
    if person.has_totp:
        return {"totp_secret": "", "totp_qr": ""}
    secret = offered if is_totp_secret(offered) else new_totp_secret()
    drawn = io.BytesIO()
    segno.make(totp_address(secret, person.login), micro=False).save(
        drawn, kind="svg", scale=QR_SCALE, xmldecl=False, svgns=False, light="#ffffff", dark="#000000"
    )
    return {"totp_secret": secret, "totp_qr": drawn.getvalue().decode()}
