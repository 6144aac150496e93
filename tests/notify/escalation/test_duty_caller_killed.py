"""A process that calls people, killed at any moment: no call is lost with its progress, and none is made twice.

A real process, a real kill, on a clock that runs faster than the wall's.
"""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from notify.escalation.duty_caller import DutyCaller
from store.records.repository import Records
from tests.alerts.rules import T0, S
from tests.notify.escalation.firm import EVERY_S, CalledFirm
from tests.processes import forked

INCIDENTS, KILLS, MOST_KILLS, SEED, FASTER = 6, 4, 100, 20010101, 600


def call_again_and_again(ready: Callable[[], None], url: str, began_ns: int) -> None:
    """Call who is to be called until the process is killed."""
    with Records.open(url) as records:
        caller = DutyCaller(records, lambda: T0 + (time.time_ns() - began_ns) * FASTER)
        while True:
            caller.call_due()
            ready()


def test_a_killed_process_loses_no_call_and_makes_none_twice(url: str, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    with Records.open(url, tmp_path / "keys") as records:
        firm = CalledFirm(records)
        firm.roster(firm.ada)
        firm.policy(["on-duty"])
        incidents = []
        for number in range(INCIDENTS):
            firm.put_lift(f"l{number}")
            incidents.append(firm.open_incident(lift_id=f"l{number}"))
        began_ns, kills, calls = time.time_ns(), 0, made(firm)
        while kills < KILLS or (kills < MOST_KILLS and min(len(calls[one]) for one in incidents) < KILLS):
            with forked(call_again_and_again, url, began_ns):
                time.sleep(chance.uniform(0, 0.3))  # any moment will do: what is asserted holds for all of them
            kills += 1
            calls = made(firm)
            for incident_id in incidents:
                (progress,) = records.call_progress(incident_id).values() or [None]
                assert progress is None or progress.at_ns == calls[incident_id][-1], f"seed {SEED}"
        for incident_id in incidents:
            assert len(calls[incident_id]) >= KILLS
            number = [(at_ns - T0) // (EVERY_S * S) for at_ns in calls[incident_id]]
            assert all(one < next_one for one, next_one in pairwise(number)), f"one call made twice, seed {SEED}"


def made(firm: CalledFirm) -> dict[str, list[int]]:
    """Return when calls were made about each incident."""
    found = defaultdict(list)
    for at_s, _, notification in firm.owed():
        found[notification.incident_id].append(T0 + round(at_s * S))
    return found
