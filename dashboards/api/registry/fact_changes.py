"""Changes of the facts of one lift, by the API and by the form of a page."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import Any

from dashboards.api.change_requests import make_change, versions, with_end
from dashboards.api.context import AppContext
from dashboards.api.lifts import stored_lift
from dashboards.api.responses import OrjsonResponse
from dashboards.http.problem import Problem, fact_errors, field_error, invalid_request, not_found
from registry.actor import Actor
from registry.facts import patch, read_changes
from registry.roles import Verb
from registry.scope import RESERVED_FACTS, Scope
from registry.thresholds import changes_threshold, guarded_facts
from store.records.changes.change_request import FACTS
from store.records.repository import WantedChange


def change_facts(
    context: AppContext,
    scope: Scope,
    by: Actor,
    lift_id: str,
    facts: Mapping[str, Any],
    expected: Collection[str] | None,
    reason: str | None,
    ends_ns: int | None,
) -> OrjsonResponse | None:
    """Change facts of a lift: None where the change was applied, a response (202) where it waits for a second person.

    Raises a problem where the change is refused, and VersionConflict where the lift's version is none of the
    `expected`.
    """
    known = stored_lift(context, lift_id, scope)
    if Verb.REGISTER_LIFTS not in scope.verbs:
        _refuse_reserved(facts)
    changed, faults = patch(known.facts, facts)
    if changed is None:
        raise invalid_request(fact_errors(faults))
    is_threshold = known.registered and changes_threshold(known.facts, changed)
    detail = with_end(facts, ends_ns, is_threshold)
    organisations = context.records().organisations()
    is_dangerous = known.registered and bool(guarded_facts(known.facts, changed, organisations))
    if is_dangerous or (reason and context.records().returning_thresholds(lift_id) & facts.keys()):
        wanted = WantedChange(lift_id, known.facts.district, FACTS, detail, versions(expected), reason)
        return make_change(context, scope, by, wanted)
    if context.records().patch_lift(lift_id, read_changes(facts)[0], by, time.time_ns(), expected) is None:
        raise not_found("lift", lift_id)
    context.poller.poll()
    return None


def _refuse_reserved(facts: Mapping[str, Any]) -> None:
    """Raise a problem (403) where facts that only who may register lifts changes are among these."""
    reserved = sorted(RESERVED_FACTS & facts.keys())
    if reserved:
        errors = [
            field_error(name, "is changed by the operator of this server alone; leave it out") for name in reserved
        ]
        raise Problem(403, "not-allowed", f"Your role does not change {', '.join(reserved)}.", errors)
