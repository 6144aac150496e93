"""Finds messages that do not wait for their turn, before they are decoded: by the names of fields in their payload.

A search for a letter costs a hundredth of a search for a name, and long payloads are numbers, which have no letters.
"""

from __future__ import annotations

from collections.abc import Iterable

ALARM = b"alarm"
LETTER = {ALARM: b"m", b"online": b"i", b"power": b"w", b"mode": b"m"}
"""The fields that report a call for help, a connection that ends, or another power or mode, each with such a letter."""
CHANGES = tuple(LETTER)


def mentions(payload: bytes, fields: Iterable[bytes] = CHANGES) -> bool:
    """Return whether any of these fields may be in a payload."""
    return any(LETTER[field] in payload and field in payload for field in fields)
