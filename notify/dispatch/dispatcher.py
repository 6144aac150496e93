"""Sends notifications to people by their ways: at least once, each address at its own pace, across restarts.

    records: notifications ─► claim ─► a way of the person ─► a message when its address is free ─► settled

A notification is claimed for the time of a lease, so one that a killed process had claimed is sent after it. Every kind
of way has workers of its own, of which one receiver holds a few: one that does not answer delays no other.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from mqtt.backoff import Backoff
from notify.dispatch.pacing import AddressPace, is_urgent, next_message
from notify.dispatch.receivers import Receiver, ReceiverLoads, receiver_of
from notify.dispatch.routing import begins_again_ns, is_concerned, is_given_up, next_way
from notify.dispatch.sending import MessageSending
from notify.rounds import repeat_rounds
from notify.ways.sender import Sender
from registry.people import Person
from registry.ways import NotificationWay
from store.outage import Outage
from store.records.repository import Records, RecordsUnavailable, WaitingNotification

log = logging.getLogger("liftwatch.notifications")

S_NS = 1_000_000_000
POLL_S = 0.5
CLAIM_AT_ONCE = 1000
LEASE_NS = 60 * S_NS
"""Longer than any attempt takes; an attempt under way is never begun twice by one process."""
WORKERS = 64
"""Of each kind of way."""
BUSY_PAUSE_NS = S_NS // 4
PACE_LIMIT_NS = 600 * S_NS
"""How long the pace of an address makes a notification wait before it is looked at again."""
RETRY_FIRST_S, RETRY_LIMIT_S = 0.5, 10.0
UNREACHED = "notifications_unreached"
PACES_LIMIT = 10_000
NO_WAY, DISABLED, NOT_CONCERNED, TOO_LATE = "no-way", "account-disabled", "not-concerned", "too-late"
"""Why a notification has reached nobody, where no receiver has given a reason."""


class NotificationDispatcher(threading.Thread):
    """Claims the notifications that are due, and sends them; `wake` looks at once."""

    def __init__(
        self,
        records: Records,
        senders: Mapping[str, Sender],
        public_url: str | None = None,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        super().__init__(name="notifications", daemon=True)
        self.wake = threading.Event()
        self.counts: Counter[str] = Counter({UNREACHED: 0})
        self.outage = Outage("notifications wait", log)
        self._records, self._now_ns, self._kinds = records, now_ns, frozenset(senders)
        self._sending = MessageSending(records, senders, public_url, self.counts, now_ns)
        self._workers = {kind: ThreadPoolExecutor(WORKERS, thread_name_prefix=f"notify {kind}") for kind in senders}
        self._paces: dict[tuple[str, str], AddressPace] = {}
        self._under_way: set[int] = set()
        self._messages: Counter[str] = Counter()
        """The number of messages of each kind of way that are being sent now."""
        self._receivers = ReceiverLoads()
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def register(self) -> None:
        """Do nothing: what waits in the records is sent."""

    def run(self) -> None:
        """Send until stopped."""
        backoff = Backoff(RETRY_FIRST_S, RETRY_LIMIT_S)
        repeat_rounds(
            self.dispatch_due, self.outage, self.wake, self._stopping,
            backoff=backoff, poll_s=POLL_S, expected=(RecordsUnavailable,),
        )  # fmt: skip
        self.finish()

    def stop(self) -> None:
        """End the thread after the messages under way."""
        self._stopping.set()
        self.wake.set()
        self.join()

    def finish(self) -> None:
        """Wait for the messages under way."""
        for workers in self._workers.values():
            workers.shutdown()

    def dispatch_due(self) -> bool:
        """Begin the messages that are due; return whether there may be more."""
        now_ns = self._now_ns()
        claimed = self._records.claim_notifications(now_ns, LEASE_NS, CLAIM_AT_ONCE)
        with self._lock:
            mine = [each for each in claimed if each.id not in self._under_way]
            self._forget_idle(now_ns)
        if not mine:
            return False
        people = {each.person_id: each for each in self._records.people_by_id(_person_ids(mine))}
        later: dict[int, int] = {}
        for way, batch in self._routed(mine, people, now_ns):
            later |= self._begin(way, batch, people[way.person_id], now_ns)
        if later:
            self._records.postpone_notifications(later)
        return len(claimed) == CLAIM_AT_ONCE

    def _routed(
        self, waiting: Sequence[WaitingNotification], people: Mapping[str, Person], now_ns: int
    ) -> list[tuple[NotificationWay, list[WaitingNotification]]]:
        """Return the notifications of each way, and settle those that have none."""
        ways = self._records.ways_of(list(people))
        facts = self._records.facts_of(sorted({_lift_id(each) for each in waiting}))
        batches: dict[str, tuple[NotificationWay, list[WaitingNotification]]] = {}
        for each in waiting:
            person = people.get(each.notification.person_id)
            way = None if person is None else next_way(each, ways.get(person.person_id, ()), self._kinds)
            if person is None or person.is_disabled:
                self._fail(each, DISABLED, now_ns)
            elif not (
                is_concerned(person, each.notification, facts.get(_lift_id(each))) or self._is_called_out(person, each)
            ):
                self._fail(each, NOT_CONCERNED, now_ns)
            elif is_given_up(each, now_ns):
                self._fail(each, each.error or TOO_LATE, now_ns)
            elif way is None:
                self._without_way(each, now_ns)
            else:
                batches.setdefault(way.way_id, (way, []))[1].append(each)
        return list(batches.values())

    def _is_called_out(self, person: Person, waiting: WaitingNotification) -> bool:
        """Return whether an organisation of a person is called out by name to a rescue at a lift of others."""
        found = self._records.incident(waiting.notification.incident_id)
        rescue = None if found is None else found.visible.incident.rescue
        called = set() if rescue is None else {each.who for each in rescue.call_outs}
        open_ones = [each.organisation for each in person.memberships if each.organisation.closed_ns is None]
        return any(called & each.names for each in open_ones)

    def _without_way(self, waiting: WaitingNotification, now_ns: int) -> None:
        again_ns = begins_again_ns(waiting, now_ns, random.random())
        if again_ns is None:
            self._fail(waiting, waiting.error or NO_WAY, now_ns)
        else:
            self._records.begin_again(waiting, again_ns)

    def _fail(self, waiting: WaitingNotification, error: str, now_ns: int) -> None:
        self.counts[UNREACHED] += 1
        log.error("notification %d about incident %s reached nobody: %s", waiting.id, _about(waiting), error)
        self._records.fail_notifications([waiting.id], error, now_ns)

    def _begin(
        self, way: NotificationWay, batch: Sequence[WaitingNotification], person: Person, now_ns: int
    ) -> dict[int, int]:
        """Begin the next message by a way where its address and receiver are free.

        Return until when the other notifications wait.
        """
        pace = self._paces.setdefault((way.kind, way.address), AddressPace(way.kind))
        receiver = receiver_of(way)
        message = next_message(batch)
        allowed_ns = pace.allowed_ns(any(is_urgent(each) for each in message), now_ns)
        with self._lock:
            is_free = self._messages[way.kind] < WORKERS and self._receivers.has_room(receiver)
            begins = is_free and not pace.is_busy and allowed_ns <= now_ns
            if begins:
                pace.is_busy = True
                pace.note_sent(now_ns)
                self._messages[way.kind] += 1
                self._receivers.begin(receiver)
                self._under_way.update(each.id for each in message)
        if begins:
            sent = self._workers[way.kind].submit(self._sending.send, way, message, person)
            sent.add_done_callback(partial(self._ended, way.kind, receiver, pace, message))
        allowed_ns = min(pace.allowed_ns(any(is_urgent(each) for each in batch), now_ns), now_ns + PACE_LIMIT_NS)
        due_ns = max(now_ns + BUSY_PAUSE_NS, allowed_ns)
        return {each.id: due_ns for each in batch if not begins or each not in message}

    def _ended(
        self,
        kind: str,
        receiver: Receiver,
        pace: AddressPace,
        message: Sequence[WaitingNotification],
        sent: Future[float],
    ) -> None:
        with self._lock:
            pace.is_busy = False
            self._messages[kind] -= 1
            self._receivers.end(receiver, 0.0 if sent.exception() else sent.result())
            self._under_way.difference_update(each.id for each in message)
        if (error := sent.exception()) is not None:  # not settled: sent again after its lease
            self.outage.failed(error, exc_info=not isinstance(error, RecordsUnavailable))
        self.wake.set()

    def _forget_idle(self, now_ns: int) -> None:
        if len(self._paces) > PACES_LIMIT:
            self._paces = {key: pace for key, pace in self._paces.items() if not pace.is_idle(now_ns)}


def _person_ids(waiting: Sequence[WaitingNotification]) -> set[str]:
    return {each.notification.person_id for each in waiting}


def _lift_id(waiting: WaitingNotification) -> str:
    lift = waiting.notification.lift
    return "" if lift is None else lift.lift_id


def _about(waiting: WaitingNotification) -> str:
    return waiting.notification.incident_id or "(none)"
