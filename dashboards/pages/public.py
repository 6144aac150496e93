"""The pages for everybody, without sign-in and without script: the page of the code on the wall, and its reports.

    /code/{lift_id} ─► /code/{lift_id}/report ─► /reports/{secret} ─► /reports/{secret}/photo

The code of a label has a proof of its lift and place: an arrival that is entered with the proof is proven.

A form has a random `once`, from which the secret of its report follows: a form sent twice over a bad link is one
report with one receipt. Nobody but the reporter knows the secret; the records have its digest.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from email import message_from_bytes
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from alerts.incidents.actions import IncidentAction
from alerts.incidents.incident import ON_SITE, Incident
from alerts.incidents.reports import KINDS_OF_REPORTS, NOTE_CHARS, PublicReport
from alerts.incidents.rescuing import RescueStep
from dashboards.api.access import scope_of
from dashboards.api.context import AppContext
from dashboards.api.lifts import lift_detail
from dashboards.http.problem import Problem, invalid_field
from dashboards.pages.answer import BY_LINK
from dashboards.pages.public_status import offset_name, progress, public_status, shown_clock, zone
from dashboards.pages.report_limits import take_report
from dashboards.pages.routes import error_page, name_of, render
from dashboards.sign_in.answer_link import arriving_by_link
from dashboards.sign_in.cookies import ANSWERED_BY, cookie_name
from dashboards.sign_in.requests import address_of, form_of
from registry.actor import Actor
from registry.roles import Verb
from registry.scope import LiftScope
from store.records.repository import RecordsUnavailable
from telemetry.streams import LIFT_ID_PATTERN

REFRESH_S = 30
"""How often the pages load themselves again."""
SEE_OTHER = 303
SECRET_BYTES, ID_BYTES = 18, 20
LABEL = "label"
"""The parameter of the address in a label, and the field of the form, with the proof of the label."""
ONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")

PageValues = dict[str, Any]


def public_pages(context: AppContext) -> APIRouter:
    """Return the router of these pages."""
    router = APIRouter(include_in_schema=False)
    _add_code(router, context)
    _add_reports(router, context)
    return router


def _add_code(router: APIRouter, context: AppContext) -> None:
    @router.get("/code/{lift_id}")
    def code(request: Request, lift_id: str) -> HTMLResponse:
        found = _find_lift(context, lift_id)
        if found is None:
            return error_page(request, 404)
        incident = context.records().public_incident(lift_id)
        values = _lift_values(found, request) | _progress_values(incident)
        is_running = incident is not None and incident.rescue is not None
        label = request.query_params.get(LABEL, "")
        place = context.records().place_of_label(lift_id, label) if label else None
        who = _arriving(context, request, incident, lift_id, place)
        values |= {"label": label if place else "", "is_wrong_label": bool(label) and place is None, "at_place": place}
        values["arrives"] = None if who is None else who[0].name
        values["signs_in"] = is_running and scope_of(request).actor is None and who is None
        return _refreshed(render(request, "code.html", **values, status_key=public_status(found, incident)))

    @router.post("/code/{lift_id}/arrival")
    def arrival(request: Request, lift_id: str) -> Response:
        incident = context.records().public_incident(lift_id) if LIFT_ID_PATTERN.fullmatch(lift_id) else None
        place = context.records().place_of_label(lift_id, form_of(request).get(LABEL, "")) if incident else None
        who = _arriving(context, request, incident, lift_id, place)
        if incident is None or who is None:
            return error_page(request, 404)
        by, lifts = who
        note, step = None if scope_of(request).actor else BY_LINK, RescueStep("arrive", place=place, lift_id=lift_id)
        action = IncidentAction("arrive", by, note=note, rescue=step)
        context.records().act_on_incident(incident.id, action, time.time_ns(), scope=lifts)
        return RedirectResponse(f"/code/{lift_id}", SEE_OTHER)

    @router.get("/code/{lift_id}/report")
    def report_form(request: Request, lift_id: str) -> HTMLResponse:
        found = _find_lift(context, lift_id)
        return error_page(request, 404) if found is None else _form(request, found)

    @router.post("/code/{lift_id}/report")
    def report(request: Request, lift_id: str) -> Response:
        found, fields = _find_lift(context, lift_id), form_of(request)
        kind, note = fields.get("what", ""), _plain(fields.get("note", ""))
        if found is None:
            return error_page(request, 404)
        if kind not in KINDS_OF_REPORTS:
            return _form(request, found, "choose", 422, note)
        once = fields.get("once", "")
        secret = _secret_of(once if ONCE.fullmatch(once) else secrets.token_urlsafe(), lift_id, kind, note)
        try:
            records, now_ns = context.records(), time.time_ns()
            is_known = records.public_report(id_of(secret)) is not None
            if not is_known and not take_report(records, address_of(request), lift_id, kind, now_ns):
                return _form(request, found, "limit", 429, note)
            records.report_publicly(lift_id, kind, note or None, id_of(secret), now_ns)
        except RecordsUnavailable:
            return _form(request, found, "away", 503, note)
        return RedirectResponse(f"/reports/{secret}", SEE_OTHER)


def _add_reports(router: APIRouter, context: AppContext) -> None:
    @router.get("/reports/{secret}")
    def receipt(request: Request, secret: str) -> HTMLResponse:
        found = context.records().public_report(id_of(secret))
        if found is None:
            return error_page(request, 404)
        report, incident = found
        lift = _find_lift(context, report.lift_id) or _unknown_lift(report)
        has_photo = context.photos.path(report.id) is not None
        values = _lift_values(lift, request) | _progress_values(incident)
        return _refreshed(
            _private(request, "report_receipt.html", report, has_photo=has_photo, secret=secret, **values)
        )

    @router.get("/reports/{secret}/photo")
    def photo_form(request: Request, secret: str) -> HTMLResponse:
        found = context.records().public_report(id_of(secret))
        return error_page(request, 404) if found is None else _photo_form(request, found[0], secret)

    @router.post("/reports/{secret}/photo")
    async def photo(request: Request, secret: str) -> Response:
        found = await run_in_threadpool(context.records().public_report, id_of(secret))
        if found is None:
            return error_page(request, 404)
        try:
            sent = photo_of(request.headers.get("content-type", ""), await request.body())
            await run_in_threadpool(_keep_photo, context, found[0], sent)
        except Problem as problem:
            if problem.status_code == 413:
                raise
            fault = "photo" if problem.status_code == 422 else "room"
            return _photo_form(request, found[0], secret, fault, problem.status_code)
        return RedirectResponse(f"/reports/{secret}", SEE_OTHER)


def _arriving(
    context: AppContext, request: Request, incident: Incident | None, lift_id: str, place: str | None
) -> tuple[Actor, LiftScope] | None:
    """Return who may enter an arrival at a lift, at the time of the server, and for which lifts; None where nobody may.

    That is the signed-in person, or whoever has answered the incident by a link in this browser. It is an arrival at a
    lift that holds people, as long as there is one. A label that proves a `place` proves an arrival entered before.
    """
    if incident is None or incident.rescue is None:
        return None
    lift = incident.lift(lift_id)
    is_there = lift is not None and place is None and (ON_SITE in incident.stages or ON_SITE in lift.stages)
    if lift is None or lift.proven or is_there or (incident.may_hold_people and not lift.holds_people):
        return None
    scope, records = scope_of(request), context.records()
    if scope.actor is not None and Verb.ACKNOWLEDGE in scope.verbs:
        lifts = scope.acting or scope.lifts
        return (scope.actor, lifts) if records.has_incident(incident.id, lifts, lift_id) else None
    secret = request.cookies.get(cookie_name(request, ANSWERED_BY))
    found = secret and arriving_by_link(records, secret, incident.id, address_of(request), time.time_ns())
    return found if found and records.has_incident(incident.id, found[1], lift_id) else None


def _keep_photo(context: AppContext, report: PublicReport, sent: bytes) -> None:
    """Keep the photo of a report, once."""
    if context.photos.path(report.id) is None:
        context.photos.add(report.id, sent)
        context.records().note_photo(report.id, time.time_ns())


def photo_of(content_type: str, body: bytes) -> bytes:
    """Return the file of a form with one file; a problem (422) where it has none."""
    message = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace") + body)
    for part in message.walk():
        if part.get_param("name", header="content-disposition") == "photo" and not part.is_multipart():
            sent = part.get_payload(decode=True)
            if isinstance(sent, bytes) and sent:
                return sent
    raise invalid_field("photo", "is missing; choose a photo")


def id_of(secret: str) -> str:
    """Return the id of the report whose address has a secret."""
    return hashlib.blake2b(secret.encode("utf-8", "replace"), digest_size=ID_BYTES).hexdigest()


def _secret_of(once: str, *content: str) -> str:
    digest = hashlib.blake2b("\0".join((once, *content)).encode("utf-8", "replace"), digest_size=SECRET_BYTES)
    return urlsafe_b64encode(digest.digest()).decode()


def _find_lift(context: AppContext, lift_id: str) -> Mapping[str, Any] | None:
    """Return one lift, None where neither the registry nor the monitor has the lift."""
    if not LIFT_ID_PATTERN.fullmatch(lift_id):
        return None
    try:
        return lift_detail(context, lift_id)
    except HTTPException as error:
        if error.status_code == 404:
            return None
        raise


def _unknown_lift(report: PublicReport) -> Mapping[str, Any]:
    """Return a lift that was deleted after a report."""
    return {"lift_id": report.lift_id, "name": None, "facts": None}


def _lift_values(lift: Mapping[str, Any], request: Request) -> PageValues:
    """Return the only facts of a lift that are public, and the time."""
    facts = lift["facts"] or {}
    now = datetime.now(zone(facts.get("timezone")))
    return {
        "page": "code",
        "demo": False,
        "lift_id": lift["lift_id"],
        "name": name_of(lift, request),
        "phone": facts.get("emergency_phone"),
        "at": f"{now:%H:%M}",
        "zone": offset_name(now),
        "place": now.tzinfo,
        "now_ns": time.time_ns(),
        "shown_clock": shown_clock,
    }


def _progress_values(incident: Incident | None) -> PageValues:
    return {"progress": [] if incident is None else list(progress(incident, time.time_ns()))}


def _form(
    request: Request, lift: Mapping[str, Any], fault: str = "", status: int = 200, note: str = ""
) -> HTMLResponse:
    """Return the page with the form of a report; `fault` says why the report was not taken."""
    values: PageValues = {
        "once": secrets.token_urlsafe(SECRET_BYTES),
        "fault": fault,
        "note": note,
        "note_chars": NOTE_CHARS,
    }
    page = render(request, "report.html", status=status, **_lift_values(lift, request), **values)
    page.headers["Cache-Control"] = "no-store"
    return page


def _photo_form(
    request: Request, report: PublicReport, secret: str, fault: str = "", status: int = 200
) -> HTMLResponse:
    return _private(
        request, "report_photo.html", report, status=status, secret=secret, fault=fault, page="code", demo=False
    )


def _private(request: Request, template: str, report: PublicReport, **values: Any) -> HTMLResponse:
    """Return a page whose address is a secret."""
    page = render(request, template, report=report, **values)
    page.headers["Cache-Control"] = "no-store"
    page.headers["X-Robots-Tag"] = "noindex"
    return page


def _refreshed(page: HTMLResponse) -> HTMLResponse:
    page.headers["Refresh"] = str(REFRESH_S)
    return page


def _plain(text: str) -> str:
    """Return the text of a report: its printable characters, at most `NOTE_CHARS`."""
    kept = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(kept.split())[:NOTE_CHARS]
