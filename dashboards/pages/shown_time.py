"""Instants as the pages of accounts and devices show them: absolute in one zone, and as an age."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo

S_NS = 1_000_000_000
AGES = ((24 * 3600, "time.d"), (3600, "time.h"), (60, "time.min"), (1, "time.s"))
"""The seconds of each unit of an age, and the key of its text."""


def shown_time(instant_ns: int, zone: tzinfo = UTC) -> str:
    """Return an instant as a person reads it, with the offset of its zone."""
    at = datetime.fromtimestamp(instant_ns / S_NS, zone)
    offset = at.strftime("%z")
    hours, minutes = int(offset[:3]), offset[3:5]
    return f"{at:%Y-%m-%d %H:%M} UTC" + ("" if offset == "+0000" else f"{hours:+d}" + (minutes != "00") * f":{minutes}")


def shown_age(instant_ns: int, now_ns: int, translate: Callable[..., str]) -> str:
    """Return how long ago an instant was, in the largest unit that fits."""
    seconds = (now_ns - instant_ns) // S_NS
    for size, key in AGES:
        if seconds >= size:
            return translate("time.ago", duration=translate(key, a=seconds // size))
    return translate("time.now")
