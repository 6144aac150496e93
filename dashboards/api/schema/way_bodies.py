"""Bodies of the ways by which a person is notified, of requests and of responses."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from dashboards.api.schema.identity_bodies import Identifier
from dashboards.api.schema.parameters import TimeText
from dashboards.api.schema.request_bodies import RequestBody
from dashboards.api.schema.response_body import ResponseBody
from registry.ways import ADDRESS_LIMIT_CHARS, SECRET_LIMIT_CHARS, WAYS_LIMIT

WayKind = Literal["mail", "sms", "voice", "dingtalk", "wecom", "feishu", "apprise", "webhook", "push"]


class NewWay(RequestBody):
    """A way: its kind, its address (for `push` the subscription as JSON), and the secret that signs its messages."""

    kind: WayKind
    address: Annotated[str, StringConstraints(max_length=ADDRESS_LIMIT_CHARS)]
    secret: Annotated[str, StringConstraints(max_length=SECRET_LIMIT_CHARS)] | None = None


class WayCode(RequestBody):
    code: Annotated[str, StringConstraints(max_length=32)]


class WayOrder(RequestBody):
    """All ways of the account in their new order."""

    way_ids: Annotated[list[Identifier], Field(max_length=WAYS_LIMIT)]


class WayBody(ResponseBody):
    """A way; `fault` is why the last message by it could not be sent."""

    way_id: str
    kind: WayKind
    address: str
    verified_at: TimeText | None
    fault: str | None
    fault_at: TimeText | None


class NewWayBody(WayBody):
    """A way that was added, with the secret that signs its messages."""

    secret: str | None


class WayList(ResponseBody):
    """Ways in their order; `push_key` is the key with which browsers subscribe to Web Push."""

    items: list[WayBody]
    next: str | None
    kinds: list[WayKind]
    push_key: str | None
