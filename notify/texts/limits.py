"""Limits and escapes of texts: cutting by characters, bytes and SMS units, one line, and Markdown. Pure."""

from __future__ import annotations

import re
import unicodedata

ELLIPSIS = "…"
SMS_UNITS, SMS_UNITS_OF_TWO = 70, 134
"""UTF-16 units of one SMS, and of two joined ones, in UCS-2, which every text with a Chinese character needs."""
GSM_CHARS, GSM_CHARS_OF_TWO = 160, 306
"""Characters of one SMS, and of two joined ones, in the alphabet of GSM, which has most of ASCII."""
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~@])")
_NOT_GSM = frozenset("`^{}[]~\\|")
"""ASCII characters that the alphabet of GSM lacks, or that take two places in it."""
_REMOVED = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Controls, invisible characters that change the direction of text, and separators of lines and paragraphs."""


def one_line(text: str) -> str:
    """Return a text without control characters and line breaks, with single spaces."""
    visible = "".join(" " if unicodedata.category(char) in _REMOVED else char for char in text)
    return " ".join(visible.split())


def cut(text: str, chars: int) -> str:
    """Return a text of at most `chars` characters, with an ellipsis where something was cut off."""
    return text if len(text) <= chars else text[: max(0, chars - 1)].rstrip() + ELLIPSIS


def cut_bytes(text: str, most_bytes: int) -> str:
    """Return a text of at most `most_bytes` bytes in UTF-8."""
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= most_bytes:
        return text
    room = max(0, most_bytes - len(ELLIPSIS.encode()))
    return encoded[:room].decode("utf-8", "ignore").rstrip() + ELLIPSIS


def sms_units(text: str) -> int:
    """Return the UTF-16 units of a text; a character beyond the basic plane has two."""
    return len(text.encode("utf-16-le", "replace")) // 2


def cut_sms(text: str, units: int = SMS_UNITS) -> str:
    """Return a text of at most `units` UTF-16 units."""
    if sms_units(text) <= units:
        return text
    kept = text[:units]
    while sms_units(kept) > units - 1:
        kept = kept[:-1]
    return kept.rstrip() + ELLIPSIS


def is_gsm(text: str) -> bool:
    """Return whether the alphabet of GSM has every character of a text."""
    return text.isascii() and not _NOT_GSM.intersection(text)


def escape_markdown(text: str) -> str:
    """Return a text of which Markdown shows every character as written."""
    return _MARKDOWN.sub(r"\\\1", text)
