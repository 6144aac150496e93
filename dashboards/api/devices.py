"""Routes of devices: list them, add one with a password, give it a new password, and revoke it.

A device is in a scope where all of its lifts are. A password is in the response that made it and nowhere else.
Certificates are issued on the command line alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from dashboards.api.access import QueryActor, RequestScope, actor_of, is_visible, needs, visible_device
from dashboards.api.context import AppContext, DeviceActions
from dashboards.api.responses import JSON, OrjsonResponse, problem_responses, require_media_type
from dashboards.api.schema import device_bodies, parameters
from dashboards.http.cursor import decode_cursor, encode_cursor
from dashboards.http.problem import Problem, fact_errors, field_error, invalid_request, not_found
from registry.device_senders import sender_changes
from registry.devices import GATEWAY, LIFT, Device, check_device
from registry.roles import Verb
from registry.scope import Scope
from store.records.devices import DeviceExists, UnknownDevice
from telemetry import instant

LIST_SCOPE = "devices"


def devices(context: AppContext, actions: DeviceActions) -> APIRouter:
    """Return the routes of devices."""
    router = APIRouter(prefix="/api/v1/devices", tags=["devices"])

    @router.get(
        "",
        response_model=device_bodies.DeviceList,
        responses=problem_responses(400, 403, 422, 503),
        dependencies=[needs(Verb.MANAGE_DEVICES)],
    )
    def list_devices(
        scope: RequestScope,
        lift_id: Annotated[parameters.LiftId | None, Query(description="The devices of this lift alone")] = None,
        limit: parameters.Limit = parameters.LIMIT_DEFAULT,
        cursor: parameters.Cursor = None,
    ) -> OrjsonResponse:
        """List devices, in the order of their ids; programs of Liftwatch itself are left out."""
        kind = f"{LIST_SCOPE} {lift_id}"
        after = decode_cursor(cursor, kind, (str,))[0] if cursor is not None else ""
        found = [
            one
            for one in context.records().devices()
            if one.device_id > after and lift_id in (None, *one.lifts) and is_visible(context, scope.lifts, one)
        ]
        following = encode_cursor([found[limit - 1].device_id], kind) if len(found) > limit else None
        return OrjsonResponse({"items": [device_body(one) for one in found[:limit]], "next": following})

    @router.post(
        "",
        status_code=201,
        response_model=device_bodies.DeviceWithPassword,
        responses=problem_responses(400, 403, 404, 409, 413, 415, 422, 503),
        dependencies=[Depends(require_media_type(JSON)), needs(Verb.MANAGE_DEVICES)],
    )
    def post_device(body: device_bodies.NewDevice, scope: RequestScope) -> OrjsonResponse:
        """Add the terminal of a lift (`lift_id`), or a gateway (`gateway_id`, `lifts`), with a password."""
        device_id, lifts, kind = _named(body)
        errors = check_device(device_id, lifts, kind, actions.reserved)
        if errors:
            raise invalid_request(fact_errors(errors))
        for lift_id in lifts:
            if not context.poller.current_view().lift_index.has(lift_id, scope.acting or scope.lifts):
                raise not_found("lift", lift_id)
        _refuse_foreign_id(context, scope, device_id)
        credential, password = actions.new_password(device_id)

        def add() -> None:
            _refuse_taken(context, scope, device_id)
            made = Device(device_id, kind, lifts, credential)
            by, now_ns, records = actor_of(scope, body.by), time.time_ns(), context.records()
            records.add_devices([made], by, now_ns)
            known = {each.facts.lift_id: each.facts for each in map(records.lift, lifts) if each and each.registered}
            for facts in sender_changes([(device_id, lifts)], known).changed:
                records.patch_lift(facts.lift_id, {"gateway_id": device_id}, by, now_ns)

        return _changed(context, actions, add, device_id, password, 201)

    @router.post(
        "/{device_id}/rotate",
        response_model=device_bodies.DeviceWithPassword,
        responses=problem_responses(403, 404, 409, 422, 503),
        dependencies=[needs(Verb.MANAGE_DEVICES)],
    )
    def rotate_device(device_id: parameters.LiftIdInPath, scope: RequestScope, by: QueryActor) -> OrjsonResponse:
        """Give a device a new password; its old password or certificate is refused from then on."""
        found = _visible(context, scope, device_id)
        if found.revoked_ns is not None:
            raise Problem(409, "revoked", f"{device_id} is revoked; add it again.")
        credential, password = actions.new_password(device_id)
        new = [(device_id, credential)]
        return _changed(
            context,
            actions,
            lambda: context.records().rotate_devices(new, by, time.time_ns()),
            device_id,
            password,
        )

    @router.post(
        "/{device_id}/revoke",
        response_model=device_bodies.DeviceRow,
        responses=problem_responses(403, 404, 409, 422, 503),
        dependencies=[needs(Verb.MANAGE_DEVICES)],
    )
    def revoke_device(device_id: parameters.LiftIdInPath, scope: RequestScope, by: QueryActor) -> OrjsonResponse:
        """Revoke a device: the broker ends its connection and refuses it from then on."""
        _visible(context, scope, device_id)
        return _changed(
            context, actions, lambda: context.records().revoke_devices([device_id], by, time.time_ns()), device_id
        )

    return router


def _visible(context: AppContext, scope: Scope, device_id: str) -> Device:
    """Return a device of the scope; a problem (404) where there is none."""
    found = visible_device(context, device_id, scope.lifts)
    if found is None:
        raise not_found("device", device_id)
    return found


def _refuse_taken(context: AppContext, scope: Scope, device_id: str) -> None:
    """Raise a problem (409) where another device of this id exists, or is not this scope's to replace."""
    try:
        found = context.records().device(device_id)
    except UnknownDevice:
        return
    if found.revoked_ns is None or not is_visible(context, scope.lifts, found):
        raise Problem(409, "device-exists", f"{device_id} is a device already; rotate or revoke it.")


