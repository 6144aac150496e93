"""One message by one way: its text with links, the attempt, and what the records keep of it."""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from alerts.notification import CODE, Notification
from notify.dispatch.pacing import newest_of_incidents
from notify.dispatch.routing import step_after
from notify.texts.folded import LINKED, folded_message, in_order
from notify.texts.message import Message
from notify.texts.notification_text import notification_message
from notify.texts.phrases import known_language
from notify.ways.sender import Address, Outcome, Sender, SendResult, try_again
from registry.people import Person
from registry.ways import MAIL, PUSH, SMS, NotificationWay, shown_address
from store.records.repository import ACCEPT, ACKNOWLEDGE, NotificationAttempt, Records, WaitingNotification

log = logging.getLogger("liftwatch.notifications")

LINKED_KINDS = (MAIL, SMS, PUSH)
"""Ways that one person alone reads: a link in a messenger's group could be used by others in the person's name."""
KEY_MISSING = "the key of stored secrets is missing (records.key_file)"
COUNTED_AS = {SendResult.DELIVERED: "taken", SendResult.TRY_AGAIN: "passing", SendResult.PERMANENT: "permanent"}


class MessageSending:
    """Sends messages and settles their notifications; may be used by several threads."""

    def __init__(
        self,
        records: Records,
        senders: Mapping[str, Sender],
        public_url: str | None,
        counts: Counter[str],
        now_ns: Callable[[], int],
    ) -> None:
        self._records, self._senders, self._public_url = records, senders, public_url
        self._counts, self._now_ns = counts, now_ns

    def send(self, way: NotificationWay, waiting: Sequence[WaitingNotification], person: Person) -> float:
        """Send one message about these notifications to a person, store the attempt, and return the seconds that the
        receiver took."""
        if not way.is_readable or (waiting[0].notification.kind == CODE and waiting[0].notification.code is None):
            self._settle(way, waiting, person, try_again(KEY_MISSING, is_fault=True))
            return 0.0
        message = self._message(way, waiting, known_language(person.language))
        begun_s = time.monotonic()
        try:
            outcome = self._senders[way.kind].send(message, Address(way.address, way.secret or ""))
        except Exception as error:  # a sender's own fault must not end the dispatcher
            log.exception("way %s", way.kind)
            outcome = try_again(f"{type(error).__name__}: {error}", is_fault=True)
        took_s = time.monotonic() - begun_s
        self._counts[f"deliveries_{COUNTED_AS[outcome.result]}:{way.kind}"] += 1
        self._settle(way, waiting, person, outcome)
        return took_s

    def _message(self, way: NotificationWay, waiting: Sequence[WaitingNotification], language: str) -> Message:
        newest = newest_of_incidents(waiting)
        name = f"n-{newest[0].id}" + (f"-{len(waiting)}" if len(waiting) > 1 else "")
        message = self._about(way, [each.notification for each in newest], name, language)
        told = {each.id for each in newest}
        older = [each.notification for each in waiting if each.id not in told]
        if not older:
            return message
        further = [{"key": each.key, "incident_id": each.incident_id} for each in older]
        return replace(message, data={**message.data, "further": [*message.data.get("further", ()), *further]})

    def _about(self, way: NotificationWay, folded: Sequence[Notification], name: str, language: str) -> Message:
        """Return the message about these notifications, one of each incident."""
        if len(folded) == 1:
            answers = self._answers(way, folded[0], (ACKNOWLEDGE, ACCEPT))
            return notification_message(name, folded[0], language, answers, self._public_url)
        links = {
            each.incident_id: url
            for each in in_order(folded)[:LINKED]
            for url in self._answers(way, each, (ACKNOWLEDGE,)).values()
        }
        return folded_message(name, folded, language, links, self._public_url)

    def _answers(self, way: NotificationWay, notification: Notification, actions: Sequence[str]) -> dict[str, str]:
        """Return the URL of a new link for each action, where the way and the configuration allow links."""
        if self._public_url is None or way.kind not in LINKED_KINDS or not notification.incident_id:
            return {}
        made = self._records.add_answer_links(
            notification.person_id, notification.incident_id, actions, self._now_ns()
        )  # fmt: skip
        return {action: f"{self._public_url}/answer/{secret}" for action, secret in made.items()}

    def _settle(
        self, way: NotificationWay, waiting: Sequence[WaitingNotification], person: Person, outcome: Outcome
    ) -> None:
        now_ns = self._now_ns()
        shown = shown_address(way.kind, way.address)
        attempt = NotificationAttempt(way.way_id, way.kind, shown, now_ns, outcome.result, outcome.reason)
        if outcome.result is SendResult.DELIVERED:
            self._records.settle_sent([each.id for each in waiting], attempt, to=person.name)
            return
        what = "code" if waiting[0].notification.kind == CODE else "notification"
        log.info("%s by %s %s: %s", what, way.kind, shown, outcome.reason)
        step = step_after(outcome, waiting[0], now_ns, random.random())
        if step.due_ns is None:
            self._records.leave_way(waiting, attempt, step.for_good)
        else:
            self._records.settle_again([each.id for each in waiting], attempt, step.due_ns)
