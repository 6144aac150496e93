"""What a webhook is told, which answers end its story, and how long to wait otherwise. Pure.

A delivery ends when the endpoint takes it (2xx), when it says that it never will (other answers than those below), or
after `GIVE_UP_S`. What may pass (no answer, 5xx, 408, 425, 429) is tried again after a pause with full jitter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from telemetry.instant import rfc3339

TAKEN, PERMANENT, PASSING = "taken", "permanent", "passing"
PASSING_STATUSES = (408, 425, 429)
PAUSE_FIRST_S = 2.0
PAUSE_LIMIT_S = 3600.0
GIVE_UP_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Who is told, and of what: an empty tuple of severities or districts is all of them."""

    name: str
    url: str
    secret: str = field(repr=False)
    severities: tuple[str, ...] = ()
    districts: tuple[str, ...] = ()


def wants(endpoint: Endpoint, alert: Mapping[str, Any]) -> bool:
    """Say whether a transition with this alert's JSON is delivered; one that is held back is delivered to nobody."""
    if alert["inhibited_by"] is not None:
        return False
    of_severity = not endpoint.severities or alert["severity"] in endpoint.severities
    return of_severity and (not endpoint.districts or alert["district"] in endpoint.districts)


def message_id(alert_id: str, transition_id: int) -> str:
    """Return the name of a message: the same in every attempt, so that a receiver can tell a repeat."""
    return f"{alert_id}-{transition_id}"


def body(
    transition_id: int,
    kind: str,
    at_ns: int,
    by: str | None,
    note: str | None,
    alert_json: str,
    to: str | None = None,
) -> bytes:
    """Return the message: Standard Webhooks' `type`, `timestamp` and `data`, and the transition that made it."""
    return orjson.dumps(
        {
            "type": f"alert.{kind}",
            "timestamp": rfc3339(at_ns),
            "data": orjson.Fragment(alert_json),
            "transition": {"id": transition_id, "kind": kind, "by": by, "note": note, "to": to},
        }
    )


def verdict(status: int | None) -> str:
    """Return what an HTTP status means for the delivery; None is no answer. Redirects are not followed."""
    if status is None or status >= 500 or status in PASSING_STATUSES:
        return PASSING
    return TAKEN if 200 <= status < 300 else PERMANENT


def pause_s(attempt: int, chance: float, retry_after_s: float = 0.0) -> float:
    """Return the seconds until the next attempt after `attempt` of them failed.

    Full jitter: `chance` in [0, 1) of a bound that doubles with each attempt. What the endpoint asked for
    (`retry_after_s`) is kept to, up to the same limit.
    """
    bound_s = min(PAUSE_LIMIT_S, PAUSE_FIRST_S * 2.0 ** min(attempt - 1, 32))
    return max(chance * bound_s, min(max(retry_after_s, 0.0), PAUSE_LIMIT_S))
