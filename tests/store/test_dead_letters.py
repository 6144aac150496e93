"""Dead letters: no sender pushes out another's, and each lift's refusals are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from registry.actor import Actor
from registry.facts import LiftFacts
from store.records.refused.dead_letters import DEAD_LETTER_LIMIT, DELETED_AT_ONCE, UNREGISTERED_KEPT, WRITTEN_AT_ONCE
from store.records.refused.shares import SharedRow, crowding
from store.records.repository import Records, RefusalCount
from telemetry.batch import Refusal

S_NS = 1_000_000_000


@pytest.fixture
def records(records_url: str) -> Iterator[Records]:
    with Records.open(records_url) as opened:
        yield opened


class Sender:
    """Refused messages into the records, each at a position of its own."""

    def __init__(self, records: Records) -> None:
        self.records, self.position = records, 0

    def refuse(self, *lift_ids: str, district: str = "anji", known: bool = False, reason: str = "type") -> None:
        refused = []
        for lift_id in lift_ids:
            self.position += 1
            topic = f"lift/v1/{district}/{lift_id}/speed"
            at_ns = self.position * S_NS
            refused.append(Refusal(reason, "v: no", topic, b"{}", at_ns, self.position, lift_id, lift_id, known))
        self.commit(refused)

    def commit(self, refused: list[Refusal]) -> None:
        for first in range(0, len(refused), WRITTEN_AT_ONCE):
            part = refused[first : first + WRITTEN_AT_ONCE]
            self.records.judge(position=part[-1].position, occurrences=[], now_ns=0, refusals=part)

    def kept(self) -> Counter[str]:
        letters = self.records.dead_letters(limit=2 * DEAD_LETTER_LIMIT).items
        assert len(letters) <= DEAD_LETTER_LIMIT
        return Counter(letter.lift_id for letter in letters)


def strangers(count: int, first: int = 0) -> list[str]:
    return [f"stranger-{number}" for number in range(first, first + count)]


def test_strangers_take_no_place_of_a_lift_that_the_registry_knows(records: Records) -> None:
    sender = Sender(records)
    sender.refuse(*["known"] * 500, known=True)
    for first in range(0, 3 * DEAD_LETTER_LIMIT, 5000):
        sender.refuse(*strangers(5000, first))
    assert sender.kept()["known"] == 500
    assert sender.kept().total() == DEAD_LETTER_LIMIT - DELETED_AT_ONCE


def test_one_lifts_flood_pushes_out_no_other_lifts_letters(records: Records) -> None:
    sender = Sender(records)
    for lift_id in ("quiet-1", "quiet-2"):
        sender.refuse(*[lift_id] * 100, known=True)
    sender.refuse(*["loud"] * (2 * DEAD_LETTER_LIMIT), known=True)
    sender.refuse(*["loud"] * 1000, known=True)
    assert sender.kept() == {"quiet-1": 100, "quiet-2": 100, "loud": DEAD_LETTER_LIMIT - DELETED_AT_ONCE - 200}


def test_known_lifts_leave_strangers_a_few_places(records: Records) -> None:
    sender = Sender(records)
    sender.refuse(*["new-lift"] * 50)
    sender.refuse(*["loud"] * (2 * DEAD_LETTER_LIMIT), known=True)
    assert sender.kept()["new-lift"] == 50


@pytest.mark.parametrize(
    ("names", "district"),
    [(["loud"], "anji"), (strangers(DEAD_LETTER_LIMIT), "huzhou")],
    ids=["one name in our district", "names made up in another district"],
)
def test_a_stranger_who_floods_pushes_out_no_other_strangers_letters(
    records: Records, names: list[str], district: str
) -> None:
    sender = Sender(records)
    sender.refuse(*["new-lift"] * 20)
    sender.refuse(*["filler"] * (DEAD_LETTER_LIMIT - UNREGISTERED_KEPT), known=True)
    for _ in range(2):
        sender.refuse(*(names * DEAD_LETTER_LIMIT)[:DEAD_LETTER_LIMIT], district=district)
    assert sender.kept()["new-lift"] == 20


def test_a_flood_under_one_name_from_districts_made_up_pushes_out_nobody(records: Records) -> None:
    sender = Sender(records)
    sender.refuse(*["new-lift"] * 20)
    refused = [
        Refusal("topic", "no", f"lift/v1/d{n}/loud/Speed", b"", n, n + 100, "loud", "loud")
        for n in range(2 * DEAD_LETTER_LIMIT)
    ]
    sender.commit(refused)
    assert sender.kept()["new-lift"] == 20


@pytest.mark.parametrize("seed", range(20))
def test_what_goes_first_leaves_no_share_larger_than_one_that_lost_a_row(seed: int) -> None:
    random = Random(seed)
    rows = [SharedRow(n, s := random.choice("aaaabbc"), s) for n in range(60)]
    gone = set(crowding(rows, random.randrange(60)))
    left = Counter(row.sender for row in rows if row.number not in gone)
    lost = {row.sender for row in rows if row.number in gone}
    assert all(left[sender] >= max(left.values()) - 1 for sender in lost)
    for sender in "abc":
        own = [row.number for row in rows if row.sender == sender]
        assert [n for n in own if n not in gone] == own[len(own) - left[sender] :]


def test_refusals_are_counted_for_each_listed_lift_by_reason(records: Records) -> None:
    records.put_lifts([LiftFacts("L1", "anji")], Actor.named("test"), 0)
    records.add_unregistered([("L2", "anji")])
    sender = Sender(records)
    sender.refuse("L1", "L2", "L1", "nobody", known=True)
    sender.refuse("L1", reason="syntax")
    first, counts = records.refusals_since(-1)
    assert counts == [
        RefusalCount("L1", "syntax", 1, 5 * S_NS),
        RefusalCount("L1", "type", 2, 3 * S_NS),
        RefusalCount("L2", "type", 1, 2 * S_NS),
    ]
    sender.refuse("L1")
    second, changed = records.refusals_since(first)
    assert changed == [RefusalCount("L1", "type", 3, 6 * S_NS)]
    assert records.refusals_since(second) == (second, [])
    records.delete_lift("L1", Actor.named("test"), 0)
    assert {count.lift_id for count in records.refusals_since(-1)[1]} == {"L2"}


@pytest.mark.parametrize("known", [False, True])
def test_of_a_flood_in_one_transaction_a_share_is_written_and_all_of_it_counted(records: Records, known: bool) -> None:
    records.put_lifts([LiftFacts("loud", "anji"), LiftFacts("quiet", "anji")], Actor.named("test"), 0)
    senders = [("quiet", True)] * 50 + [("new-lift", False)] * 20 + [("loud", known)] * 10_000
    refused = [
        Refusal("type", "v: no", f"lift/v1/anji/{lift_id}/speed", b"{}", n, n, lift_id, lift_id, is_known)
        for n, (lift_id, is_known) in enumerate(senders, 1)
    ]
    records.judge(position=len(refused), occurrences=[], now_ns=0, refusals=refused)
    assert Sender(records).kept() == {"quiet": 50, "new-lift": 20, "loud": WRITTEN_AT_ONCE - 70}
    assert [(each.lift_id, each.count) for each in records.refusals_since(-1)[1]] == [("loud", 10_000), ("quiet", 50)]


def test_dead_letters_of_one_lift_are_found(records: Records) -> None:
    sender = Sender(records)
    sender.refuse("L1", "L2", "L1")
    assert [letter.at_ns for letter in records.dead_letters(lift_id="L1").items] == [3 * S_NS, 1 * S_NS]
    assert records.dead_letters(lift_id="nobody").items == []
