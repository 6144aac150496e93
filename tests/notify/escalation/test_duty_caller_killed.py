"""A process that calls people, killed at any moment: no call is lost with its progress, and none is made twice.

A real process, a real kill, on a clock that runs faster than the wall's.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import textwrap
import time
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

from store.records.repository import Records
from tests.alerts.rules import T0, S
from tests.notify.escalation.firm import EVERY_S, CalledFirm
from tests.processes import start_process

ROOT = Path(__file__).parents[3]
INCIDENTS, KILLS, SEED, FASTER = 6, 4, 20010101, 600
CALLER = textwrap.dedent(
    """
    import sys, time
    from notify.escalation.duty_caller import DutyCaller
    from store.records.repository import Records
    from tests.alerts.rules import T0
    from tests.notify.escalation.test_duty_caller_killed import FASTER

    began_ns = int(sys.argv[2])
    with Records.open(sys.argv[1]) as records:
        caller = DutyCaller(records, lambda: T0 + (time.time_ns() - began_ns) * FASTER)
        while True:
            caller.call_due()
            print("called", flush=True)
    """
)


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
        began_ns = time.time_ns()
        for _ in range(KILLS):
            caller = start_process([sys.executable, "-c", CALLER, url, str(began_ns)], cwd=ROOT, stdout=subprocess.PIPE)
            assert caller.stdout is not None
            with caller:
                assert caller.stdout.readline() == b"called\n"
                time.sleep(chance.uniform(0, 0.3))  # any moment will do: what is asserted holds for all of them
                caller.send_signal(signal.SIGKILL)
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
