"""Verification of the chain of the audit log: finds rows that were changed, moved, inserted or removed. Pure.

    every row        its hash follows from its content and from the hash of the row before
    the first row    follows the anchor, which the newest row of a trimming names
    the last row     is the head
    a kept head      (id and hash, kept elsewhere) is the row of that id

Whoever can write the database can also write a new chain: only heads that are kept elsewhere show that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from store.records.audit.chain import BEGIN, HASH_BYTES, Link, row_hash

TRIMMED = "audit.trim"
"""The action of a row that names the anchor; see `store.records.retention`."""
KEPT_HEAD = re.compile(rf"(\d{{1,18}}):([0-9a-f]{{{2 * HASH_BYTES}}})")


class ChainCheck:
    """One pass over the rows of a chain in the order of their ids; `rows` counts them."""

    def __init__(self, anchor: Link, head: Link, kept_heads: Sequence[Link] = ()) -> None:
        self.anchor, self.head = anchor, head
        self._kept = {link.id: link.hash for link in kept_heads}
        self._last_id, self._expected = anchor.id, {anchor.hash}
        self._named_anchor = BEGIN
        self.rows = 0

    def complaints(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
        """Yield one sentence for each break of the chain."""
        for row in rows:
            yield from self._complaints_of(row)
        yield from self._complaints_of_ends()

    def _complaints_of(self, row: Mapping[str, Any]) -> Iterator[str]:
        self.rows += 1
        row_id, previous, stored = row["id"], row["previous"], row["hash"]
        computed = _computed(row)
        if computed != stored:
            yield f"row {row_id} was changed or moved: its content does not have its hash"
        elif previous not in self._expected:
            yield self._break_before(row_id)
        kept = self._kept.pop(row_id, None)
        if kept is not None and kept != stored:
            yield f"row {row_id} is not the row whose hash was kept: {kept.hex()}"
        if row["action"] == TRIMMED:
            self._named_anchor = _named_anchor(row)
        self._last_id, self._expected = row_id, {stored, computed} - {None}

    def _break_before(self, row_id: int) -> str:
        first, last = self._last_id + 1, row_id - 1
        if first <= last:
            return f"rows {first} to {last} are missing" if first < last else f"row {first} is missing"
        return f"row {row_id} does not follow row {self._last_id}: rows were inserted, removed or written anew"

    def _complaints_of_ends(self) -> Iterator[str]:
        if self._last_id < self.head.id:
            yield f"rows {self._last_id + 1} to {self.head.id}, the newest, are missing"
        elif self._last_id > self.head.id:
            yield f"rows {self.head.id + 1} to {self._last_id} were inserted after the head"
        elif self.head.hash not in self._expected:
            yield f"the head is not row {self._last_id}: {self.head.hash.hex()}"
        if self.anchor != self._named_anchor:
            yield f"rows up to {self.anchor.id} are missing, and no row {TRIMMED!r} says that they were trimmed"
        for row_id, kept in sorted(self._kept.items()):
            if row_id > self.anchor.id or (row_id == self.anchor.id and kept != self.anchor.hash):
                yield f"row {row_id}, whose hash was kept, is missing: {kept.hex()}"


def _computed(row: Mapping[str, Any]) -> bytes | None:
    """Return the hash that a row must have; None for values of types that no row has."""
    try:
        return row_hash(row["previous"], row)
    except (TypeError, AttributeError):
        return None


def parse_kept_head(text: str) -> Link:
    """Return a head as `liftwatch audit head` writes it; raise ValueError for any other text."""
    found = KEPT_HEAD.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no head of a chain; write its id and {2 * HASH_BYTES} digits, as in 42:9f86…")
    return Link(int(found[1]), bytes.fromhex(found[2]))


def _named_anchor(row: Mapping[str, Any]) -> Link:
    """Return the anchor that the row of a trimming names; a row that names none was changed, and its hash shows it."""
    try:
        named = orjson.loads(row["after"])
        return Link(int(named["id"]), bytes.fromhex(named["hash"]))
    except (TypeError, ValueError, KeyError):
        return BEGIN
