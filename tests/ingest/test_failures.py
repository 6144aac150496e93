"""Mistakes of the monitor's own: what fails by one is left out, also after a restart, and all else is judged."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from detectors.behaviour import table as behaviour
from detectors.observe import tables
from registry.actor import Actor
from registry.facts import FleetFacts
from store.journal import Journal
from store.records.repository import Records
from telemetry.order import sequence
from telemetry.streams import topic
from telemetry.wire.columns import GroupColumns
from tests.ingest.judged import Message, alerts, judging
from tests.ingest.running import DISTRICT, bundle, facts
from tests.loopback import until

POISON_M, POISON_SEQ = 13.0, 66


def append(journal: Journal, *messages: Message) -> None:
    now_ns = time.time_ns()
    journal.append(
        [(now_ns, topic(DISTRICT, lift, stream), json.dumps(m).encode(), False) for lift, stream, m in messages]
    )


def runs_too_fast(lift: str) -> list[Message]:
    return [(lift, "bundle", bundle(k, -2.3, 100.0 - 2.3 * k)) for k in range(4)]


def test_behaviour_whose_observation_breaks_is_set_aside_with_its_name_and_all_rules_go_on(
    journal: Journal, records: Records, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("broken on purpose")

    monkeypatch.setattr(behaviour, "step", broken)
    with judging(journal, records) as made:
        append(journal, *runs_too_fast("L1"), *runs_too_fast("L2"))
        until(lambda: alerts(records) >= {("L1", "overspeed"), ("L2", "overspeed")}, "the alerts of both")
    assert (made.counts["rule_set_aside:behaviour"], made.counts["judging_failed"]) == (1, 0)
    assert records.dead_letters().items == []
    (logged,) = [one for one in caplog.records if "behaviour" in one.getMessage()]
    assert (logged.levelname, logged.exc_info is not None) == ("ERROR", True)


def test_a_lift_that_was_set_aside_stays_so_after_a_restart_until_it_is_tried_again(
    journal: Journal, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, tried = tables.advance, list[int]()

    def brittle(memory: Any, batch: Any, facts: FleetFacts) -> Any:
        if (batch.z_m == POISON_M).any():
            tried.append(len(batch))
            raise ZeroDivisionError("broken on purpose")
        return step(memory, batch, facts)

    monkeypatch.setattr(tables, "advance", brittle)
    with judging(journal, records) as made:
        append(journal, *[("L1", "bundle", bundle(2 * k, 0.0, POISON_M)) for k in range(4)])
        until(lambda: made.offered_to == journal.last, "the end of the journal")
    assert tried
    tried.clear()
    with judging(journal, records) as made:
        alarm = bundle(10, 0.0, POISON_M) | {"alarm": True}
        append(journal, ("L1", "bundle", bundle(8, 0.0, POISON_M)), ("L1", "bundle", alarm), *runs_too_fast("L2"))
        until(lambda: alerts(records) >= {("L1", "alarm-button"), ("L2", "overspeed")}, "the alarm and the other lift")
        until(lambda: made.offered_to == journal.last, "the end of the journal")
        assert made.state.aside.unjudged(2, time.monotonic()).tolist() == [True, False]
    assert tried == []


def breaks_decoding(patch: pytest.MonkeyPatch) -> None:
    add = GroupColumns.add

    def brittle(columns: GroupColumns, lift_id: str, district: str, parsed: Any, *more: Any) -> None:
        add(columns, lift_id, district, parsed, *more)
        if parsed[0] == POISON_SEQ:
            raise ZeroDivisionError("broken on purpose")

    patch.setattr(GroupColumns, "add", brittle)


def breaks_order(patch: pytest.MonkeyPatch) -> None:
    process = sequence.process

    def brittle(lifts: Any, messages: Any, order: Any, *more: Any) -> None:
        process(lifts, messages, order, *more)
        if (messages["seq"][order] == POISON_SEQ).any():
            raise ZeroDivisionError("broken on purpose")

    patch.setattr(sequence, "process", brittle)


@pytest.mark.parametrize("breaks", [breaks_decoding, breaks_order])
def test_a_message_that_cannot_be_decoded_or_put_in_order_is_refused_and_all_others_of_its_group_are_judged(
    journal: Journal, records: Records, monkeypatch: pytest.MonkeyPatch, breaks: Callable[[pytest.MonkeyPatch], None]
) -> None:
    breaks(monkeypatch)
    records.put_lifts([facts(lift) for lift in ("G1", "G2")], Actor.named("test"), 0)
    poison = bundle(POISON_SEQ, 0.0, 3.0)
    fast = [
        {lift: body for lift, _, body in pair} for pair in zip(runs_too_fast("G1"), runs_too_fast("G2"), strict=True)
    ]
    append(
        journal,
        *runs_too_fast("L1"),
        ("L2", "bundle", poison),
        *[("GATEWAY", "gateway", {"lifts": {**each, "G3": poison}}) for each in fast],
        *runs_too_fast("L2"),
    )
    with judging(journal, records) as made:
        expected = {(lift, "overspeed") for lift in ("L1", "L2", "G1", "G2")}
        until(lambda: alerts(records) >= expected, "the alerts of all other messages")
        until(lambda: len(records.dead_letters().items) == 5, "the dead letters")
    assert made.counts["judging_failed"] == 0
    letters = records.dead_letters().items
    assert {letter.reason for letter in letters} == {"unjudgeable"}
    assert all("broken on purpose" in letter.detail for letter in letters)
    assert {letter.lift_id for letter in letters} == {"L2", "G3"}


def test_a_message_that_comes_before_each_alarm_delays_no_alarm(
    journal: Journal, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixty lifts fail each second in one way or the other; thirty others press their alarm button."""
    breaks_order(monkeypatch)
    waited_s = []
    with judging(journal, records) as made:
        append(journal, *[(f"W{k}", "bundle", bundle(0, 0.0, 3.0)) for k in range(3)])
        until(lambda: made.counts["messages"] == 3, "the first messages")
        for second in range(3):
            append(journal, *[(f"P{k}", "bundle", bundle(POISON_SEQ, 0.0, 3.0 + second)) for k in range(60)])
            begun_s = time.monotonic()
            append(journal, (f"W{second}", "status", {"seq": 1, "online": True, "alarm": True}))
            until(lambda: (f"W{second}", "alarm-button") in alerts(records), "the alarm")  # noqa: B023
            waited_s.append(time.monotonic() - begun_s)
    assert made.counts["judging_failed"] == 0
    assert np.median(waited_s) < 2.0
