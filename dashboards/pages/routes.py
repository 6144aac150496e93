"""Routes of the web pages: server-rendered HTML that the ES modules in `static/js` fill from the HTTP API.

A page loads nothing from another origin and contains no inline script or style; the Content-Security-Policy of
`request_guard` enforces both. `pages()` receives a function that finds one lift, in the form of
`GET /api/v1/lifts/{lift_id}`. The pages for the public, which need no script: `dashboards.pages.public`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from dashboards.api.access import needs, scope_of
from dashboards.http.problem import Problem
from dashboards.pages import translations
from dashboards.sign_in.cookies import cookie_name, set_cookie
from dashboards.sign_in.identity import OPEN
from dashboards.sign_in.requests import identity_of
from registry.catalogue import catalogue
from registry.incident_kinds import INCIDENT_KINDS
from registry.lift_facts import name_in_language
from registry.roles import ACTING, Verb
from store.records.repository import RecordsUnavailable
from telemetry.instant import DAY_NS
from telemetry.streams import LIFT_ID_PATTERN

HERE = Path(__file__).parent
YEAR_S = 365 * 24 * 3600

ACTING_ON_LIFTS = ACTING - {Verb.MANAGE_DEVICES, Verb.APPROVE}
"""The verbs of acting but for those of pages of their own."""

FindLift = Callable[[str], Mapping[str, Any] | None]


class RevalidatedFiles(StaticFiles):
    """Static files that the browser caches but revalidates at every use, so that an upgrade takes effect at once."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Return the file with `Cache-Control: no-cache`."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


@cache
def templates() -> Environment:
    """Return the template environment: every value is escaped, and an undefined name is an error."""
    return Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined)


def language_of(request: Request) -> str:
    """Return the language of the response to this request."""
    return translations.choose_language(
        request.query_params.get("lang"),
        request.cookies.get(cookie_name(request, translations.COOKIE)),
        request.headers.get("accept-language"),
    )


def rule_names(language: str) -> dict[str, str]:
    """Return the name of each rule in a language, by slug."""
    names = {slug: entry.name for slug, entry in catalogue().items()}
    return {slug: name.get(language, name[translations.ENGLISH]) for slug, name in names.items()}


def refusal_reasons(language: str) -> list[tuple[str, str]]:
    """Return the reasons for which messages are refused, each with its name in a language."""
    texts = translations.catalogue(language)
    return [(key.removeprefix("reason."), text) for key, text in texts.items() if key.startswith("reason.")]


def audit_actions(language: str) -> list[tuple[str, str]]:
    """Return the groups of actions in the audit log, each with its name in a language."""
    texts = translations.catalogue(language)
    prefix = "audit.group."
    return [(key.removeprefix(prefix), text) for key, text in texts.items() if key.startswith(prefix)]


def district_names(request: Request, language: str) -> dict[str, str]:
    """Return the names of districts in a language by slug: those of the outlines of the map."""
    context = getattr(request.app.state, "context", None)  # the pages alone have none
    named = [each["properties"] for each in context.settings.map.outlines] if context else []
    return {each["district"]: name_in_language(each["name"], language) for each in named}


def url_in_language(request: Request, language: str) -> str:
    """Return the URL of this page in another language."""
    requested = [(key, value) for key, value in request.query_params.multi_items() if key != "lang"]
    return "?" + urlencode([*requested, ("lang", language)])


def render(request: Request, template: str, *, status: int = 200, page_path: str = "", **values: Any) -> HTMLResponse:
    """Return a template as a page in the language of the request.

    `page_path` is the path of the page where it is not that of the request, as in the answer to a form.
    """
    language = language_of(request)
    districts = district_names(request, language)
    all_texts = {
        **translations.catalogue(language),
        **{f"district.{slug}": name for slug, name in districts.items()},
        **{f"rule.{slug}": text for slug, text in rule_names(language).items()},
    }
    context = {
        "lang": language,
        "translate": translations.translator(language),
        "local": lambda text: name_in_language(text, language),
        "district_name": lambda slug: districts.get(slug, slug),
        "translations": json.dumps(all_texts, ensure_ascii=False).replace("<", "\\u003c"),
        "languages": [
            (other, text, translations.catalogue(other)["language.tag"], page_path + url_in_language(request, other))
            for other, text in translations.all_texts()["language.name"].items()
        ],
        "status": status,
        "verbs": sorted(_verbs(request)),
        "account": getattr(scope_of(request).actor, "name", ""),
        "login": getattr(identity_of(request).person, "login", ""),
        "csrf": identity_of(request).csrf,
        "is_open": identity_of(request) is OPEN,
        "stays_open": hasattr(request.app.state, "context")  # the pages alone have none
        and request.app.state.context.settings.sign_in.open_with_accounts,
        "changes_today": _changes_today(request),
    }
    page = templates().get_template(template).render(**context, **values)
    stored = "no-cache" if identity_of(request).person is None else "no-store"
    response = HTMLResponse(page, status, headers={"Cache-Control": stored, "Vary": "Accept-Language, Cookie"})
    if request.query_params.get("lang") in translations.languages():
        set_cookie(request, response, translations.COOKIE, language, YEAR_S)
    return response


