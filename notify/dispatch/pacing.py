"""The pace of messages to one address, and which notifications become one message. Pure.

a gap between two messages, as the receivers allow (a robot takes 20 a minute)
at most `BURST` messages at once, then one for each `REFILL_S`; where somebody may be inside, the gap alone counts
the notifications about one incident are one message, which tells the newest of them
notifications about more than `SINGLE_LIMIT` incidents that wait for one address are folded into one message
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from alerts.notification import ACCOUNT, CHANGE, CODE, TEST
from registry.ways import APPRISE, DINGTALK, FEISHU, MAIL, PUSH, SMS, VOICE, WEBHOOK, WECOM
from store.records.repository import WaitingNotification

S_NS = 1_000_000_000
GAP_S = {
    MAIL: 1.0, PUSH: 1.0, WEBHOOK: 0.5, SMS: 5.0, VOICE: 20.0, APPRISE: 2.0, DINGTALK: 3.0, WECOM: 3.0, FEISHU: 1.0,
}  # fmt: skip
BURST, REFILL_S = 5, 12.0
BURST_NS, REFILL_NS = round((BURST - 1) * REFILL_S * S_NS), round(REFILL_S * S_NS)
SINGLE_LIMIT = 3


class AddressPace:
    """When the next message to an address may be sent. `paid_ns` is the instant up to which messages are paid for."""

    def __init__(self, kind: str) -> None:
        self.is_busy = False
        self._gap_ns = round(GAP_S[kind] * S_NS)
        self._sent_ns, self._paid_ns = -(1 << 62), 0

    def allowed_ns(self, is_urgent: bool, now_ns: int) -> int:
        """Return from when the next message may be sent.

        A last message in the future was sent before the clock was set back: the pace goes on from now.
        """
        set_back_ns = max(self._sent_ns - now_ns, 0)
        self._sent_ns, self._paid_ns = self._sent_ns - set_back_ns, self._paid_ns - set_back_ns
        after_gap_ns = self._sent_ns + self._gap_ns
        return after_gap_ns if is_urgent else max(after_gap_ns, self._paid_ns - BURST_NS)

    def note_sent(self, now_ns: int) -> None:
        """Count a message."""
        self._sent_ns = now_ns
        self._paid_ns = max(self._paid_ns, now_ns) + REFILL_NS

    def is_idle(self, now_ns: int) -> bool:
        """Return whether nothing that was sent delays the next message any more."""
        return not self.is_busy and now_ns >= max(self._sent_ns + self._gap_ns, self._paid_ns)


def is_urgent(waiting: WaitingNotification) -> bool:
    """Return whether a notification does not wait for other messages to the same address."""
    return waiting.notification.may_hold_people or waiting.notification.kind in (CODE, TEST)


def next_message(waiting: Sequence[WaitingNotification]) -> list[WaitingNotification]:
    """Return the notifications of the next message to an address: those of the most urgent incident, or all where the
    incidents are many.

    Codes, tests, changes and notices of an account are messages of their own, since the text of many is about
    incidents; they wait where an incident may hold people.
    """
    alone = [each for each in waiting if each.notification.kind in (CODE, TEST, CHANGE, ACCOUNT)]
    incidents = [each for each in waiting if each not in alone]
    if alone and not any(each.notification.may_hold_people for each in incidents):
        return alone[:1]
    by_incident: dict[str, list[WaitingNotification]] = {}
    for each in incidents:
        by_incident.setdefault(each.notification.incident_id, []).append(each)
    if len(by_incident) > SINGLE_LIMIT:
        return incidents
    return min(by_incident.values(), key=lambda some: not any(each.notification.may_hold_people for each in some))


def newest_of_incidents(waiting: Sequence[WaitingNotification]) -> list[WaitingNotification]:
    """Return the newest notification about each incident; of two of one instant that with people inside, or of more
    lifts.

    It is a repeat only where all are: otherwise no earlier one has been sent.
    """
    by_incident: dict[str, list[WaitingNotification]] = {}
    for each in waiting:
        by_incident.setdefault(each.notification.incident_id or each.notification.key, []).append(each)
    found = []
    for some in by_incident.values():
        newest = max(some, key=lambda one: (one.made_ns, one.notification.may_hold_people, one.notification.others))
        is_repeat = all(each.notification.is_repeat for each in some)
        found.append(replace(newest, notification=replace(newest.notification, is_repeat=is_repeat)))
    return found
