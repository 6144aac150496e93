"""A request of a change that can hide a danger, and its row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Row

from registry.actor import Actor
from registry.lift_facts import LiftFacts
from registry.organisations import Organisation, guarded_fields

DECIDE_WITHIN_NS = 24 * 3600 * 1_000_000_000
WAITING, APPLIED, DECLINED, EXPIRED, ENDED = "waiting", "applied", "declined", "expired", "ended"
STATES = (WAITING, APPLIED, DECLINED, EXPIRED, ENDED)
FACTS, DELETE, MAINTENANCE, SHELVE = "facts", "delete", "maintenance", "shelve"
ORGANISATION = "organisation"
"""The actions of requests: on a lift, and on an organisation."""
ENDS = "until_ns"
"""The end of a temporary change in its detail."""
FORMER = "former"
"""What an organisation was called and had before, in the detail of its change."""


@dataclass(frozen=True, slots=True)
class WantedChange:
    """A change of a lift: the action, its detail as JSON has it, and the version of what it changes.

    A change of an organisation has its id, and an empty lift and district.
    """

    lift_id: str
    district: str
    action: str
    detail: Mapping[str, Any]
    version: tuple[str, ...] | None = None
    reason: str | None = None
    organisation_id: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """A stored request; `decided_by` is the name of the account that approved or declined it."""

    id: int
    wanted: WantedChange
    state: str
    made_ns: int
    by: Actor
    decided_ns: int | None
    decided_by: str | None


def fact_change(before: LiftFacts, after: LiftFacts, reason: str, facts: Iterable[str]) -> WantedChange:
    """Return the change of a lift to these facts of its later state, as JSON has them."""
    values: dict[str, Any] = orjson.loads(orjson.dumps(after))
    detail = {fact: values[fact] for fact in facts}
    return WantedChange(after.lift_id, before.district, FACTS, detail, None, reason or None)


def organisation_change(
    before: Organisation, changes: Mapping[str, Any], version: tuple[str, ...] | None, reason: str | None
) -> WantedChange:
    """Return the change of an organisation to these fields, with its name and the former values of those guarded."""
    former = {name: getattr(before, name) for name in ("name", *guarded_fields(before, changes))}
    detail = orjson.loads(orjson.dumps({**changes, FORMER: former}))
    return WantedChange("", "", ORGANISATION, detail, version, reason, before.organisation_id)


def read_request(row: Row[Any], now_ns: int) -> ChangeRequest:
    """Return the request of a row; a waiting one may have expired."""
    version = None if row.version is None else tuple(orjson.loads(row.version))
    detail = orjson.loads(row.detail)
    wanted = WantedChange(row.lift_id, row.district, row.action, detail, version, row.reason, row.organisation_id)
    is_expired = row.state == WAITING and row.made_ns <= now_ns - DECIDE_WITHIN_NS
    state, by = EXPIRED if is_expired else row.state, Actor(**orjson.loads(row.by))
    return ChangeRequest(row.id, wanted, state, row.made_ns, by, row.decided_ns, row.decided_by)
