"""The ledger of calls: what was owed about each incident, what was made of it, and what the receivers have received.

    presses of the alarm button ─► incidents ─► a call of each person every `EVERY_S`, until somebody acknowledges
                                                   │
    records: notifications by key ◄── made ────────┤
    receivers: webhook (keys in the data), mail ◄──┘ delivered

A call is *owed* where the monitor was up for `WITHIN_S` without a break after the call fell due, before the next one
does or somebody acknowledges: until then it must be made. What was overdue is called about once.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from itertools import pairwise

import orjson
from sqlalchemy import select

from alerts.escalation.policy import EscalationPolicy
from alerts.escalation.policy_checks import Nameable, read_policy
from registry.fact_checks import FieldError
from registry.ways import MAIL, WEBHOOK
from store.records.outbox.tables import DROPPED, SENT, notifications
from store.records.repository import IncidentFilter, Records
from tests.alerts.rules import T0, S
from tests.notify.dispatch.reached import BY, desk_person, verified_way
from tests.notify.receivers import HttpReceiver, MailReceiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVERY_S = 30
WITHIN_S = 5.0
"""The time within which a monitor that is up makes a call that is due."""
NUMBER = re.compile(r"<n-(\d+)(?:-(\d+))?@")


def fill(records: Records, webhook_port: int) -> str:
    """Add Ada, who is reached by a webhook, and Ben, who is reached by mail, and a policy that calls both.

    Return a token of Ada.
    """
    ada, ben = desk_person(records, "Ada"), desk_person(records, "Ben")
    verified_way(records, ada, WEBHOOK, f"http://127.0.0.1:{webhook_port}/hook", SECRET)
    verified_way(records, ben, MAIL, "ben@lifts.example")
    (desk,) = records.organisations()
    given = {"name": "All", "steps": [{"targets": ["everyone"], "times": 60, "every_s": EVERY_S}]}

    def read(others: Sequence[EscalationPolicy]) -> tuple[EscalationPolicy, list[FieldError]]:
        return read_policy(given, "", desk.organisation_id, Nameable(None, None, others))

    records.add_policy(read, desk.organisation_id, None, BY, T0)
    now_ns = time.time_ns()
    return records.add_token(ada, desk.organisation_id, "chaos", now_ns + 3600 * S, BY, now_ns)


@dataclass(frozen=True, slots=True)
class MadeCall:
    """A call in the records: in which repeat since `start_ns` it was made, and whether it is settled: sent, or dropped
    because somebody had acknowledged the incident meanwhile, or a newer call was sent."""

    number: int
    key: str
    incident_id: str
    person: str
    start_ns: int
    call: int
    made_ns: int
    sent: bool
    dropped: bool


@dataclass
class UpTimes:
    """When the monitor was up, as [from, until) in ns of the wall clock."""

    stretches: list[tuple[int, int]] = field(default_factory=list)
    _since_ns: int | None = None

    def up(self) -> None:
        self._since_ns = time.time_ns()

    def down(self) -> None:
        if self._since_ns is not None:
            self.stretches.append((self._since_ns, time.time_ns()))
        self._since_ns = None

    def deadline_ns(self, due_ns: int, until_ns: int) -> int | None:
        """Return until when a call that falls due is to be made: None where no stretch gives the time for it."""
        for begin_ns, end_ns in self.stretches:
            deadline_ns = max(due_ns, begin_ns) + round(WITHIN_S * S)
            if deadline_ns <= min(end_ns, until_ns):
                return deadline_ns
        return None


@dataclass(frozen=True, slots=True)
class CallResult:
    """The ledger, in counts; the lists name the calls."""

    incidents: int
    owed: int
    made: int
    dropped: int
    messages: int
    lost: Sequence[str]
    undelivered: Sequence[str]
    doubled: Sequence[str]
    after_acknowledgement: Sequence[str]
    sent_again: int

    def __str__(self) -> str:
        return (
            f"{self.incidents} incidents; {self.owed} calls owed, {self.made} made, {len(self.lost)} lost, "
            f"{self.dropped} dropped after an acknowledgement or a newer call; "
            f"{self.messages} messages received, {len(self.undelivered)} calls in none, {len(self.doubled)} doubled, "
            f"{self.sent_again} sent again later; {len(self.after_acknowledgement)} calls after an acknowledgement"
        )


def made_calls(records: Records) -> list[MadeCall]:
    """Return the calls about incidents, as the records have them."""
    people = {each.person_id: each.name for each in records.people()}
    columns = notifications.c
    query = select(columns.id, columns.key, columns.incident_id, columns.person_id, columns.made_ns, columns.state)
    with records._database.reading() as connection:
        rows = connection.execute(query.where(columns.incident_id != "").order_by(columns.id)).all()
    found = []
    for row in rows:
        start_ns = int(row.key.split(":")[2])
        call = (row.made_ns - start_ns) // (EVERY_S * S)
        person = people[row.person_id]
        sent = row.state == SENT
        dropped = row.state == DROPPED
        found.append(MadeCall(row.id, row.key, row.incident_id, person, start_ns, call, row.made_ns, sent, dropped))
    return found


def compare(
    records: Records, up: UpTimes, webhook: HttpReceiver, mail: MailReceiver, arrived_ns: Mapping[str, list[int]]
) -> CallResult:
    """Hold the owed calls against those that were made, and those against what was received.

    `arrived_ns` has the arrivals of each key at the webhook.
    """
    made = made_calls(records)
    of: dict[tuple[str, str], list[MadeCall]] = defaultdict(list)
    for each in made:
        of[each.incident_id, each.person].append(each)
    mails, folded = _mails(mail)
    undelivered = [each.key for each in made if each.person == "Ada" and each.sent and each.key not in arrived_ns]
    to_ben = [each for each in made if each.person == "Ben" and each.sent]
    not_alone = [each.key for each in to_ben if each.number not in mails]
    undelivered += not_alone if len(not_alone) > folded else []
    doubled = [key for key, at_ns in arrived_ns.items() if _close(at_ns)]
    doubled += [each.key for some in of.values() for each in _in_one_repeat(some)]
    owed, lost, late = 0, [], []
    found = records.incidents(IncidentFilter(), limit=1000).items
    for incident in (visible.incident for visible in found):
        acknowledged_ns = incident.acknowledged_ns
        for person in ("Ada", "Ben"):
            made_ns = {each.call: each.made_ns for each in reversed(of[incident.id, person])}
            for call, deadline_ns in _owed(up, incident.opened_ns, acknowledged_ns):
                owed += 1
                if made_ns.get(call, deadline_ns + 1) > deadline_ns:
                    lost.append(f"{incident.lift_id} {person} {call}")
            if acknowledged_ns is None:
                is_told = any(each.sent for each in of[incident.id, person])
                lost += [f"{each.key} dropped" for each in of[incident.id, person] if each.dropped and not is_told]
            else:
                late += [each.key for each in of[incident.id, person] if each.made_ns > acknowledged_ns + 5 * S]
    again = sum(len(at_ns) - 1 for at_ns in arrived_ns.values())
    received = webhook.requests.qsize() + len(mails) + folded
    all_dropped = sum(each.dropped for each in made)
    return CallResult(len(found), owed, len(made), all_dropped, received, lost, undelivered, doubled, late, again)


def _owed(up: UpTimes, opened_ns: int, acknowledged_ns: int | None) -> Iterator[tuple[int, int]]:
    """Yield the numbers of the calls about an incident that are owed, and until when each is to be made."""
    end_ns = up.stretches[-1][1] if acknowledged_ns is None else acknowledged_ns
    call, due_ns = 0, opened_ns
    while due_ns < end_ns:
        deadline_ns = up.deadline_ns(due_ns, min(due_ns + EVERY_S * S, end_ns))
        if deadline_ns is not None:
            yield call, deadline_ns
        call, due_ns = call + 1, due_ns + EVERY_S * S


def _in_one_repeat(calls: Sequence[MadeCall]) -> Iterator[MadeCall]:
    """Yield the calls that were made within the time of an earlier one."""
    seen = set()
    for each in calls:
        repeat = (each.made_ns - each.start_ns) // (EVERY_S * S)
        if repeat in seen:
            yield each
        seen.add(repeat)


def _close(at_ns: Sequence[int]) -> bool:
    """Return whether one call arrived twice within its repeat."""
    ordered = sorted(at_ns)
    return any(later - earlier < EVERY_S * S for earlier, later in pairwise(ordered))


def _mails(receiver: MailReceiver) -> tuple[set[int], int]:
    """Return the numbers of the calls that came alone, and how many came in messages about several."""
    alone, folded = set(), 0
    for envelope in list(receiver.envelopes.queue):
        content = envelope.content or b""
        parsed = message_from_bytes(content if isinstance(content, bytes) else content.encode())
        number = NUMBER.match(str(parsed["Message-ID"]))
        assert number is not None
        if number[2] is None:
            alone.add(int(number[1]))
        else:
            folded += int(number[2])
    return alone, folded


def keys_of(body: bytes) -> list[str]:
    """Return the keys of the calls that a message of a webhook is about."""
    data = orjson.loads(body)["data"]
    about = (data["notifications"] if data["kind"] == "folded" else [data]) + data.get("further", [])
    return [each["key"] for each in about]
