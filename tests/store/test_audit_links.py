"""The chain of the audit log without a database: any single change of a row is found, and the row is named."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.records.audit.chain import BEGIN, FIELDS, Link, chained
from store.records.audit.verification import ChainCheck, parse_kept_head
from tests.alerts.rules import T0

ROWS = 12


def content(number: int) -> dict[str, Any]:
    """Return a row, as different from others as rows are."""
    names = {name: f"{name} {number}" if number % 2 else None for name in FIELDS}
    return {**names, "at_ns": T0 + number, "by": f"Ann {number}", "action": "lift.patch", "subject": f"L{number % 3}"}


def chain(rows: int = ROWS) -> list[dict[str, Any]]:
    return list(chained(BEGIN, map(content, range(rows))))


def ends(rows: list[dict[str, Any]]) -> tuple[Link, Link]:
    return BEGIN, Link(rows[-1]["id"], rows[-1]["hash"])


def complaints(rows: list[dict[str, Any]], anchor: Link, head: Link, *kept: Link) -> list[str]:
    return list(ChainCheck(anchor, head, kept).complaints(rows))


def test_a_hash_is_sha_256_of_plain_json() -> None:
    """What docs/audit.md says is enough to verify a chain with another program."""
    previous = bytes(32)
    for row in chain():
        document = json.dumps(
            [previous.hex(), *(row[name] for name in FIELDS)], ensure_ascii=False, separators=(",", ":")
        )
        assert row["hash"] == hashlib.sha256(document.encode()).digest()
        previous = row["hash"]


@given(st.text(), st.text())
def test_two_rows_of_different_content_have_different_hashes(one: str, other: str) -> None:
    (first,), (second,) = (
        list(chained(BEGIN, [{**content(1), "subject": a, "detail": b}])) for a, b in [(one, other), (other, one)]
    )
    assert (first["hash"] == second["hash"]) == (one == other)


def test_an_unbroken_chain_has_no_complaints() -> None:
    rows = chain()
    assert complaints(rows, *ends(rows)) == []
    assert complaints(rows, *ends(rows), Link(3, rows[2]["hash"]), ends(rows)[1]) == []
    assert complaints([], BEGIN, BEGIN) == []


positions = st.integers(0, ROWS - 1)


@given(positions, st.sampled_from((*FIELDS, "previous", "hash")), st.data())
def test_any_change_of_one_value_is_found_and_its_row_named(at: int, name: str, data: st.DataObject) -> None:
    rows, (anchor, head) = chain(), ends(chain())
    kinds = st.none() | st.text(max_size=3) | st.binary(max_size=32) | st.integers(1, 2**62)
    value = data.draw(kinds.filter(lambda value: value != rows[at][name]))
    if name == "id":
        value = data.draw(st.integers(-5, 50).filter(lambda number: not 1 <= number <= ROWS))
    rows[at] = {**rows[at], name: value}
    found = " ".join(complaints(sorted(rows, key=lambda row: row["id"]), anchor, head))
    assert f"row {rows[at]['id']} was changed or moved" in found


@given(positions)
def test_a_row_that_was_deleted_is_named(at: int) -> None:
    rows, (anchor, head) = chain(), ends(chain())
    del rows[at]
    (found,) = complaints(rows, anchor, head)
    assert f"row {at + 1} is missing" in found or f"rows {at + 1} to {at + 1}, the newest, are missing" in found


@given(positions, positions)
def test_two_rows_that_changed_places_are_named(one: int, other: int) -> None:
    rows, (anchor, head) = chain(), ends(chain())
    rows[one], rows[other] = {**rows[other], "id": one + 1}, {**rows[one], "id": other + 1}
    found = complaints(rows, anchor, head)
    named = [f"row {at + 1} was changed or moved" for at in sorted({one, other})] if one != other else []
    assert set(named) <= {sentence.partition(":")[0] for sentence in found}
    assert bool(named) == bool(found)


@given(st.integers(0, ROWS))
def test_a_row_that_was_inserted_with_a_right_hash_is_found(at: int) -> None:
    """Rows after the inserted one get new ids, and hashes of their own: what only the head then shows."""
    rows, (anchor, head) = chain(), ends(chain())
    begin = Link(at, rows[at - 1]["hash"]) if at else BEGIN
    (forged,) = chained(begin, [content(99)])
    moved = [{**row, "id": row["id"] + 1} for row in rows[at:]]
    assert complaints([*rows[:at], forged, *moved], anchor, head)
    anew = list(chained(Link(forged["id"], forged["hash"]), rows[at:]))
    assert complaints([*rows[:at], forged, *anew], anchor, head)


@given(positions)
def test_a_chain_written_anew_from_a_row_on_is_found_by_a_head_that_was_kept(at: int) -> None:
    rows, kept = chain(), ends(chain())[1]
    begin = Link(at, rows[at - 1]["hash"]) if at else BEGIN
    forged = [*rows[:at], *chained(begin, [{**rows[at], "by": "Bob"}, *rows[at + 1 :]])]
    assert complaints(forged, *ends(forged)) == []
    assert complaints(forged, *ends(forged), kept)
    assert complaints(forged[:-1], *ends(forged[:-1]), kept)


def test_a_head_is_read_as_it_is_written() -> None:
    _, head = ends(chain())
    assert parse_kept_head(f" {head}\n") == head
    for wrong in ("", "12", "12:", f"12:{'g' * 64}", f"-1:{'0' * 64}", f"12:{'0' * 63}"):
        with pytest.raises(ValueError, match="is no head of a chain"):
            parse_kept_head(wrong)
