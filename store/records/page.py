"""A page of a list and the opaque cursor to the next one."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


class BadCursor(ValueError):
    """A cursor that was not made by this list."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items of a list; `next` is the cursor to the following page, None at the end."""

    items: list[T]
    next: str | None


def encode_cursor(*parts: object) -> str:
    """Return an opaque cursor to the rows after a row."""
    return base64.urlsafe_b64encode(" ".join(map(str, parts)).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, parts: int) -> list[str]:
    """Return the parts of a cursor; raise BadCursor for any other text."""
    try:
        found = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)).decode().split(" ")
    except (ValueError, binascii.Error) as error:
        raise BadCursor("this cursor was not given out by this list: leave it out to begin anew") from error
    if len(found) != parts:
        raise BadCursor("this cursor was not given out by this list: leave it out to begin anew")
    return found


def parse_number(text: str) -> int:
    """Return a number in a cursor, limited to what a column can hold; raise BadCursor for any other text."""
    if not text.removeprefix("-").isascii() or not text.removeprefix("-").isdigit() or len(text) > 18 + 1:
        raise BadCursor("this cursor was not given out by this list: leave it out to begin anew")
    return clamped(int(text))


def clamped(number: int) -> int:
    """Return the nearest number that a column can hold, so that a query for the year 9999 is answered."""
    return max(-(2**63), min(2**63 - 1, number))


def cursor_after_row(row_id: int) -> str:
    """Return the cursor after a row of a list that is ordered by row id alone."""
    return encode_cursor(row_id)


def row_of_cursor(cursor: str) -> int:
    """Return the row id in a cursor of `cursor_after_row`."""
    return parse_number(decode_cursor(cursor, 1)[0])
