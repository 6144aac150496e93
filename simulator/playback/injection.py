"""Requests for a fault in a simulated lift: published by `inject`, and read by the player that simulates the lift.

sim/v1/{lift_id}/fault    {"cause": "power-cut", "for_s": 60}
"""

from __future__ import annotations

from typing import Any

import orjson

from mqtt.client import BrokerAddress
from mqtt.publisher import publish_once
from simulator.faults.cause_table import CAUSES, InvalidFaultRequest, unknown_cause
from telemetry.streams import LIFT_ID_PATTERN

REQUEST_TOPICS = "sim/v1/+/fault"
FOR_LIMIT_S = (1.0, 86_400.0)


def inject(address: BrokerAddress, lift_id: str, cause: str, for_s: float | None = None) -> None:
    """Publish a request; raise `mqtt.publisher.NotPublished`, an OSError, where the broker does not take it."""
    slug, lasts_s = read_request({"cause": cause} if for_s is None else {"cause": cause, "for_s": for_s})
    if not LIFT_ID_PATTERN.fullmatch(lift_id):
        raise InvalidFaultRequest(f"lift_id: {lift_id!r} is not a lift's id")
    publish_once(address, f"sim/v1/{lift_id}/fault", orjson.dumps({"cause": slug, "for_s": lasts_s}))


def read_request(body: Any) -> tuple[str, float]:
    """Return the cause and the duration of a request; raise InvalidFaultRequest if the request is invalid."""
    if not isinstance(body, dict) or not isinstance(body.get("cause"), str):
        raise InvalidFaultRequest('give an object such as {"cause": "power-cut", "for_s": 60}')
    if body["cause"] not in CAUSES:
        raise InvalidFaultRequest(unknown_cause(body["cause"]))
    cause = CAUSES[body["cause"]]
    for_s = body.get("for_s", cause.default_s)
    low, high = FOR_LIMIT_S
    if isinstance(for_s, bool) or not isinstance(for_s, int | float) or not low <= for_s <= high:
        raise InvalidFaultRequest(f"for_s: {for_s!r} is not a number of seconds from {low:.0f} to {high:.0f}")
    return cause.slug, float(for_s)
