"""From the arrival of the message that decides to the alert: at most 2 s, by the clock of arrivals, beside other lifts.

Judging asks for the stretch of each turn, and so the clock goes on by a turn's pace and the next messages arrive. A
lift that decides sends nothing afterwards, while the others send a bundle a second for as long as the test lasts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from ingest.receiving.listening import Stretch
from registry.actor import Actor
from store.journal import Journal
from store.records.repository import AlertFilter, Records
from telemetry.streams import topic
from tests.ingest.judged import S_NS, Message, judging
from tests.ingest.running import DISTRICT, T0_MS, facts
from tests.loopback import until

TURN_NS = S_NS // 2
"""The longest pace of a calm monitor: 2.5 times 0.2 s."""
LATEST_S = 2.0
FAST = {"dt": 100, "v": [-2.3] * 10}
CALM = {"dt": 100, "v": [0.0] * 10}


def numbered(seq: int, t_ms: int, more: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a message."""
    return {"seq": seq, "t": t_ms, **more}


def deciding(form: str, lift: str, seq: int, t_ms: int) -> Message:
    """Return the message after which an alert is due; its readings end 0.9 s after `t_ms`."""
    alarm = {"alarm": True}
    match form:
        case "bundle":
            return lift, "bundle", numbered(seq, t_ms, {"speed": FAST})
        case "single stream":
            return lift, "speed", numbered(seq, t_ms, FAST)
        case "gateway":
            return "GATEWAY", "gateway", {"lifts": {lift: numbered(seq, t_ms, {"speed": FAST})}}
        case "alarm by itself":
            return lift, "status", numbered(seq, t_ms + 900, alarm)
        case "alarm in a bundle":
            return lift, "bundle", numbered(seq, t_ms, {"speed": CALM, "status": alarm})
        case "alarm beside a stream":
            return lift, "displacement", numbered(seq, t_ms, {"dt": 100, "z": [3.0] * 10} | alarm)
        case "alarm of a gateway":
            return "GATEWAY", "gateway", {"lifts": {lift: numbered(seq, t_ms, alarm)}}
    raise AssertionError(form)


FORMS = (
    "bundle",
    "single stream",
    "gateway",
    "alarm by itself",
    "alarm in a bundle",
    "alarm beside a stream",
    "alarm of a gateway",
)
EVERY_S = (1, 60)


class World:
    """Lifts that decide one after the other, a quarter of a second apart, beside others that go on."""

    def __init__(self, journal: Journal, records: Records, others: int) -> None:
        self.clock_ns = self.begin_ns = T0_MS * 1_000_000
        self.took_s: dict[tuple[str, int], float] = {}
        self._journal, self._records = journal, records
        self._others = [f"OTHER-{k}" for k in range(others)]
        kinds = [(form, every_s) for form in FORMS for every_s in EVERY_S]
        self._probes = {f"PROBE-{k}": kind for k, kind in enumerate(kinds)}
        self._due_ns = {lift: self.begin_ns + 3 * S_NS + k * S_NS // 4 for k, lift in enumerate(self._probes)}
        records.put_lifts([facts(lift) for lift in (*self._others, *self._probes)], Actor.named("test"), 0)
        for ago in (3, 2, 1):
            for lift, (_, every_s) in self._probes.items():
                at_ns = self._due_ns[lift] - ago * every_s * S_NS
                if at_ns <= self.begin_ns:
                    body = numbered(4 - ago, at_ns // 1_000_000 - 900, {"speed": CALM})
                    self._arrive((at_ns, (lift, "bundle", body)))

    @property
    def waits_for(self) -> set[str]:
        """The lifts whose alert is due."""
        return {lift for lift in self._probes if self._probes[lift] not in self.took_s}

    def stretch(self) -> Stretch:
        """Note which alerts are there, and let the messages of the next turn arrive."""
        for one in self._records.alerts(AlertFilter(), limit=100).items:
            kind = self._probes[one.lift_id]
            self.took_s.setdefault(kind, (self.clock_ns - self._due_ns[one.lift_id]) / S_NS)
        before_ns, self.clock_ns = self.clock_ns, self.clock_ns + TURN_NS
        arrived: list[tuple[int, Message]] = []
        for k, lift in enumerate(self._others):
            second = (self.clock_ns - k * S_NS // len(self._others)) // S_NS
            at_ns = second * S_NS + k * S_NS // len(self._others)
            if at_ns > before_ns:
                arrived += [(at_ns, (lift, "bundle", numbered(second, at_ns // 1_000_000 - 900, {"speed": CALM})))]
        for lift, due_ns in self._due_ns.items():
            if before_ns < due_ns <= self.clock_ns:
                arrived += [(due_ns, deciding(self._probes[lift][0], lift, 4, due_ns // 1_000_000 - 900))]
        self._arrive(*sorted(arrived, key=lambda one: one[0]))
        return Stretch(self.begin_ns - 3600 * S_NS, self.clock_ns, self.clock_ns)

    def _arrive(self, *messages: tuple[int, Message]) -> None:
        self._journal.append(
            [
                (at_ns, topic(DISTRICT, lift, stream), json.dumps(body).encode(), False)
                for at_ns, (lift, stream, body) in messages
            ]
        )


@pytest.mark.parametrize("others", [30, pytest.param(1_000, marks=pytest.mark.long)])
def test_the_last_message_of_a_lift_is_an_alert_within_two_seconds_in_every_form(
    journal: Journal, records: Records, others: int
) -> None:
    world = World(journal, records, others)
    with judging(journal, records, stretch=world.stretch) as made:
        until(lambda: not world.waits_for or made.counts["messages"] > 60 * others, "every alert")
    assert world.waits_for == set()
    assert max(world.took_s.values()) <= LATEST_S, world.took_s
