"""The page of a link that answers an incident without sign-in: a sentence, and one button.

A GET changes nothing, since scanners of mail open links; the button posts. The secret in the path is the only proof.
"""

from __future__ import annotations

import time

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from alerts.alert import CLOSED, Alert
from dashboards.api.context import AppContext
from dashboards.pages import translations
from dashboards.pages.private import render_private
from dashboards.pages.public_status import zone
from dashboards.pages.routes import language_of
from dashboards.pages.shown_time import shown_time
from dashboards.sign_in import answer_link
from dashboards.sign_in.answer_link import ARRIVAL_LIVES_NS, LinkAnswer
from dashboards.sign_in.cookies import ANSWERED_BY, set_cookie
from dashboards.sign_in.requests import address_of
from registry.catalogue import SEVERITIES
from store.records.repository import IncidentHistory
from telemetry.instant import NS_PER_S

STATUSES = {answer_link.UNKNOWN: 404, answer_link.EXPIRED: 410, answer_link.NOT_ALLOWED: 403}
SEE_OTHER = 303
ARRIVAL_LIVES_S = ARRIVAL_LIVES_NS // NS_PER_S
BY_LINK = "by link"
"""The note of an answer; the pages show the note in the language of who reads it."""


def answer_pages(context: AppContext) -> APIRouter:
    """Return the routes of this page."""
    router = APIRouter(include_in_schema=False)

    @router.get("/answer/{secret}")
    def answer_form(request: Request, secret: str) -> Response:
        asked = LinkAnswer(context.records(), secret, address_of(request), time.time_ns())
        return _page(context, request, secret, asked)

    @router.post("/answer/{secret}")
    def answer(request: Request, secret: str) -> Response:
        asked = LinkAnswer(context.records(), secret, address_of(request), time.time_ns())
        if asked.state != answer_link.OPEN:
            return _page(context, request, secret, asked)
        asked.act(BY_LINK)
        context.poller.poll()
        answered = RedirectResponse(f"/answer/{secret}", SEE_OTHER)
        set_cookie(request, answered, ANSWERED_BY, secret, ARRIVAL_LIVES_S)
        return answered

    return router


def _page(context: AppContext, request: Request, secret: str, asked: LinkAnswer) -> Response:
    incident = None if asked.incident is None else asked.incident.visible.incident
    found = None if incident is None else context.records().lift(incident.lift_id)
    facts = None if found is None else found.facts
    place = zone(None if facts is None else facts.timezone)
    return render_private(
        request, "answer.html", status=STATUSES.get(asked.state, 200), page="answer", state=asked.state, secret=secret,
        action=asked.link.action if asked.link else "", person=asked.person, incident=incident, facts=facts,
        sentence=_sentence(asked.incident, language_of(request)),
        opened=shown_time(incident.opened_ns, place) if incident else "",
        used=shown_time(asked.link.used_ns, place) if asked.link and asked.link.used_ns else "",
    )  # fmt: skip


def _sentence(history: IncidentHistory | None, language: str) -> str:
    """Return what has happened: the summary of the most severe alert, an open one before a closed one."""
    if history is None or not history.alerts:
        return ""

    def urgency(alert: Alert) -> tuple[bool, int]:
        return alert.state != CLOSED, SEVERITIES.index(alert.severity)

    worst = max(history.alerts, key=urgency)
    return worst.summary.get(language, worst.summary.get(translations.ENGLISH, ""))