def _verbs(request: Request) -> frozenset[Verb]:
    """Return the verbs of a request; on the page of a lift that names the organisation as another thing than its firm
    or owner without those of acting on it."""
    scope, lift_id = scope_of(request), request.path_params.get("lift_id")
    if lift_id is None or scope.acting is None:
        return scope.verbs
    acts = request.app.state.context.poller.current_view().lift_index.has(lift_id, scope.acting)
    return scope.verbs if acts else scope.verbs - ACTING_ON_LIFTS


def _changes_today(request: Request) -> int:
    """Return how many changes that can hide a danger were asked for within a day, for accounts that may approve."""
    scope = scope_of(request)
    if scope.actor is None or Verb.APPROVE not in scope.verbs:
        return 0
    try:
        found: int = request.app.state.context.records().count_changes(time.time_ns() - DAY_NS, scope.lifts)
    except (RecordsUnavailable, Problem):
        return 0
    return found


def error_page(request: Request, status: int) -> HTMLResponse:
    """Return the error page for an HTTP status."""
    kind = {401: "forbidden", 403: "forbidden", 404: "missing", 503: "away"}.get(status, "error")
    return render(request, "error.html", status=status, kind=kind, page="error", demo=False)


def wants_page(request: Request) -> bool:
    """Return whether a browser asks for a page, not a program for the API."""
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def name_of(lift: Mapping[str, Any], request: Request) -> str:
    """Return the name of the lift in the language of the request; its id where it has no name."""
    return name_in_language(lift["name"] or lift["lift_id"], language_of(request))


def pages(find_lift: FindLift, *, demo: bool = False) -> APIRouter:
    """Return the router of all pages and of their static files."""
    router = APIRouter(include_in_schema=False)
    router.mount("/static", RevalidatedFiles(directory=HERE / "static"), name="static")

    @router.get("/", dependencies=[needs(Verb.SEE)])
    def fleet(request: Request) -> HTMLResponse:
        return render(request, "fleet.html", page="fleet", demo=demo)

    @router.get("/incidents", dependencies=[needs(Verb.SEE)])
    @router.get("/incidents/{incident_id}", dependencies=[needs(Verb.SEE)])
    def incidents(request: Request, incident_id: str = "") -> HTMLResponse:
        return render(request, "incidents.html", page="inbox", demo=demo, incident_id=incident_id, kinds=INCIDENT_KINDS)

    @router.get("/alerts", dependencies=[needs(Verb.SEE)])
    @router.get("/alerts/{alert_id}", dependencies=[needs(Verb.SEE)])
    def alerts(request: Request, alert_id: str = "") -> HTMLResponse:
        return render(request, "alerts.html", page="inbox", demo=demo, alert_id=alert_id)

    @router.get("/refused", dependencies=[needs(Verb.SEE_REFUSED)])
    def refused(request: Request) -> HTMLResponse:
        return render(request, "refused.html", page="refused", demo=demo, reasons=refusal_reasons(language_of(request)))

    @router.get("/audit", dependencies=[needs(Verb.SEE_AUDIT)])
    def audit(request: Request) -> HTMLResponse:
        return render(request, "audit.html", page="audit", demo=demo, actions=audit_actions(language_of(request)))

    @router.get("/changes", dependencies=[needs(Verb.SEE)])
    def changes(request: Request) -> HTMLResponse:
        return render(request, "changes.html", page="changes", demo=demo)

    @router.get("/duty", dependencies=[needs(Verb.SEE)])
    def duty(request: Request) -> HTMLResponse:
        return render(request, "duty.html", page="duty", demo=demo, kinds=INCIDENT_KINDS)

    @router.get("/lifts/{lift_id}", dependencies=[needs(Verb.SEE)])
    def lift(request: Request, lift_id: str) -> HTMLResponse:
        found = LIFT_ID_PATTERN.fullmatch(lift_id) and find_lift(lift_id)
        if not found:
            return error_page(request, 404)
        facts, name = found["facts"] or {}, name_of(found, request)
        return render(
            request, "lift.html", page="lift", demo=demo, lift=found, facts=facts, name=name, kinds=INCIDENT_KINDS
        )

    @router.get("/lifts/{lift_id}/ride-quality", dependencies=[needs(Verb.SEE)])
    def ride_quality(request: Request, lift_id: str) -> HTMLResponse:
        found = LIFT_ID_PATTERN.fullmatch(lift_id) and find_lift(lift_id)
        if not found:
            return error_page(request, 404)
        facts, name = found["facts"] or {}, name_of(found, request)
        return render(request, "ride_quality.html", page="ride-quality", demo=demo, lift=found, facts=facts, name=name)

    return router
