"""Transitions of alerts, as the readers that announce them read them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from alerts.answers import Answer
from registry.actor import Actor
from store.records.repository import Records
from tests.alerts.rules import STOP, T0, occurrence
from tests.store.records.questions import open_one


def test_a_transition_holds_the_alert_of_its_moment(records: Records) -> None:
    alert_id = open_one(records)
    records.answer(alert_id, Answer("ack", Actor.named("ann")), T0)
    first, second = records.transitions_since(0)
    assert ('"acknowledged":false' in first.alert_json, '"acknowledged":true' in second.alert_json) == (True, True)
    assert (records.transitions_since(first.id), records.last_transition()) == ([second], second.id)


def test_transitions_can_be_asked_for_one_lift_or_district(records: Records) -> None:
    story = [occurrence(STOP, "on", 10, lift_id=name) for name in ("a", "b")]
    records.judge(position=1, occurrences=story, now_ns=T0)
    assert [one.lift_id for one in records.transitions_since(0, lift_id="b")] == ["b"]
    assert records.transitions_since(0, district="elsewhere") == []


def test_a_reader_continues_at_its_cursor(records: Records) -> None:
    assert records.cursor("mqtt") == 0
    records.move_cursor("mqtt", 5)
    records.move_cursor("mqtt", 6)
    assert (records.cursor("mqtt"), records.cursor("other")) == (6, 0)


def test_readers_see_transitions_in_the_order_of_their_commits(records: Records, url: str) -> None:
    """With numbers given before the commit, a reader at n could miss n - 1 that is committed later."""
    missed: list[int] = []
    stop = threading.Event()

    def read() -> None:
        with Records.open(url) as own:
            at, seen = 0, set()
            while not stop.is_set():
                for one in own.transitions_since(at):
                    at = one.id
                    seen.add(at)
            seen |= {one.id for one in own.transitions_since(at)}
            missed.extend({one.id for one in own.transitions_since(0)} - seen)

    def write(lift_id: str) -> None:
        with Records.open(url) as own:
            for at in range(1, 15):
                kind = "on" if at % 2 else "off"
                own.judge(position=at, occurrences=[occurrence(STOP, kind, at, lift_id=lift_id)], now_ns=T0)

    with ThreadPoolExecutor(4) as pool:
        reader = pool.submit(read)
        for writer in [pool.submit(write, name) for name in ("a", "b", "c")]:
            writer.result()
        stop.set()
        reader.result()
    assert missed == []
