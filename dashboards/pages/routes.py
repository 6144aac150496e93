"""The pages for people: server-rendered shells that the ES modules in `static/js` fill from the HTTP API.

The law: a page asks nothing of another origin and runs nothing inline (`security` says so to the browser).
`pages()` makes the router; it is given a way to find one lift (as `GET /api/v1/lifts/{lift_id}` answers) and asks for
nothing else, so that the public page needs no script at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, Request
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from dashboards.pages import words
from detectors.catalogue import RULES
from telemetry.streams import LIFT_ID_PATTERN

HERE = Path(__file__).parent
YEAR_S = 365 * 24 * 3600
TRAPPED = ("entrapment-off-level", "entrapment-at-level", "alarm-button")
TROUBLED = ("critical", "major", "out-of-service", "inspection")
SILENT = ("never-seen", "offline", "suspect")

FindLift = Callable[[str], Mapping[str, Any] | None]


class RevalidatedFiles(StaticFiles):
    """Style sheets and scripts: kept by the browser, but asked after each time, so that an upgrade is seen at once."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Return the file with the header that makes the browser ask whether it changed."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


@cache
def templates() -> Environment:
    """Return the templates; everything that goes into them is escaped, and a name they lack is an error."""
    return Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined)


def language_of(request: Request) -> str:
    """Return the language of this request."""
    return words.choose(
        request.query_params.get("lang"), request.cookies.get(words.COOKIE), request.headers.get("accept-language")
    )


def rule_names(language: str) -> dict[str, str]:
    """Return what people call each rule, by its slug."""
    return {rule.slug: rule.name.get(language, rule.name[words.ENGLISH]) for rule in RULES}


def address_in(request: Request, language: str) -> str:
    """Return the address of this very page in another language."""
    asked = [(key, value) for key, value in request.query_params.multi_items() if key != "lang"]
    return "?" + urlencode([*asked, ("lang", language)])


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a template as a page in the reader's language."""
    language = language_of(request)
    texts = {**words.catalogue(language), **{f"rule.{slug}": text for slug, text in rule_names(language).items()}}
    said = {
        "lang": language,
        "say": words.speaker(language),
        "words": json.dumps(texts, ensure_ascii=False).replace("<", "\\u003c"),
        "languages": [
            (other, text, words.catalogue(other)["language.tag"], address_in(request, other))
            for other, text in words.texts()["language.name"].items()
        ],
        "status": status,
    }
    page = templates().get_template(template).render(**said, **values)
    response = HTMLResponse(page, status, headers={"Cache-Control": "no-cache", "Vary": "Accept-Language, Cookie"})
    if request.query_params.get("lang") in words.languages():
        response.set_cookie(words.COOKIE, language, max_age=YEAR_S, samesite="lax", httponly=True)
    return response


def error_page(request: Request, status: int) -> HTMLResponse:
    """Return the page that says what went wrong and where to go from here; for the application's error handlers."""
    kind = {401: "forbidden", 403: "forbidden", 404: "missing", 503: "away"}.get(status, "error")
    return render(request, "error.html", status=status, kind=kind, page="error", demo=False)


def wants_page(request: Request) -> bool:
    """Whether the one who asks is a person with a browser, not a program at the API."""
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def name_of(lift: Mapping[str, Any], request: Request) -> str:
    """Return what people call the lift, in the reader's language; its id where it has no name."""
    return words.own_half(lift["name"] or lift["lift_id"], language_of(request))


def calm_state(lift: Mapping[str, Any]) -> str:
    """Return which of the public page's sentences fits the lift: nothing technical, nothing that alarms."""
    if any(alert["rule"] in TRAPPED for alert in lift["open_alerts"]):
        return "helping"
    if lift["state"] in TROUBLED:
        return "looking"
    return "unsure" if lift["state"] in SILENT else "well"


def public(lift: Mapping[str, Any], request: Request) -> dict[str, Any]:
    """Return all that the public page may know of a lift."""
    facts = lift["facts"] or {}
    return {
        "lift_id": lift["lift_id"],
        "name": name_of(lift, request),
        "phone": facts.get("emergency_phone"),
        "calm": calm_state(lift),
        "at": f"{datetime.now(zone(facts.get('timezone'))):%H:%M}",
    }


def zone(name: str | None) -> tzinfo:
    """Return the time zone of that name; UTC where there is none."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def pages(find_lift: FindLift, *, demo: bool = False) -> APIRouter:
    """Return the router of all pages and of what they load."""
    router = APIRouter(include_in_schema=False)
    router.mount("/static", RevalidatedFiles(directory=HERE / "static"), name="static")

    @router.get("/")
    def fleet(request: Request) -> HTMLResponse:
        return render(request, "fleet.html", page="fleet", demo=demo)

    @router.get("/alerts")
    @router.get("/alerts/{alert_id}")
    def inbox(request: Request, alert_id: str = "") -> HTMLResponse:
        return render(request, "inbox.html", page="inbox", demo=demo, alert_id=alert_id)

    @router.get("/lifts/{lift_id}")
    def lift(request: Request, lift_id: str) -> HTMLResponse:
        found = LIFT_ID_PATTERN.fullmatch(lift_id) and find_lift(lift_id)
        if not found:
            return error_page(request, 404)
        return render(request, "lift.html", page="lift", demo=demo, lift=found, name=name_of(found, request))

    @router.get("/code/{lift_id}")
    def code(request: Request, lift_id: str) -> HTMLResponse:
        found = LIFT_ID_PATTERN.fullmatch(lift_id) and find_lift(lift_id)
        if not found:
            return error_page(request, 404)
        return render(request, "code.html", page="code", demo=False, **public(found, request))

    return router
