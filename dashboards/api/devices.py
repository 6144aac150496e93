"""Routes of devices: list them, add one with a password, give it a new password, and revoke it.

A device is in a scope where all of its lifts are. A password is in the response that made it and nowhere else.
"""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from dashboards.api.access import QueryActor, RequestScope, actor_of, needs
from dashboards.api.context import AppContext, DeviceActions
from dashboards.api.device_administration import DeviceAdministration, DevicePassword
from dashboards.api.responses import JSON, OrjsonResponse, problem_responses, require_media_type
from dashboards.api.schema import device_bodies, parameters
from dashboards.http.cursor import decode_cursor, encode_cursor
from dashboards.http.problem import field_error, invalid_request
from registry.devices import GATEWAY, LIFT, Device
from registry.roles import Verb
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
        visible = DeviceAdministration(context, actions, scope).devices()
        found = [one for one in visible if one.device_id > after and lift_id in (None, *one.lifts)]
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
        administration = DeviceAdministration(context, actions, scope)
        return _with_password(administration.add(device_id, kind, lifts, actor_of(scope, body.by)), 201)

    @router.post(
        "/{device_id}/rotate",
        response_model=device_bodies.DeviceWithPassword,
        responses=problem_responses(403, 404, 409, 422, 503),
        dependencies=[needs(Verb.MANAGE_DEVICES)],
    )
    def rotate_device(device_id: parameters.LiftIdInPath, scope: RequestScope, by: QueryActor) -> OrjsonResponse:
        """Give a device a new password; its old password or certificate is refused from then on."""
        return _with_password(DeviceAdministration(context, actions, scope).rotate(device_id, by))

    @router.post(
        "/{device_id}/revoke",
        response_model=device_bodies.DeviceRow,
        responses=problem_responses(403, 404, 409, 422, 503),
        dependencies=[needs(Verb.MANAGE_DEVICES)],
    )
    def revoke_device(device_id: parameters.LiftIdInPath, scope: RequestScope, by: QueryActor) -> OrjsonResponse:
        """Revoke a device: the broker ends its connection and refuses it from then on."""
        return OrjsonResponse(device_body(DeviceAdministration(context, actions, scope).revoke(device_id, by)))

    return router


def _named(body: device_bodies.NewDevice) -> tuple[str, tuple[str, ...], str]:
    """Return the id, the lifts and the kind of a new device; a problem (422) where both kinds are named, or neither."""
    if (body.lift_id is None) == (body.gateway_id is None):
        raise invalid_request([field_error("lift_id", "name either a lift, or a gateway with its lifts")])
    if body.lift_id is not None:
        return body.lift_id, (body.lift_id,), LIFT
    return str(body.gateway_id), tuple(body.lifts), GATEWAY


def _with_password(made: DevicePassword, status: int = 200) -> OrjsonResponse:
    """Return a device with its new password."""
    return OrjsonResponse({**device_body(made.device), "password": made.password}, status_code=status)


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
