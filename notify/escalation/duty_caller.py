"""Calls the people on duty: puts each call that is due about an open incident into the outbox of notifications.

    a new entry of an incident, an instant that is due, or half a minute over ─► plan ─► calls are due ─► transaction:
        incident and progress read and planned again ─► notifications, progress, entries of what was not reached

A process killed before the commit has made no call, one killed after has made all of them, and of two processes that
plan one incident the second finds the progress of the first. Every open incident is planned again each half minute,
since rosters, policies, people and lifts change without an entry. Who belongs to two organisations is called by one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

from alerts.alert import Alert
from alerts.escalation.targets import MissedTarget
from alerts.notification import Notification
from mqtt.backoff import Backoff
from notify.escalation.incident_facts import is_held_back
from notify.escalation.owed_notification import CalledIncident, notified_lift, owed_notification, with_floor
from notify.escalation.planned_calls import PlannedCalls, RoundBooks
from notify.rounds import repeat_rounds
from registry.ways import WAY_KINDS
from store.live import LiveTable, decode_live
from store.outage import Outage
from store.records.repository import Records, RecordsUnavailable

log = logging.getLogger("liftwatch.duty")

POLL_S = 0.25
SURVEY_EVERY_NS = 30 * 1_000_000_000
PLAN_AT_ONCE, CALL_AT_ONCE, ADD_AT_ONCE, NOTE_AT_ONCE = 400, 100, 500, 10
RETRY_FIRST_S, RETRY_LIMIT_S = 0.2, 5.0
CONCERNS_NONE = MissedTarget("", "no-organisation")
CALLS_OWED, PLANS_FAILED = "calls_owed", "call_plans_failed"
Element = TypeVar("Element")


class DutyCaller(threading.Thread):
    """Puts the owed calls about incidents of own lifts into the outbox; `wake` plans at once.

    `on_owed` is called after calls were put there. `kinds` are those of the ways that have a sender: who has no other
    is not reached.
    """

    def __init__(
        self,
        records: Records,
        now_ns: Callable[[], int] = time.time_ns,
        on_owed: Callable[[], None] = lambda: None,
        kinds: Collection[str] = WAY_KINDS,
    ) -> None:
        super().__init__(name="duty caller", daemon=True)
        self.wake = threading.Event()
        self.counts: Counter[str] = Counter({CALLS_OWED: 0, PLANS_FAILED: 0})
        self.outage = Outage("people wait to be called", log)
        self._records, self._now_ns, self._on_owed, self._kinds = records, now_ns, on_owed, kinds
        self._entry = 0
        self._due_ns: dict[str, int] = {}
        self._concerns_none: dict[str, bool] = {}
        self._surveyed_ns: int | None = None
        self._stopping = threading.Event()

    def register(self) -> None:
        """Do nothing: the progress of calls is in the records."""

    def run(self) -> None:
        """Call until stopped, retrying while the records are away."""
        backoff = Backoff(RETRY_FIRST_S, RETRY_LIMIT_S)
        repeat_rounds(
            self.call_due, self.outage, self.wake, self._stopping,
            backoff=backoff, poll_s=POLL_S, expected=(RecordsUnavailable,),
        )  # fmt: skip

    def stop(self) -> None:
        """End the thread after the round under way."""
        self._stopping.set()
        self.wake.set()
        if self.ident is not None:
            self.join()

    def call_due(self) -> bool:
        """Make the calls that are due; return whether there may be more."""
        now_ns = self._now_ns()
        if self._surveyed_ns is None or abs(now_ns - self._surveyed_ns) >= SURVEY_EVERY_NS:
            self._survey(now_ns)
        entries = self._records.incident_entries_since(self._entry, PLAN_AT_ONCE)
        changed = dict.fromkeys(each.incident_id for each in entries)
        due = [incident_id for incident_id, due_ns in self._due_ns.items() if due_ns <= now_ns]
        first = sorted(due, key=self._due_ns.__getitem__)[:PLAN_AT_ONCE]
        for ids in (list(changed), [each for each in first if each not in changed]):
            self._plan(ids, now_ns)
        self._entry = entries[-1].id if entries else self._entry
        self._note_those_that_concern_none(now_ns)
        return len(due) > len(first) or len(entries) == PLAN_AT_ONCE

    def _survey(self, now_ns: int) -> None:
        """Make the planning of every open incident due, behind what is due already."""
        if self._surveyed_ns is None:
            self._entry = self._records.last_incident_entry()
        before = self._due_ns
        self._due_ns = {each: min(now_ns, before.get(each, now_ns)) for each in self._records.open_incident_ids()}
        self._concerns_none = {each: noted for each, noted in self._concerns_none.items() if each in self._due_ns}
        self._surveyed_ns = now_ns

    def _plan(self, ids: Sequence[str], now_ns: int) -> None:
        """Plan the calls about incidents, and make those that are due."""
        if not ids:
            return
        books = RoundBooks(self._records, self._kinds)
        plans = self._planned(ids, books, now_ns, notes=True)
        due = [incident_id for incident_id, some in plans.items() if any(each.is_due for each in some)]
        self._schedule([each for each in ids if each not in set(due)], plans)
        table = self._live_table() if due else None
        for few in _parts(due, CALL_AT_ONCE):
            self._make_calls(few, books, table, now_ns)
            self._on_owed()
        self.counts[PLANS_FAILED] += books.failed

    def _make_calls(self, ids: Sequence[str], books: RoundBooks, table: LiveTable | None, now_ns: int) -> None:
        """Plan and call about incidents in one transaction; where one of them raises, about each in its own.

        The one that raises is left out until the next survey.
        """
        try:
            with self._records.one_transaction():
                plans = self._planned(ids, books, now_ns)
                self._call([each for some in plans.values() for each in some if each.is_due], table, now_ns)
        except RecordsUnavailable:
            raise
        except Exception:  # whatever is wrong with one incident delays the calls of no other
            if len(ids) > 1:
                for each in ids:
                    self._make_calls([each], books, table, now_ns)
                return
            self.counts[PLANS_FAILED] += 1
            log.exception("the calls about incident %s cannot be made", ids[0])
            plans = {}
        self._schedule(ids, plans)

    def _planned(
        self, ids: Sequence[str], books: RoundBooks, now_ns: int, *, notes: bool = False
    ) -> dict[str, list[PlannedCalls]]:
        """Return the plans about those of these incidents that are open and of own lifts.

        With `notes` an incident with a lift that was deleted, or moved to another organisation, has an entry of that,
        and critical ones that concern no organisation are kept, to be noted.
        """
        situation = self._records.call_situation(ids, self._records.partition)
        found: dict[str, list[PlannedCalls]] = {}
        for incident, plans in books.planned(situation, now_ns):
            found[incident.id] = plans
            deleted = [lift.lift_id for lift in incident.lifts if lift.lift_id in situation.deleted]
            former = books.former(situation, incident, plans)
            lapsed = set(incident.acknowledged_for) if books.has_lapsed(situation, incident) else set()
            concerns_none = incident.severity == "critical" and not plans and books.has_organisations
            if notes and concerns_none:
                self._concerns_none.setdefault(incident.id, False)
            if notes and (deleted or former or lapsed):
                self._records.note_changed_duty(incident.id, deleted, former, now_ns, lapsed)
        return found

    def _note_those_that_concern_none(self, now_ns: int) -> None:
        """Enter into some incidents that they concern no organisation; others wait for the next round."""
        for incident_id in [each for each, noted in self._concerns_none.items() if not noted][:NOTE_AT_ONCE]:
            self._records.note_unreached(incident_id, None, [CONCERNS_NONE], 0, now_ns)
            self._concerns_none[incident_id] = True

    def _schedule(self, ids: Sequence[str], plans: Mapping[str, Sequence[PlannedCalls]]) -> None:
        """Keep when each of these incidents is to be planned again."""
        for incident_id in ids:
            next_ns = [each.plan.next_ns for each in plans.get(incident_id, ()) if each.plan.next_ns is not None]
            self._due_ns.pop(incident_id, None)
            if next_ns:
                self._due_ns[incident_id] = min(next_ns)

    def _call(self, due: Sequence[PlannedCalls], table: LiveTable | None, now_ns: int) -> None:
        """Put owed calls into the outbox, with their progress, in the open transaction."""
        alerts = self._records.unclosed_alerts_of([each.incident.id for each in due])
        told = self._records.called_by_others([call for each in due for call in each.plan.calls])
        added: list[Notification] = []
        for each in due:
            owed = self._owed(each, alerts.get(each.incident.id, []), table, now_ns)
            added += [one for one in owed if one.key not in told]
        for some in _parts(added, ADD_AT_ONCE):
            self.counts[CALLS_OWED] += self._records.add_notifications(some, now_ns)

    def _owed(
        self, planned: PlannedCalls, alerts: Sequence[Alert], table: LiveTable | None, now_ns: int
    ) -> list[Notification]:
        """Store the progress of a plan; return its notifications, none where the incident is held back."""
        incident, made = planned.incident, planned.plan
        if made.progress is None or is_held_back(incident, alerts):
            return []
        self._records.store_call_progress(incident.id, planned.book.organisation_id, made.progress)
        if made.missed:
            since_ns = min(made.progress.start_ns, made.progress.begun_ns or now_ns)
            self._records.note_unreached(incident.id, planned.book.name, made.missed, since_ns, now_ns)
        lift = with_floor(notified_lift(planned.lifts[0], planned.facts), planned.facts, table)
        about = CalledIncident(incident, lift, planned.lifts, alerts, planned.to_telephone)
        return [owed_notification(call, about) for call in made.calls]

    def _live_table(self) -> LiveTable | None:
        """Return the latest readings of the own lifts, None where there are none."""
        with suppress(ValueError):  # another version wrote them: the next second brings new ones
            for each in self._records.live():
                if each.partition == self._records.partition.name:
                    return decode_live(each.lifts)
        return None


def _parts(some: Sequence[Element], at_once: int) -> Iterator[Sequence[Element]]:
    for start in range(0, len(some), at_once):
        yield some[start : start + at_once]
