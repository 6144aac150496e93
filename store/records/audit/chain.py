"""The chain of the audit log: the hash of a row, and the rows that continue a chain. Pure.

    hash(row) = SHA-256( JSON array of: hash of the row before, as hexadecimal digits; the values of `FIELDS` in order;
                         `district`, where the row has one )

The JSON has no spaces, is UTF-8, and escapes only what JSON requires; unknown values are null. The order of `FIELDS`
never changes, since every stored hash depends on it; rows of former versions have no district.

    anchor ◄── row 41 ◄── row 42 ◄── row 43 ◄── head
    (hash of row 40, which was trimmed)          (id and hash of row 43)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

FIELDS = (
    "id", "at_ns", "outcome", "by", "account", "organisation", "role", "address", "action", "subject", "lift_id",
    "detail", "before", "after",
)  # fmt: skip
DISTRICT = "district"
HASH_BYTES = 32
ANCHOR, HEAD = "anchor", "head"


@dataclass(frozen=True, slots=True)
class Link:
    """A row's id and hash; the head is the newest row, the anchor the row before the oldest one that is stored."""

    id: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.id}:{self.hash.hex()}"


BEGIN = Link(0, bytes(HASH_BYTES))
"""The anchor of a chain of which nothing was trimmed."""


def row_hash(previous: bytes, row: Mapping[str, Any]) -> bytes:
    """Return the hash of a row after a row with the hash `previous`."""
    values = [previous.hex(), *(row[name] for name in FIELDS)]
    if row.get(DISTRICT) is not None:
        values.append(row[DISTRICT])
    return hashlib.sha256(orjson.dumps(values)).digest()


def chained(head: Link, rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield rows with the ids and hashes by which they continue the chain after `head`."""
    row_id, previous = head.id, head.hash
    for row in rows:
        row_id += 1
        numbered = {**row, "id": row_id, "previous": previous}
        previous = row_hash(previous, numbered)
        yield {**numbered, "hash": previous}
