"""Opaque cursors of paginated lists; a checksum detects a cursor that is invented or comes from another query.

    base64url( crc32(scope + key) key )        key: JSON array of the last row's sort keys

`scope` is the query (sort and filters): a cursor is valid only for the query that returned the cursor.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Any

import orjson

from dashboards.http.problem import Problem, invalid_field

CRC_BYTES = 4


def encode_cursor(key: list[Any], scope: str) -> str:
    """Return the cursor of the page after `key` in the list of `scope`."""
    body = orjson.dumps(key)
    return base64.urlsafe_b64encode(_checksum(body, scope) + body).rstrip(b"=").decode()


def decode_cursor(cursor: str, scope: str, shape: tuple[type, ...]) -> list[Any]:
    """Return the key in `cursor`, of the types in `shape`; a problem (400) where the cursor is not of this list."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        body = raw[CRC_BYTES:]
        key = orjson.loads(body)
    except (binascii.Error, ValueError):
        raise _refusal() from None
    if raw[:CRC_BYTES] != _checksum(body, scope) or not isinstance(key, list):
        raise _refusal()
    if tuple(type(part) for part in key) != shape:
        raise _refusal()
    return key


def _checksum(body: bytes, scope: str) -> bytes:
    return zlib.crc32(body, zlib.crc32(scope.encode(errors="replace"))).to_bytes(CRC_BYTES, "big")


def _refusal() -> Problem:
    return invalid_field(
        "cursor", "not a cursor of this list; take `next` from the page before, with the same filters and sort", 400
    )
