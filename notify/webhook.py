"""The message of a webhook, the filter of its alerts, and when a delivery is tried again and given up. Pure.

A delivery ends when the endpoint accepts it, when its address is none, or when it is given up: after `GIVE_UP_S`, or
after `FAULT_S` where somebody must repair the endpoint (a redirect, 404, 401). The pauses between have full jitter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from alerts.incidents.kinds import kind_of
from mqtt import backoff
from notify.ways.sender import Outcome, SendResult
from telemetry.instant import rfc3339

PAUSE_FIRST_S = 2.0
PAUSE_LIMIT_S = 3600.0
GIVE_UP_S = 24 * 3600.0
FAULT_S = 3600.0
COUNTED_AS = {SendResult.DELIVERED: "taken", SendResult.TRY_AGAIN: "passing", SendResult.PERMANENT: "permanent"}
"""The parts of the names of the monitor's counters."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A receiver of webhooks and which alerts it receives; what is empty is no condition.

    `kinds` are the kinds of incidents that the rules of the alerts make; `organisations` are names in the facts of
    lifts.
    """

    name: str
    url: str
    secret: str = field(repr=False)
    severities: tuple[str, ...] = ()
    districts: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()


def matches(endpoint: Endpoint, alert: Mapping[str, Any]) -> bool:
    """Return whether a transition with this alert's JSON goes to `endpoint`, apart from the organisations of its lift.

    An inhibited alert goes to none.
    """
    if alert["inhibited_by"] is not None:
        return False
    if endpoint.kinds and kind_of(alert["rule"], alert["severity"]) not in endpoint.kinds:
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


def is_given_up(outcome: Outcome, waited_s: float) -> bool:
    """Return whether a delivery that was not accepted ends `waited_s` after it was made."""
    if outcome.result is SendResult.PERMANENT:
        return True
    return waited_s >= (FAULT_S if outcome.is_fault else GIVE_UP_S)


def pause_s(attempts: int, chance: float, retry_after_s: float = 0.0) -> float:
    """Return the seconds until the next attempt after `attempts` failed.

    Full jitter by `chance` in [0, 1), but never less than the endpoint asks for, up to the same limit.
    """
    jitter_s = backoff.pause_s(attempts - 1, PAUSE_FIRST_S, PAUSE_LIMIT_S, chance)
    return max(jitter_s, min(max(retry_after_s, 0.0), PAUSE_LIMIT_S))
