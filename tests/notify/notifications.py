"""Notifications that the tests send."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from alerts.notification import Notification, NotifiedLift
from store.records.repository import NotificationAttempt, Records
from tests.alerts.rules import T0, S

LIFT = NotifiedLift(
    "L-0123", "north", "Garden Road 3", "12 Garden Road", 31.2304, 121.4737, "Asia/Shanghai", between=("3", "4")
)
SENTENCE = {"en": "1 person may be trapped between floors 3 and 4", "zh": "疑似1人被困在3层和4层之间"}
NOTIFICATION = Notification(
    key="i1:ann:1", person_id="ann", incident_id="i1", kind="entrapment", severity="critical", at_ns=T0, lift=LIFT,
    sentence=SENTENCE, may_hold_people=True,
)  # fmt: skip


def notification(number: int = 1, **fields: Any) -> Notification:
    """Return the notification about another incident of another lift, with other fields."""
    lift = replace(LIFT, lift_id=f"L-{number}", name=f"Lift {number}")
    return replace(NOTIFICATION, **{"key": f"i{number}:ann", "incident_id": f"i{number}", "lift": lift} | fields)


def notified(records: Records, incident_id: str, to: str, at_ns: int) -> None:
    """Send a notification about an incident to somebody, as the dispatcher does."""
    records.add_notifications([notification(key=f"{incident_id}:{at_ns}", incident_id=incident_id)], at_ns)
    (claimed,) = records.claim_notifications(at_ns, 60 * S, 10)
    records.settle_sent([claimed.id], NotificationAttempt("way", "mail", "", at_ns, "delivered"), to=to)
