"""The header Retry-After, a number of seconds or an HTTP date. Pure."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime


def retry_after_s(header: str | None, now_ns: int) -> float:
    """Return the seconds of a Retry-After header; 0 where it is neither a number nor a date."""
    if header is None:
        return 0.0
    if header.isascii() and header.isdigit():
        return float(header)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return 0.0
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, at.timestamp() - now_ns / 1e9)
