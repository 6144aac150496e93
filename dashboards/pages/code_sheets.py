"""The page of code sheets: two labels for each lift, to print on A4 and to put on the wall of its car and machine room.

A label has the QR code of the lift's public page, the lift's number in large characters, and the same sentences in
every language. The address in the code begins with the `public_url` of the configuration, else with the address of the
request, and ends with a proof of lift and place: who scans it on arrival has been there. Whoever may not edit the lift
prints one label without a place and without a proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode, urlsplit

import segno
from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from alerts.incidents.rescue import PLACES
from dashboards.api.access import RequestScope, needs, reader_of
from dashboards.api.context import AppContext
from dashboards.api.schema import parameters
from dashboards.http.problem import not_found
from dashboards.live.fleet_view import FleetView
from dashboards.live.listing import LiftQuery
from dashboards.pages import translations
from dashboards.pages.public import LABEL
from dashboards.pages.routes import render
from dashboards.sign_in.gate import is_loopback
from registry.roles import Verb
from registry.scope import Scope
from store.records.audit.writing import CountedAct

PATH = "/code-sheets"
LABELS_ON_PAGE, LABELS_MOST = 6, 240
"""How many labels A4 holds (code_sheets.css sizes them), and how many a page of the browser does."""
LIFTS_MOST = LABELS_MOST // len(PLACES)
QUIET_MODULES = 4
"""The width of the blank margin that ISO/IEC 18004 requires."""
NO_BREAK = "\u00a0"

LiftIds = Annotated[list[parameters.LiftId] | None, Query(max_length=LIFTS_MOST, description="These lifts alone")]
Words = Annotated[str | None, Query(max_length=200)]
Place = Annotated[Literal["car", "machine-room"] | None, Query(description="Labels for this place alone")]


@dataclass(frozen=True, slots=True)
class CodeLabel:
    """The label of one lift for a place, None for any; `qr` is the code of `address` as SVG."""

    lift_id: str
    place: str | None
    name: str | None
    phone: str | None
    address: str
    qr: str


def code_sheet_pages(context: AppContext) -> APIRouter:
    """Return the router of the page of code sheets."""
    router = APIRouter(include_in_schema=False)

    @router.get(PATH, dependencies=[needs(Verb.SEE)])
    def code_sheets(
        request: Request, scope: RequestScope, lift_id: LiftIds = None, district: parameters.District = None,
        firm: Words = None, state: parameters.LiftState | None = None, q: Words = None, place: Place = None,
        cursor: parameters.Cursor = None,
    ) -> HTMLResponse:  # fmt: skip
        listing = context.poller.listing()
        query = LiftQuery(district, firm, state, q, sort="lift_id", lifts=scope.lifts)
        if lift_id:
            rows, following = [*_rows_of(listing.view, lift_id, query)], None
        else:
            rows, following = listing.page(query, LIFTS_MOST, cursor)
        base = public_url(context, request)
        is_local = is_loopback(urlsplit(base).hostname or "")
        wanted = PLACES if place is None else (place,)
        labels = [
            code_label(context, listing.view, row, base, each)
            for row in rows
            for each in (wanted if _may_prove(scope, listing.view, row) else (None,))
        ]
        for label in labels:
            if label.place:
                act = CountedAct(reader_of(request), "label.print", label.lift_id, label.lift_id)
                context.audit.count(act, label.place)
        return render(
            request, "code_sheets.html", page="code-sheets", demo=False, labels=labels, query=query, is_local=is_local,
            places=_places(request) if any(each.place for each in labels) else [], place=place,
            is_plain=not all(each.place for each in labels),
            sheets=-(-len(labels) // LABELS_ON_PAGE), following=_next_address(request, following),
            in_languages=[(translations.catalogue(each)["language.tag"], translations.translator(each)) for each in
                          sorted(translations.languages(), reverse=True)],
        )  # fmt: skip

    return router


def public_url(context: AppContext, request: Request) -> str:
    """Return the beginning of public addresses: that of the configuration, else that of the request."""
    return context.settings.public_url or f"{request.url.scheme}://{request.url.netloc}"


def code_label(context: AppContext, view: FleetView, row: int, base: str, place: str | None) -> CodeLabel:
    """Return the label of the lift in a row for a place."""
    lift_id, facts = view.lift_index.lift_id[row], view.lift_index.facts[row]
    proof = f"?{LABEL}={context.records().label_proof(lift_id, place)}" if place else ""
    address = f"{base}/code/{lift_id}{proof}"
    phone = facts.emergency_phone.replace(" ", NO_BREAK) if facts and facts.emergency_phone else None
    return CodeLabel(lift_id, place, facts.name if facts else None, phone, address, qr_svg(address))


def qr_svg(text: str) -> str:
    """Return the QR code of a text as an SVG element that scales; a quarter of the code may be scratched (level Q)."""
    code = segno.make(text, error="q", micro=False)
    return code.svg_inline(omitsize=True, border=QUIET_MODULES, light="#ffffff", dark="#000000", svgclass="qr")


def _may_prove(scope: Scope, view: FleetView, row: int) -> bool:
    """Return whether a request may print proofs of the lift in a row: a mechanic could prove an arrival from home."""
    is_own = scope.acting is None or view.lift_index.has(view.lift_index.lift_id[row], scope.acting)
    return Verb.EDIT_LIFTS in scope.verbs and is_own


def _rows_of(view: FleetView, lift_ids: list[str], query: LiftQuery) -> Iterator[int]:
    """Yield the rows of these lifts; a problem (404) where one is not in the scope."""
    for lift_id in dict.fromkeys(lift_ids):
        if not view.lift_index.has(lift_id, query.lifts):
            raise not_found("lift", lift_id)
        yield view.lift_index.row_of[lift_id]


def _next_address(request: Request, cursor: str | None) -> str:
    """Return the address of the labels after these, "" at the end."""
    return _address(request, "cursor", cursor) if cursor else ""


def _places(request: Request) -> list[tuple[str | None, str]]:
    """Return each choice of a place, None for both, with the address of the same labels for it."""
    return [(place, _address(request, "place", place)) for place in (None, *PLACES)]


def _address(request: Request, name: str, value: str | None) -> str:
    """Return the address of this page with another value of a parameter, None without it."""
    kept = [(other, text) for other, text in request.query_params.multi_items() if other != name]
    return "?" + urlencode([*kept, (name, value)] if value else kept)
