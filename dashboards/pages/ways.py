"""The forms of the section "How you are notified" on the page of the own account."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from dashboards.api.context import AppContext
from dashboards.api.identity.ways import own_ways
from dashboards.http.problem import Problem, not_found
from dashboards.pages.account import PATH, SEE_OTHER, account_page
from dashboards.pages.problems.texts import problem_texts
from dashboards.pages.routes import language_of
from dashboards.sign_in.own_ways import OwnWays
from dashboards.sign_in.requests import form_of
from registry.ways import WEBHOOK, NotificationWay


def _add(ways: OwnWays, fields: Mapping[str, str]) -> NotificationWay:
    return ways.add(fields.get("kind", ""), fields.get("address", ""), fields.get("secret") or None)


FORMS: Mapping[str, Callable[[OwnWays, Mapping[str, str]], NotificationWay | None]] = {
    "add": _add,
    "code": lambda ways, fields: ways.send_code(fields.get("way", "")),
    "verify": lambda ways, fields: ways.verify(fields.get("way", ""), fields.get("code", "")),
    "test": lambda ways, fields: ways.send_test(fields.get("way", "")),
    "first": lambda ways, fields: ways.use_first(fields.get("way", "")),
    "remove": lambda ways, fields: ways.remove(fields.get("way", "")),
}


def way_pages(context: AppContext) -> APIRouter:
    """Return the route of these forms."""
    router = APIRouter(include_in_schema=False)

    @router.post(PATH + "/ways/{form}")
    def accept(request: Request, form: str) -> Response:
        if form not in FORMS:
            raise not_found("form", form)
        fields = form_of(request)
        try:
            way = FORMS[form](own_ways(context, request), fields)
        except Problem as problem:
            return _refused(context, request, problem, fields)
        if form == "add" and way is not None and way.kind == WEBHOOK:
            return account_page(context, request, did=f"way-{form}", way_secret=way.secret or "")
        return RedirectResponse(f"{PATH}?did=way-{form}#ways", SEE_OTHER)

    return router


def _refused(context: AppContext, request: Request, problem: Problem, fields: Mapping[str, str]) -> Response:
    """Return the page with what is wrong, and with the fields as they were sent."""
    if problem.status_code not in (404, 409, 422, 429):
        raise problem
    said = {"way": fields.get("way", ""), "kind": fields.get("kind", ""), "address": fields.get("address", "")}
    fault = " ".join(problem_texts(problem, language_of(request)))
    return account_page(context, request, problem.status_code, at="ways", fault=fault, **said)
