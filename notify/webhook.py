"""The message of a webhook, the classification of answers, and the pause before a retry. Pure.

A delivery ends when the endpoint accepts it (2xx), when its answer is a rejection (all statuses not named here), or
after `GIVE_UP_S`. No answer, 5xx, 408, 425 and 429 are transient: tried again after a pause with full jitter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from mqtt import backoff
from telemetry.instant import rfc3339

DELIVERED, REJECTED, TRANSIENT = "taken", "permanent", "passing"
"""The results of an attempt; the values are parts of the names of the monitor's counters."""
TRANSIENT_STATUSES = (408, 425, 429)
PAUSE_FIRST_S = 2.0
PAUSE_LIMIT_S = 3600.0
GIVE_UP_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A receiver of webhooks and which alerts it receives: empty severities or districts are all of them."""

    name: str
    url: str
    secret: str = field(repr=False)
    severities: tuple[str, ...] = ()
    districts: tuple[str, ...] = ()


def matches(endpoint: Endpoint, alert: Mapping[str, Any]) -> bool:
    """Return whether a transition with this alert's JSON goes to `endpoint`; an inhibited alert goes to none."""
    if alert["inhibited_by"] is not None:
        return False
    has_severity = not endpoint.severities or alert["severity"] in endpoint.severities
    return has_severity and (not endpoint.districts or alert["district"] in endpoint.districts)


def message_id(alert_id: str, transition_id: int) -> str:
    """Return the id of a message: the same in every attempt, so that a receiver can recognise a repeat."""
    return f"{alert_id}-{transition_id}"


def message_body(
    transition_id: int,
    kind: str,
    at_ns: int,
    by: str | None,
    note: str | None,
    alert_json: str,
    to: str | None = None,
) -> bytes:
    """Return the message: Standard Webhooks' `type`, `timestamp` and `data`, and the transition that caused it."""
    return orjson.dumps(
        {
            "type": f"alert.{kind}",
            "timestamp": rfc3339(at_ns),
            "data": orjson.Fragment(alert_json),
            "transition": {"id": transition_id, "kind": kind, "by": by, "note": note, "to": to},
        }
    )


def classify(status: int | None) -> str:
    """Return the result of an attempt with this HTTP status; None is no answer. Redirects are not followed."""
    if status is None or status >= 500 or status in TRANSIENT_STATUSES:
        return TRANSIENT
    return DELIVERED if 200 <= status < 300 else REJECTED


def pause_s(attempts: int, chance: float, retry_after_s: float = 0.0) -> float:
    """Return the seconds until the next attempt after `attempts` failed.

    Full jitter by `chance` in [0, 1), but never less than the endpoint asks for, up to the same limit.
    """
    jitter_s = backoff.pause_s(attempts - 1, PAUSE_FIRST_S, PAUSE_LIMIT_S, chance)
    return max(jitter_s, min(max(retry_after_s, 0.0), PAUSE_LIMIT_S))


def retry_after_s(header: str | None, now_ns: int) -> float:
    """Return the seconds of a Retry-After header, a number or an HTTP date; 0 where it has neither."""
    if header is None:
        return 0.0
    if header.isascii() and header.isdigit():
        return float(header)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return 0.0
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, at.timestamp() - now_ns / 1e9)
