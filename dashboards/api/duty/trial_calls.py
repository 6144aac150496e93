"""The test button: a message of the kind `test` to the people of some targets, by the ways of a real call."""

from __future__ import annotations

import time
from collections.abc import Iterable

from alerts.escalation.targets import reach
from alerts.notification import TEST, Notification
from dashboards.api.duty.documents import callee_json, missed_json
from dashboards.api.duty.owners import DutyOwners
from dashboards.api.responses import OrjsonResponse
from registry.actor import Actor
from store.records.repository import AuditSubject

ONE_TEST_NS = 60 * 1_000_000_000
"""A person gets one test message of an organisation within this time."""


def send_test(
    owners: DutyOwners, organisation_id: str, targets: Iterable[str], act: str, subject: str, by: Actor
) -> OrjsonResponse:
    """Send a test message to the people of targets, with an audit row; return them, and what cannot be reached."""
    now_ns = time.time_ns()
    people, missed = reach(targets, owners.book(organisation_id), now_ns)
    number = now_ns // ONE_TEST_NS
    wanted = [
        Notification(f"{TEST}:{organisation_id}:{each.person_id}:{number}", each.person_id, "", TEST, "major", now_ns)
        for each in people
    ]
    owners.records.add_notifications(wanted, now_ns)
    called = AuditSubject(subject, {"called": [each.person_id for each in people]})
    owners.records.write_audit(now_ns, by, act, [called])
    return OrjsonResponse({"called": list(map(callee_json, people)), "missed": missed_json(missed)})
