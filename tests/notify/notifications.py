"""Notifications that the tests send."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from alerts.notification import Notification, NotifiedLift
from tests.alerts.rules import T0

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
