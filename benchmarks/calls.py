"""Measures the rounds of the duty caller over many open incidents of one firm, in CPU seconds of its thread.

python -m benchmarks.calls --incidents 10000
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from alerts.book import Occurrence
from detectors.catalogue import BY_SLUG
from detectors.rule import Finding
from notify.escalation.duty_caller import CALLS_OWED, DutyCaller
from registry.actor import Actor
from registry.duty.roster import Roster, Rotation
from registry.lift_facts import LiftFacts
from registry.roles import Role
from registry.ways import SMS
from store.records.repository import NotificationAttempt, Records

BY, S_NS, AT_ONCE = Actor.named("bench"), 1_000_000_000, 500
RULE = BY_SLUG["alarm-button"]


def put_on_duty(
    records: Records, organisation_id: str, login: str, kind: str, address: str, secret: str | None, now_ns: int
) -> None:
    """Add a person of an organisation who is on duty at all times and has one verified way."""
    person = records.add_person(login.title(), login, {organisation_id: Role.MECHANIC}, BY, now_ns)
    assert person is not None
    way = records.add_way(person.person_id, kind, address, secret, BY, now_ns)
    (code,) = [each for each in records.claim_notifications(now_ns, 1, 1000) if each.way_id == way.way_id]
    records.verify_way(person.person_id, way.way_id, code.notification.code or "", BY, now_ns)
    records.settle_sent([code.id], NotificationAttempt(way.way_id, kind, "", now_ns, "delivered"))
    always = Rotation("always", ((person.person_id,),), 1)
    records.add_roster(Roster("", organisation_id, "Duty", "UTC", (always,)), BY, now_ns)


class CallingFirm:
    """A firm that maintains all lifts, with one person on duty, and its duty caller on a clock that is set."""

    def __init__(self, records: Records, lifts: int) -> None:
        self.records, self.now_ns, self.position = records, time.time_ns(), 0
        self.began_ns = self.now_ns
        records.put_lifts([LiftFacts(f"l{i}", "d", maintenance_firm="Firm") for i in range(lifts)], BY, self.now_ns)
        (firm,) = records.organisations()
        put_on_duty(records, firm.organisation_id, "ada", SMS, "+8613900000000", None, self.now_ns)
        self.caller = DutyCaller(records, lambda: self.now_ns)

    def press(self, first: int, until: int) -> None:
        """Press the alarm buttons of some lifts: an incident each."""
        self.position += 1
        finding = Finding(0, RULE.slug, "on", RULE.levels[-1].severity, self.now_ns, self.now_ns, True, {})
        found = [Occurrence(f"l{i}", "d", finding, RULE, self.now_ns) for i in range(first, until)]
        self.records.judge(position=self.position, occurrences=found, now_ns=self.now_ns)

    def rounds(self, what: str, after_s: float, act: Callable[[], None] = lambda: None) -> str:
        """Return a line about the rounds that are due some seconds after the beginning."""
        self.now_ns, before = self.began_ns + round(after_s * S_NS), self.caller.counts[CALLS_OWED]
        act()
        began_s = time.thread_time()
        while self.caller.call_due():
            pass
        return f"{what:40} {time.thread_time() - began_s:8.4f} {self.caller.counts[CALLS_OWED] - before:8d}"


def measure(incidents: int) -> list[str]:
    """Return the lines of the report."""
    with tempfile.TemporaryDirectory() as folder, Records.open(f"sqlite:///{Path(folder)}/records.db") as records:
        firm = CallingFirm(records, incidents + 1)
        for first in range(0, incidents, AT_ONCE):
            firm.press(first, min(first + AT_ONCE, incidents))
        return [
            f"{'':40} {'CPU s':>8} {'calls':>8}",
            firm.rounds("every incident is new", 0),
            firm.rounds("nothing is due", 1),
            firm.rounds("all are planned again", 31),
            firm.rounds("one incident is new", 32, lambda: firm.press(incidents, incidents + 1)),
            firm.rounds("all are called about again", 60),
        ]


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--incidents", type=int, default=10_000)
    for line in measure(parser.parse_args().incidents):
        print(line, flush=True)


if __name__ == "__main__":
    main()
