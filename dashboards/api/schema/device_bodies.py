"""The bodies of requests and responses about devices."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dashboards.api.schema.parameters import LiftId, PersonName, TimeText
from dashboards.api.schema.request_bodies import RequestBody
from dashboards.api.schema.response_body import ResponseBody
from registry.devices import GATEWAY_LIFTS_LIMIT


class NewDevice(RequestBody):
    """Either a lift that connects itself, or a gateway with its lifts."""

    by: PersonName | None = None
    lift_id: LiftId | None = None
    gateway_id: LiftId | None = None
    lifts: Annotated[list[LiftId], Field(max_length=GATEWAY_LIFTS_LIMIT, default_factory=list)]


class DeviceRow(ResponseBody):
    """A device; `fingerprint` and `expires` are those of a certificate."""

    device_id: str
    kind: Literal["lift", "gateway"]
    lifts: list[str]
    state: Literal["valid", "expired", "revoked"]
    credential: Literal["password", "certificate"]
    fingerprint: str | None
    expires: TimeText | None
    created: TimeText
    created_by: str
    rotated: TimeText | None
    revoked: TimeText | None
    revoked_by: str | None


class DeviceWithPassword(DeviceRow):
    """A device with its new password, which no other response has."""

    password: str


class DeviceList(ResponseBody):
    items: list[DeviceRow]
    next: str | None
