"""Every owed call is made at least once and none twice within its repeat, whatever is killed and whoever is away.

A monitor killed again and again, a server killed, a receiver that goes away and returns; real receivers of both ways.
"""

from __future__ import annotations

import random
import time
from collections import defaultdict
from pathlib import Path

import httpx
import pytest

from store.records.repository import IncidentFilter, Records
from tests.broker import Broker, mosquitto
from tests.chaos.call_ledger import CallResult, UpTimes, compare, fill, keys_of, made_calls
from tests.chaos.link import Link
from tests.chaos.sizes import sizes
from tests.loopback import until
from tests.notify.receivers import Received, http_receiver, mail_receiver
from tests.whole.installation import System

pytestmark = [pytest.mark.broker, pytest.mark.timeout(1200)]
SEED = 20012
PRESSES = 6
"""In a turn: about three turns are open at once, which are no more calls than one folded message lists."""
SHORT_S, LONG_S = 2.0, 14.0
"""How long a monitor lives, at most: by turns."""
PEOPLE, REPEATS = 2, 2
SETTLED_WITHIN_S = 240.0
"""A message under way at a kill is sent again after a lease of 60 s."""


class CallsUnderFire:
    """An installation whose monitor and server are killed while alarm buttons are pressed."""

    def __init__(self, system: System, records: Records, link: Link) -> None:
        self.system, self.records, self.link = system, records, link
        self.up, self.chance = UpTimes(), random.Random(SEED)
        self.pressed: list[str] = []
        self.kills = 0
        self.acknowledged: set[str] = set()
        self.up.up()

    def press(self, count: int) -> None:
        """Press the alarm button of lifts, which nobody has pressed before."""
        for _ in range(count):
            lift_id = f"call-{len(self.pressed):03d}"
            self.pressed.append(lift_id)
            self.system.voice.send(lift_id, "status", {"seq": 1, "t": time.time_ns() // 1_000_000, "alarm": True})

    def kill_monitor(self) -> None:
        """Kill the monitor at a random moment after a press, and start it again."""
        self.kills += 1
        time.sleep(self.chance.uniform(0.0, SHORT_S if self.kills % 2 else LONG_S))
        self.system.end("monitor")
        self.up.down()
        self.system.start_monitor()
        self.up.up()

    def kill_server(self) -> None:
        """Kill the server and wait until it answers again."""
        self.system.end("serve")
        self.system.start("serve")
        until(self._is_ready, "a server that is ready")

    def _is_ready(self) -> bool:
        try:
            return self.system.http.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def acknowledge(self, lift_id: str) -> None:
        """Acknowledge the incident of a lift by the API, once."""
        if lift_id in self.acknowledged:
            return
        for visible in self.records.incidents(IncidentFilter(lift_id=(lift_id,))).items:
            self.system.post(f"/api/v1/incidents/{visible.incident.id}/ack", {})
            self.acknowledged.add(lift_id)

    def disturb(self, kills: int) -> None:
        """Kill the monitor so often, the server at every third time, and cut the webhook off for half of the time."""
        for turn in range(kills):
            self.press(PRESSES)
            if turn % 4 == 1:
                self.link.cut()
            self.kill_monitor()
            if turn % 4 == 3:
                self.link.mend()
            if turn % 3 == 1:
                self.kill_server()
            for lift_id in self.pressed[: -2 * PRESSES]:
                self.acknowledge(lift_id)
        if kills % 4 in (2, 3):
            self.link.mend()

    def settle(self) -> None:
        """Wait until everybody was called about every incident, and acknowledge all of them.

        One more lift is pressed, and called about again and again: meanwhile nobody is called about the others.
        """
        until(lambda: self.called(0) >= PEOPLE * len(self.pressed), "a call about every incident", SETTLED_WITHIN_S)
        for lift_id in self.pressed:
            self.acknowledge(lift_id)
        before = self.called(REPEATS)
        self.press(1)
        until(lambda: self.called(REPEATS) >= before + PEOPLE, "calls that are repeated", SETTLED_WITHIN_S)
        self.acknowledge(self.pressed[-1])
        until(lambda: all(each.sent or each.dropped for each in made_calls(self.records)), "the last", SETTLED_WITHIN_S)
        self.up.down()

    def called(self, least: int) -> int:
        """Return about how many incidents and people a call of this number, or a later one, was sent, or needed no
        more."""
        settled = [each for each in made_calls(self.records) if each.sent or each.dropped]
        return len({(each.incident_id, each.person) for each in settled if each.call >= least})


def holds(result: CallResult) -> None:
    """Nothing is lost or doubled, and much was tried."""
    assert min(result.owed, result.messages) >= result.incidents > 0
    assert (result.lost[:3], result.undelivered[:3]) == ([], [])
    assert (result.doubled[:3], result.after_acknowledgement[:3]) == ([], [])


@sizes(30, 3)
def test_each_owed_call_is_made_at_least_once_and_none_twice_within_its_repeat(tmp_path: Path, size: int) -> None:
    arrived_ns: dict[str, list[int]] = defaultdict(list)

    def note(received: Received) -> None:
        for key in keys_of(received.body):
            arrived_ns[key].append(time.time_ns())

    with (
        http_receiver(note) as webhook,
        mail_receiver() as mail,
        Records.open(f"sqlite:///{tmp_path}/records.db") as records,
    ):
        link = Link(int(webhook.url.rsplit(":", 1)[1]))
        token = fill(records, link.port)
        more = (
            "[notifications]\nprivate_addresses = true\n[notifications.mail]\nhost = '127.0.0.1'\n"
            f"port = {mail.port}\nsecurity = 'none'\nsender = 'lifts@lifts.example'\n"
        )
        system = System(Broker(mosquitto(), tmp_path), tmp_path, more=more)
        system.http.headers["Authorization"] = f"Bearer {token}"
        try:
            calls = CallsUnderFire(system, records, link)
            calls.disturb(size)
            calls.settle()
        finally:
            system.stop()
            link.cut()
        result = compare(records, calls.up, webhook, mail, arrived_ns)
    print(f"\n{size} kills of the monitor: {result}")  # noqa: T201
    holds(result)
    assert result.incidents == size * PRESSES + 1
