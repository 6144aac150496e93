"""Access to routes: each names the verb that it needs, and what is outside the request's scope is not found.

    request ─► its scope ─► lift or alert of the path in the scope? else 404 ─► verb in the scope? else 403 ─► route

Lists and counts take the scope as a predicate of their own.
"""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from starlette.concurrency import run_in_threadpool

from dashboards.api.context import AppContext
from dashboards.api.schema import parameters
from dashboards.http.problem import Problem, invalid_field, not_found
from dashboards.sign_in.requests import address_of
from registry.actor import Actor
from registry.devices import PROGRAM, Device
from registry.roles import ACTING, Verb
from registry.scope import OPEN_SCOPE, LiftScope, Scope
from store.records.devices import UnknownDevice
from store.records.page import clamped


def scope_of(request: Request) -> Scope:
    """Return the scope of a request."""
    return getattr(request.state, "scope", OPEN_SCOPE)


UNNAMED = "api"
REQUEST_ID_DIGITS = 20
"""More digits than a number of the records has: the rest of a longer text is not read."""
QueryAuthor = Annotated[
    parameters.PersonName | None,
    Query(description="Who does it, where the server runs without sign-in; kept in the audit"),
]
RequestScope = Annotated[Scope, Depends(scope_of)]


class Needs:
    """A dependency that refuses a request whose scope lacks the verb, or the lift or the alert of its path."""

    def __init__(self, verb: Verb) -> None:
        self.verb = verb

    async def __call__(self, request: Request, scope: RequestScope) -> None:
        """Raise a problem (404 or 403) where the request is refused."""
        if outside := await _outside(request, scope.lifts):
            raise not_found(*outside)
        if self.verb not in scope.verbs:
            raise Problem(403, "not-allowed", f"Your role does not include the verb {self.verb}: see docs/roles.md.")
        if self.verb in ACTING and scope.acting is not None and await _outside(request, scope.acting):
            raise Problem(403, "not-allowed", "The lift does not name your organisation as what it is.")


def needs(verb: Verb) -> Any:
    """Return the dependency of a route that needs this verb."""
    return Depends(Needs(verb))


async def _outside(request: Request, lifts: LiftScope) -> tuple[str, str] | None:
    """Return the kind and the id of what a path names (a lift, device, alert, incident or change request), where that
    is not of these lifts."""
    if lifts.everything:
        return None
    context, path = request.app.state.context, request.path_params
    if "lift_id" in path and not context.poller.current_view().lift_index.has(path["lift_id"], lifts):
        return "lift", path["lift_id"]
    if "device_id" in path and await run_in_threadpool(visible_device, context, path["device_id"], lifts) is None:
        return "device", path["device_id"]
    if path.get("alert_id") and await run_in_threadpool(context.records().alert, path["alert_id"], lifts) is None:
        return "alert", path["alert_id"]
    name = path.get("incident_id", "")
    if name and not await run_in_threadpool(context.records().has_incident, name, lifts):
        return "incident", name
    if path.get("request_id", "").isdecimal():
        number = clamped(int(path["request_id"][:REQUEST_ID_DIGITS]))
        if await run_in_threadpool(context.records().change_request, number, time.time_ns(), lifts) is None:
            return "change request", path["request_id"]
    return None


def visible_device(context: AppContext, device_id: str, lifts: LiftScope) -> Device | None:
    """Return a device of these lifts, None where there is none."""
    try:
        found = context.records().device(device_id)
    except UnknownDevice:
        return None
    return found if is_visible(context, lifts, found) else None


def is_visible(context: AppContext, lifts: LiftScope, device: Device) -> bool:
    """Return whether a device is one of these lifts: all of its lifts are. Programs of Liftwatch itself never are."""
    if device.kind == PROGRAM:
        return False
    index = context.poller.current_view().lift_index
    return lifts.everything or all(index.has(lift_id, lifts) for lift_id in device.lifts)


def actor_of(scope: Scope, by: str | None) -> Actor:
    """Return who acts: the account of the request, or without sign-in the name `by` in the request.

    A problem (422) where a signed-in request has `by`, and where one without sign-in lacks it.
    """
    if scope.actor is not None:
        if by is not None:
            raise invalid_field("by", "is not taken from signed-in accounts; leave it out")
        return scope.actor
    if by is None:
        raise invalid_field("by", "is missing; name the person who acts")
    return Actor.named(by)


def reader_of(request: Request) -> Actor:
    """Return the actor of a read or of a refused request: its account, or without sign-in its address."""
    actor = scope_of(request).actor
    return actor if actor is not None else unnamed_reader(address_of(request) or None)


def unnamed_reader(address: str | None) -> Actor:
    """Return an actor of whom only the network address is known."""
    return Actor(UNNAMED, account=None, organisation=None, role=None, address=address)


def _query_actor(scope: RequestScope, by: QueryAuthor = None) -> Actor:
    """Return who acts, `UNNAMED` where a request without sign-in does not name anybody."""
    return actor_of(scope, by if by is not None or scope.actor is not None else UNNAMED)


def _named_query_actor(scope: RequestScope, by: QueryAuthor = None) -> Actor:
    """Return who acts; refuse a request without sign-in that does not name anybody."""
    return actor_of(scope, by)


QueryActor = Annotated[Actor, Depends(_query_actor)]
NamedQueryActor = Annotated[Actor, Depends(_named_query_actor)]
