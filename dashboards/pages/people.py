"""The pages of people, for administrators: a list with an invitation, and one page for each account."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from dashboards.api.access import needs
from dashboards.api.context import AppContext
from dashboards.http.problem import Problem, not_found
from dashboards.pages.private import render_administration
from dashboards.sign_in.administration import Administration
from dashboards.sign_in.requests import form_of, identity_of
from registry.roles import OrganisationKind, Verb
from store.records.repository import VersionConflict

PATH = "/people"
SEE_OTHER = 303
WELCOME_PATH = "/welcome"


def people_pages(context: AppContext) -> APIRouter:
    """Return the routes of these pages."""
    router = APIRouter(include_in_schema=False)
    allowed = [needs(Verb.MANAGE_PEOPLE)]

    @router.get(PATH, dependencies=allowed)
    def show_people(request: Request) -> Response:
        return _list_page(context, request)

    @router.post(PATH, dependencies=allowed)
    def invite(request: Request) -> Response:
        fields, acting = form_of(request), Administration(context.records(), identity_of(request))
        is_machine = fields.get("is_machine") == "yes"
        try:
            added = acting.invite(
                fields.get("name"), fields.get("login"), fields.get("organisation", ""), fields.get("role"), None,
                is_machine,
            )  # fmt: skip
        except Problem as problem:
            return _list_page(context, request, problem=problem)
        secret = "" if is_machine else acting.link(added.person_id)
        return _person_page(context, request, added.person_id, secret=secret)

    @router.get(PATH + "/{person_id}", dependencies=allowed)
    def show_person(request: Request, person_id: str) -> Response:
        return _person_page(context, request, person_id)

    @router.post(PATH + "/{person_id}/{form}", dependencies=allowed)
    def change(request: Request, person_id: str, form: str) -> Response:
        try:
            secret = _apply(Administration(context.records(), identity_of(request)), request, person_id, form)
        except Problem as problem:
            if problem.status_code == 404:
                raise
            return _person_page(context, request, person_id, problem=problem)
        except VersionConflict:
            return _person_page(context, request, person_id, problem=Problem(412, "changed-meanwhile", ""))
        if secret is not None:
            return _person_page(context, request, person_id, secret=secret)
        return RedirectResponse(f"{PATH}/{person_id}?did=yes", SEE_OTHER)

    return router


def _apply(acting: Administration, request: Request, person_id: str, form: str) -> str | None:
    """Apply the form of one account; return the secret of a link where the form makes one."""
    fields = form_of(request)
    expected = frozenset({fields["revision"]}) if "revision" in fields else None
    if form == "role":
        role = None if fields.get("remove") else fields.get("role")
        acting.set_role(person_id, fields.get("organisation", ""), role, expected)
    elif form == "disabled":
        acting.change_person(person_id, {"is_disabled": fields.get("disabled") == "yes"}, expected)
    elif form == "totp":
        acting.remove_totp(person_id)
    elif form == "subject":
        acting.remove_subject(person_id)
    elif form == "sessions":
        acting.end_sessions(person_id)
    elif form == "link":
        return acting.link(person_id)
    else:
        raise not_found("form", form)
    return None


def _list_page(context: AppContext, request: Request, problem: Problem | None = None) -> Response:
    acting = Administration(context.records(), identity_of(request))
    chosen = request.query_params.get("organisation") or None
    people = acting.people(chosen)
    return render_administration(
        request, "people.html", problem, page="people", page_path=PATH, people=people,
        organisations=_open(acting), chosen=chosen, is_first=identity_of(request).person is None,
        given=form_of(request),
    )  # fmt: skip


def _person_page(
    context: AppContext, request: Request, person_id: str, problem: Problem | None = None, secret: str = ""
) -> Response:
    acting = Administration(context.records(), identity_of(request))
    person = acting.person(person_id)
    link = f"{request.url.scheme}://{request.url.netloc}{WELCOME_PATH}?code={secret}" if secret else ""
    return render_administration(
        request, "person.html", problem, page="people", page_path=f"{PATH}/{person_id}",
        person=person, is_managed=acting.may_manage(person_id),
        is_own=_is_own(request, person_id), organisations=_open(acting),
        clears=not any(each.organisation.kind is OrganisationKind.OPERATOR for each in person.memberships),
        link=link, did=request.query_params.get("did", ""),
    )  # fmt: skip


def _is_own(request: Request, person_id: str) -> bool:
    person = identity_of(request).person
    return person is not None and person.person_id == person_id


def _open(acting: Administration) -> list[Any]:
    return [each for each in acting.organisations() if each.closed_ns is None]
