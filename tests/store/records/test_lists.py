"""The latest state, lists of alerts and dead letters: order, filters, cursors and indices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select, select

from detectors.rule import CRITICAL
from registry.partition import Partition
from store.records.refused.dead_letters import (
    DEAD_LETTER_LIMIT,
    DEAD_LETTER_PAYLOAD_BYTES,
    DELETED_AT_ONCE,
    WRITTEN_AT_ONCE,
)
from store.records.repository import AlertFilter, BadCursor, Records
from store.records.schema import alerts, is_newest, is_open, is_shelved
from telemetry.batch import Refusal
from tests.alerts.rules import OVERSPEED, STOP, T0, S, occurrence


def test_the_latest_state_is_replaced_and_its_version_increases(records: Records) -> None:
    first = records.put_live(b"\x00one", {"received": 1}, T0)
    second = records.put_live(b"\xfftwo", {"received": 2}, T0 + S)
    (picture,) = records.live()
    assert (picture.lifts, picture.counts, picture.version) == (b"\xfftwo", {"received": 2}, second)
    assert (second > first, records.live(second)) == (True, [])


def test_each_monitor_has_a_latest_state_of_its_own(records: Records) -> None:
    for number in range(2):
        records.claim(Partition(number, 2))
        records.put_live(str(number).encode(), {}, T0)
    assert [(picture.partition, picture.lifts) for picture in records.live()] == [("0/2", b"0"), ("1/2", b"1")]


def test_alerts_come_newest_onset_first_and_every_one_once(records: Records) -> None:
    story = [occurrence(STOP, "on", 10 + n // 3, lift_id=f"l{n}") for n in range(25)]
    records.judge(position=1, occurrences=story, now_ns=T0)
    seen, cursor = [], None
    while True:
        page = records.alerts(AlertFilter(), limit=4, cursor=cursor)
        seen += page.items
        cursor = page.next
        if cursor is None:
            break
    assert len({alert.id for alert in seen}) == len(seen) == 25
    assert [alert.onset_ns for alert in seen] == sorted((alert.onset_ns for alert in seen), reverse=True)


@pytest.mark.parametrize(
    ("wanted", "lifts"),
    [
        (AlertFilter(state=("firing",)), ["c", "b"]),
        (AlertFilter(state=("cleared", "closed")), ["a"]),
        (AlertFilter(rule=("overspeed",)), ["c"]),
        (AlertFilter(severity=("critical", "minor")), ["c"]),
        (AlertFilter(lift_id=("a",), district=("centre",)), ["a"]),
        (AlertFilter(district=("nowhere",)), []),
        (AlertFilter(from_ns=T0 + 20 * S), ["c", "b"]),
        (AlertFilter(to_ns=T0 + 20 * S), ["a"]),
        (AlertFilter(rule=("' OR 1=1 --",)), []),
    ],
)
def test_alerts_are_filtered(records: Records, wanted: AlertFilter, lifts: list[str]) -> None:
    records.judge(
        position=1,
        occurrences=[
            occurrence(STOP, "on", 10, lift_id="a"),
            occurrence(STOP, "off", 15, lift_id="a"),
            occurrence(STOP, "on", 20, lift_id="b"),
            occurrence(OVERSPEED, "on", 30, CRITICAL, lift_id="c"),
        ],
        now_ns=T0,
    )
    assert [alert.lift_id for alert in records.alerts(wanted).items] == lifts


@pytest.mark.parametrize("cursor", ["", "x", "%%%", "AAAA", "é", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTkgYQ", "\0"])
def test_an_invalid_cursor_is_refused(records: Records, cursor: str) -> None:
    for ask in (
        lambda: records.alerts(AlertFilter(), cursor=cursor),
        lambda: records.audit(cursor=cursor),
        lambda: records.dead_letters(cursor=cursor),
    ):
        with pytest.raises(BadCursor):
            ask()


def refusal(n: int, reason: str = "json", payload: bytes = b"{") -> Refusal:
    return Refusal(reason, "broken", "lift/v1/x/y/speed", payload, T0 + n * S, n)


def test_dead_letters_come_newest_first_by_reason_and_time(records: Records) -> None:
    many = [refusal(n, "json" if n % 2 else "topic") for n in range(1, 11)]
    records.judge(position=10, occurrences=[], now_ns=T0, refusals=many)
    first = records.dead_letters(reason="json", limit=3)
    rest = records.dead_letters(reason="json", limit=3, cursor=first.next)
    assert [(one.at_ns - T0) // S for one in first.items + rest.items] == [9, 7, 5, 3, 1]
    assert rest.next is None
    between = records.dead_letters(from_ns=T0 + 4 * S, to_ns=T0 + 6 * S).items
    assert [(one.at_ns - T0) // S for one in between] == [5, 4]


def test_dead_letters_have_a_limit_and_the_oldest_are_deleted(records: Records) -> None:
    records.judge(position=1, occurrences=[], now_ns=T0, refusals=[refusal(1)])
    for first in range(2, DEAD_LETTER_LIMIT + 2, WRITTEN_AT_ONCE):
        flood = [refusal(n) for n in range(first, first + WRITTEN_AT_ONCE)]
        records.judge(position=flood[-1].position, occurrences=[], now_ns=T0, refusals=flood)
    assert records.dead_letters(to_ns=T0 + 2 * S).items == []
    assert len(records.dead_letters(limit=DEAD_LETTER_LIMIT + 9).items) == DEAD_LETTER_LIMIT - DELETED_AT_ONCE


def test_hostile_bytes_are_stored_unchanged_and_truncated(records: Records) -> None:
    nasty = Refusal("topic", "nul \0 and half \ud800", "lift/\0", b"\0\xff" * DEAD_LETTER_PAYLOAD_BYTES, T0, 1)
    records.judge(position=1, occurrences=[], now_ns=T0, refusals=[nasty])
    (letter,) = records.dead_letters().items
    assert letter.payload == nasty.payload[:DEAD_LETTER_PAYLOAD_BYTES]


@pytest.mark.parametrize(
    ("question", "index"),
    [
        (select(alerts).where(is_newest, alerts.c.lift_id.in_(["a", "b"])), "one_newest_alert"),
        (select(alerts).where(is_open), "one_open_alert"),
        (select(alerts).where(is_shelved, alerts.c.shelved_until_ns <= 1), "shelved_alerts"),
        (select(alerts).order_by(alerts.c.onset_ns.desc(), alerts.c.id.desc()).limit(9), "alerts_by_onset"),
    ],
)
def test_queries_use_their_indices(tmp_path: Path, question: Select[Any], index: str) -> None:
    with Records.open(f"sqlite:///{tmp_path}/records.db") as records, records._database.reading() as connection:
        asked = question.compile(connection, compile_kwargs={"render_postcompile": True})
        values = tuple(asked.params[name] for name in asked.positiontup or ())
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", values).fetchall()
    assert index in str(plan)
