"""A process that calls people, killed at any moment: no call is lost with its progress, and none is made twice.

A real process and a real kill: at random moments of a clock that runs faster than the wall's, and before each writing
statement and each commit of a round.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import count, pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from notify.escalation.duty_caller import DutyCaller
from store.records.repository import Records
from tests.alerts.rules import T0, S
from tests.forked import forked
from tests.loopback import PATIENCE_S
from tests.notify.escalation.firm import EVERY_S, CalledFirm

INCIDENTS, KILLS, MOST_KILLS, SEED, FASTER = 6, 4, 100, 20010101, 600
NEVER = 1_000_000
"""More statements than a round has."""
WRITING = ("INSERT", "UPDATE", "DELETE", "COMMIT")


def call_again_and_again(ready: Callable[[], None], url: str, began_ns: int) -> None:
    """Call who is to be called until the process is killed."""
    with Records.open(url) as records:
        caller = DutyCaller(records, lambda: T0 + (time.time_ns() - began_ns) * FASTER)
        while True:
            caller.call_due()
            ready()


def call_once(ready: Callable[[], None], url: str, now_ns: int, last: int) -> None:
    """Call who is to be called at an instant; be killed before the writing statement or commit number `last`."""
    numbers = count(1)

    def die_in_time(_: Any, __: Any = None, statement: str = "COMMIT", *___: Any) -> None:
        if statement.startswith(WRITING) and next(numbers) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    with Records.open(url) as records:
        for moment in ("before_cursor_execute", "commit"):
            event.listen(Engine, moment, die_in_time)
        ready()
        DutyCaller(records, lambda: now_ns).call_due()


def test_a_killed_process_loses_no_call_and_makes_none_twice(url: str, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    with Records.open(url, tmp_path / "keys") as records:
        firm = CalledFirm(records)
        incidents = incidents_to_call_about(firm, INCIDENTS)
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


def test_a_process_killed_before_any_writing_of_a_round_loses_no_call_and_makes_none_twice(
    url: str, tmp_path: Path
) -> None:
    with Records.open(url, tmp_path / "keys") as records:
        firm = CalledFirm(records)
        incidents = incidents_to_call_about(firm, 2)
        for last in count(1):
            now_ns = T0 + last * EVERY_S * S
            exit_code = round_of_calls(url, now_ns, last)
            assert exit_code in (0, -signal.SIGKILL)
            for incident_id, calls in made(firm).items():
                (progress,) = records.call_progress(incident_id).values()
                assert progress.at_ns == calls[-1], f"killed before writing {last}"
            assert round_of_calls(url, now_ns, NEVER) == 0
            assert all(made(firm)[each].count(now_ns) == 1 for each in incidents), f"killed before writing {last}"
            if exit_code == 0:
                break
        assert last > 5, "a round writes more often than that"


def round_of_calls(url: str, now_ns: int, last: int) -> int | None:
    """Return the exit code of a process that calls once."""
    with forked(call_once, url, now_ns, last) as process:
        process.join(PATIENCE_S)
        return process.exitcode


def incidents_to_call_about(firm: CalledFirm, number: int) -> list[str]:
    """Open incidents of as many lifts, about which Ada is called; return their ids."""
    firm.roster(firm.ada)
    firm.policy(["on-duty"])
    found = []
    for each in range(number):
        firm.put_lift(f"l{each}")
        found.append(firm.open_incident(lift_id=f"l{each}"))
    return found


def made(firm: CalledFirm) -> dict[str, list[int]]:
    """Return when calls were made about each incident."""
    found = defaultdict(list)
    for at_s, _, notification in firm.owed():
        found[notification.incident_id].append(T0 + round(at_s * S))
    return found
