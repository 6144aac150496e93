"""An import of lifts from a file: rows that are valid are taken, and every error of every other row is reported.

A change of thresholds or of the district of a registered lift can hide a danger, and so can a firm or owner in place of
one that asks for a second person. It is kept apart from the other facts of its row:

    no reason from a signed-in account ─► nothing is taken (422)
    no second person is asked for ──────► taken, and in the same transaction stored as an applied change request and
                                          reported to the authority
    a second person is asked for ───────► waits as a change request; the other facts are taken now
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dashboards.api.change_requests import waiting_lifts
from dashboards.api.context import AppContext
from dashboards.http.problem import Problem, fact_errors, field_error, invalid_field, invalid_request, unavailable
from registry.actor import Actor
from registry.facts import FactsError, LiftFacts, NotUtf8, ReadResult, read_csv, read_json
from registry.scope import Scope
from registry.thresholds import guarded_facts, with_facts_of
from store.records.repository import FactsChange, RecordsUnavailable, fact_change

NAMED_LIFTS = 20


class LiftImport:
    """One import, by whom and why."""

    def __init__(self, context: AppContext, scope: Scope, by: Actor, reason: str | None) -> None:
        self.context, self.by, self.reason = context, by, (reason or "").strip()
        self.scope, self.is_signed_in = scope, scope.actor is not None

    def run(self, body: bytes, is_csv: bool) -> dict[str, Any]:
        """Take the valid rows; return the lifts taken, each refused row with its errors, and the changes that wait.

        A problem (503) that names the lifts taken where the records go away in between.
        """
        read, refused = _read(body, is_csv)
        stored = self.context.records().facts_of([lift.lift_id for lift in read])
        guarded = self._guarded(read, stored)
        dangerous = {lift_id for lift_id, facts in guarded.items() if facts}
        if dangerous and self.is_signed_in and not self.reason:
            raise _unexplained(dangerous)
        held = waiting_lifts(self.context.records(), self.scope, [stored[lift_id] for lift_id in dangerous])
        kept = {lift_id: guarded[lift_id] for lift_id in held}
        lifts = [with_facts_of(stored[each.lift_id], each, kept[each.lift_id]) if each.lift_id in kept else each
                 for each in read]  # fmt: skip
        self._take(lifts)
        asked = [fact_change(stored[lift.lift_id], lift, self.reason, kept[lift.lift_id])
                 for lift in read if lift.lift_id in held]  # fmt: skip
        waiting = self.context.records().record_changes(asked, self.by, time.time_ns(), is_applied=False)
        self.context.poller.poll()
        return {
            "taken": [lift.lift_id for lift in lifts],
            "refused": [
                {"row": row.number, "lift_id": row.lift_id, "errors": fact_errors(row.errors)} for row in refused
            ],
            "waiting": [
                {"lift_id": wanted.lift_id, "change_request": number}
                for wanted, number in zip(asked, waiting, strict=True)
            ],
        }

    def _guarded(self, read: Sequence[LiftFacts], stored: Mapping[str, LiftFacts]) -> dict[str, list[str]]:
        """Return the facts that can hide a danger of the registered lifts in a file, by lift."""
        organisations = self.context.records().organisations()
        known = [lift for lift in read if lift.lift_id in stored]
        return {lift.lift_id: guarded_facts(stored[lift.lift_id], lift, organisations) for lift in known}

    def _record(self, changed: Sequence[FactsChange]) -> None:
        """Store changes of a signed-in account that can hide a danger and that are applied."""
        if self.is_signed_in:
            wanted = [fact_change(*each, self.reason, guarded_facts(*each, ())) for each in changed]
            self.context.records().record_changes(wanted, self.by, time.time_ns(), is_applied=True)

    def _take(self, lifts: Sequence[LiftFacts]) -> None:
        with self.context.imports.applying(len(lifts)) as running:
            try:
                self.context.records().put_lifts(lifts, self.by, time.time_ns(), running.take, self._record)
            except RecordsUnavailable as error:
                if not running.taken:
                    raise
                raise unavailable(
                    "records",
                    f"{error} {running.taken} of {len(lifts)} lifts were taken, in the order of the rows, up to"
                    f" {lifts[running.taken - 1].lift_id}; send the same again: those change nothing",
                ) from None


def _unexplained(lift_ids: Collection[str]) -> Problem:
    """Return the problem (422) of an import that can hide a danger without a reason."""
    named = ", ".join(sorted(lift_ids)[:NAMED_LIFTS]) + (" and more" if len(lift_ids) > NAMED_LIFTS else "")
    detail = f"is missing; the changes of {named} can hide a danger: write why, as ?reason="
    return invalid_request([field_error("reason", detail)])


def _read(body: bytes, is_csv: bool) -> ReadResult:
    """Return the lifts of a file and its refused rows; a problem where the whole file cannot be read."""
    try:
        return read_csv(body) if is_csv else read_json(body)
    except NotUtf8 as error:
        raise invalid_field("body", str(error), 400) from None
    except FactsError as error:
        raise invalid_field("body", str(error)) from None
