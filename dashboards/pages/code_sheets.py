"""The page of code sheets: a label for each lift, to print on A4 and to put on the wall of its car and machine room.

A label has the QR code of the lift's public page, the lift's number in large characters, and the same sentences in
every language. The address in the code begins with the `public_url` of the configuration, else with the address of the
request.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode, urlsplit

import segno
from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from dashboards.api.access import RequestScope, needs
from dashboards.api.context import AppContext
from dashboards.api.schema import parameters
from dashboards.http.problem import not_found
from dashboards.live.fleet_view import FleetView
from dashboards.live.listing import LiftQuery
from dashboards.pages import translations
from dashboards.pages.routes import render
from dashboards.sign_in.gate import is_loopback
from registry.roles import Verb

PATH = "/code-sheets"
LABELS_ON_PAGE, LABELS_MOST = 6, 240
"""How many labels A4 holds (code.css sizes them), and how many a page of the browser does."""
QUIET_MODULES = 4
"""The width of the blank margin that ISO/IEC 18004 requires."""
NO_BREAK = "\u00a0"

LiftIds = Annotated[list[parameters.LiftId] | None, Query(max_length=LABELS_MOST, description="These lifts alone")]
Words = Annotated[str | None, Query(max_length=200)]


@dataclass(frozen=True, slots=True)
class CodeLabel:
    """The label of one lift; `qr` is the code of `address` as SVG."""

    lift_id: str
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
        firm: Words = None, state: parameters.LiftState | None = None, q: Words = None,
        cursor: parameters.Cursor = None,
    ) -> HTMLResponse:  # fmt: skip
        listing = context.poller.listing()
        query = LiftQuery(district, firm, state, q, sort="lift_id", lifts=scope.lifts)
        if lift_id:
            rows, following = [*_rows_of(listing.view, lift_id, query)], None
        else:
            rows, following = listing.page(query, LABELS_MOST, cursor)
        base = public_url(context, request)
        is_local = is_loopback(urlsplit(base).hostname or "")
        labels = [code_label(listing.view, row, base) for row in rows]
        return render(
            request, "code_sheets.html", page="code-sheets", demo=False, labels=labels, query=query, is_local=is_local,
            sheets=-(-len(labels) // LABELS_ON_PAGE), following=_next_address(request, following),
            in_languages=[(translations.catalogue(each)["language.tag"], translations.translator(each)) for each in
                          sorted(translations.languages(), reverse=True)],
        )  # fmt: skip

    return router


def public_url(context: AppContext, request: Request) -> str:
    """Return the beginning of public addresses: that of the configuration, else that of the request."""
    return context.settings.public_url or f"{request.url.scheme}://{request.url.netloc}"


def code_label(view: FleetView, row: int, base: str) -> CodeLabel:
    """Return the label of the lift in a row."""
    lift_id, facts = view.lift_index.lift_id[row], view.lift_index.facts[row]
    address = f"{base}/code/{lift_id}"
    phone = facts.emergency_phone.replace(" ", NO_BREAK) if facts and facts.emergency_phone else None
    return CodeLabel(lift_id, facts.name if facts else None, phone, address, qr_svg(address))


def qr_svg(text: str) -> str:
    """Return the QR code of a text as an SVG element that scales; a quarter of the code may be scratched (level Q)."""
    code = segno.make(text, error="q", micro=False)
    return code.svg_inline(omitsize=True, border=QUIET_MODULES, light="#ffffff", dark="#000000", svgclass="qr")


def _rows_of(view: FleetView, lift_ids: list[str], query: LiftQuery) -> Iterator[int]:
    """Yield the rows of these lifts; a problem (404) where one is not in the scope."""
    for lift_id in dict.fromkeys(lift_ids):
        if not view.lift_index.has(lift_id, query.lifts):
            raise not_found("lift", lift_id)
        yield view.lift_index.row_of[lift_id]


def _next_address(request: Request, cursor: str | None) -> str:
    """Return the address of the labels after these, "" at the end."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return "?" + urlencode([*kept, ("cursor", cursor)]) if cursor else ""