def _refuse_foreign_id(context: AppContext, scope: Scope, device_id: str) -> None:
    """Raise a problem (409) where an id is that of a lift outside the scope, or of the gateway that one names."""
    index = context.poller.current_view().lift_index
    inside = index.inside(scope.lifts)
    for lift_id, facts, is_inside in zip(index.lift_id, index.facts, inside.tolist(), strict=True):
        if not is_inside and device_id in (lift_id, facts.gateway_id if facts else None):
            raise Problem(409, "device-exists", f"{device_id} is a device already; rotate or revoke it.")


def _named(body: device_bodies.NewDevice) -> tuple[str, tuple[str, ...], str]:
    """Return the id, the lifts and the kind of a new device; a problem (422) where both kinds are named, or neither."""
    if (body.lift_id is None) == (body.gateway_id is None):
        raise invalid_request([field_error("lift_id", "name either a lift, or a gateway with its lifts")])
    if body.lift_id is not None:
        return body.lift_id, (body.lift_id,), LIFT
    return str(body.gateway_id), tuple(body.lifts), GATEWAY


def _changed(
    context: AppContext,
    actions: DeviceActions,
    change: Callable[[], None],
    device_id: str,
    password: str | None = None,
    status: int = 200,
) -> OrjsonResponse:
    """Make a change in the records and in the broker's files; return the device, and its password where it is new."""
    if why := actions.hindrance():
        raise Problem(409, "broker-files", why)
    try:
        change()
    except DeviceExists as error:
        raise Problem(409, "device-exists", f"{error}.") from None
    actions.apply(context.records())
    body = device_body(context.records().device(device_id))
    return OrjsonResponse(body if password is None else {**body, "password": password}, status_code=status)


def device_body(device: Device) -> dict[str, Any]:
    """Return a device as JSON, without its hash."""
    return {
        "device_id": device.device_id,
        "kind": device.kind,
        "lifts": device.lifts,
        "state": device.state(time.time_ns()),
        "credential": device.credential.kind,
        "fingerprint": device.credential.fingerprint,
        "expires": instant.text(device.credential.expires_ns),
        "created": instant.text(device.created_ns),
        "created_by": device.created_by,
        "rotated": instant.text(device.rotated_ns),
        "revoked": instant.text(device.revoked_ns),
        "revoked_by": device.revoked_by,
    }
