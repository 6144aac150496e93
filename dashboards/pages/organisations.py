"""The pages of organisations: a list, and one page for each with its details, its closing and its merging."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, BackgroundTasks, Request
from starlette.responses import RedirectResponse, Response

from dashboards.api.access import needs
from dashboards.api.context import AppContext
from dashboards.api.identity.organisation_changes import change_organisation
from dashboards.http.problem import Problem, not_found
from dashboards.pages.private import render_administration
from dashboards.sign_in.administration import OWN_FIELDS, Administration
from dashboards.sign_in.requests import form_of, identity_of
from registry.roles import Verb
from store.records.repository import VersionConflict

PATH = "/organisations"
SEE_OTHER = 303
TEXTS = ("name", "name_en", "name_zh", "districts", "telephones", "duty_telephone", "address")


def organisation_pages(context: AppContext) -> APIRouter:
    """Return the routes of these pages."""
    router = APIRouter(include_in_schema=False)
    allowed = [needs(Verb.MANAGE_PEOPLE)]

    def administration(request: Request) -> Administration:
        return Administration(context.records(), identity_of(request))

    @router.get(PATH, dependencies=allowed)
    def show_organisations(request: Request) -> Response:
        return _list_page(administration(request), request)

    @router.post(PATH, dependencies=[needs(Verb.MANAGE_ORGANISATIONS)])
    def add(request: Request) -> Response:
        fields, acting = form_of(request), administration(request)
        try:
            added = acting.add_organisation(
                acting.checked_addition({name: fields.get(name, "") for name in ("kind", "name")})
            )
        except Problem as problem:
            return _list_page(acting, request, problem)
        return RedirectResponse(f"{PATH}/{added.organisation_id}", SEE_OTHER)

    @router.get(PATH + "/{organisation_id}", dependencies=allowed)
    def show_organisation(request: Request, organisation_id: str) -> Response:
        return _page(administration(request), request, organisation_id)

    @router.post(PATH + "/{organisation_id}/{form}", dependencies=allowed)
    def change(request: Request, organisation_id: str, form: str, later: BackgroundTasks) -> Response:
        acting = administration(request)
        try:
            waits = _apply(context, acting, request, organisation_id, form)
        except Problem as problem:
            if problem.status_code == 404 and form != "merge":
                raise
            return _page(acting, request, organisation_id, problem)
        except VersionConflict:
            return _page(acting, request, organisation_id, Problem(412, "changed-meanwhile", ""))
        later.add_task(context.records().rewrite_names, acting.by, time.time_ns())
        return RedirectResponse(
            f"{PATH}/{organisation_id}?did={'waits' if waits else 'yes'}", SEE_OTHER, background=later
        )

    return router


def _apply(context: AppContext, acting: Administration, request: Request, organisation_id: str, form: str) -> bool:
    """Apply the form of one organisation; return whether the change waits for a second person."""
    fields = form_of(request)
    expected = frozenset({fields["revision"]}) if "revision" in fields else None
    if form == "details":
        given: dict[str, Any] = {name: fields[name] for name in (*TEXTS, "kind") if name in fields}
        given["settings"] = {name: fields.get(name) == "yes" for name in ("second_person", "second_factor")}
        reason = fields.get("reason", "").strip() or None
        return change_organisation(context, acting, organisation_id, given, expected, reason) is not None
    if form == "closed":
        acting.set_closed(organisation_id, fields.get("closed") == "yes", expected)
    elif form == "merge":
        acting.merge(organisation_id, acting.named(fields.get("other", "")).organisation_id)
    else:
        raise not_found("form", form)
    return False


def _list_page(acting: Administration, request: Request, problem: Problem | None = None) -> Response:
    given, found = form_of(request), acting.organisations()
    return render_administration(
        request, "organisations.html", problem, page="organisations", page_path=PATH, organisations=found, given=given
    )


def _page(acting: Administration, request: Request, organisation_id: str, problem: Problem | None = None) -> Response:
    given = {} if problem is None else form_of(request)
    return render_administration(
        request, "organisation.html", problem, page="organisations", page_path=f"{PATH}/{organisation_id}", given=given,
        organisation=acting.organisation(organisation_id), is_all=acting.sees_all, own_fields=OWN_FIELDS,
        did=request.query_params.get("did", ""),
    )  # fmt: skip
