"""A page of a list and the opaque cursor to the next one."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


class BadCursor(ValueError):
    """A cursor that no list gave out."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items of a list; `next` is the cursor to what follows, None at the end."""

    items: list[T]
    next: str | None


def encode_cursor(*parts: object) -> str:
    """Return an opaque cursor that stands after a row."""
    return base64.urlsafe_b64encode(" ".join(map(str, parts)).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, parts: int) -> list[str]:
    """Return what `encode_cursor` was given; raises BadCursor."""
    try:
        found = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)).decode().split(" ")
    except (ValueError, binascii.Error) as error:
        raise BadCursor("this cursor was not given out by this list: leave it out to begin anew") from error
    if len(found) != parts:
        raise BadCursor("this cursor was not given out by this list: leave it out to begin anew")
    return found


def whole(text: str) -> int:
    """Return a number of a cursor that a column can hold; raises BadCursor."""
    if not text.removeprefix("-").isascii() or not text.removeprefix("-").isdigit() or len(text) > 18 + 1:
        raise BadCursor("this cursor was not given out by this list: leave it out to begin anew")
    return storable(int(text))


def storable(number: int) -> int:
    """Return the nearest number that a column can hold: whoever asks for the year 9999 is answered, not refused."""
    return max(-(2**63), min(2**63 - 1, number))


def next_row(row_id: int) -> str:
    """Return the cursor after a row of a list that is ordered by its number alone."""
    return encode_cursor(row_id)


def before_row(cursor: str) -> int:
    """Return the number of the row that a cursor stands after."""
    return whole(decode_cursor(cursor, 1)[0])
