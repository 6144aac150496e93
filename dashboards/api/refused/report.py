"""Refused requests in the audit log: the actor, the method and path, and the status of the answer."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.types import Scope

from dashboards.api.access import reader_of, scope_of
from dashboards.api.context import AppContext
from dashboards.http.refusals import ReportRefusal
from dashboards.http.secret_paths import without_secret
from store.records.audit.writing import REFUSED, CountedAct

LIFT_IN_PATH = re.compile(r"/lifts/([A-Za-z0-9_-]{1,64})(?:/|$)")
PATH_LIMIT = 200


def refusal_report(context: AppContext) -> ReportRefusal:
    """Return the function that counts a refused request of an actor.

    The lift of the path is named for an account alone: nobody else can fill the audit log with names.
    """

    def report(scope: Scope, status: int) -> None:
        request = Request(scope)
        found = LIFT_IN_PATH.search(request.url.path) if scope_of(request).actor is not None else None
        lift_id = found[1] if found else None
        act = CountedAct(reader_of(request), "request", f"{request.method} {status}", lift_id, REFUSED)
        context.audit.count(act, f"{request.method} {without_secret(request.url.path)[:PATH_LIMIT]}")

    return report
