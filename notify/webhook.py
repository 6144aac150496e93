"""The messages of a webhook, their filter, and when a delivery is tried again and given up. Pure.

A delivery ends when the endpoint accepts it, when its address is none, or when it is given up: after `GIVE_UP_S`, or
after `FAULT_S` where somebody must repair the endpoint (a redirect, 404, 401). The pauses between have full jitter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from alerts.incidents.foreign_lifts import parts_of_foreign_lifts
from alerts.incidents.incident import UNREACHED
from alerts.incidents.kinds import kind_of
from mqtt import backoff
from notify.ways.sender import Outcome, SendResult
from registry.scope import ALL_LIFTS, LiftScope
from store.records.repository import IncidentAnnouncement
from telemetry.instant import rfc3339

PAUSE_FIRST_S = 2.0
PAUSE_LIMIT_S = 3600.0
GIVE_UP_S = 24 * 3600.0
FAULT_S = 3600.0
COUNTED_AS = {SendResult.DELIVERED: "taken", SendResult.TRY_AGAIN: "passing", SendResult.PERMANENT: "permanent"}
"""The parts of the names of the monitor's counters."""
ALERT, INCIDENT = SUBJECTS = ("alert", "incident")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A receiver of webhooks, and which alerts and incidents it receives; what is empty is no condition.

    `kinds` are kinds of incidents: of an alert, the one that its rule makes. `organisations` are names in the facts of
    lifts.
    """

    name: str
    url: str
    secret: str = field(repr=False)
    severities: tuple[str, ...] = ()
    districts: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    subjects: tuple[str, ...] = SUBJECTS

    @property
    def scope(self) -> LiftScope:
        """The lifts that it is about, and the organisations whose unshared notes it reads."""
        return LiftScope(names=frozenset(self.organisations)) if self.organisations else ALL_LIFTS


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


def matches_incident(endpoint: Endpoint, incident: Mapping[str, Any]) -> bool:
    """Return whether an entry with this incident's JSON goes to `endpoint`, apart from the lifts' organisations."""
    if endpoint.kinds and incident["kind"] not in endpoint.kinds:
        return False
    has_severity = not endpoint.severities or incident["severity"] in endpoint.severities
    districts = {lift["district"] for lift in incident["lifts"]}
    return has_severity and (not endpoint.districts or not districts.isdisjoint(endpoint.districts))


def message_id(subject_id: str, number: int) -> str:
    """Return the id of a message: the same in every attempt, so that a receiver can recognise a repeat."""
    return f"{subject_id}-{number}"


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


def incident_message(
    entry: IncidentAnnouncement, scope: LiftScope, is_visible: Callable[[str], bool] = lambda lift_id: True
) -> bytes:
    """Return the message about an entry of an incident with those of its lifts that are visible.

    The note of an organisation outside the scope is included only where it is shared. Where some lifts are not visible,
    nothing is included that may name one: summary, linked incidents, alerts, texts of the public.
    """
    incident = orjson.loads(entry.incident_json)
    lifts = [lift for lift in incident["lifts"] if is_visible(lift["lift_id"])]
    is_read = entry.shared or scope.reads_notes_of(entry.organisation)
    by, note = (entry.by, entry.note) if is_read else (entry.organisation, None)
    told = {"id": entry.id, "kind": entry.kind, "by": by, "about": entry.about, "note": note, "to": entry.to}
    if len(lifts) < len(incident["lifts"]):
        told |= parts_of_foreign_lifts(
            entry, {lift["lift_id"] for lift in lifts}, lambda _: True, reads_text=False
        )  # nothing is known of an alert or another incident
        if entry.kind == UNREACHED and not is_read:
            told["about"] = None
        incident |= {"summary": None, "links": [], "merged_into": None}
    if lifts:
        incident |= {"lifts": lifts, "lift_id": lifts[0]["lift_id"], "district": lifts[0]["district"]}
    at = rfc3339(entry.at_ns)
    return orjson.dumps({"type": f"incident.{entry.kind}", "timestamp": at, "data": incident, "entry": told})


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
