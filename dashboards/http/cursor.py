"""Opaque cursors: where a list goes on, sealed so that a cursor made up, or of another question, is told.

    base64url( crc32(scope + key) key )        key: JSON array of the last row's sort keys

`scope` is the question (sort and filters): a cursor serves only the question it came from.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Any

import orjson

from dashboards.http.problem import Problem, unfit

CRC_BYTES = 4


def seal(key: list[Any], scope: str) -> str:
    """Return the cursor that goes on after `key` in the list that `scope` names."""
    body = orjson.dumps(key)
    return base64.urlsafe_b64encode(_crc(body, scope) + body).rstrip(b"=").decode()


def unseal(cursor: str, scope: str, shape: tuple[type, ...]) -> list[Any]:
    """Return the key in `cursor`, of the types in `shape`; a problem (400) where it is not one of this list."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        body = raw[CRC_BYTES:]
        key = orjson.loads(body)
    except (binascii.Error, ValueError):
        raise _refusal() from None
    if raw[:CRC_BYTES] != _crc(body, scope) or not isinstance(key, list):
        raise _refusal()
    if tuple(type(part) for part in key) != shape:
        raise _refusal()
    return key


def _crc(body: bytes, scope: str) -> bytes:
    return zlib.crc32(body, zlib.crc32(scope.encode(errors="replace"))).to_bytes(CRC_BYTES, "big")


def _refusal() -> Problem:
    return unfit(
        "cursor", "not a cursor of this list; take `next` from the page before, with the same filters and sort", 400
    )
