"""Acts that happen often become few rows of the audit log, and no act is lost or counted twice."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from registry.actor import Actor
from store.records.audit.counted import HOUR_NS, KEY_LIMIT, OTHERS, VALUES_LIMIT, ActCounts
from store.records.audit.writing import CountedAct, CountedRow
from store.records.repository import Records

MIN_NS = HOUR_NS // 60
BEGIN_NS = 1000 * HOUR_NS
ANN = Actor("Ann", "person:7", "Desk", "dispatcher", "192.0.2.7")


def reading(lift_id: str = "L1", by: Actor = ANN) -> CountedAct:
    return CountedAct(by, "readings.read", lift_id, lift_id)


def write(counts: ActCounts, now_ns: int, everything: bool = False) -> list[CountedRow]:
    """Return the rows that are due, as written."""
    due = counts.due(now_ns, everything)
    counts.written(due)
    return due


def detail(row: CountedRow) -> dict[str, Any]:
    assert isinstance(row.subject.detail, dict)
    return row.subject.detail


def test_the_first_act_of_an_hour_is_written_soon_and_the_others_at_its_end() -> None:
    counts = ActCounts()
    counts.count(reading(), BEGIN_NS, "speed", (50 * MIN_NS, 60 * MIN_NS))
    (first,) = write(counts, BEGIN_NS + 1)
    assert (first.act, first.count, first.at_ns, first.subject.lift_id) == (reading(), 1, BEGIN_NS, "L1")
    assert detail(first) == {
        "count": 1, "first": "1970-02-11T16:00:00.000Z", "last": "1970-02-11T16:00:00.000Z", "what": ["speed"],
        "from": "1970-01-01T00:50:00.000Z", "to": "1970-01-01T01:00:00.000Z",
    }  # fmt: skip
    for minute, (stream, span) in enumerate([("door", (0, MIN_NS)), ("speed", (2 * MIN_NS, 90 * MIN_NS))], start=1):
        counts.count(reading(), BEGIN_NS + minute * MIN_NS, stream, span)
        assert write(counts, BEGIN_NS + minute * MIN_NS) == []
    (rest,) = write(counts, BEGIN_NS + HOUR_NS)
    assert detail(rest) == {
        "count": 2, "first": "1970-02-11T16:01:00.000Z", "last": "1970-02-11T16:02:00.000Z", "what": ["door", "speed"],
        "from": "1970-01-01T00:00:00.000Z", "to": "1970-01-01T01:30:00.000Z",
    }  # fmt: skip
    assert write(counts, BEGIN_NS + HOUR_NS + 1) == []
    assert counts.due(BEGIN_NS + 2 * HOUR_NS, everything=True) == []


def test_actors_lifts_and_outcomes_are_counted_apart() -> None:
    counts = ActCounts()
    acts = [
        reading("L1"),
        reading("L2"),
        reading(by=Actor.named("Bob")),
        CountedAct(ANN, "request", "GET 403", None, "refused"),
    ]
    for act in acts * 2:
        counts.count(act, BEGIN_NS, "x")
    assert [(row.act, row.count) for row in write(counts, BEGIN_NS)] == [(act, 2) for act in acts]


def test_a_flood_of_keys_and_values_is_bounded_and_counted() -> None:
    counts = ActCounts()
    for number in range(KEY_LIMIT + 500):
        counts.count(reading(f"L{number}"), BEGIN_NS, f"value {number}")
    rows = write(counts, BEGIN_NS)
    assert len(rows) == KEY_LIMIT + 1
    others = next(row for row in rows if row.act.subject == OTHERS)
    assert (others.count, len(detail(others)["what"])) == (500, VALUES_LIMIT)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 90), st.booleans(), st.booleans()), max_size=60))
def test_every_act_is_in_exactly_one_written_row(steps: list[tuple[int, int, bool, bool]]) -> None:
    """Whenever rows become due, and whether writing them succeeds or fails."""
    counts, written, now_ns = ActCounts(), 0, BEGIN_NS
    for lift, minutes, is_due, succeeds in steps:
        now_ns += minutes * MIN_NS
        counts.count(reading(f"L{lift}"), now_ns, "speed")
        if is_due:
            due = counts.due(now_ns)
            counts.count(reading(f"L{lift}"), now_ns, "door")  # between reading what is due and its being written
            if succeeds:
                counts.written(due)
                written += sum(row.count for row in due)
    written += sum(row.count for row in write(counts, now_ns, everything=True))
    assert written == len(steps) + sum(is_due for _, _, is_due, _ in steps)


def test_counted_acts_are_rows_of_the_chain(url: str) -> None:
    counts = ActCounts()
    counts.count(reading("L1"), BEGIN_NS, "speed")
    counts.count(CountedAct(ANN, "request", "GET 403", None, "refused"), BEGIN_NS + 1, "GET /metrics")
    with Records.open(url) as records:
        records.write_counted(write(counts, BEGIN_NS + 2))
        rows = [(each.at_ns, each.by, each.action, each.subject, each.outcome) for each in records.audit().items]
        assert rows == [
            (BEGIN_NS + 1, ANN, "request", "GET 403", "refused"), (BEGIN_NS, ANN, "readings.read", "L1", "done"),
        ]  # fmt: skip
        with records.chain_check() as (check, found):
            assert (list(found), check.rows) == ([], 2)
